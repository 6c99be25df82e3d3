"""A table that is read in parts, each by some executor, becomes the bytes that it becomes when one machine reads it.

The executors' own functions run here, one after the other; Spark itself is in ``test_spark.py``.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from fonoteca.catalogue import bulk, spread
from fonoteca.catalogue.bulk import Written
from fonoteca.catalogue.collisions import default_make_id
from fonoteca.catalogue.engine import DEFAULT, connect
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.tables import Partition
from fonoteca.core import durable
from fonoteca.core.progress import SILENT
from fonoteca.sources.bulk import Bulk
from fonoteca.sources.records import Dump
from fonoteca.sources.table import Table
from fonoteca.sources.table_pieces import Piece
from simulators import hostile_counts
from simulators.tiny_catalogue import archive

pytestmark = pytest.mark.core
PARTITION = Partition("table", "heard", "d1")


@pytest.fixture
def dump(tmp_path: Path) -> Dump:
    hostile_counts.write(tmp_path / "heard.parquet", random.Random(20_261_130))
    return Table().resolve(Dump([tmp_path / "heard.parquet"], options={"mapping": hostile_counts.MAPPING}))


def written(folder: Path, dump: Bulk) -> tuple[Written, list[tuple[str, ...]]]:
    places = Places.of(archive(folder))
    durable.make_folder(places.spool)
    durable.make_folder(places.files)
    with connect(DEFAULT) as connection:
        found = bulk.write(connection, places, places.work / "x", dump, PARTITION, SILENT)
        refused = dump.refusals()
        return found, list(bulk.refusals(connection, refused)) if refused else []


def spools(folder: Path, pieces: list[Piece], machines: int) -> spread.Spools:
    work = spread.Work(pieces, folder, "table", default_make_id)
    durable.make_folder(folder)
    rows = [((key, place), row) for piece in reversed(pieces) for place, key, row in piece.rows()]
    for machine in range(machines):
        own = sorted((told for told in rows if told[0][0] % machines == machine), key=lambda told: told[0][1])
        assert not list(spread.of_keys(work, machine, own))
    return spread.gathered(work)


def test_counts_in_parts_become_the_bytes_of_counts_by_columns(dump: Dump, tmp_path: Path) -> None:
    by_columns = Table().bulk(dump)
    assert by_columns is not None
    here = written(tmp_path / "here", by_columns)
    [whole] = Table().pieces(dump)
    for rows, machines in ((5_000, 1), (1_000, 3)):
        parts = whole.parts(rows)
        assert len(parts) == 15_000 // rows - (rows == 1_000) * 3
        folder = tmp_path / f"on-{machines}"
        there = written(folder, spread.Counts(whole, spools(folder / "spread", parts, machines)))
        told = Written(there[0].tables, there[0].wide, {n: there[0].counts[n] for n in here[0].counts})
        assert (told, there[1]) == here
    assert here[0].counts["duplicates"] and len(here[1]) == here[0].counts["refused"] > 300


def test_a_table_without_refused_rows_has_no_quarantine(tmp_path: Path) -> None:
    hostile_counts.write(tmp_path / "heard.parquet", random.Random(1), rows=1)
    dump = Table().resolve(Dump([tmp_path / "heard.parquet"], options={"mapping": hostile_counts.MAPPING}))
    [whole] = Table().pieces(dump)
    found = spread.Counts(whole, spools(tmp_path / "spread", [whole], 2))
    assert found.refusals() is None
    assert written(tmp_path / "here", found)[0].counts["rows"] == 1
