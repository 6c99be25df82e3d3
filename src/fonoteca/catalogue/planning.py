"""What an ingest will do: the digests of a dump's files decide whether there is anything to do at all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fonoteca.catalogue import chosen, generation
from fonoteca.catalogue.chosen import Cluster
from fonoteca.catalogue.engine import Engine
from fonoteca.catalogue.files import are_there
from fonoteca.catalogue.generation import DumpFile, DumpId, Generation, PartitionEntry
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.tables import READER_VERSION, Partition
from fonoteca.core import canonical
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.progress import SILENT, Progress, Unit
from fonoteca.core.settings import Settings
from fonoteca.sources.bulk import Bulk, BulkSource
from fonoteca.sources.documents import shown_name
from fonoteca.sources.records import Dump, FieldLicence, Record, Source, SourceInfo
from fonoteca.sources.table_pieces import Piece, PiecedSource

_READ = 1 << 20


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

    @property
    def names(self) -> str:
        """The dump's files, for a sentence."""
        return ", ".join(f.name for f in self.dump.files) or self.info.name

    @property
    def partition(self) -> Partition:
        """What stands in every row."""
        return Partition(self.info.name, self.dataset, self.dump.id)

    @property
    def folder(self) -> str:
        """Name of what an interrupted ingest goes on from: another meaning of the same dump has another."""
        return canonical.digest([self.dump.id, self.mapping, self.reader])[:16]

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
    bulk: Callable[[], Bulk | None] = lambda: None
    """The dump on the bulk way; None where it goes record by record."""
    cluster: Cluster | None = None
    """The Spark that reads pieces and counts listens; None: this process and its engine do."""
    pieces: Sequence[Piece] | None = None
    """What it reads; None where the records come from no files."""

    def as_json(self) -> dict[str, Any]:
        """The object of ``--plan``."""
        files = [{"name": f.name, "bytes": f.bytes, "sha256": f.sha256} for f in self.reading.dump.files]
        return {
            "source": self.reading.info.name, "dataset": self.reading.dataset, "dump": self.reading.dump.id,
            "files": files, "bytes": sum(f.bytes for f in self.reading.dump.files), "action": self.action,
            "replaces": self.replaces, "generation": self.generation,
        }  # fmt: skip


def plan(
    layout: ArchiveLayout, source: Source, dump: Dump, settings: Settings, progress: Progress = SILENT
) -> IngestPlan:
    """Look at a dump: read every byte for its digest, and compare with the partition that is there.

    Raises:
        Usage: the files are no dump of this source; ``not-on-spark``, where Spark was chosen and cannot read them.
        Damaged: the catalogue is.
    """
    resolved = source.resolve(dump)
    source.check(resolved)
    for warning in source.warnings(resolved):
        progress.warn(warning)
    cluster = chosen.cluster(settings)
    pieces = None if cluster is None else _pieces(source, resolved)
    info = source.describe(resolved)
    mapping = canonical.digest(dict(resolved.options)) if resolved.options else ""
    read = dump_id(resolved.dataset, resolved.paths, progress)
    reading = Reading(info, info.licences, resolved.dataset, read, mapping)
    counted = settings.list("popularity.licences")
    planned = plan_reading(layout, reading, lambda: source.records(resolved), Engine.of(settings), counted)
    planned = replace(planned, cluster=cluster, pieces=pieces)
    if isinstance(source, BulkSource):
        return replace(planned, bulk=lambda: source.bulk(resolved))
    return planned


def _pieces(source: Source, dump: Dump) -> Sequence[Piece]:
    """What Spark can read. Raises Usage ``not-on-spark`` where it cannot."""
    if not isinstance(source, PiecedSource):
        raise chosen.refused(f"The ingest of {source.info.name}", "only the source 'table' is read there")
    return source.pieces(dump)


def plan_reading(
    layout: ArchiveLayout, reading: Reading, records: Callable[[], Iterable[Record]], engine: Engine,
    licences: Iterable[str],
) -> IngestPlan:  # fmt: skip
    """Compare a reading with the partition that is there."""
    places = Places.of(layout)
    current = generation.load(places)
    entry = current.partition(reading.info.name, reading.dataset)
    action = "add" if entry is None else "replace"
    if reading.same_as(entry):
        action = "nothing" if intact(places, current) else "mend"
    number = current.number if action == "nothing" else current.number + 1
    return IngestPlan(layout, reading, records, action, entry.dump.id if entry else None, number, engine,
                      tuple(licences))  # fmt: skip


def intact(places: Places, current: Generation) -> bool:
    """True where every file is there with its length: digests are the business of ``verify``."""
    return are_there(places, current.files())


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
    return DumpFile(shown_name(path), length, sha256.hexdigest())
