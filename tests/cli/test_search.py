from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness import fonoteca, ok
from simulators.tiny_edition import publish
from simulators.tiny_site import ELISE, PIECES

pytestmark = pytest.mark.core
CONTRACT = {"id", "title", "artist", "release", "year", "isrc", "licence", "playable", "popularity", "score"}


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    folder = tmp_path / "mirror"
    publish(folder / "publication", PIECES, withheld={"Secret": "conflicting-claims"})
    (folder / "mirror.toml").write_bytes(b"")
    return folder


def test_one_object_with_the_contracts_fields(mirror: Path) -> None:
    ran = ok("search", "fur", "elise", "--json", cwd=mirror)
    value = json.loads(ran.stdout)
    assert set(value) >= {"hits", "total", "total_is_exact", "seconds"}
    assert set(value["hits"][0]) >= CONTRACT
    assert value["hits"][0]["id"] == ELISE.id
    assert "building the search index" in ran.stderr
    assert ok("search", "fur", "elise", "--json", cwd=mirror).stderr == ""


def test_lines_for_a_person(mirror: Path) -> None:
    ran = ok("search", "elise", cwd=mirror)
    assert "Für Elise by Ludwig van Beethoven (Bagatelles, 1810, CC-BY-4.0)" in ran.stdout
    assert "1 recording in edition 1" in ran.stdout
    assert "0 recordings" in ok("search", "zzzqqq", cwd=mirror).stdout
    assert "\x1b" not in ok("search", "playable:yes", cwd=mirror).stdout


def test_pages(mirror: Path) -> None:
    pages = [
        ok("search", "playable:yes", "--limit", "1", "--offset", str(i), "--json", cwd=mirror).json for i in range(4)
    ]
    assert [len(p["hits"]) for p in pages] == [1, 1, 1, 0]
    assert {p["total"] for p in pages} == {3}
    assert "shown from 2" in ok("search", "playable:yes", "--offset", "1", cwd=mirror).stdout


def test_a_query_that_begins_with_a_minus(mirror: Path) -> None:
    assert ok("search", "--json", "--", "-elise", cwd=mirror).json["total"] == 4


@pytest.mark.parametrize("words", [
    ["--limit", "-1"], ["--limit", "0"], ["--limit", "999999999999"], ["--offset", "-1"], ["--offset", "99999999999"],
    ["--limit", "x"], ["--edition", "x"],
])  # fmt: skip
def test_limits_that_make_no_sense(mirror: Path, words: list[str]) -> None:
    ran = fonoteca("search", "elise", *words, "--json", cwd=mirror)
    assert ran.code == 2
    assert ran.json["message_type"] == "error"
    assert ran.json["remedy"]


def test_no_words_no_archive_no_edition(mirror: Path, tmp_path: Path) -> None:
    assert fonoteca("search", cwd=mirror).code == 2
    assert fonoteca("search", "x", cwd=tmp_path).code == 10
    assert fonoteca("search", "x", "--edition", "7", cwd=mirror).code == 10


def test_an_archive_searches_its_generation_with_what_is_held(tmp_path: Path) -> None:
    ok("init", "archive", cwd=tmp_path)
    archive = tmp_path / "archive"
    (tmp_path / "songs.csv").write_text(
        "id,title,artist,album,licence\n1,Río Bravo,Åsa,Waters,CC-BY-4.0\n2,Rio Grande,Bo,Waters,\n", encoding="utf-8"
    )
    (tmp_path / "map.toml").write_text(
        'dataset = "songs"\nkey = ["id"]\nlicence = "CC0-1.0"\n\n[columns]\ntitle = "title"\nartist = "artist"\n'
        'release = "album"\nlicence = "licence"\n',
        encoding="utf-8",
    )
    ran = fonoteca("ingest", "table", tmp_path / "songs.csv", "--mapping", tmp_path / "map.toml", cwd=archive)
    if ran.code != 0:
        pytest.fail(ran.stdout + ran.stderr)
    value = ok("search", "rio", "--json", cwd=archive).json
    assert {(h["title"], h["licence"], h["playable"]) for h in value["hits"]} == {
        ("Río Bravo", "CC-BY-4.0", False), ("Rio Grande", None, False)}  # fmt: skip
