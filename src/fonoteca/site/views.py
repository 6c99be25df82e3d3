"""The values behind the pages: one dictionary for the HTML page and for its JSON twin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fonoteca.core.ids import Kind, show_id
from fonoteca.formats.withdrawals import Withdrawal, WithdrawalList
from fonoteca.site import licences, torrents
from fonoteca.site.edition import MOST_ROWS, Edition, Row, safe_mime
from fonoteca.site.reasons import reason

PROVENANCE = ("source", "dump", "position")


def recording(edition: Edition, gone: WithdrawalList, number: int) -> Row | None:
    """Everything that is known of a recording, or None."""
    row = edition.row("SELECT * FROM recordings WHERE id = ?", number)
    if row is None:
        return None
    shown = show_id(Kind.RECORDING, number)
    ledger = edition.row("SELECT * FROM ledger WHERE recording_id = ?", number) or {}
    files = _files(edition, gone, number, shown)
    withdrawal = gone.applying(shown, ledger.get("blob_sha256") or "")
    blobs = {f["sha256"] for f in files} | ({ledger["blob_sha256"]} if ledger.get("blob_sha256") else set())
    facts = _facts(edition, number, [shown, *sorted(blobs)], row)
    return {
        "id": shown, "kind": "recording", "edition": edition.number, "title": row["title"], "artist": row["artist"],
        "artists": _credits(edition, number), "release": _release(row), "year": row["year"],
        "duration_ms": row["duration_ms"], "genres": facts["genres"], "identifiers": facts["identifiers"],
        "popularity": _popularity(edition, number),
        **_status(ledger, files, withdrawal),
        "licences": _licences(edition, number, ledger, files), "credit": _credit(edition, number, files),
        "files": files, "claims": facts["claims"],
        "provenance": _provenance(edition, row, facts),
    }  # fmt: skip


def _popularity(edition: Edition, number: int) -> Row | None:
    row = edition.row("SELECT listens, score, rank FROM popularity WHERE recording_id = ?", number)
    return row | {"synthetic": edition.synthetic} if row else None


def _status(ledger: Mapping[str, Any], files: list[Row], withdrawal: Withdrawal | None) -> Row:
    status = "withdrawn" if withdrawal else ledger.get("status") or ("published" if files else "not-held")
    if status == "published" and not files:
        status = "withdrawn"
    if status == "published":
        return {"status": status, "reason": None}
    told = reason("withdrawn" if status == "withdrawn" else ledger.get("reason"), status)
    detail = withdrawal.reason if withdrawal else ledger.get("detail")
    return {"status": status, "reason": {"code": told.code, "text": told.text, "who": told.who, "detail": detail}}


def _release(row: Row) -> Row | None:
    if not row["release"]:
        return None
    number = row["release_id"]
    return {"id": show_id(Kind.RELEASE, number) if number is not None else None, "title": row["release"]}


def _credits(edition: Edition, number: int) -> list[Row]:
    found = edition.rows("SELECT artist_id, name, role, joined_by FROM credits WHERE entity_id = ? ORDER BY ordinal "
                         f"LIMIT {MOST_ROWS}", number)  # fmt: skip
    return [
        {"id": show_id(Kind.ARTIST, r["artist_id"]) if r["artist_id"] is not None else None, "name": r["name"],
         "role": r["role"], "joined_by": r["joined_by"]}
        for r in found
    ]  # fmt: skip


def _files(edition: Edition, gone: WithdrawalList, number: int, shown: str) -> list[Row]:
    query = "SELECT * FROM locator WHERE recording_id = ? ORDER BY recipe = 'original' DESC, blob_sha256"
    return [
        _file(edition, row)
        for row in edition.rows(query, number)
        if gone.applying(shown, row["blob_sha256"]) is None
    ]  # fmt: skip


def _file(edition: Edition, row: Row) -> Row:
    stored = edition.packs.get(row["pack"])
    torrent = edition.torrent_of_volume.get(stored.volume) if stored else None
    return {
        "sha256": row["blob_sha256"], "mime": safe_mime(row["mime"]), "codec": row["codec"],
        "bit_rate": row["bit_rate"], "bytes": row["bytes"], "recipe": row["recipe"], "licence": row["licence"],
        "audio": f"/audio/{row['blob_sha256']}", "path": row["path"], "name": (row["path"] or "").rpartition("/")[2],
        "pack": row["pack"], "offset": row["offset"], "tier": row["tier"],
        "pack_file": f"/{stored.address}" if stored else None,
        "held": bool(stored and edition.pack_path(stored)),
        "torrent": torrents.value(torrent) if torrent else None,
    }  # fmt: skip


def _licences(edition: Edition, number: int, ledger: Mapping[str, Any], files: list[Row]) -> list[Row]:
    """The licences that count. None for what is withheld: a badge would promise what the gate denied."""
    if not files and ledger.get("status") != "not-held":
        return []
    query = "SELECT DISTINCT licence, licence_url FROM credit_lines WHERE recording_id = ? ORDER BY licence"
    found = [(r["licence"], r["licence_url"]) for r in edition.rows(query, number)]
    ids = [f["licence"] for f in files] or [ledger.get("licence")]
    named = found or [(licence, None) for licence in dict.fromkeys(ids)]
    return [vars(told) for told in (licences.words(name, url) for name, url in named) if told]


def _credit(edition: Edition, number: int, files: list[Row]) -> str | None:
    if not files:
        return None
    row = edition.row("SELECT credit FROM credit_lines WHERE recording_id = ? ORDER BY licence LIMIT 1", number)
    return row["credit"] if row else None


def _facts(edition: Edition, number: int, subjects: list[str], row: Row) -> dict[str, list[Row]]:
    return {
        "credits": edition.rows("SELECT * FROM credits WHERE entity_id = ? ORDER BY ordinal LIMIT 100", number),
        "identifiers": edition.rows(
            "SELECT scheme, value, kind, source, dump, position FROM identifiers WHERE entity_id = ? "
            "ORDER BY scheme, value, source LIMIT 100", number),
        "genres": edition.rows("SELECT genre, source, dump, position FROM genres WHERE entity_id = ? "
                               "ORDER BY genre, source LIMIT 100", number),
        "claims": edition.rows(
            "SELECT kind, subject, licence, url, evidence, source, dump, position FROM claims WHERE subject IN "
            "(SELECT unnest(?::VARCHAR[])) ORDER BY source, kind, licence LIMIT 100",
            [*subjects, *([show_id(Kind.RELEASE, row["release_id"])] if row["release_id"] is not None else [])]),
    }  # fmt: skip


def _provenance(edition: Edition, row: Row, facts: Mapping[str, list[Row]]) -> list[Row]:
    """Each field with where it comes from and under which licence that source's metadata is."""
    named: list[tuple[str, Any, Row]] = [
        (name, row[name], row)
        for name in ("title", "artist", "release", "year", "duration_ms")
        if row[name] is not None
    ]  # fmt: skip
    named += [(f"credit ({c['role'] or 'artist'})", c["name"], c) for c in facts["credits"]]
    named += [(i["scheme"], i["value"], i) for i in facts["identifiers"]]
    named += [("genre", g["genre"], g) for g in facts["genres"]]
    return [_told(edition, name, value, origin) for name, value, origin in named]


def _told(edition: Edition, name: str, value: Any, origin: Row) -> Row:
    where = {key: origin[key] for key in PROVENANCE}
    return {"field": name, "value": value, **where, "licences": edition.source_licences.get(origin["source"], [])}


_LISTED = """
SELECT r.id, r.title, r.artist, r.release, r.year, r.duration_ms, p.score AS popularity, here.licence,
       here.blobs, {extra}
FROM {origin}
LEFT JOIN popularity p ON p.recording_id = r.id
LEFT JOIN (SELECT recording_id, min(licence) AS licence, list(blob_sha256) AS blobs FROM locator GROUP BY 1) here
       ON here.recording_id = r.id
WHERE {where}
"""


def listed(rows: Iterable[Row], gone: WithdrawalList) -> list[Row]:
    """Recordings of a list, with what a reader needs to choose one."""
    found = []
    for row in rows:
        shown = show_id(Kind.RECORDING, row["id"])
        playable = any(gone.applying(shown, blob) is None for blob in row["blobs"] or [])
        licence = licences.words(row["licence"]) if playable else None
        kept = {k: v for k, v in row.items() if k != "blobs"}
        found.append(kept | {"id": shown, "playable": playable, "badge": vars(licence) if licence else None})
    return found


def release(edition: Edition, gone: WithdrawalList, number: int) -> Row | None:
    """An album issue and its tracks, or None."""
    row = edition.row("SELECT * FROM releases WHERE id = ?", number)
    if row is None:
        return None
    query = _LISTED.format(extra="t.disc, t.number", origin="tracks t JOIN recordings r ON r.id = t.recording_id",
                           where="t.release_id = ?")  # fmt: skip
    tracks = edition.rows(f"{query} ORDER BY t.disc NULLS FIRST, t.number NULLS LAST, r.id LIMIT {MOST_ROWS + 1}",
                          number)  # fmt: skip
    identifiers = edition.rows("SELECT DISTINCT scheme, value FROM identifiers WHERE entity_id = ? "
                               "ORDER BY scheme, value LIMIT 100", number)  # fmt: skip
    return {
        "id": show_id(Kind.RELEASE, number), "kind": "release", "edition": edition.number, "title": row["title"],
        "artist": row["artist"], "artists": _credits(edition, number), "year": row["year"], "date": row["date"],
        "release_kind": row["kind"], "label": row["label"], "country": row["country"], "identifiers": identifiers,
        "tracks": listed(tracks[:MOST_ROWS], gone), "more": len(tracks) > MOST_ROWS,
        "provenance": [_told(edition, name, row[name], row) for name in ("title", "artist", "year", "label", "country")
                       if row[name] is not None],
    }  # fmt: skip


def artist(edition: Edition, gone: WithdrawalList, number: int) -> Row | None:
    """A person or group, with recordings by popularity and releases by year, or None."""
    row = edition.row("SELECT * FROM artists WHERE id = ?", number)
    if row is None:
        return None
    query = _LISTED.format(extra="NULL AS role", origin="recordings r", where="r.id IN "
                           "(SELECT entity_id FROM credits WHERE artist_id = ? AND kind = 'recording')")  # fmt: skip
    made = edition.rows(f"{query} ORDER BY p.score DESC NULLS LAST, r.id LIMIT {MOST_ROWS + 1}", number)
    releases = edition.rows(
        "SELECT DISTINCT l.id, l.title, l.year FROM releases l WHERE l.id IN (SELECT entity_id FROM credits WHERE "
        "artist_id = ? AND kind = 'release') OR l.id IN (SELECT t.release_id FROM tracks t JOIN credits c ON "
        f"c.entity_id = t.recording_id WHERE c.artist_id = ?) ORDER BY l.year, l.title, l.id LIMIT {MOST_ROWS}",
        number, number)  # fmt: skip
    return {
        "id": show_id(Kind.ARTIST, number), "kind": "artist", "edition": edition.number, "name": row["name"],
        "sort_name": row["sort_name"], "recordings": listed(made[:MOST_ROWS], gone), "more": len(made) > MOST_ROWS,
        "releases": [r | {"id": show_id(Kind.RELEASE, r["id"])} for r in releases],
        "provenance": [_told(edition, "name", row["name"], row)],
    }  # fmt: skip
