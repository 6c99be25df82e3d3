"""Slices as files that other programs read."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import polars
import pytest

from fonoteca.catalogue.export import export, writer_for
from fonoteca.catalogue.query import Catalogue
from fonoteca.core.errors import Failed, FonotecaError, NoSpace, Usage
from simulators.tiny_catalogue import filled

pytestmark = pytest.mark.core
QUERY = "SELECT id, title, artist, year, flags, NULL AS nothing FROM recordings ORDER BY id"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    with Catalogue.open(filled(tmp_path_factory.mktemp("world"))) as catalogue:
        yield catalogue


def test_parquet_holds_the_rows(world: Catalogue, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    assert export(world.sql(QUERY), path) == 5
    expected = world.sql(QUERY).table().to_pylist()
    assert polars.read_parquet(path).to_dicts() == expected
    assert len(duckdb.sql(f"SELECT * FROM '{path}'").fetchall()) == 5


def test_csv_is_what_the_csv_module_reads(world: Catalogue, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    assert export(world.sql(QUERY), path) == 5
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    expected = world.sql(QUERY).table().to_pylist()
    assert [int(r["id"]) for r in rows] == [r["id"] for r in expected]
    assert {r["title"] for r in rows} == {"Dawn", "Dusk", "夜 =1+1", "Meer", "Own"}
    assert {r["nothing"] for r in rows} == {""}


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", '=HYPERLINK("http://x")'])
def test_a_formula_cell_is_defused(world: Catalogue, cell: str, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    quoted = cell.replace("'", "''")
    export(world.sql(f"SELECT '{quoted}' AS cell, -5 AS number, -0.5::DOUBLE AS part, true AS yes"), path)
    with path.open(newline="", encoding="utf-8") as stream:
        row = next(csv.DictReader(stream))
    assert row == {"cell": "'" + cell, "number": "-5", "part": "-0.5", "yes": "true"}


def test_a_formula_in_a_column_name_is_defused_too(world: Catalogue, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    export(world.sql('SELECT 1 AS "=cmd"'), path)
    assert path.read_bytes() == b"'=cmd\r\n1\r\n"


@pytest.mark.parametrize("name", ["x.jsonl", "x.ndjson", "X.JSONL"])
def test_json_lines_hold_the_rows(world: Catalogue, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    assert export(world.sql(QUERY), path) == 5
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == world.sql(QUERY).table().to_pylist()


def sqlite_rows(path: Path, query: str = "SELECT * FROM rows") -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(path)) as database:
        return database.execute(query).fetchall()


def duckdb_rows(path: Path, query: str = "FROM rows") -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as database:
        return database.execute(query).fetchall()


@pytest.mark.parametrize("name", ["x.sqlite", "x.db", "X.SQLITE"])
def test_sqlite_holds_the_rows_and_lists_as_json(world: Catalogue, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    assert export(world.sql(QUERY), path) == 5
    expected = [tuple(r.values()) for r in world.sql(QUERY).table().to_pylist()]
    found = sqlite_rows(path)
    assert [(*r[:4], json.loads(r[4]), r[5]) for r in found] == expected
    assert sqlite_rows(path, "PRAGMA integrity_check") == [("ok",)]
    flagged = "SELECT f.value FROM rows, json_each(rows.flags) f"
    assert sqlite_rows(path, flagged) == [("zero-duration",)]
    assert list(tmp_path.iterdir()) == [path]


def test_duckdb_holds_the_rows_with_their_types(world: Catalogue, tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    assert export(world.sql(QUERY), path) == 5
    assert duckdb_rows(path) == [tuple(r.values()) for r in world.sql(QUERY).table().to_pylist()]
    kinds = {name: kind for name, kind, *_ in duckdb_rows(path, "DESCRIBE rows")}
    assert (kinds["id"], kinds["year"], kinds["flags"]) == ("BIGINT", "INTEGER", "VARCHAR[]")
    assert list(tmp_path.iterdir()) == [path]


TYPES = """
    SELECT true AS yes, 7::UTINYINT AS small, 18446744073709551615::UBIGINT AS large, -9223372036854775808 AS least,
        sum(5) AS total, 170141183460469231731687303715884105727 AS huge, 1.25::DECIMAL(9,2) AS part,
        0.1::DOUBLE AS real, 'nan'::DOUBLE AS nan, 'é' || chr(0) || '夜' AS words, 'ab'::BLOB AS bytes,
        DATE '1999-12-31' AS day,
        TIMESTAMP '1999-12-31 23:59:59' AS moment, {'a': [1, NULL], 'b': 'x'} AS struct, NULL AS nothing"""


def test_sqlite_keeps_every_type_as_exactly_as_it_can(world: Catalogue, tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    export(world.sql(TYPES), path)
    (row,) = sqlite_rows(path)
    assert row == (
        1, 7, "18446744073709551615", -(1 << 63), 5, "170141183460469231731687303715884105727", "1.25", 0.1, None,
        "é\0夜", b"ab", "1999-12-31", "1999-12-31 23:59:59", '{"a": [1, null], "b": "x"}', None,
    )  # fmt: skip


def test_duckdb_keeps_every_type(world: Catalogue, tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    export(world.sql(TYPES), path)
    assert repr(duckdb_rows(path)) == repr([tuple(world.sql(TYPES).table().to_pylist()[0].values())])


@pytest.mark.parametrize("ending", ["sqlite", "duckdb"])
def test_columns_of_one_name_are_told_apart(world: Catalogue, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{ending}"
    export(world.sql("""SELECT 1 AS a, 2 AS A, 3 AS a_2, 4 AS a, 5 AS "x"";--", 6 AS "select" """), path)
    read = {"sqlite": sqlite_rows, "duckdb": duckdb_rows}[ending]
    assert read(path) == [(1, 2, 3, 4, 5, 6)]
    assert read(path, 'SELECT "a", "A_3", "a_2", "a_4", "x"";--", "select" FROM rows') == [(1, 2, 3, 4, 5, 6)]


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl", "sqlite", "duckdb"])
def test_no_rows_are_an_empty_table(world: Catalogue, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{ending}"
    assert export(world.sql("SELECT id, flags FROM recordings WHERE false"), path) == 0
    assert path.is_file()


@pytest.mark.parametrize("ending", ["sqlite", "duckdb"])
def test_what_a_killed_export_left_is_overwritten(world: Catalogue, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{ending}"
    for left in (".partial", ".partial.wal"):
        path.with_name(path.name + left).write_bytes(b"\0garbage" * 999)
    assert export(world.sql(QUERY), path) == 5
    assert len({"sqlite": sqlite_rows, "duckdb": duckdb_rows}[ending](path)) == 5


def test_more_columns_than_sqlite_has_are_refused_in_a_sentence(world: Catalogue, tmp_path: Path) -> None:
    with pytest.raises(Usage) as caught:
        export(world.sql("SELECT " + ", ".join(f"{n} AS c{n}" for n in range(2_001))), tmp_path / "x.sqlite")
    assert caught.value.code == "sql-wrong"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on a file's size to set")
@pytest.mark.parametrize(("ending", "kind"), [("sqlite", Failed), ("duckdb", NoSpace), ("parquet", NoSpace)])
def test_a_full_disk_is_said_and_leaves_nothing(
    world: Catalogue, ending: str, kind: type[FonotecaError], tmp_path: Path
) -> None:
    """A limit on the size of a file stands for the disk; SQLite knows it only as an input/output error."""
    import resource
    import signal

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    try:
        with pytest.raises(kind):
            export(
                world.sql("SELECT range AS a, md5(range::VARCHAR) AS b FROM range(500000)"), tmp_path / f"x.{ending}"
            )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert list(tmp_path.iterdir()) == []


MEASURED = """
import sys; from pathlib import Path
from fonoteca.catalogue.engine import Engine, connect
from fonoteca.catalogue.export import export
from fonoteca.catalogue.rows import run
with connect(Engine(memory=256 << 20)) as database:
    for count in (200_000, int(sys.argv[2])):
        query = f"SELECT range AS a, repeat(md5(range::VARCHAR), 8) AS b, [range, 1] AS c FROM range({count})"
        assert export(run(database, query), Path(sys.argv[1])) == count
        print(int(Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0]) // 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize(("ending", "rows", "most"), [
    ("sqlite", 1_000_000, 180), ("parquet", 1_000_000, 180), ("csv", 1_000_000, 180), ("jsonl", 1_000_000, 180),
    ("duckdb", 3_000_000, 400),
])  # fmt: skip
def test_memory_does_not_grow_with_the_rows(ending: str, rows: int, most: int, tmp_path: Path) -> None:
    """Rows have 256 bytes and more: 200 MB and more go through after the first 200,000 rows.

    DuckDB fills what it may take (256 MB where it reads, as much where it writes) before it spills: it gets more rows.
    """
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(tmp_path / f"x.{ending}"), str(rows)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    small, large = map(int, done.stdout.split())
    assert large - small < most


@pytest.mark.parametrize("name", ["x", "x.xls", "x.csv.gz", "x.parquet.bak", ".csv"])
def test_an_unknown_ending_is_refused_and_nothing_is_written(world: Catalogue, name: str, tmp_path: Path) -> None:
    with pytest.raises(Usage) as caught:
        export(world.sql(QUERY), tmp_path / name)
    assert caught.value.code == "unknown-export"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl", "sqlite", "duckdb"])
def test_a_query_that_breaks_midway_leaves_no_file(world: Catalogue, ending: str, tmp_path: Path) -> None:
    old = tmp_path / f"x.{ending}"
    old.write_bytes(b"old")
    with pytest.raises(Usage) as caught:
        export(world.sql("SELECT CASE WHEN range > 400000 THEN error('late') ELSE 1 END AS a FROM range(500000)"), old)
    assert caught.value.code == "sql-wrong"
    assert old.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [old]


def test_the_same_rows_give_the_same_bytes(world: Catalogue, tmp_path: Path) -> None:
    for name in ("parquet", "csv", "jsonl", "sqlite"):
        paths = [tmp_path / f"{n}.{name}" for n in "ab"]
        for path in paths:
            export(world.sql(QUERY), path)
        assert paths[0].read_bytes() == paths[1].read_bytes()
    assert writer_for(Path("a.csv")) is writer_for(Path("b.CSV"))
