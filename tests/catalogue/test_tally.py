"""The histogram that ranks already hold, against counting every recording."""

from __future__ import annotations

from pathlib import Path

import pytest

from fonoteca.catalogue import tally
from fonoteca.catalogue.coverage import coverage
from fonoteca.catalogue.ingest import execute, ingest_records, plan
from fonoteca.catalogue.query import Catalogue
from fonoteca.core.errors import Usage
from fonoteca.core.ids import Kind, make_id
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.progress import SILENT
from fonoteca.core.settings import resolve
from fonoteca.sources.records import Dump, RecordingRecord, Ref, Signal, SignalRecord
from simulators import tiny_catalogue
from simulators.made_bulk import INFO, Made

pytestmark = pytest.mark.core

FIRST = {"k3": 5, "k4": 0, "k9": 1_000_000, "k10": 5, "nobody": 7}


def archive(folder: Path) -> ArchiveLayout:
    """Half of a made-up dump of wide rows, and listens that others give to some of them."""
    layout = tiny_catalogue.archive(folder / "archive")
    wide(layout)
    rows = [SignalRecord(Ref("musicbrainz", key), f"one:{i}", Signal("listens", n, "CC0-1.0"))
            for i, (key, n) in enumerate(FIRST.items())]  # fmt: skip
    ingest_records(layout, INFO, "one", "one", rows)
    return layout


def wide(layout: ArchiveLayout, dataset: str = "", first: int = 0) -> None:
    path = layout.root.parent / "dump"
    path.write_bytes(b"made up")
    execute(plan(layout, Made(2, first=first), Dump([path], dataset), resolve([])), SILENT)


def same(layout: ArchiveLayout) -> str:
    """The query of the view, whose rows are those of a count."""
    with Catalogue.open(layout) as catalogue:
        found = catalogue.select("SELECT * FROM heard_counts ORDER BY ALL")
        assert found == catalogue.select(f"SELECT * FROM ({tally.COUNTED}) ORDER BY ALL")
        text: str = catalogue.select("SELECT sql FROM duckdb_views() WHERE view_name = 'heard_counts'")[0]["sql"]
    assert found
    return text


def test_one_wide_source_is_read_from_the_ranks(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    assert "heard" not in same(layout).replace("heard_counts", "")


def test_other_sources_are_taken_from_what_all_have(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    signals = [[Signal("listens", n, "CC0-1.0")] if n % 3 else [] for n in range(12)]
    tiny_catalogue.ingest(layout, "fma", [RecordingRecord(str(n), f"t:{n}", str(n), signals=s)
                                          for n, s in enumerate(signals)])  # fmt: skip
    assert "CROSS JOIN" in same(layout)


def test_overlaps_are_counted(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    wide(layout, "again", first=150)
    assert "ranks" not in same(layout)


def test_a_flat_catalogue_is_counted(tmp_path: Path) -> None:
    same(tiny_catalogue.filled(tmp_path))


@pytest.mark.parametrize("by", [None, "tier", "decade", "country", "genre", "licence"])
def test_the_views_that_are_named_are_all_that_is_asked(tmp_path: Path, by: str | None) -> None:
    from fonoteca.catalogue.coverage import NEEDED

    layout = archive(tmp_path)
    held = [make_id(Kind.RECORDING, "musicbrainz", f"k{n}") for n in range(0, 200, 3)]
    with Catalogue.open(layout) as all_named, Catalogue.open(layout, only=NEEDED.get(by or "", ())) as few_named:
        assert coverage(few_named, held, held[:5], by) == coverage(all_named, held, held[:5], by)
        if by is None:
            with pytest.raises(Usage):
                few_named.sql("SELECT * FROM recordings")
