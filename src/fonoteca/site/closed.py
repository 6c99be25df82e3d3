"""The page of what is described and not shared: counts by reason, and a list with who can change it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from fonoteca.core.ids import Kind, parse_id, show_id
from fonoteca.formats.withdrawals import WithdrawalList
from fonoteca.site.edition import Edition, Row
from fonoteca.site.paging import ROWS, Key
from fonoteca.site.reasons import reason

ORDER = ("withdrawn", "withheld", "not-held")
NAMES = {"withdrawn": "Withdrawn", "withheld": "Withheld", "not-held": "Not held"}
CLOSED = "closed"
"""The list that is shown first: what is held, or was, and is not shared."""
_STATE = "CASE WHEN gone THEN 'withdrawn' ELSE status END"
_CODE = "CASE WHEN gone THEN 'withdrawn' WHEN status = 'not-held' THEN 'not-held' ELSE coalesce(reason, status) END"
_ROWS = """
SELECT * FROM (
    SELECT l.recording_id, l.blob_sha256, l.detail, l.status, l.reason,
           (l.status = 'withdrawn' OR l.recording_id IN (SELECT unnest(?::BIGINT[]))
            OR coalesce(l.blob_sha256 IN (SELECT unnest(?::VARCHAR[])), false)) AS gone
    FROM ledger l WHERE l.recording_id > ?
) WHERE (status <> 'published' OR gone)
"""


def page(edition: Edition, gone: WithdrawalList, chosen: str, start: Key) -> Row:
    """Counts, and the rows of one reason (or of ``closed``) behind a recording."""
    counts = _counts(edition, gone)
    codes = [c["code"] for c in counts if chosen in (c["code"], CLOSED) and (chosen != CLOSED or not _unheld(c))]
    rows = _listed(edition, gone, codes, start.number) if codes else []
    shown = [_row(gone, row) for row in rows[:ROWS]]
    return {
        "edition": edition.number, "reason": chosen, "counts": counts, "total": sum(c["recordings"] for c in counts),
        "shared": edition.manifest.totals.get("published"), "recordings": shown,
        "after": show_id(Kind.RECORDING, start.number) if start.number >= 0 else None,
        "next": shown[-1]["id"] if len(rows) > ROWS else None,
    }  # fmt: skip


def _unheld(count: Row) -> bool:
    return bool(count["status"] == "not-held")


def _numbers(gone: WithdrawalList) -> list[int]:
    return sorted(parse_id(shown)[1] for shown in gone.withdrawn_recordings())


def _counts(edition: Edition, gone: WithdrawalList) -> list[Row]:
    """By state and reason. A scan of two columns: kept for as long as edition and list are the same."""
    known = edition.kept.get("closed")
    if known is not None and known[0] == gone.entries:
        return list(known[1])
    query = f"SELECT {_STATE} AS status, {_CODE} AS code, count(*) AS recordings FROM ({_ROWS}) GROUP BY 1, 2"
    found = edition.rows(query, _numbers(gone), sorted(gone.withdrawn_blobs()), -1)
    found.sort(key=lambda r: (ORDER.index(r["status"]) if r["status"] in ORDER else 9, -r["recordings"], r["code"]))
    counts = [r | _words(r["code"], r["status"]) | {"name": NAMES.get(r["status"], r["status"])} for r in found]
    edition.kept["closed"] = (gone.entries, counts)
    return list(counts)


def _words(code: str, status: str) -> dict[str, Any]:
    told = reason(code, status)
    return {"text": told.text, "who": told.who}


def _listed(edition: Edition, gone: WithdrawalList, codes: Collection[str], after: int) -> list[Row]:
    query = f"""
        SELECT c.*, r.title, r.artist, r.release, r.year FROM (
            SELECT recording_id, blob_sha256, detail, {_STATE} AS status, {_CODE} AS code FROM ({_ROWS})
            WHERE {_CODE} IN (SELECT unnest(?::VARCHAR[])) ORDER BY recording_id LIMIT {ROWS + 1}
        ) c LEFT JOIN recordings r ON r.id = c.recording_id ORDER BY c.recording_id
    """
    return edition.rows(query, _numbers(gone), sorted(gone.withdrawn_blobs()), after, sorted(codes))


def _row(gone: WithdrawalList, row: Row) -> Row:
    shown = show_id(Kind.RECORDING, row["recording_id"])
    withdrawal = gone.applying(shown, row["blob_sha256"] or "") if row["status"] == "withdrawn" else None
    return {
        "id": shown, "title": row["title"], "artist": row["artist"], "release": row["release"], "year": row["year"],
        "status": row["status"], "code": row["code"], **_words(row["code"], row["status"]),
        "detail": withdrawal.reason if withdrawal else row["detail"], "date": withdrawal.date if withdrawal else None,
    }  # fmt: skip
