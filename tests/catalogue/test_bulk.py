"""The bulk way: the same facts give the same answers as record by record; interrupted and continued, the same bytes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fonoteca.catalogue import engine, generation, wide
from fonoteca.catalogue.ingest import IngestResult, execute, ingest_records, plan
from fonoteca.catalogue.keys import RELEASE, name_hash
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.probe import Keys
from fonoteca.catalogue.query import VIEWS, Catalogue
from fonoteca.core.errors import Failed
from fonoteca.core.ids import Kind, make_id
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.progress import SILENT
from fonoteca.core.settings import resolve
from fonoteca.sources.records import Dump, RecordingRecord, Signal
from simulators.made_bulk import INFO, RECORDINGS, Made, records
from simulators.random_wide import RandomWide

pytestmark = pytest.mark.core


def archive(tmp_path: Path, name: str = "a") -> ArchiveLayout:
    layout = ArchiveLayout(tmp_path / name)
    layout.root.mkdir()
    (tmp_path / "dump").write_bytes(b"made up")
    return layout


def bulk(layout: ArchiveLayout, source: Made, dataset: str = "", threads: int = 2) -> IngestResult:
    dump = Dump([layout.root.parent / "dump"], dataset)
    settings = resolve([]).replaced(catalogue__threads=threads)
    return execute(plan(layout, source, dump, settings), SILENT)


def answers(layout: ArchiveLayout) -> dict[str, list[dict[str, object]]]:
    with Catalogue.open(layout) as catalogue:
        return {name: catalogue.select(f"SELECT * EXCLUDE (dump) FROM {name} ORDER BY ALL") if name != "popularity" else
                catalogue.select("SELECT * FROM popularity ORDER BY ALL") for name in VIEWS}  # fmt: skip


def shown(layout: ArchiveLayout, kind: Kind, key: str) -> dict[str, object]:
    with Catalogue.open(layout) as catalogue:
        return catalogue.show(kind, make_id(kind, "musicbrainz", key))


def test_both_ways_give_the_same_tables(tmp_path: Path) -> None:
    wide, flat = archive(tmp_path, "wide"), archive(tmp_path, "flat")
    result = bulk(wide, Made())
    ingest_records(flat, INFO, "", "d", records())
    assert (result.records, result.refused) == (RECORDINGS, 1)
    ours, theirs = answers(wide), answers(flat)
    for name in VIEWS:
        assert ours[name] == theirs[name], name
        assert ours[name], name


def test_several_partitions_that_describe_the_same_merge_as_flat_ones_do(tmp_path: Path) -> None:
    wide, flat = archive(tmp_path, "wide"), archive(tmp_path, "flat")
    bulk(wide, Made(3), "x")
    bulk(wide, Made(1, first=200), "y")
    ingest_records(flat, INFO, "x", "dx", records())
    ingest_records(flat, INFO, "y", "dy", records(200))
    ours, theirs = answers(wide), answers(flat)
    for name in VIEWS:
        if name in {"identifiers", "genres"}:
            continue
        assert ours[name] == theirs[name], name
    assert generation.load(Places.of(wide)).overlaps["recording"][0].rows == RECORDINGS


def test_a_flat_partition_takes_over_what_it_describes_too(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    bulk(layout, Made())
    own = [RecordingRecord("k5", "f:1", "Another title", year=1950, signals=[Signal("listens", 7, "CC0-1.0")])]
    ingest_records(layout, INFO, "more", "d", own)
    found = shown(layout, Kind.RECORDING, "k5")
    assert found["fields"]["title"]["value"] == "Title 5"  # type: ignore[index]
    assert found["fields"]["year"]["value"] == 1950  # type: ignore[index]
    assert found["fields"]["release"]["value"] == "Release 0"  # type: ignore[index]
    assert found["popularity"]["listens"] == 32  # type: ignore[index]
    ingest_records(layout, INFO, "more", "e", [])
    assert not generation.load(Places.of(layout)).overlaps
    assert shown(layout, Kind.RECORDING, "k5")["fields"]["year"]["value"] == 1990  # type: ignore[index]


def test_bytes_do_not_depend_on_threads_or_on_order(tmp_path: Path) -> None:
    one, two = archive(tmp_path, "one"), archive(tmp_path, "two")
    bulk(one, Made(), "x", threads=1)
    bulk(one, Made(1, first=100), "y", threads=1)
    bulk(two, Made(1, first=100), "y", threads=4)
    bulk(two, Made(), "x", threads=4)
    assert generation.load(Places.of(one)).same_content(generation.load(Places.of(two)))


def test_an_interrupted_ingest_goes_on_and_ends_in_the_same_bytes(tmp_path: Path) -> None:
    whole, cut = archive(tmp_path, "whole"), archive(tmp_path, "cut")
    bulk(whole, Made(4))
    with pytest.raises(Failed, match="interrupted"):
        bulk(cut, Made(4, stop=2))
    assert generation.load(Places.of(cut)).number == 0
    done = sorted(p.name for p in next(Places.of(cut).work.iterdir()).glob("done-recording-*"))
    assert len(done) == 2
    bulk(cut, Made(4))
    assert generation.load(Places.of(cut)).same_content(generation.load(Places.of(whole)))
    assert not Places.of(cut).work.exists()
    assert {p.name for p in Places.of(cut).files.iterdir()} == {p.name for p in Places.of(whole).files.iterdir()}


def test_the_same_dump_again_changes_nothing(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    bulk(layout, Made())
    before = {p: p.stat().st_mtime_ns for p in layout.root.rglob("*") if p.is_file()}
    assert not bulk(layout, Made()).changed
    assert {p: p.stat().st_mtime_ns for p in layout.root.rglob("*") if p.is_file()} == before


def test_keys_lead_to_rows(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    bulk(layout, Made(1))
    places = Places.of(layout)
    found = generation.load(places).wide[0].keys["recording"]
    ids, names = (Keys(places.path(ref), ref.rows) for (ref,) in (found.ids, found.names))
    for n in (0, 5, RECORDINGS - 1):
        assert ids.rows(make_id(Kind.RECORDING, "musicbrainz", f"k{n}")) == [n]
    assert names.rows(name_hash("isrc", "ISRC3")) == [6, 7]
    assert names.rows(name_hash(RELEASE, str(make_id(Kind.RELEASE, "musicbrainz", "l4")))) == [40]
    assert ids.rows(make_id(Kind.RECORDING, "musicbrainz", "nobody")) == []
    ids.close()
    names.close()


def test_what_another_reading_left_unfinished_is_not_gone_on_with(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    dump = Dump([tmp_path / "dump"], options={"meaning": "old"})
    with pytest.raises(Failed, match="interrupted"):
        execute(plan(layout, Made(4, stop=2), dump, resolve([])), SILENT)
    left = next(Places.of(layout).work.iterdir())
    (left / "numbers.parquet").write_bytes(b"of the old meaning")
    execute(plan(layout, Made(4), Dump([tmp_path / "dump"], options={"meaning": "new"}), resolve([])), SILENT)
    assert len(answers(layout)["recordings"]) == RECORDINGS


class Bare(RandomWide):
    """Rows without genres, claims and counts: null, or lists without anything in them."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, prefix="bare")
        for number, row in enumerate(self.tables["recording"]):
            row |= {"genres": [None, []][number % 2], "claims": None, "signals": [], "listens": None}


@pytest.mark.parametrize("alone", [True, False])
def test_columns_that_hold_nothing_are_told_and_not_asked(alone: bool, tmp_path: Path) -> None:
    layout = archive(tmp_path)
    sources = {"bare": Bare(1)} | ({} if alone else {"full": RandomWide(2, prefix="full")})
    for dataset, source in sources.items():
        execute(plan(layout, source, Dump([tmp_path / "dump"], dataset), resolve([])), SILENT)
    places = Places.of(layout)
    current = generation.load(places)
    told = {part.dataset: part.wide["recording"][0].empty for part in current.wide}
    assert told["bare"] == ("claims", "genres", "listens", "signals")
    assert not told.get("full")
    unknown = replace(current, partitions=tuple(replace(p, wide={
        table: [replace(chunk, empty=()) for chunk in chunks] for table, chunks in p.wide.items()
    }) for p in current.partitions))  # fmt: skip
    given, all_given = wide.scans(places, current), wide.scans(places, unknown)
    with engine.connect(engine.DEFAULT, places.spool / "engine") as connection:
        for table in ("recordings", "tracks", "credits", "identifiers", "genres", "signals", "claims"):
            asked, expected = (
                sorted(str(row) for query in wide.merged(g, table) for row in connection.execute(query).fetchall())
                for g in (given, all_given)
            )
            assert asked == expected, table
            assert expected or alone, table
    if alone:
        assert wide.merged(given, "signals") == []
