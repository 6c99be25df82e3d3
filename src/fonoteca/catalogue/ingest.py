"""Ingest: the files of a dump become a new generation of the catalogue, in one step or not at all.

plan → digests of the files decide whether there is anything to do. execute → the dump becomes the partition's files,
record by record or in bulk; what several partitions describe is merged, popularity is brought up to date, and one
rename makes the result count. Killed anywhere, the same command again ends in the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fonoteca.catalogue import (
    bulk,
    chosen,
    facts,
    failures,
    generation,
    keyed,
    merge,
    overlap,
    own,
    popularity,
    retention,
    room,
    spilling,
    spread,
    tombstones,
    views,
    wide,
)
from fonoteca.catalogue import engine as engines
from fonoteca.catalogue.chosen import Cluster
from fonoteca.catalogue.collisions import MakeId, default_make_id
from fonoteca.catalogue.engine import Engine, connect
from fonoteca.catalogue.files import FileRef
from fonoteca.catalogue.generation import DumpId, Generation, PartitionEntry
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.planning import IngestPlan, Reading, intact, plan, plan_reading
from fonoteca.catalogue.reading import DIRECT
from fonoteca.catalogue.spool import Spool, refusal_line
from fonoteca.catalogue.tables import MERGED
from fonoteca.core import durable
from fonoteca.core.errors import Failed
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.progress import SILENT, Progress, Unit
from fonoteca.core.settings import Settings
from fonoteca.sources.bulk import Bulk
from fonoteca.sources.records import FieldLicence, Record, SourceInfo
from fonoteca.sources.table_pieces import Piece
from fonoteca.sources.tally import Tally

if TYPE_CHECKING:
    import duckdb

__all__ = ["IngestPlan", "IngestResult", "execute", "ingest_records", "plan", "rank"]
DEFAULT_LICENCES = ("CC0-1.0",)


@dataclass(frozen=True)
class IngestResult:
    """What came out.

    Attributes:
        records: rows accepted: recordings, or signals and claims about another source's recordings.
        duplicates, refused: rows of recordings and of releases that were not stored.
        read: ``records`` + ``duplicates`` + ``refused``.
        quarantine: path below the archive of the refused rows, or None.
        changed: False where nothing was written, because the same reading was there.
        counts: the partition's counts in full (:class:`fonoteca.sources.tally.Tally`).
    """

    source: str
    dataset: str
    dump: str
    read: int
    records: int
    duplicates: int
    refused: int
    quarantine: str | None
    generation: int
    changed: bool
    counts: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        """The summary of ``ingest``, without seconds."""
        return dict(vars(self))


def execute(plan: IngestPlan, progress: Progress = SILENT, make: MakeId = default_make_id) -> IngestResult:
    """Do what was planned. The caller holds the writer's lock.

    Raises:
        NoSpace, Failed, Damaged: the generation that was there still counts.
    """
    places = Places.of(plan.layout)
    durable.remove_tree(places.spool)
    spilling.sweep(places)
    current = generation.load(places)
    _forget_others(places, plan.reading.folder)
    if plan.action == "nothing":
        durable.remove_tree(places.work)
        retention.collect(places)
        entry = current.partition(plan.reading.info.name, plan.reading.dataset)
        assert entry is not None
        return _result(entry, current.number, changed=False)
    with failures.ingesting(plan.reading.names), chosen.held(plan.cluster):
        entry = _with_tombstones(plan, places, current, _partition(plan, places, progress, make))
        following = _build(places, current, current.with_partition(entry), plan, progress, make)
    changed = _settle(places, current, following)
    durable.remove_tree(places.work)
    return _result(entry, following.number if changed else current.number, changed=changed)


def _forget_others(places: Places, wanted: str) -> None:
    """Let the work of an interrupted bulk ingest go, unless it was of this reading."""
    if places.work.is_dir():
        for folder in sorted(places.work.iterdir()):
            if folder.name != wanted:
                durable.remove_tree(folder)


def _settle(places: Places, current: Generation, following: Generation) -> bool:
    """Make a generation count unless it says the same as the one that does; clean up. True where it counts now."""
    changed = not following.same_content(current)
    if changed:
        generation.commit(places, following)
    durable.remove_tree(places.spool)
    retention.collect(places)
    return changed


def _partition(plan: IngestPlan, places: Places, progress: Progress, make: MakeId) -> PartitionEntry:
    """Read the dump into files of facts."""
    if plan.cluster is not None and plan.pieces is not None:
        return _on_spark(plan, plan.cluster, plan.pieces, places, progress, make)
    found = plan.bulk()
    return _by_record(plan, places, progress, make) if found is None else _in_bulk(plan, places, found, progress)


def _with_tombstones(
    plan: IngestPlan, places: Places, current: Generation, entry: PartitionEntry
) -> PartitionEntry:  # fmt: skip
    """The partition, with what its source described before and describes no more."""
    before = current.partition(*entry.name)
    if before is None or (before.tables == entry.tables and before.wide == entry.wide):
        return replace(entry, tombstones=before.tombstones if before else [])
    with connect(plan.engine, places.spool / "engine") as connection:
        return replace(entry, tombstones=tombstones.find(connection, places, before, entry))


def _by_record(plan: IngestPlan, places: Places, progress: Progress, make: MakeId) -> PartitionEntry:
    reading = plan.reading
    with Spool(places.spool, reading.info.name, make, progress) as spool:
        spool.add_all(_readable(plan.records(), reading))
    return _finished(plan, places, spool, make)


def _on_spark(
    plan: IngestPlan, cluster: Cluster, pieces: Sequence[Piece], places: Places, progress: Progress, make: MakeId
) -> PartitionEntry:  # fmt: skip
    work = spread.Work(pieces, places.spool / "spread", plan.reading.info.name, make)
    spools = spread.read(cluster, work, progress)
    if any(piece.counts for piece in pieces):
        return _in_bulk(plan, places, spread.Counts(pieces[0], spools), progress)
    return _finished(plan, places, spools, make)


def _finished(plan: IngestPlan, places: Places, spool: facts.Spooled, make: MakeId) -> PartitionEntry:
    reading = plan.reading
    with connect(plan.engine, places.spool / "engine") as connection:
        tables, collided = facts.finish(connection, places, spool, reading.partition, make)
    counts = spool.counts()
    return PartitionEntry(reading.info.name, reading.dataset, reading.dump, _licence(reading), reading.mapping,
                          reading.reader, counts, _quarantine(plan, spool), tables, collided)  # fmt: skip


def _licence(reading: Reading) -> list[dict[str, str]]:
    return [{"fields": f.fields, "licence": f.licence, "credit": f.credit} for f in reading.licences]


def _in_bulk(plan: IngestPlan, places: Places, dump: Bulk, progress: Progress) -> PartitionEntry:
    reading = plan.reading
    durable.make_folder(places.spool)
    durable.make_folder(places.files)
    room.ask(places.root, dump.space(), dump.result())
    with connect(plan.engine, places.spool / "engine") as connection:
        written = bulk.write(connection, places, places.work / reading.folder, dump, reading.partition, progress)
        quarantine = _quarantine_rows(connection, plan, dump.refusals())
        counts = Tally().told() | {"tracks": 0, "artists": 0, "synthetic": 0} | written.counts
        return keyed.with_keys(connection, places, PartitionEntry(
            reading.info.name, reading.dataset, reading.dump, _licence(reading), reading.mapping, reading.reader,
            counts, quarantine, written.tables, [], written.wide, tuple(t for t in written.tables if t in DIRECT),
        ))  # fmt: skip


def _quarantine_rows(connection: duckdb.DuckDBPyConnection, plan: IngestPlan, query: str | None) -> str | None:
    target = _quarantine_path(plan)
    with durable.writing(target) as stream:
        count = 0
        for row in bulk.refusals(connection, query) if query else ():
            stream.write(refusal_line(*row))
            count += 1
    if not count:
        durable.remove(target)
        return None
    return target.relative_to(plan.layout.root).as_posix()


def _quarantine_path(plan: IngestPlan) -> Path:
    return plan.layout.quarantine / f"{plan.reading.info.name}-{plan.reading.dump.id}.jsonl"


def _readable(records: Iterable[Record], reading: Reading) -> Iterator[Record]:
    """The records, with a disk that fails under the dump told as such."""
    try:
        yield from records
    except OSError as error:
        why = f"{reading.names}: {error.strerror or error}"
        remedy = "check the disk, or fetch the dump again; then run the same command again"
        raise Failed("io-error", "The dump could not be read", why, remedy, reading.names) from error


def _quarantine(plan: IngestPlan, spool: facts.Spooled) -> str | None:
    """Put the refused records in their place; returns the path below the archive, None where none was refused."""
    target = _quarantine_path(plan)
    counts = spool.counts()
    if not counts["refused"] + counts["release_refused"]:
        durable.remove(target)
        return None
    durable.rename(spool.quarantine, target)
    return target.relative_to(plan.layout.root).as_posix()


def _build(
    places: Places, current: Generation, wanted: Generation, plan: IngestPlan, progress: Progress, make: MakeId
) -> Generation:
    """The generation that follows from these partitions: merged tables and popularity are brought up to date."""
    durable.make_folder(places.spool)
    with (
        connect(plan.engine, places.spool / "engine") as connection,
        chosen.maker(plan.cluster, connection, places.spool / "ranking") as maker,
    ):
        progress.stage("comparing", None, Unit.ROWS)
        wanted = replace(wanted, overlaps=overlap.find(connection, places, current, wanted))
        remaps = views.find_remaps(connection, places, wanted, make)
        wanted = own.bring_up(connection, places, replace(wanted, remaps=remaps), progress)
        merged = _merged(connection, places, current, wanted, progress)
        recorded = wanted.popularity.licences if wanted.popularity else plan.licences
        progress.stage("ranking", None, Unit.ROWS)
        ranked = popularity.rank(connection, places, recorded, replace(wanted, merged=merged), current, maker)
    return replace(wanted, number=wanted.number + 1, merged=merged, popularity=ranked)


def _merged(
    connection: duckdb.DuckDBPyConnection, places: Places, current: Generation, wanted: Generation, progress: Progress
) -> dict[str, list[FileRef]]:
    """The merged tables: those that are there where nothing that they are made of has changed. They are named, and
    with ``recordings`` those that flat partitions have for themselves."""
    kinds = wide.name_overlaps(connection, places, wanted)
    if current.merged and not wanted.overlaps and _to_merge(current) == _to_merge(wanted) and intact(places, current):
        merged = current.merged
    else:
        views.name_facts_to_merge(connection, places, wanted, wanted.remaps, whole=bool(wanted.remaps))
        others = wide.without_overlaps(wide.scans(places, wanted), kinds)
        more = [*wide.merged(others, "releases"), *filter(None, [own.rows(places, wanted, "releases", kinds)])]
        listed = ", ".join(MERGED["releases"].names)
        rows = " UNION ALL ".join(f"SELECT {listed} FROM ({query})" for query in more)
        on_them = f"FROM ({rows}) WHERE id IN (SELECT release_id FROM facts_track)" if rows and kinds else None
        merged = merge.merge(connection, places, progress, on_them)
    _name_flat(connection, places, replace(wanted, merged=merged))
    return merged


def _name_flat(connection: duckdb.DuckDBPyConnection, places: Places, generation: Generation) -> None:
    """The merged tables as views, and with ``recordings`` those that flat partitions have for themselves."""
    kinds = wide.name_overlaps(connection, places, generation)
    merge.name_merged(connection, places, generation.merged)
    recordings = {"recordings": generation.merged["recordings"]}
    merge.name_merged(connection, places, recordings, own.rows(places, generation, "recordings", kinds) or None)


def _to_merge(generation: Generation) -> tuple[object, ...]:
    """What the merged tables depend on, besides the rows that overlap."""
    flat = [(p.name, {t: p.to_merge(t) for t in p.tables}) for p in generation.partitions
            if p.is_flat and not p.merged]  # fmt: skip
    return flat, generation.overlaps, generation.remaps


def _result(entry: PartitionEntry, number: int, *, changed: bool) -> IngestResult:
    counts = entry.counts
    duplicates = counts["duplicates"] + counts["release_duplicates"]
    refused = counts["refused"] + counts["release_refused"]
    records = counts["recordings"] + counts["references"]
    return IngestResult(
        entry.source, entry.dataset, entry.dump.id, records + duplicates + refused, records, duplicates, refused,
        entry.quarantine, number, changed, counts,
    )  # fmt: skip


def ingest_records(
    layout: ArchiveLayout,
    info: SourceInfo,
    dataset: str,
    dump: DumpId | str,
    records: Iterable[Record],
    *,
    licences: Sequence[FieldLicence] | None = None,
    settings: Settings | None = None,
    progress: Progress = SILENT,
    make: MakeId = default_make_id,
) -> IngestResult:
    """Ingest records that do not come from files: what intake uses for its own partition.

    Args:
        dump: names the state of the records; the same name again changes nothing, and ``records`` is not read.
        records: read once.
        licences: of the metadata; those of ``info`` where None.
    """
    metadata = info.licences if licences is None else licences
    reading = Reading(info, metadata, dataset, dump if isinstance(dump, DumpId) else DumpId(dump))
    engine = Engine.of(settings) if settings else engines.DEFAULT
    counted = settings.list("popularity.licences") if settings else DEFAULT_LICENCES
    planned = plan_reading(layout, reading, lambda: records, engine, counted)
    cluster = chosen.cluster(settings) if settings else None
    return execute(replace(planned, cluster=cluster), progress, make)


def rank(
    layout: ArchiveLayout, licences: Iterable[str], *, engine: Engine = engines.DEFAULT, progress: Progress = SILENT,
    cluster: Cluster | None = None,
) -> tuple[Generation, bool]:  # fmt: skip
    """Make the popularity table anew from listens under these licences; ingests keep to them from then on.

    Args:
        layout: of the archive.
        licences: whose listens count.
        engine: that reads and writes; it also counts where there is no cluster.
        progress: is told the stage.
        cluster: the Spark that counts.

    Returns:
        The generation that counts now, and whether it is a new one.

    Raises:
        NoArchive: ``no-catalogue``: nothing was ingested yet.
        Failed: ``spark-failed``.
    """
    places = Places.of(layout)
    durable.remove_tree(places.spool)
    with (
        failures.reading(),
        retention.reading(places) as current,
        connect(engine, places.spool / "engine") as connection,
        chosen.maker(cluster, connection, places.spool / "ranking") as maker,
    ):
        progress.stage("ranking", None, Unit.ROWS)
        _name_flat(connection, places, current)
        durable.make_folder(places.spool)
        ranked = popularity.rank(connection, places, list(licences), current, current, maker)
    following = replace(current, number=current.number + 1, popularity=ranked)
    changed = _settle(places, current, following)
    return (following if changed else current), changed
