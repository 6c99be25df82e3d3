"""``fonoteca sql`` as a user types it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import fonoteca, ok
from simulators.catalogue_archive import made
from simulators.tiny_catalogue import archive, tree

pytestmark = pytest.mark.core


def test_rows_come_as_tab_separated_lines_or_as_one_object(tmp_path: Path) -> None:
    made(tmp_path)
    query = "SELECT title, year FROM recordings WHERE year IS NOT NULL ORDER BY title"
    assert ok("sql", query, cwd=tmp_path).stdout == "title\tyear\nDawn\t2009\nDusk\t2008\nMeer\t2001\n"
    found = ok("sql", query, "--json", cwd=tmp_path).json
    assert (found["columns"], found["total"]) == (["title", "year"], 3)
    assert found["rows"][0] == {"title": "Dawn", "year": 2009}


def test_holdings_and_verdicts_are_tables_of_an_archive(tmp_path: Path) -> None:
    made(tmp_path)
    names = {r["name"] for r in ok("sql", "SHOW TABLES", "--json", cwd=tmp_path).json["rows"]}
    assert names >= {"recordings", "releases", "tracks", "artists", "credits", "identifiers", "genres", "popularity",
                     "claims", "signals", "holdings", "verdicts"}  # fmt: skip
    assert ok("sql", "SELECT count(*) AS n FROM verdicts", "--json", cwd=tmp_path).json["rows"] == [{"n": 0}]


@pytest.mark.parametrize(("query", "code"), [
    ("COPY recordings TO 'stolen.csv'", "sql-refused"),
    ("SELECT * FROM read_text('fonoteca.toml')", "sql-refused"),
    ("SELECT 1; DROP TABLE holdings", "sql-refused"),
    ("SELECT nothing FROM recordings", "sql-wrong"),
    ("SELECT error('late')", "sql-wrong"),
])  # fmt: skip
def test_what_is_no_query_exits_2_and_leaves_no_trace(query: str, code: str, tmp_path: Path) -> None:
    made(tmp_path)
    before = tree(tmp_path)
    ran = fonoteca("sql", query, "--json", cwd=tmp_path)
    assert (ran.code, ran.json["code"]) == (2, code)
    assert tree(tmp_path) == before


def test_tabs_and_line_breaks_in_values_keep_to_their_line(tmp_path: Path) -> None:
    made(tmp_path)
    lines = ok("sql", "SELECT 'a' || chr(9) || 'b' || chr(10) || 'c' AS x, [1, 2] AS y", cwd=tmp_path).stdout
    assert lines == "x\ty\na b c\t[1, 2]\n"


def test_no_archive_and_no_catalogue_exit_10(tmp_path: Path) -> None:
    assert fonoteca("sql", "SELECT 1", "--json", cwd=tmp_path).json["code"] == "no-archive"
    archive(tmp_path)
    assert fonoteca("sql", "SELECT 1", "--json", cwd=tmp_path).json["code"] == "no-catalogue"
