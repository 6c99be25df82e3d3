"""Table dumps that are hostile or merely broken, ingested as a user would: every refusal has a code and is kept."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import pytest

from fonoteca.catalogue.query import Catalogue
from fonoteca.core.layout import ArchiveLayout
from harness import fonoteca, ok
from simulators.tiny_catalogue import archive
from sources.confined import confined

pytestmark = pytest.mark.core


def ingested(folder: Path, data: bytes, *words: str) -> tuple[list[str], list[dict[str, str]]]:
    """Titles that came into the catalogue, and what lies in quarantine."""
    archive(folder)
    (folder / "songs.tsv").write_bytes(data)
    ran = fonoteca("ingest", "table", folder / "songs.tsv", "--json", *words, cwd=folder)
    told = ran.json
    assert ran.code in {0, 3}, ran.stdout
    assert told["read"] == told["records"] + told["duplicates"] + told["refused"]
    kept = (
        [json.loads(line) for line in (folder / told["quarantine"]).read_text().splitlines()] if told["refused"] else []
    )
    assert len(kept) == told["refused"]
    assert all(line["code"] and line["reason"] and line["position"] for line in kept)
    with Catalogue.open(ArchiveLayout(folder)) as catalogue:
        return [row["title"] for row in catalogue.select("SELECT title FROM recordings ORDER BY title")], kept


def test_more_and_fewer_columns_after_a_change_of_schema(tmp_path: Path) -> None:
    rows = ["id\ttitle\tartist", "1\tOne\tA", "2\tTwo\tA\tnew", "3\tThree", "4\tFour\tA"]
    titles, kept = ingested(tmp_path, "\n".join(rows).encode() + b"\n")
    assert titles == ["Four", "One"]
    assert [(line["code"], line["position"]) for line in kept] == [
        ("column-count", "songs.tsv:3"), ("column-count", "songs.tsv:4"),
    ]  # fmt: skip
    assert kept[0]["raw"] == rows[2]


def test_an_unescaped_tab_or_line_end_costs_its_own_row_only(tmp_path: Path) -> None:
    data = b"id\ttitle\tartist\n1\tOn\te\tA\n2\tTw\no\tA\n3\tThree\tA\n"
    titles, kept = ingested(tmp_path, data)
    assert titles == ["Three"]
    assert [line["position"] for line in kept] == [f"songs.tsv:{n}" for n in (2, 3, 4)]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r", b"mixed"])
def test_line_ends_of_every_kind_and_mixed(tmp_path: Path, end: bytes) -> None:
    lines = [b"id,title,artist", b"1,One,A", b"2,Two,A", b"3,Three,A"]
    ends = [b"\r\n", b"\r", b"\n", b"\r\n"] if end == b"mixed" else [end] * 4
    titles, kept = ingested(tmp_path, b"".join(line + e for line, e in zip(lines, ends, strict=True)))
    assert (titles, kept) == (["One", "Three", "Two"], [])


def test_formula_cells_come_out_as_text(tmp_path: Path) -> None:
    cells = ["=1+1", "+1", "-1+1", "@SUM(A1)", '=HYPERLINK("http://x")', "=cmd|' /C calc'!A0"]
    rows = [f"{n}\t{cell}\tA" for n, cell in enumerate(cells)]
    titles, kept = ingested(tmp_path, "\n".join(["id\ttitle\tartist", *rows]).encode() + b"\n")
    assert (titles, kept) == (sorted(cells), [])
    ok("export", "SELECT title, artist FROM recordings", "-o", tmp_path / "out.csv", cwd=tmp_path)
    with (tmp_path / "out.csv").open(newline="") as stream:
        found = [row["title"] for row in csv.DictReader(stream)]
    assert sorted(found) == sorted("'" + cell for cell in cells)
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in found)


@pytest.mark.parametrize("where", ["header", "row"])
def test_ten_million_columns(tmp_path: Path, where: str) -> None:
    wide = b",".join([b"x"] * 10_000_000)
    data = wide + b"\n1,2\n" if where == "header" else b"id,title\n1,One\n" + wide + b"\n2,Two\n"
    (tmp_path / "wide.csv").write_bytes(data)
    with confined() as reader:
        told = reader.survive("table", tmp_path / "wide.csv")
    if where == "header":
        assert told["refused"] in {"not-a-dump", "too-many-columns"}
    else:
        assert (told["rows"], told["codes"]) == (3, ["long-row"])


def test_two_million_short_cells_in_a_row_of_three_columns(tmp_path: Path) -> None:
    """Within the limit of a line, and yet as many cells as fit."""
    (tmp_path / "t.csv").write_bytes(b"id,title,a\n1,One,A\n" + b"," * 4_000_000 + b"\n2,Two,B\n")
    with confined() as reader:
        told = reader.survive("table", tmp_path / "t.csv")
    assert (told["rows"], told["codes"]) == (3, ["column-count"])


@pytest.mark.parametrize("sums", [b"0" * 64 + b"  songs.tsv\n", b"not a checksum", b"", b"\xff" * 100])
def test_a_published_checksum_that_is_wrong_stops_nobody_and_the_true_one_is_recorded(
    tmp_path: Path, sums: bytes
) -> None:
    """mtg-jamendo-dataset once published checksums of other files than those that it gave out (its issue 11)."""
    for name in ("SHA256SUMS", "songs.tsv.sha256", "songs.tsv.md5"):
        (tmp_path / name).write_bytes(sums)
    data = b"id\ttitle\tartist\n1\tOne\tA\n"
    titles, kept = ingested(tmp_path, data)
    assert (titles, kept) == (["One"], [])
    plan = ok("ingest", "table", tmp_path / "songs.tsv", "--plan", "--json", cwd=tmp_path).json
    assert plan["files"][0]["sha256"] == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    ("data", "codes"),
    [
        (b'id,title\n1,"open\n2,Two\n', ["open-quote"]),
        (b"id,title\n,Nameless\n2,Two\n", ["no-key"]),
        (b"id,title\n2,Two\n2,Other\n", ["key-conflict"]),
        (b"id,title\n1," + b"x" * (5 << 20) + b"\n2,Two\n", ["long-row"]),
        (b'{"id": 1, "title": NaN}\n{"id": 2, "title": "Two"}\n', ["bad-json"]),
    ],
    ids=["quote", "key", "conflict", "long", "json"],
)
def test_a_bad_row_is_kept_with_its_code_and_the_next_is_read(tmp_path: Path, data: bytes, codes: list[str]) -> None:
    titles, kept = ingested(tmp_path, data)
    assert titles == ["Two"]
    assert [line["code"] for line in kept] == codes
