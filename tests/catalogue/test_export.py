"""Slices as files that other programs read."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars
import pytest

from fonoteca.catalogue.export import export, writer_for
from fonoteca.catalogue.query import Catalogue
from fonoteca.core.errors import Usage
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


@pytest.mark.parametrize("name", ["x", "x.xls", "x.csv.gz", "x.parquet.bak", ".csv"])
def test_an_unknown_ending_is_refused_and_nothing_is_written(world: Catalogue, name: str, tmp_path: Path) -> None:
    with pytest.raises(Usage) as caught:
        export(world.sql(QUERY), tmp_path / name)
    assert caught.value.code == "unknown-export"
    assert list(tmp_path.iterdir()) == []


def test_a_query_that_breaks_midway_leaves_no_file(world: Catalogue, tmp_path: Path) -> None:
    old = tmp_path / "x.parquet"
    old.write_bytes(b"old")
    with pytest.raises(Usage) as caught:
        export(world.sql("SELECT CASE WHEN range > 400000 THEN error('late') ELSE 1 END AS a FROM range(500000)"), old)
    assert caught.value.code == "sql-wrong"
    assert old.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [old]


def test_the_same_rows_give_the_same_bytes(world: Catalogue, tmp_path: Path) -> None:
    for name in ("parquet", "csv", "jsonl"):
        paths = [tmp_path / f"{n}.{name}" for n in "ab"]
        for path in paths:
            export(world.sql(QUERY), path)
        assert paths[0].read_bytes() == paths[1].read_bytes()
    assert writer_for(Path("a.csv")) is writer_for(Path("b.CSV"))
