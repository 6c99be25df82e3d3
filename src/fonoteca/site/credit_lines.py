"""The page of credits: one line for each recording and licence, as whoever passes it on has to say it."""

from __future__ import annotations

from fonoteca.core.ids import Kind, show_id
from fonoteca.formats.withdrawals import WithdrawalList
from fonoteca.site import licences
from fonoteca.site.edition import Edition, Row
from fonoteca.site.paging import ROWS, Key


def page(edition: Edition, gone: WithdrawalList, licence: str, start: Key) -> Row:
    """The lines behind a place, of one licence or of all. What was withdrawn since is left out."""
    rows = edition.rows(
        "SELECT recording_id, title, artist, licence, licence_url, source, credit FROM credit_lines "
        "WHERE recording_id >= ? AND (recording_id > ? OR licence > ?) AND (? = '' OR licence = ?) "
        f"ORDER BY recording_id, licence LIMIT {ROWS + 1}",
        max(start.number, 0), start.number, start.rest, licence, licence)  # fmt: skip
    blobs = _blobs(edition, [row["recording_id"] for row in rows])
    more = len(rows) > ROWS
    last = rows[ROWS - 1] if more else None
    return {
        "edition": edition.number, "licence": licence or None, "licences": _counts(edition),
        "credits": [_line(row) for row in rows[:ROWS] if _shared(row, blobs, gone)],
        "after": f"{show_id(Kind.RECORDING, start.number)}.{start.rest}" if start.number >= 0 else None,
        "next": f"{show_id(Kind.RECORDING, last['recording_id'])}.{last['licence'] or ''}" if last else None,
    }  # fmt: skip


def _blobs(edition: Edition, numbers: list[int]) -> dict[int, list[str]]:
    """Recording → its published blobs. The span of ids keeps the reading to a few row groups of the locator."""
    if not numbers:
        return {}
    found = edition.rows("SELECT recording_id, list(blob_sha256) AS blobs FROM locator "
                         "WHERE recording_id BETWEEN ? AND ? GROUP BY 1", min(numbers), max(numbers))  # fmt: skip
    return {row["recording_id"]: row["blobs"] for row in found}


def _shared(row: Row, blobs: dict[int, list[str]], gone: WithdrawalList) -> bool:
    shown = show_id(Kind.RECORDING, row["recording_id"])
    return any(gone.applying(shown, blob) is None for blob in blobs.get(row["recording_id"], []))


def _line(row: Row) -> Row:
    told = licences.words(row["licence"], row["licence_url"])
    return {
        "id": show_id(Kind.RECORDING, row["recording_id"]), "title": row["title"], "artist": row["artist"],
        "licence": row["licence"], "licence_url": told.url if told else None, "source": row["source"],
        "credit": row["credit"], "badge": vars(told) if told else None,
    }  # fmt: skip


def _counts(edition: Edition) -> list[Row]:
    """Lines by licence, most first; counted once for an edition."""
    if "credits" not in edition.kept:
        found = edition.rows("SELECT licence, count(*) AS lines FROM credit_lines GROUP BY 1 ORDER BY 2 DESC, 1")
        named = [(row, licences.words(row["licence"])) for row in found]
        edition.kept["credits"] = [row | {"name": told.name, "words": told.words} for row, told in named if told]
    counts: list[Row] = edition.kept["credits"]
    return counts
