"""Listens that others give to a wide partition: the same sums as flat, made only where something has changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fonoteca.catalogue import engine, generation, heard
from fonoteca.catalogue.coverage import coverage
from fonoteca.catalogue.engine import connect
from fonoteca.catalogue.generation import Generation, Heard
from fonoteca.catalogue.ingest import execute, ingest_records, plan, rank
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.query import Catalogue
from fonoteca.core.ids import Kind, make_id
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.progress import SILENT
from fonoteca.core.settings import resolve
from fonoteca.sources import table_bulk
from fonoteca.sources.records import Dump, Ref, Signal, SignalRecord
from fonoteca.sources.table import Table
from simulators.made_bulk import INFO, Made, records

pytestmark = pytest.mark.core
MAPPING = {"about": "signals", "source": "musicbrainz", "key": ["mbid"], "licence": "CC0-1.0",
           "signals": {"listens": "n"}}  # fmt: skip


@pytest.fixture(autouse=True)
def _every_table_in_bulk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_bulk.bulk, "__defaults__", (0,))


def archive(tmp_path: Path, name: str) -> ArchiveLayout:
    layout = ArchiveLayout(tmp_path / name)
    layout.root.mkdir()
    return layout


def wide(layout: ArchiveLayout, dataset: str = "", first: int = 0) -> None:
    path = layout.root.parent / "dump"
    path.write_bytes(b"made up")
    execute(plan(layout, Made(2, first=first), Dump([path], dataset), resolve([])), SILENT)


def listens(layout: ArchiveLayout, name: str, counts: dict[str, int], licence: str = "CC0-1.0") -> None:
    path = layout.root.parent / f"{name}.parquet"
    pq.write_table(pa.table({"mbid": list(counts), "n": list(counts.values())}), path)
    dump = Dump([path], name, {"mapping": MAPPING | {"licence": licence}})
    execute(plan(layout, Table(), dump, resolve([])), SILENT)


def flat_listens(layout: ArchiveLayout, name: str, counts: dict[str, int]) -> None:
    rows = [SignalRecord(Ref("musicbrainz", key), f"{name}:{i}", Signal("listens", n, "CC0-1.0"))
            for i, (key, n) in enumerate(counts.items())]  # fmt: skip
    ingest_records(layout, INFO, name, name, rows)


def asked(layout: ArchiveLayout) -> tuple[Any, ...]:
    with Catalogue.open(layout) as catalogue:
        popularity = catalogue.select("SELECT * FROM popularity ORDER BY ALL")
        heard = catalogue.select("SELECT * EXCLUDE (source) FROM heard ORDER BY ALL")
        held = [make_id(Kind.RECORDING, "musicbrainz", f"k{n}") for n in range(0, 200, 3)]
        return popularity, heard, coverage(catalogue, held, held[:5], "decade").as_json()


def told(layout: ArchiveLayout) -> tuple[Heard, ...]:
    found = generation.load(Places.of(layout)).popularity
    assert found is not None
    return found.heard


FIRST = {"k3": 5, "k4": 0, "k9": 1_000_000, "nobody": 7}
SECOND = {"k4": 2, "k228": 3}


def test_sums_and_shares_are_those_of_a_flat_catalogue(tmp_path: Path) -> None:
    one, two = archive(tmp_path, "wide"), archive(tmp_path, "flat")
    wide(one)
    listens(one, "first", FIRST)
    listens(one, "second", SECOND)
    ingest_records(two, INFO, "", "d", records())
    flat_listens(two, "first", FIRST)
    flat_listens(two, "second", SECOND)
    assert asked(one) == asked(two)


def test_flat_listens_count_for_wide_recordings(tmp_path: Path) -> None:
    one, two = archive(tmp_path, "wide"), archive(tmp_path, "flat")
    wide(one)
    flat_listens(one, "first", FIRST)
    ingest_records(two, INFO, "", "d", records())
    flat_listens(two, "first", FIRST)
    assert asked(one) == asked(two)


def test_listens_that_came_first_count_when_their_recordings_come(tmp_path: Path) -> None:
    one, two = archive(tmp_path, "before"), archive(tmp_path, "after")
    listens(one, "first", FIRST)
    wide(one)
    wide(two)
    listens(two, "first", FIRST)
    assert asked(one) == asked(two)
    assert generation.load(Places.of(one)).same_content(generation.load(Places.of(two)))


def test_only_the_partitions_that_are_spoken_of_get_files(tmp_path: Path) -> None:
    layout = archive(tmp_path, "a")
    wide(layout)
    listens(layout, "nobody", {"nobody": 7})
    assert [h.files for h in told(layout)] == [()]
    listens(layout, "first", FIRST)
    files = told(layout)[0].files
    assert [ref.rows for ref in files] == [115, 115]
    listens(layout, "third", {"nobody": 9})
    assert told(layout)[0].files == files


def test_overlaps_are_counted_once(tmp_path: Path) -> None:
    layout = archive(tmp_path, "a")
    wide(layout, "x")
    wide(layout, "y", first=220)
    listens(layout, "first", SECOND)
    with Catalogue.open(layout) as catalogue:
        assert catalogue.select("SELECT count(*) AS n, count(DISTINCT recording_id) AS m FROM heard") == [
            {"n": 230, "m": 230}
        ]
        one = make_id(Kind.RECORDING, "musicbrainz", "k228")
        found = catalogue.select("SELECT listens FROM heard WHERE recording_id = ?", [one])
    assert found == [{"listens": 3}]


def test_other_licences_count_other_listens(tmp_path: Path) -> None:
    layout = archive(tmp_path, "a")
    wide(layout)
    listens(layout, "first", FIRST)
    rank(layout, ["CC-BY-4.0"])
    with Catalogue.open(layout) as catalogue:
        assert catalogue.select("SELECT count(listens) AS n FROM heard") == [{"n": 0}]


def test_another_reading_of_the_same_file_is_not_taken_for_the_one_before(tmp_path: Path) -> None:
    layout = archive(tmp_path, "a")
    wide(layout)
    path = tmp_path / "two.parquet"
    pq.write_table(pa.table({"mbid": ["k3", "k6"], "n": [5, 6], "m": [50, 60]}), path)
    one = make_id(Kind.RECORDING, "musicbrainz", "k3")
    for column, other, expected in (("n", "m", 5), ("m", "n", 50)):
        mapping = MAPPING | {"signals": {"listens": column, "downloads": other}}
        execute(plan(layout, Table(), Dump([path], "two", {"mapping": mapping}), resolve([])), SILENT)
        with Catalogue.open(layout) as catalogue:
            found = catalogue.select("SELECT listens FROM heard WHERE recording_id = ?", [one])
        assert found == [{"listens": expected}]


def brought_up(layout: ArchiveLayout, told: Generation, licences: tuple[str, ...]) -> tuple[Heard, ...]:
    """All asked anew."""
    places = Places.of(layout)
    places.spool.mkdir(exist_ok=True)
    with connect(engine.DEFAULT) as connection:
        given = heard.givers(places, told, licences)
        return heard.bring_up(connection, places, told, given, licences, None)


def without_keys(told: Generation) -> Generation:
    return replace(told, partitions=tuple(replace(p, keys={}) for p in told.partitions))


@pytest.mark.parametrize("licences", [(), ("CC0-1.0",), ("CC-BY-4.0",), ("CC-BY-4.0", "CC0-1.0")])
def test_keys_count_what_a_scan_counts(tmp_path: Path, licences: tuple[str, ...]) -> None:
    layout = archive(tmp_path, "a")
    wide(layout, "x")
    wide(layout, "y", first=220)
    listens(layout, "first", FIRST)
    listens(layout, "second", SECOND, "CC-BY-4.0")
    listens(layout, "all", {f"k{n}": n for n in range(300)})
    flat_listens(layout, "flat", SECOND)
    current = generation.load(Places.of(layout))
    assert {"recording", "signal"} <= {table for part in current.partitions for table in part.keys}
    found = brought_up(layout, current, licences)
    assert found == brought_up(layout, without_keys(current), licences)
    counts = {part.name.split()[1]: {name.split()[1]: n for name, n in part.by} for part in found}
    cc0, by = "CC0-1.0" in licences, "CC-BY-4.0" in licences
    assert (counts["x"]["first"], counts["y"]["first"]) == (3 if cc0 else 0, 0)
    assert (counts["x"]["second"], counts["y"]["second"]) == (2 if by else 0, 1 if by else 0)
    assert (counts["x"]["all"], counts["y"]["all"]) == (230 if cc0 else 0, 10 if cc0 else 0)


def test_rows_are_not_looked_at_where_keys_tell_that_nobody_gives_them_listens(tmp_path: Path) -> None:
    layout = archive(tmp_path, "a")
    wide(layout)
    listens(layout, "nobody", {f"nobody {n}": 7 for n in range(50)})
    current, places = generation.load(Places.of(layout)), Places.of(layout)
    for ref in [*(chunk.rows for chunk in current.chunks("recording")), *current.direct("signal")]:
        places.path(ref).unlink()
    assert [(h.files, [n for _, n in h.by]) for h in brought_up(layout, current, ("CC0-1.0",))] == [((), [0])]
