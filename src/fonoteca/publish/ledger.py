"""``ledger.parquet``, ``credits.parquet`` and ``CREDITS.md``: what is published, why the rest is not, whom to thank."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from fonoteca.core.ids import Kind, show_id
from fonoteca.formats.tables import CREDIT_LINES, LEDGER
from fonoteca.publish.inputs import Located
from fonoteca.publish.plan import PublicationPlan
from fonoteca.publish.world import World
from fonoteca.rights import attribution
from fonoteca.rights.attribution import Work
from fonoteca.rights.policy import Verdict

PUBLISHED, WITHHELD, WITHDRAWN, NOT_HELD = "published", "withheld", "withdrawn", "not-held"


def ledger_table(plan: PublicationPlan, world: World) -> pa.Table:
    """One row for each recording that the catalogue or the holdings know (docs/formats/ledger.md)."""
    published: dict[int, Located] = {}
    for row in plan.located:
        published.setdefault(row.recording, row)
    withdrawn = world.withdrawals.withdrawn_recordings()
    known = sorted({*world.listens, *(h.recording for h in world.holdings)})
    rows = [_row(recording, published.get(recording), world, withdrawn) for recording in known]
    return pa.Table.from_pylist(rows, schema=LEDGER)


def statuses(ledger: pa.Table) -> dict[str, int]:
    """Number of recordings of each status."""
    counted = Counter(ledger["status"].to_pylist())
    return {status: counted[status] for status in (PUBLISHED, WITHHELD, WITHDRAWN, NOT_HELD)}


def _row(recording: int, place: Located | None, world: World, withdrawn: frozenset[str]) -> dict[str, Any]:
    if place is not None:
        verdict = world.verdict_of[recording, place.blob]
        return _told(recording, PUBLISHED, verdict, world)
    verdicts = world.verdicts_by_recording.get(recording)
    if not verdicts:
        if show_id(Kind.RECORDING, recording) in withdrawn:
            return _bare(recording, WITHDRAWN, "withdrawn", "It was withdrawn")
        return _bare(recording, NOT_HELD, "not-held", "No file of it is held")
    denied = [v for v in verdicts if not v.cleared]
    if not denied:
        told = "Another recording has the same bytes, and those are withheld"
        return _told(recording, WITHHELD, verdicts[0], world) | {"reason": "shared-blob-withheld", "detail": told}
    status = WITHDRAWN if denied[0].reasons[0].code == "withdrawn" else WITHHELD
    return _told(recording, status, denied[0], world)


def _bare(recording: int, status: str, reason: str, detail: str) -> dict[str, Any]:
    return {"recording_id": recording, "status": status, "reason": reason, "detail": detail, "bytes": None,
            "licence": None, "blob_sha256": None}  # fmt: skip


def _told(recording: int, status: str, verdict: Verdict, world: World) -> dict[str, Any]:
    holding = world.held[recording, verdict.blob]
    return {
        "recording_id": recording, "status": status, "reason": verdict.reasons[0].code,
        "detail": verdict.reasons[0].text, "bytes": holding.bytes,
        "licence": " AND ".join(lic.id for lic in verdict.licences) or None, "blob_sha256": verdict.blob,
    }  # fmt: skip


def works(plan: PublicationPlan, world: World) -> Iterator[tuple[Work, Verdict]]:
    """Every published recording with the verdict that it is published upon."""
    for row in plan.located:
        holding = world.held[row.recording, row.blob]
        source = world.source_of(row.recording, row.blob)
        yield (
            Work(row.recording, holding.title, holding.artist, holding.release, source),
            world.verdict_of[row.recording, row.blob],
        )


def credits_table(plan: PublicationPlan, world: World) -> pa.Table:
    """The credit lines as rows."""
    return pa.Table.from_pylist(attribution.rows(works(plan, world)), schema=CREDIT_LINES)


def credits_text(plan: PublicationPlan, world: World, name: str, sources: Iterable[tuple[str, str, str]]) -> bytes:
    """CREDITS.md: the works, then the sources of the metadata.

    Args:
        sources: (source, licence id, whom to credit) of what stands in the snapshot.
    """
    text = attribution.credits_markdown(works(plan, world), name)
    escape = attribution.escape
    lines = [
        f"- {escape(source)}: {escape(licence)}{f', {escape(whom)}' if whom else ''}"
        for source, licence, whom in sorted(set(sources))
    ]
    return "\n".join([text, "## Metadata", "", *lines, ""]).encode()
