"""Ingest: the files of a dump become a new generation of the catalogue, in one step or not at all.

plan → digests of the files decide whether there is anything to do. execute → records are spooled, become the
partition's fact files, all partitions are merged, popularity is brought up to date, and one rename makes the
result count. Killed anywhere, the same command again ends in the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fonoteca.catalogue import engine as engines
from fonoteca.catalogue import facts, generation, merge, popularity, retention, views
from fonoteca.catalogue.collisions import MakeId, default_make_id
from fonoteca.catalogue.engine import Engine, connect
from fonoteca.catalogue.generation import DumpFile, DumpId, Generation, PartitionEntry
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.spool import Spool
from fonoteca.catalogue.tables import READER_VERSION
from fonoteca.core import canonical, durable
from fonoteca.core.errors import Failed
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.progress import SILENT, Progress, Unit
from fonoteca.core.settings import Settings
from fonoteca.sources.records import Dump, FieldLicence, Record, Source, SourceInfo

_READ = 1 << 20
DEFAULT_LICENCES = ("CC0-1.0",)


@dataclass(frozen=True)
class Reading:
    """What identifies one reading of a dump: the same reading again changes nothing."""

    info: SourceInfo
    licences: Sequence[FieldLicence]
    dataset: str
    dump: DumpId
    mapping: str = ""
    """Digest of the options that change what the files mean."""
    reader: str = READER_VERSION

    def same_as(self, entry: PartitionEntry | None) -> bool:
        """True where the partition was made by this very reading."""
        return entry is not None and (
            (entry.dump.id, entry.mapping, entry.reader) == (self.dump.id, self.mapping, self.reader)
        )


@dataclass(frozen=True)
class IngestPlan:
    """What an ingest will do. ``action`` is ``add``, ``replace``, ``mend`` (files are missing) or ``nothing``."""

    layout: ArchiveLayout
    reading: Reading
    records: Callable[[], Iterable[Record]]
    action: str
    replaces: str | None
    generation: int
    engine: Engine
    licences: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The object of ``--plan``."""
        files = [{"name": f.name, "bytes": f.bytes, "sha256": f.sha256} for f in self.reading.dump.files]
        return {
            "source": self.reading.info.name, "dataset": self.reading.dataset, "dump": self.reading.dump.id,
            "files": files, "bytes": sum(f.bytes for f in self.reading.dump.files), "action": self.action,
            "replaces": self.replaces, "generation": self.generation,
        }  # fmt: skip


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


def plan(
    layout: ArchiveLayout, source: Source, dump: Dump, settings: Settings, progress: Progress = SILENT
) -> IngestPlan:
    """Look at a dump: read every byte for its digest, and compare with the partition that is there.

    Raises:
        Usage: the files are no dump of this source.
        Damaged: the catalogue is.
    """
    resolved = source.resolve(dump)
    source.check(resolved)
    for warning in source.warnings(resolved):
        progress.warn(warning)
    info = source.describe(resolved)
    mapping = canonical.digest(dict(resolved.options)) if resolved.options else ""
    read = dump_id(resolved.dataset, resolved.paths, progress)
    reading = Reading(info, info.licences, resolved.dataset, read, mapping)
    counted = settings.list("popularity.licences")
    return _plan(layout, reading, lambda: source.records(resolved), Engine.of(settings), counted)


def _plan(
    layout: ArchiveLayout, reading: Reading, records: Callable[[], Iterable[Record]], engine: Engine,
    licences: Iterable[str],
) -> IngestPlan:  # fmt: skip
    places = Places.of(layout)
    current = generation.load(places)
    entry = current.partition(reading.info.name, reading.dataset)
    action = "add" if entry is None else "replace"
    if reading.same_as(entry):
        action = "nothing" if _intact(places, current) else "mend"
    number = current.number if action == "nothing" else current.number + 1
    return IngestPlan(layout, reading, records, action, entry.dump.id if entry else None, number, engine,
                      tuple(licences))  # fmt: skip


def _intact(places: Places, current: Generation) -> bool:
    """True where every file is there with its length: digests are the business of ``verify``."""
    try:
        return all(places.file(f.sha256).stat().st_size == f.bytes for f in current.files())
    except FileNotFoundError:
        return False


def dump_id(dataset: str, paths: Sequence[Path], progress: Progress = SILENT) -> DumpId:
    """Digests of a dump's files, in their order."""
    progress.stage("hashing", sum(path.stat().st_size for path in paths), Unit.BYTES)
    return DumpId.of(dataset, tuple(_dump_file(path, progress) for path in paths))


def _dump_file(path: Path, progress: Progress) -> DumpFile:
    sha256, length = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while data := stream.read(_READ):
            sha256.update(data)
            length += len(data)
            progress.advance(len(data))
    return DumpFile(path.name, length, sha256.hexdigest())


def execute(plan: IngestPlan, progress: Progress = SILENT, make: MakeId = default_make_id) -> IngestResult:
    """Do what was planned. The caller holds the writer's lock.

    Raises:
        NoSpace, Failed: the generation that was there still counts.
    """
    places = Places.of(plan.layout)
    durable.remove_tree(places.spool)
    current = generation.load(places)
    if plan.action == "nothing":
        retention.collect(places)
        entry = current.partition(plan.reading.info.name, plan.reading.dataset)
        assert entry is not None
        return _result(entry, current.number, changed=False)
    entry = _partition(plan, places, progress, make)
    following = _build(places, current.with_partition(entry), plan.engine, plan.licences, progress, make)
    changed = _settle(places, current, following)
    return _result(entry, following.number if changed else current.number, changed=changed)


def _settle(places: Places, current: Generation, following: Generation) -> bool:
    """Make a generation count unless it says the same as the one that does; clean up. True where it counts now."""
    changed = not following.same_content(current)
    if changed:
        generation.commit(places, following)
    durable.remove_tree(places.spool)
    retention.collect(places)
    return changed


def _partition(plan: IngestPlan, places: Places, progress: Progress, make: MakeId) -> PartitionEntry:
    """Read the records into fact files."""
    reading = plan.reading
    with Spool(places.spool, reading.info.name, make, progress) as spool:
        spool.add_all(_readable(plan.records(), reading))
    with connect(plan.engine, places.spool / "engine") as connection:
        partition = facts.Partition(reading.info.name, reading.dataset, reading.dump.id)
        tables, collided = facts.finish(connection, places, spool, partition, make)
    licence = [{"fields": f.fields, "licence": f.licence, "credit": f.credit} for f in reading.licences]
    counts = spool.counts()
    return PartitionEntry(reading.info.name, reading.dataset, reading.dump, licence, reading.mapping, reading.reader,
                          counts, _quarantine(plan, spool), tables, collided)  # fmt: skip


def _readable(records: Iterable[Record], reading: Reading) -> Iterator[Record]:
    """The records, with a disk that fails under the dump told as such."""
    try:
        yield from records
    except OSError as error:
        names = ", ".join(f.name for f in reading.dump.files) or reading.info.name
        why = f"{names}: {error.strerror or error}"
        remedy = "check the disk, or fetch the dump again; then run the same command again"
        raise Failed("io-error", "The dump could not be read", why, remedy, names) from error


def _quarantine(plan: IngestPlan, spool: Spool) -> str | None:
    """Put the refused records in their place; returns the path below the archive, None where none was refused."""
    target = plan.layout.quarantine / f"{plan.reading.info.name}-{plan.reading.dump.id}.jsonl"
    if not spool.tally.refused + spool.tally.release_refused:
        durable.remove(target)
        return None
    durable.rename(spool.quarantine, target)
    return target.relative_to(plan.layout.root).as_posix()


def _build(
    places: Places, wanted: Generation, engine: Engine, licences: Iterable[str], progress: Progress, make: MakeId
) -> Generation:
    """The generation that follows from these partitions: merged tables and popularity are made anew."""
    with connect(engine, places.spool / "engine") as connection:
        remaps = views.find_remaps(connection, places, wanted, make)
        views.name_facts(connection, places, wanted, remaps)
        merged = merge.merge(connection, places, progress)
        recorded = wanted.popularity.licences if wanted.popularity else tuple(licences)
        ranked = popularity.rank(connection, places, recorded)
    return replace(wanted, number=wanted.number + 1, merged=merged, popularity=ranked, remaps=remaps)


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
    return execute(_plan(layout, reading, lambda: records, engine, counted), progress, make)


def rank(
    layout: ArchiveLayout, licences: Iterable[str], *, engine: Engine = engines.DEFAULT, progress: Progress = SILENT
) -> tuple[Generation, bool]:
    """Make the popularity table anew from listens under these licences; ingests keep to them from then on.

    Returns:
        The generation that counts now, and whether it is a new one.

    Raises:
        NoArchive: ``no-catalogue``: nothing was ingested yet.
    """
    places = Places.of(layout)
    durable.remove_tree(places.spool)
    with retention.reading(places) as current, connect(engine, places.spool / "engine") as connection:
        progress.stage("ranking", None, Unit.ROWS)
        merge.name_merged(connection, places, current.merged)
        durable.make_folder(places.spool)
        ranked = popularity.rank(connection, places, list(licences))
    following = replace(current, number=current.number + 1, popularity=ranked)
    changed = _settle(places, current, following)
    return (following if changed else current), changed
