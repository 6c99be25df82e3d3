"""``fonoteca export`` as a user types it."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import duckdb
import polars
import pytest

from harness import fonoteca, ok
from simulators.catalogue_archive import made
from simulators.tiny_catalogue import archive

pytestmark = pytest.mark.core
QUERY = "SELECT id, title FROM recordings ORDER BY id"


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_the_file_holds_the_rows_and_the_result_names_it(ending: str, tmp_path: Path) -> None:
    made(tmp_path / "archive")
    ran = ok("export", QUERY, "-o", f"slice.{ending}", "--json", "--archive", "archive", cwd=tmp_path)
    path = tmp_path / f"slice.{ending}"
    assert (ran.json["path"], ran.json["rows"], ran.json["format"]) == (str(path), 5, ending)
    assert ran.json["bytes"] == path.stat().st_size
    read = {"parquet": polars.read_parquet, "csv": polars.read_csv, "jsonl": polars.read_ndjson}[ending]
    assert read(path).height == 5


@pytest.mark.parametrize("ending", ["sqlite", "db", "duckdb"])
def test_a_database_opens_in_its_own_program(ending: str, tmp_path: Path) -> None:
    made(tmp_path / "archive")
    ran = ok("export", QUERY, "-o", f"slice.{ending}", "--json", "--archive", "archive", cwd=tmp_path)
    path = tmp_path / f"slice.{ending}"
    assert (ran.json["rows"], ran.json["format"], ran.json["bytes"]) == (5, ending, path.stat().st_size)
    query = "SELECT count(DISTINCT id) FROM rows"
    opened = duckdb.connect(str(path), read_only=True) if ending == "duckdb" else sqlite3.connect(path)
    with contextlib.closing(opened) as database:
        assert database.execute(query).fetchall() == [(5,)]


@pytest.mark.parametrize(("words", "code", "exit_code"), [
    ((QUERY, "-o", "slice.xlsx"), "unknown-export", 2),
    ((QUERY,), "bad-arguments", 2),
    (("DROP VIEW recordings", "-o", "x.csv"), "sql-refused", 2),
    (("SELECT nothing FROM recordings", "-o", "x.csv"), "sql-wrong", 2),
    ((QUERY, "-o", "fonoteca.toml/x.csv"), "unwritable", 1),
    ((QUERY, "-o", "fonoteca.toml/x.duckdb"), "unwritable", 1),
    ((QUERY, "-o", "fonoteca.toml/x.sqlite"), "unwritable", 1),
    ((QUERY, "-o", "x.csv", "--edition", "3"), "no-edition", 10),
])  # fmt: skip
def test_wrong_words_give_a_sentence_and_no_file(
    words: tuple[str, ...], code: str, exit_code: int, tmp_path: Path
) -> None:
    made(tmp_path)
    ran = fonoteca("export", *words, "--json", cwd=tmp_path)
    assert (ran.code, ran.json["code"]) == (exit_code, code)
    assert ran.json["remedy"]
    assert not list(tmp_path.glob("*x.csv*"))


def test_no_catalogue_exits_10(tmp_path: Path) -> None:
    archive(tmp_path)
    assert fonoteca("export", QUERY, "-o", "x.csv", "--json", cwd=tmp_path).code == 10
