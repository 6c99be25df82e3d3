"""Ingest: one step or not at all, the same whatever the order, and nothing the second time."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import duckdb
import pandas
import polars
import pyarrow.parquet as pq
import pytest

from fonoteca.catalogue import generation
from fonoteca.catalogue.engine import Engine
from fonoteca.catalogue.ingest import execute, ingest_records, plan, rank
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.query import Catalogue
from fonoteca.catalogue.tables import FACTS
from fonoteca.core.errors import Failed, NoArchive
from fonoteca.core.ids import Kind, make_id
from fonoteca.core.settings import resolve
from fonoteca.sources.records import Credit, Dump, Record, RecordingRecord, Refused
from fonoteca.sources.table import Table
from simulators.tiny_catalogue import WORLD, archive, fill, filled, fma, info, ingest, many, table, tree

pytestmark = pytest.mark.core
SETTINGS = resolve([])


def content(layout: Any) -> dict[str, Any]:
    """The generation without its number: the order of ingest decides how many there were."""
    return generation.load(Places.of(layout)).as_json() | {"number": 0}


def test_rows_are_counted_and_refused_rows_stand_in_quarantine_with_their_reason(tmp_path: Path) -> None:
    result = ingest(archive(tmp_path), "fma")
    assert (result.read, result.records, result.duplicates, result.refused) == (4, 3, 0, 1)
    assert result.quarantine == "quarantine/fma-d1.jsonl"
    lines = (tmp_path / result.quarantine).read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"position": "tracks.csv:12", "code": "no-key", "reason": "track_id is empty", "raw": "…,x"}
    ]


def test_a_huge_refused_row_is_cut_at_64_kib_of_whole_characters(tmp_path: Path) -> None:
    result = ingest(archive(tmp_path), "fma", [Refused("t:1", "c", "r", "x" + "é" * 100_000)])
    line = json.loads((tmp_path / str(result.quarantine)).read_text())
    assert len(line["raw"].encode()) == 65_535
    assert line["raw"].endswith("é")


def test_quarantine_goes_when_the_same_dump_is_read_without_refusals(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    result = ingest(layout, "fma")
    later = [r for r in fma() if not isinstance(r, Refused)]
    ingest(layout, "fma", later, dump="d2")
    ingest(layout, "fma", later, dump="d1")
    assert not (tmp_path / str(result.quarantine)).exists()


def test_the_same_dump_again_writes_nothing(tmp_path: Path) -> None:
    layout = filled(tmp_path)
    before = {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in tmp_path.rglob("*")}

    def unread() -> Iterator[Record]:
        raise AssertionError("the records were read again")
        yield

    result = ingest(layout, "fma", unread())
    assert not result.changed
    assert result.refused == 1
    assert {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in tmp_path.rglob("*")} == before


@pytest.mark.parametrize("order", list(permutations(WORLD))[1:])
def test_ids_and_tables_are_the_same_whatever_the_order_of_ingest(order: tuple[str, ...], tmp_path: Path) -> None:
    reference = filled(tmp_path / "reference")
    layout = archive(tmp_path / "other")
    for source in order:
        ingest(layout, source)
    assert content(layout) == content(reference)


def test_the_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    first, second = archive(tmp_path / "a"), archive(tmp_path / "b")
    ingest(first, "fma")
    ingest(second, "fma", reversed(fma()))
    assert content(first)["merged"] == content(second)["merged"]


@pytest.mark.parametrize(("threads", "memory"), [(1, 64 << 20), (4, 4 << 30)])
def test_threads_and_memory_do_not_change_a_byte(threads: int, memory: int, tmp_path: Path) -> None:
    layouts = []
    for name, engine in {"a": Engine(), "b": Engine(memory, threads)}.items():
        layout = archive(tmp_path / name)
        settings = SETTINGS.replaced(catalogue__threads=engine.threads, catalogue__memory=engine.memory)
        ingest_records(layout, info("fma"), "", "d1", many(3_000), settings=settings)
        layouts.append(layout)
    assert tree(layouts[0].root) == tree(layouts[1].root)


def test_a_newer_dump_replaces_that_partition_only(tmp_path: Path) -> None:
    layout = filled(tmp_path)
    before = generation.load(Places.of(layout))
    ingest(layout, "fma", [RecordingRecord("1", "new.csv:2", "Dawn anew", credits=[Credit("Ana", "a1")])], dump="d2")
    after = generation.load(Places.of(layout))
    assert [p.name for p in after.partitions] == [p.name for p in before.partitions]
    for name in ("table", "jamendo"):
        assert after.partition(name, "") == before.partition(name, "")
    with Catalogue.open(layout) as catalogue:
        rows = catalogue.sql("SELECT title FROM recordings WHERE source = 'fma'").table().to_pylist()
    assert rows == [{"title": "Dawn anew"}]


def test_datasets_of_one_source_stand_side_by_side(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    ingest(layout, "table", dataset="one")
    ingest(layout, "table", [RecordingRecord("y", "two:1", "Two")], dataset="two", dump="d2")
    with Catalogue.open(layout) as catalogue:
        assert catalogue.recording_ids().to_pylist() == sorted(make_id(Kind.RECORDING, "table", k) for k in "xy")


def test_a_missing_file_is_written_again_and_the_generation_stays(tmp_path: Path) -> None:
    layout = filled(tmp_path)
    whole = tree(tmp_path)
    victim = next(iter(generation.load(Places.of(layout)).merged.values()))[0]
    Places.of(layout).file(victim.sha256).unlink()
    result = ingest(layout, "fma")
    assert not result.changed
    assert tree(tmp_path) == whole


def test_a_lost_catalogue_is_the_same_after_the_dumps_are_read_again(tmp_path: Path) -> None:
    layout = filled(tmp_path)
    whole = tree(tmp_path)
    shutil.rmtree(layout.catalogue)
    fill(layout)
    assert tree(tmp_path) == whole


def test_leftovers_of_a_killed_run_are_swept(tmp_path: Path) -> None:
    layout = filled(tmp_path)
    whole = tree(tmp_path)
    places = Places.of(layout)
    for leftover in (places.spool / "raw-x.parquet.partial", places.files / "ab.parquet", places.generation(99)):
        leftover.parent.mkdir(exist_ok=True)
        leftover.write_bytes(b"half")
    ingest(layout, "jamendo")
    assert tree(tmp_path) == whole


def test_every_file_is_on_the_disk_before_the_name_that_points_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[tuple[str, str]] = []
    replace, fsync = os.replace, os.fsync

    def seen_replace(source: Any, target: Any) -> None:
        replace(source, target)
        steps.append(("rename", Path(target).name))

    def seen_fsync(fd: int) -> None:
        fsync(fd)
        path = Path(f"/proc/self/fd/{fd}").readlink()
        steps.append(("fsync", path.name.removesuffix(".partial")))

    if not Path("/proc/self/fd").exists():
        pytest.skip("no /proc to name open files")
    monkeypatch.setattr(os, "replace", seen_replace)
    monkeypatch.setattr(os, "fsync", seen_fsync)
    ingest(archive(tmp_path), "fma")
    renames = [name for kind, name in steps if kind == "rename"]
    assert renames[-2:] == ["000001.json", "CURRENT"]
    assert steps[-1 - steps[::-1].index(("rename", "CURRENT")) + 1] == ("fsync", "catalogue")
    for index, (kind, name) in enumerate(steps):
        if kind == "rename" and name in {"000001.json", "CURRENT"}:
            assert steps[index - 1] == ("fsync", name)
            assert steps[index + 1][0] == "fsync"


def short(kind: Kind, source: str, key: str, counter: int) -> int:
    """A hash of 128 values, so that ids collide inside partitions and between them."""
    return make_id(kind, source, key, counter) % 128


def crowd(source: str, count: int) -> list[Record]:
    return [
        RecordingRecord(f"{source}{n}", f"{source}.csv:{n}", f"{source} {n}", genres=["G"],
                        credits=[Credit(f"N{n % 7}", f"k{n % 7}")], identifiers=[("isrc", f"{source}{n}")])
        for n in range(count)
    ]  # fmt: skip


@pytest.mark.parametrize("order", [("fma", "jamendo"), ("jamendo", "fma")])
def test_colliding_ids_are_settled_the_same_whatever_the_order(order: tuple[str, ...], tmp_path: Path) -> None:
    layout = archive(tmp_path)
    for source in order:
        ingest(layout, source, crowd(source, 25), make=short)
    with Catalogue.open(layout) as catalogue:
        titles = {r["id"]: r["title"] for r in catalogue.select("SELECT id, title FROM recordings")}
        joined = catalogue.select(
            "SELECT r.title, i.value, c.name FROM recordings r JOIN identifiers i ON i.entity_id = r.id "
            "JOIN credits c ON c.entity_id = r.id AND c.kind = 'recording'"
        )
    taken: dict[int, str] = {}
    for source in sorted(order):
        for key in sorted(f"{source}{n}" for n in range(25)):
            counter = 0
            while (value := short(Kind.RECORDING, source, key, counter)) in taken:
                counter += 1
            taken[value] = f"{source} {key.removeprefix(source)}"
    assert titles == taken
    assert len(joined) == 50
    assert all(row["title"].replace(" ", "") == row["value"] for row in joined)
    assert len({short(Kind.RECORDING, s, f"{s}{n}", 0) for s in order for n in range(25)}) < 50


def test_a_reference_to_a_colliding_recording_reaches_the_right_one(tmp_path: Path) -> None:
    from fonoteca.sources.records import Ref, Signal, SignalRecord

    layout = archive(tmp_path)
    ingest(layout, "table", [
        SignalRecord(Ref("fma", f"fma{n}"), f"l:{n}", Signal("listens", n, "CC0-1.0")) for n in range(40)
    ], make=short)  # fmt: skip
    ingest(layout, "fma", crowd("fma", 40), make=short)
    with Catalogue.open(layout) as catalogue:
        rows = catalogue.select(
            "SELECT r.title, p.listens FROM recordings r JOIN popularity p ON p.recording_id = r.id"
        )
    assert {row["title"]: row["listens"] for row in rows} == {f"fma {n}": n for n in range(40)}


def test_every_row_says_from_which_dump_and_position_it_comes(tmp_path: Path) -> None:
    layout = filled(tmp_path)
    known = {p for make in WORLD.values() for p in (r.position for r in make())}
    current = generation.load(Places.of(layout))
    dumps = {(p.source, p.dump.id) for p in current.partitions}
    for name in FACTS:
        for ref in current.facts(name):
            for row in pq.read_table(Places.of(layout).file(ref.sha256)).to_pylist():
                assert (row["source"], row["dump"]) in dumps
                assert row["position"] in known


def test_duckdb_polars_and_pandas_read_every_file(tmp_path: Path) -> None:
    layout = filled(tmp_path)
    for ref in generation.load(Places.of(layout)).files():
        path = Places.of(layout).file(ref.sha256)
        counted = duckdb.sql(f"SELECT count(*) FROM read_parquet('{path}')").fetchall()
        assert counted == [(ref.rows,)]
        assert polars.read_parquet(path).height == ref.rows
        assert len(pandas.read_parquet(path)) == ref.rows


def test_popularity_is_never_stale_and_keeps_the_licences_of_the_last_rank(tmp_path: Path) -> None:
    layout = filled(tmp_path)
    rank(layout, ["CC-BY-NC-4.0"])
    ingest(layout, "jamendo", [], dump="d2")
    current = generation.load(Places.of(layout))
    assert current.popularity is not None
    assert current.popularity.licences == ("CC-BY-NC-4.0",)
    with Catalogue.open(layout) as catalogue:
        assert catalogue.select("SELECT * FROM popularity WHERE listens IS NOT NULL") == []


def test_ranking_twice_makes_one_generation(tmp_path: Path) -> None:
    layout = filled(tmp_path)
    first, changed = rank(layout, ["CC0-1.0", "CC-BY-NC-4.0"])
    again, changed_again = rank(layout, ["CC-BY-NC-4.0", "CC0-1.0"])
    assert (changed, changed_again) == (True, False)
    assert first.number == again.number


def test_ranking_without_a_catalogue_says_so(tmp_path: Path) -> None:
    with pytest.raises(NoArchive) as caught:
        rank(archive(tmp_path), ["CC0-1.0"])
    assert caught.value.code == "no-catalogue"


def test_a_source_that_fails_leaves_the_last_generation(tmp_path: Path) -> None:
    layout = filled(tmp_path)
    whole = content(layout)

    def breaking() -> Iterator[Record]:
        yield from table()
        raise OSError("the disk went away")

    with pytest.raises(Failed, match="The dump could not be read: table: the disk went away"):
        ingest(layout, "table", breaking(), dump="d2")
    assert content(layout) == whole
    ingest(layout, "table")
    assert not list(Places.of(layout).root.glob("spool"))


def test_files_of_a_dump_are_planned_by_digest_and_then_read(tmp_path: Path) -> None:
    layout = archive(tmp_path / "archive")
    path = tmp_path / "songs.csv"
    path.write_text("id,title,artist\n1,One,A\n2,Two,B\n")
    first = plan(layout, Table(), Dump([path]), SETTINGS)
    assert (first.action, first.generation, first.reading.dataset) == ("add", 1, "songs")
    assert execute(first).records == 2
    assert plan(layout, Table(), Dump([path]), SETTINGS).action == "nothing"
    copy = tmp_path / "elsewhere" / "songs.csv"
    copy.parent.mkdir()
    copy.write_bytes(path.read_bytes())
    assert plan(layout, Table(), Dump([copy]), SETTINGS).action == "nothing"
    path.write_text("id,title,artist\n1,One!,A\n")
    assert plan(layout, Table(), Dump([path]), SETTINGS).action == "replace"
