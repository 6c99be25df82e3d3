"""Carrying out a publication plan. Every step finds out what is done already, so a run that was killed anywhere is
completed by the next one, which ends in the same bytes.

Nobody reads a pack before an edition names it, nor an edition before the signed timestamp leads to it. Order:
space → withdrawn blobs copied back → packs sealed and read back → torrents → edition folder → signatures →
ledger of places → loose copies dropped → what was superseded goes.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import replace
from typing import Any, BinaryIO

from fonoteca.core import durable
from fonoteca.core.progress import Progress, Unit
from fonoteca.formats import pack
from fonoteca.publish import assemble, settle, space, tuf
from fonoteca.publish.plan import PublicationPlan
from fonoteca.publish.prepare import Prepared
from fonoteca.publish.seal import Sealed
from fonoteca.publish.workshop import Workshop
from fonoteca.rights.gate import Gate


def execute(prepared: Prepared, shop: Workshop, now: datetime.datetime) -> dict[str, Any]:
    """Make the edition, or finish one that an interrupted run has made. Gives the summary of ``publish``.

    Args:
        now: the time that the edition bears, and from which signatures count.

    Raises:
        NoSpace: before anything is written, with what is needed and what there is.
        RightsRefused: something was withdrawn since the plan was made; run again.
        Damaged: a blob or a pack is not what it was; nothing was published.
        Failed: a key is missing.
    """
    if prepared.unchanged:
        settle.settle(prepared.world, shop, now)
        return prepared.as_json()
    shown = prepared.as_json()
    plan = prepared.plan
    space.check(space.needed(plan, _table_bytes(prepared)), shop.publication.root)
    _check_keys(shop)
    shop.holdings.copy_back(row.blob for row in plan.lost)
    sealed = _seal(prepared, plan, shop)
    _link_survivors(plan, shop)
    assemble.assemble(prepared, sealed, shop, now)
    settle.settle(prepared.world, shop, now)
    return shown


def _check_keys(shop: Workshop) -> None:
    """All keys that signing will need, before hours of work."""
    first = tuf.newest_root(shop.publication) is None
    for role in [*(["root"] if first else []), "targets", "snapshot", "timestamp", "withdrawals"]:
        shop.keys.signer(role)


def _table_bytes(prepared: Prepared) -> int:
    generation = prepared.world.generation
    return sum(ref.bytes for table in generation.merged for ref in generation.all_merged(table))


def _seal(prepared: Prepared, plan: PublicationPlan, shop: Workshop) -> dict[str, Sealed]:
    """All new packs and redactions, several at once; pack id → what is on the disk."""
    known = {sha256: fixity.blake3 for sha256, fixity in shop.holdings.blobs().items()}
    bench = replace(shop.bench(prepared.options.limits.piece_length), blake3_of=known)
    open_blob = _door(prepared, shop.gate)
    total = sum(p.bytes for p in plan.added) + sum(r.old.bytes for r in plan.redacted)
    shop.progress.stage("sealing packs", total, Unit.BYTES)
    with ThreadPoolExecutor(max(1, shop.workers)) as pool:
        jobs: dict[Future[Sealed], str] = {}
        for new in plan.added:
            jobs[pool.submit(bench.seal, new, plan.volume_of(new.id), open_blob)] = new.id
        for redaction in plan.redacted:
            kept_length = shop.bench(prepared.piece_length(redaction.old.volume))
            jobs[pool.submit(kept_length.redact, redaction)] = redaction.id
        return _collect(jobs, shop.progress)


def _collect(jobs: Mapping[Future[Sealed], str], progress: Progress) -> dict[str, Sealed]:
    """Results as they come; after the first failure nothing new is begun."""
    found: dict[str, Sealed] = {}
    try:
        for job in as_completed(jobs):
            found[jobs[job]] = job.result()
            progress.advance(found[jobs[job]].fixity.bytes)
    except BaseException:
        for job in jobs:
            job.cancel()
        raise
    return found


def _door(prepared: Prepared, gate: Gate) -> Callable[[str], BinaryIO]:
    """Opens new blobs through the gate, which looks again at each."""
    verdicts = prepared.world.verdict_of
    passes = {
        member.blob: gate.clear(verdicts[member.recording, member.blob])
        for new in prepared.plan.added
        for member in new.members
    }
    return lambda blob: gate.open(passes[blob])


def _link_survivors(plan: PublicationPlan, shop: Workshop) -> None:
    """Packs of a re-issued volume that stay as they are get a second name in the new folder."""
    packs = shop.publication.packs
    for kept in plan.kept:
        if kept.volume != kept.old.volume:
            name = pack.file_name(kept.id, kept.old.revision)
            durable.link(packs / kept.old.volume / name, packs / kept.volume / name)
