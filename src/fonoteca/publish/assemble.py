"""Putting an edition together: tables, credits, torrents, and ``edition.json`` over all of them."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fonoteca.archive.holdings import leaves_folder
from fonoteca.core.clock import rfc3339
from fonoteca.core.fixity import Fixity
from fonoteca.core.progress import Unit
from fonoteca.formats.manifest import Edition, FileRef
from fonoteca.formats.metainfo import FileEntry, Metainfo
from fonoteca.formats.tables import PUBLISHED
from fonoteca.formats.torrents import TorrentInfo
from fonoteca.publish import edition, ledger, locator, snapshot, torrents
from fonoteca.publish.edition import SNAPSHOT, SNAPSHOT_NC, Draft
from fonoteca.publish.plan import PublicationPlan
from fonoteca.publish.prepare import Prepared
from fonoteca.publish.seal import Sealed
from fonoteca.publish.snapshot import Slice
from fonoteca.publish.workshop import Workshop


def assemble(prepared: Prepared, sealed: Mapping[str, Sealed], shop: Workshop, now: datetime.datetime) -> None:
    """Torrents and the edition's folder, once all packs are sealed."""
    plan = prepared.plan
    shop.progress.stage("writing the edition", None, Unit.FILES)
    draft = Draft.begin(shop.publication, plan.number)
    slices = _snapshots(prepared, draft, shop)
    rows = ledger.ledger_table(plan, prepared.world)
    _tables(prepared, plan, draft, rows, {name: done.fixity for name, done in sealed.items()}, slices)
    entries, refs = _torrents(prepared, plan, sealed, draft, slices, shop)
    draft.torrents(entries, plan.number)
    before = prepared.before
    published = frozenset(row.recording for row in plan.located)
    held = frozenset(h.recording for h in prepared.world.holdings)
    draft.publish(shop.publication, Edition(
        plan.number, rfc3339(now), before.digest if before else None, prepared.inputs,
        edition.totals(plan.counts(), ledger.statuses(rows)), shop.covers(held, published), draft.files(),
        tuple(refs),
    ), leaves_folder(shop.layout))  # fmt: skip


def _snapshots(prepared: Prepared, draft: Draft, shop: Workshop) -> dict[str, Slice]:
    world, options = prepared.world, prepared.options
    published = {row.blob for row in prepared.plan.located}
    claims = [claim for claim in world.claims if claim.subject in published]
    content = snapshot.build(shop.layout, world.generation, snapshot.commercial, shop.engine, shop.progress)
    found = {SNAPSHOT: snapshot.with_claims(content, claims, options.name)}
    if options.nc_snapshot:
        found[SNAPSHOT_NC] = snapshot.build(
            shop.layout, world.generation, snapshot.noncommercial, shop.engine, shop.progress
        )
    for part, tables in found.items():
        draft.snapshot(part, tables)
    return found


def _tables(
    prepared: Prepared, plan: PublicationPlan, draft: Draft, rows: Any, sealed: Mapping[str, Fixity],
    slices: Mapping[str, Slice],
) -> None:  # fmt: skip
    """The edition's own tables: facts about its files, which the archive gives away (CC0)."""
    world = prepared.world
    tables = {
        "locator": locator.locator_table(plan), "packs": locator.packs_table(plan, sealed), "ledger": rows,
        "credits": ledger.credits_table(plan, world),
    }  # fmt: skip
    for name, table in tables.items():
        draft.table(name, table, edition.own_notes(PUBLISHED[name].names, [prepared.options.name], ["CC0-1.0"]))
    sources = [told for part in slices.values() for told in part.credits]
    draft.text("CREDITS.md", ledger.credits_text(plan, world, prepared.options.name, sources))


def _torrents(
    prepared: Prepared, plan: PublicationPlan, sealed: Mapping[str, Sealed], draft: Draft,
    slices: Mapping[str, Slice], shop: Workshop,
) -> tuple[list[TorrentInfo], list[FileRef]]:  # fmt: skip
    """All torrents of the edition: entries of torrents.json in their order, and the files of the current ones and
    of their twins."""
    made = _table_torrents(prepared, plan.number, draft, slices)
    made += _volume_torrents(prepared, sealed)
    refs = [ref for torrent, _ in made for ref in torrents.store(shop.publication, torrent)]
    before = prepared.before.torrents if prepared.before else ()
    entries = [torrents.describe(torrent, told) for torrent, told in made]
    return torrents.in_order([*entries, *torrents.superseded(before, plan.volumes)]), refs


Made = list[tuple[Metainfo, TorrentInfo]]


def _table_torrents(prepared: Prepared, number: int, draft: Draft, slices: Mapping[str, Slice]) -> Made:
    found: Made = []
    for part, content in slices.items():
        for table in sorted(content.tables):
            nc = "-nc" if part == SNAPSHOT_NC else ""
            name = f"fonoteca-{number:04d}{nc}-{table}.parquet"
            path = f"{part}/{table}.parquet"
            public = f"editions/{number:04d}/{path}"
            limits, at = prepared.options.limits, prepared.options.addresses
            torrent = torrents.of_table(name, draft.folder / path, public, limits.piece_length, at)
            licences = {licence for note in content.notes[table].values() for licence in note.licences}
            told = torrents.template("snapshot", public, torrents.METADATA, "nc" if nc else "free", number)
            found.append((torrent, replace(told, licences=tuple(sorted(licences)))))
    return found


def _volume_torrents(prepared: Prepared, sealed: Mapping[str, Sealed]) -> Made:
    """Volumes that stay, from the torrents that are there; new ones from the hashes of sealing."""
    plan, at = prepared.plan, prepared.options.addresses
    entries: dict[str, FileEntry] = {done.entry.path[-1]: done.entry for done in sealed.values()}
    found: Made = []
    for name, (info, old) in prepared.volumes.items():
        entries |= {entry.path[-1]: entry for entry in old.files}
        if name not in plan.superseded:
            found.append((torrents.readdressed(old, at), _told(info, plan, info.packs)))
    for volume in plan.volumes:
        torrent = torrents.of_volume(volume, entries, prepared.piece_length(volume.replaces), at)
        content = f"packs/{volume.name}"
        told = torrents.template("volume", content, volume.tier, volume.permit_class, plan.number)
        found.append((torrent, _told(told, plan, [pack_id for pack_id, _, _ in volume.files])))
    return found


def _told(info: TorrentInfo, plan: PublicationPlan, packs: Sequence[str]) -> TorrentInfo:
    """What a volume's entry says of its packs as they are now."""
    inside = set(packs)
    licences = {part for row in plan.located if row.pack in inside for part in row.licence.split(" AND ")}
    share = sum(plan.coverage.get(name, 0.0) for name in sorted(inside))
    return replace(info, packs=tuple(packs), licences=tuple(sorted(licences)), coverage=min(1.0, round(share, 12)))
