"""What a newer dump describes no more leaves a tombstone; what comes back loses it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fonoteca.catalogue import generation
from fonoteca.catalogue.ingest import execute, ingest_records, plan
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.query import Catalogue
from fonoteca.core.ids import Kind, make_id
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.progress import SILENT
from fonoteca.core.settings import resolve
from fonoteca.sources.records import Credit, Dump, RecordingRecord
from simulators.made_bulk import INFO, Made

pytestmark = pytest.mark.core


def archive(tmp_path: Path) -> ArchiveLayout:
    layout = ArchiveLayout(tmp_path / "a")
    layout.root.mkdir()
    return layout


def tombstones(layout: ArchiveLayout) -> list[tuple[str, int, str, str]]:
    with Catalogue.open(layout) as catalogue:
        rows = catalogue.select("SELECT kind, id, key, dump FROM tombstones ORDER BY ALL")
    return [(r["kind"], r["id"], r["key"], r["dump"]) for r in rows]


def recordings(*names: str) -> list[RecordingRecord]:
    return [RecordingRecord(name, f"f:{name}", name, credits=[Credit(f"by {name}")]) for name in names]


def recording(key: str) -> int:
    return make_id(Kind.RECORDING, "musicbrainz", key)


def test_what_a_newer_dump_lacks_is_remembered_until_it_comes_back(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    ingest_records(layout, INFO, "", "d1", recordings("a", "b", "c"))
    assert tombstones(layout) == []
    ingest_records(layout, INFO, "", "d2", recordings("a", "c"))
    assert ("recording", recording("b"), "b", "d1") in tombstones(layout)
    assert {kind for kind, *_ in tombstones(layout)} == {"artist", "recording"}
    ingest_records(layout, INFO, "", "d3", recordings("a"))
    found = {(key, dump) for kind, _, key, dump in tombstones(layout) if kind == "recording"}
    assert found == {("b", "d1"), ("c", "d2")}
    ingest_records(layout, INFO, "", "d4", recordings("a", "b", "c"))
    assert tombstones(layout) == []


def test_wide_partitions_have_them_too(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    for number, source in enumerate((Made(2), Made(2, first=228))):
        path = tmp_path / "dump"
        path.write_bytes(bytes([number]))
        execute(plan(layout, source, Dump([path]), resolve([])), SILENT)
    found = tombstones(layout)
    assert len(found) == 228
    assert {kind for kind, *_ in found} == {"recording"}
    assert ("recording", recording("k5"), "k5") in [row[:3] for row in found]


def test_other_partitions_are_left_as_they_are(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    ingest_records(layout, INFO, "x", "d1", recordings("a"))
    ingest_records(layout, INFO, "y", "d1", recordings("b"))
    before = generation.load(Places.of(layout)).partition("musicbrainz", "x")
    ingest_records(layout, INFO, "y", "d2", recordings("c"))
    assert generation.load(Places.of(layout)).partition("musicbrainz", "x") == before
    assert generation.load(Places.of(layout)).as_json()["format"] == 3
