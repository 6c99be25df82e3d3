"""Generations that are kept, and those that a reader keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from fonoteca.catalogue import generation, retention
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.query import Catalogue
from fonoteca.core.errors import NoArchive
from fonoteca.sources.records import RecordingRecord
from simulators.tiny_catalogue import archive, ingest

pytestmark = pytest.mark.core


def step(layout: object, number: int) -> None:
    ingest(layout, "fma", [RecordingRecord("1", "t:1", f"Title {number}")], dump=f"d{number}")  # type: ignore[arg-type]


def numbers(places: Places) -> list[int]:
    return sorted(int(p.stem) for p in places.generations.iterdir())


def test_the_last_two_are_kept_and_no_file_is_without_a_generation(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    for number in range(1, 6):
        step(layout, number)
    places = Places.of(layout)
    assert numbers(places) == [4, 5]
    named = {f.sha256 for n in (4, 5) for f in generation.parse(places, n, places.generation(n).read_bytes()).files()}
    assert {p.stem for p in places.files.iterdir()} == named


def test_a_reader_keeps_its_generation_until_it_is_done(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    step(layout, 1)
    with Catalogue.open(layout) as catalogue:
        for number in range(2, 5):
            step(layout, number)
        assert numbers(Places.of(layout)) == [1, 3, 4]
        assert catalogue.sql("SELECT title FROM recordings").table().to_pylist() == [{"title": "Title 1"}]
        assert catalogue.number == 1
    step(layout, 5)
    assert numbers(Places.of(layout)) == [4, 5]


def test_a_generation_that_never_counted_is_swept(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    step(layout, 1)
    places = Places.of(layout)
    places.generation(9).write_bytes(places.generation(1).read_bytes())
    retention.collect(places)
    assert numbers(places) == [1]


def test_files_without_any_generation_go(tmp_path: Path) -> None:
    places = Places.of(archive(tmp_path))
    places.files.mkdir(parents=True)
    places.file("ab").write_bytes(b"x")
    assert retention.collect(places) == 1
    assert retention.collect(Places(tmp_path / "nowhere")) == 0


def test_reading_an_empty_archive_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NoArchive) as caught, retention.reading(Places.of(archive(tmp_path))):
        pass
    assert caught.value.code == "no-catalogue"
    assert "fonoteca ingest" in caught.value.remedy
