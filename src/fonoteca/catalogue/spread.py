"""A table that Spark reads: its executors run the very rules that read a table here, each for the rows of some keys.

Rows go to the executor of their key, in the dump's order, so that each sees what a reader of all rows would see of that
key. Each writes what it made as an ingest spools it (:mod:`fonoteca.catalogue.spool`); from there on it is one ingest.
What would go by columns on one machine is written as it is there: see :class:`Counts`.
"""

from __future__ import annotations

import heapq
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from fonoteca.catalogue.chosen import Cluster
from fonoteca.catalogue.collisions import MakeId
from fonoteca.catalogue.engine import parquet, text
from fonoteca.catalogue.spool import Spool
from fonoteca.core import durable
from fonoteca.core.progress import Progress, Unit
from fonoteca.sources.bulk import Flat, Sql
from fonoteca.sources.records import Record
from fonoteca.sources.table_counts import RESULT, facts
from fonoteca.sources.table_pieces import Name, Piece, Place, SomeKeys

_Key = tuple[int, Place]
_Named = tuple[Name, tuple[Place, Record]]


@dataclass(frozen=True)
class Work:
    """What every executor is told. ``folder`` is one that all machines of the cluster see."""

    pieces: Sequence[Piece]
    folder: Path
    source: str
    make: MakeId


@dataclass(frozen=True)
class Spools:
    """What they wrote, as :class:`~fonoteca.catalogue.spool.Spool` has it."""

    folders: Sequence[Path]
    quarantine: Path
    told: dict[str, int]

    def paths(self, table: str) -> list[Path]:
        """Where a table's rows are."""
        return [folder / f"raw-{table}.parquet" for folder in self.folders]

    def counts(self) -> dict[str, int]:
        """What a generation says of the partition."""
        return dict(self.told)


def read(cluster: Cluster, work: Work, progress: Progress) -> Spools:
    """Read a table on a cluster.

    Raises:
        Failed: ``spark-failed``.
    """
    from fonoteca.catalogue import spark

    durable.make_folder(work.folder)
    progress.stage("reading", None, Unit.ROWS)
    with spark.session(cluster) as session:
        spark.done(partial(_run, session, work))
    found = gathered(work)
    progress.advance(found.told["rows"])
    return found


def gathered(work: Work) -> Spools:
    """All that the executors wrote. Refused rows are in the dump's order."""
    # Nothing may have come out at all, and the rest needs files to look into.
    with Spool(work.folder / "nothing", work.source, work.make) as empty:
        told = Counter(empty.counts())
    folders = sorted(path.parent for path in work.folder.glob("*/told.json"))
    refused = []
    for folder in folders:
        note = json.loads((folder / "told.json").read_bytes())
        told.update(note["counts"])
        refused.append(_refused(folder, note["refused"]))
    quarantine = work.folder / "quarantine.jsonl"
    with durable.writing(quarantine) as stream:
        for _, line in heapq.merge(*refused, key=lambda found: found[0]):
            stream.write(line)
    return Spools([*folders, work.folder / "nothing"], quarantine, dict(told))


class Counts(Flat):
    """A table of nothing but counts, of which the executors made these spools, as a dump that goes by columns.

    So its facts get the form, the order and the bytes that they have where one machine reads them by columns.
    """

    def __init__(self, piece: Piece, spools: Spools) -> None:
        self._piece, self._spools = piece, spools

    def space(self) -> int:
        """What sorting spills."""
        return 4 * sum(path.stat().st_size for path in self._spools.paths("signal"))

    def result(self) -> int:
        """As of a table that one machine reads."""
        return RESULT * self._spools.told["records"]

    def prepare(self, sql: Sql, progress: Progress) -> None:
        """All is there."""

    def flat(self) -> Mapping[str, str]:
        """One row for each count, in the very words: other ones would give other bytes for the same rows."""
        scan = parquet(self._spools.paths("signal"))
        line = "regexp_extract(position, '[0-9]+$')::BIGINT AS line"
        return {"signal": facts(self._piece.meaning, self._piece.file.name, [
            f"SELECT recording_id AS id, value, {line} FROM {scan} WHERE kind = {text(kind)}"
            for kind in self._piece.meaning.signals
        ])}  # fmt: skip

    def refusals(self) -> str | None:
        """In the dump's order."""
        if not self._spools.told["refused"]:
            return None
        columns = ", ".join(f"{name}: 'VARCHAR'" for name in ("position", "code", "reason", "raw"))
        given = f"{text(str(self._spools.quarantine))}, format = 'newline_delimited', columns = {{{columns}}}"
        return f"SELECT position, code, reason, raw, 'recording' AS kind FROM read_json({given})"

    def counts(self) -> dict[str, int]:
        """Rows by what became of them."""
        return self._spools.counts()


def _refused(folder: Path, places: Sequence[list[int]]) -> Iterator[tuple[list[int], bytes]]:
    """The refused rows that one executor wrote, each with its place."""
    with (folder / "quarantine.jsonl").open("rb") as stream:
        yield from zip(places, stream, strict=True)


def _run(session: Any, work: Work) -> None:
    context = session.sparkContext
    parts = int(str(session.conf.get("spark.sql.shuffle.partitions")))
    rows = context.parallelize(list(work.pieces), max(1, len(work.pieces))).flatMap(_rows)
    placed = rows.repartitionAndSortWithinPartitions(parts, lambda key: key[0], keyfunc=lambda key: key[1])
    named = placed.mapPartitionsWithIndex(partial(of_keys, work))
    first = named.reduceByKey(lambda one, other: min(one, other, key=lambda found: found[0]), parts, _number)
    first.mapPartitionsWithIndex(partial(_of_names, work)).count()


def _rows(piece: Piece) -> Iterator[tuple[_Key, Any]]:
    for place, key, row in piece.rows():
        yield (key, place), row


def _number(name: Name) -> int:
    return zlib.crc32(repr(name).encode("utf-8", "backslashreplace"))


def of_keys(work: Work, part: int, found: Iterable[tuple[_Key, Any]]) -> Iterator[_Named]:
    """Spool the rows of some keys; give out the releases and artists that they name."""
    reader = SomeKeys(work.pieces)
    records = reader.records((place, row) for (_, place), row in found)
    _spool(work, f"keys-{part:05d}", records, reader.refused)
    yield from reader.named.items()


def _of_names(work: Work, part: int, found: Iterable[_Named]) -> Iterator[int]:
    """Spool some releases and artists, each described where the dump does so first."""
    _spool(work, f"names-{part:05d}", (record for _, (_, record) in found), [])
    yield part


def _spool(work: Work, name: str, records: Iterator[Record], refused: list[Place]) -> None:
    head = next(records, None)
    if head is None:
        return
    folder = work.folder / name
    with Spool(folder, work.source, work.make) as spool:
        spool.add_all(chain([head], records))
    note = {"counts": spool.counts(), "refused": refused}
    durable.write_bytes(folder / "told.json", json.dumps(note).encode())
