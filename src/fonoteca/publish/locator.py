"""``locator.parquet`` and ``packs.parquet``: where each published byte is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pyarrow as pa

from fonoteca.core.fixity import Fixity
from fonoteca.formats.tables import LOCATOR, PACKS
from fonoteca.publish.inputs import PublishedPack
from fonoteca.publish.plan import PublicationPlan
from fonoteca.publish.previous import SUPERSEDED


def locator_table(plan: PublicationPlan) -> pa.Table:
    """Recording → blob → pack, byte offset and length (docs/formats/locator.md)."""
    rows = [
        {"recording_id": r.recording, "blob_sha256": r.blob, "pack": r.pack, "offset": r.offset, "bytes": r.bytes,
         "path": r.path, "mime": r.mime, "codec": r.codec, "bit_rate": r.bit_rate, "tier": r.tier,
         "recipe": r.recipe, "licence": r.licence}
        for r in plan.located
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=LOCATOR)


def packs_table(plan: PublicationPlan, sealed: Mapping[str, Fixity]) -> pa.Table:
    """All packs of the edition, and the revisions that it supersedes (docs/formats/packs-parquet.md).

    Args:
        sealed: file fixity of added and redacted packs, by id.
    """
    count = Counter(pack for _, pack in {(r.blob, r.pack) for r in plan.located})
    rows = [_row(k.old, k.volume, "kept", plan, count) for k in plan.kept]
    for new in plan.added:
        fixity = sealed[new.id]
        pack = PublishedPack(new.id, 0, new.tier, new.permit_class, plan.volume_of(new.id), fixity.bytes,
                             fixity.sha256, fixity.merkle_root, 0)  # fmt: skip
        rows.append(_row(pack, pack.volume, "added", plan, count))
    for redaction in plan.redacted:
        old, fixity = redaction.old, sealed[redaction.id]
        pack = PublishedPack(old.id, redaction.revision, old.tier, old.permit_class, redaction.volume, fixity.bytes,
                             fixity.sha256, fixity.merkle_root, 0)  # fmt: skip
        rows.append(_row(pack, pack.volume, "added", plan, count))
        rows.append(_superseded(old, redaction.revision))
    return pa.Table.from_pylist(rows, schema=PACKS)


def _row(pack: PublishedPack, volume: str, state: str, plan: PublicationPlan, count: Counter[str]) -> dict[str, object]:
    return {
        "id": pack.id, "revision": pack.revision, "tier": pack.tier, "class": pack.permit_class, "volume": volume,
        "bytes": pack.bytes, "sha256": pack.sha256, "merkle_root": pack.merkle_root, "recordings": count[pack.id],
        "coverage": plan.coverage.get(pack.id, 0.0), "state": state, "superseded_by": None,
    }  # fmt: skip


def _superseded(old: PublishedPack, revision: int) -> dict[str, object]:
    return {
        "id": old.id, "revision": old.revision, "tier": old.tier, "class": old.permit_class, "volume": old.volume,
        "bytes": old.bytes, "sha256": old.sha256, "merkle_root": old.merkle_root, "recordings": old.recordings,
        "coverage": 0.0, "state": SUPERSEDED, "superseded_by": f"{old.id}.r{revision}",
    }  # fmt: skip
