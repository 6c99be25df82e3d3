"""Flat partitions have merged tables of their own: a new dump makes its own again, and the answers are the same."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from fonoteca.catalogue import engine, generation, merge, popularity, views
from fonoteca.catalogue.generation import Generation
from fonoteca.catalogue.ingest import ingest_records
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.query import VIEWS, Catalogue
from fonoteca.core import durable
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.progress import SILENT
from fonoteca.sources.records import (
    ArtistRecord,
    ClaimRecord,
    ClaimText,
    Credit,
    Record,
    RecordingRecord,
    Ref,
    ReleaseRecord,
    Signal,
    SignalRecord,
    TrackRecord,
)
from simulators.tiny_catalogue import archive, info

pytestmark = pytest.mark.core
PARTS = (("fma", "a"), ("fma", "b"), ("fma", "c"), ("jamendo", ""), ("table", ""))


def world(part: tuple[str, str], seed: int, keys: int = 14) -> list[Record]:
    """Random records whose keys several datasets of a source share, and signals and claims about another source."""
    pick = random.Random(f"{part} {seed}")
    made: list[Record] = []
    for n in range(20):
        at, key, release = f"f.csv:{n}", f"r{pick.randrange(keys)}", f"l{pick.randrange(keys)}"
        who = [Credit(f"N{pick.randrange(5)}", f"k{pick.randrange(5)}") for _ in range(pick.randrange(3))]
        year = pick.choice([None, 1990, 2001])
        match pick.randrange(6):
            case 0 | 1:
                made.append(RecordingRecord(key, at, f"T {part} {n}", pick.choice([None, n]), year, None, who,
                                            [("isrc", f"I{n % 3}")], ["Folk"] * pick.randrange(2),
                                            [Signal("listens", n, "CC0-1.0")] * pick.randrange(2),
                                            [ClaimText("CC0")] * pick.randrange(2), flags=[f"f{n % 2}"]))  # fmt: skip
            case 2:
                made.append(ReleaseRecord(release, at, f"L {part} {n}", year, credits=who, genres=["Rock"]))
            case 3:
                made.append(TrackRecord(release, key, at, 1, n, pick.choice([None, "as here"])))
            case 4:
                made.append(ArtistRecord(f"k{pick.randrange(5)}", at, f"N {n}", None, [("isni", str(n))]))
            case _:
                made.append(SignalRecord(Ref("fma", key), at, Signal("listens", 2, "CC0-1.0")))
                made.append(ClaimRecord(Ref("fma", key), at, ClaimText("CC BY 4.0")))
    return made


def add(layout: ArchiveLayout, part: tuple[str, str], seed: int, keys: int = 14) -> None:
    source, dataset = part
    ingest_records(layout, info(source), dataset, f"{source}{dataset}{seed}", world(part, seed, keys))


def now(layout: ArchiveLayout) -> Generation:
    return generation.load(Places.of(layout))


def shown(layout: ArchiveLayout) -> dict[str, list[dict[str, Any]]]:
    with Catalogue.open(layout) as catalogue:
        return {name: catalogue.table(name).to_pylist() for name in VIEWS}


def merged_together(layout: ArchiveLayout, bench: Places) -> dict[str, list[dict[str, Any]]]:
    """What the rules of precedence make of all facts at once."""
    durable.make_folder(bench.spool)
    durable.make_folder(bench.files)
    with engine.connect(engine.DEFAULT) as connection:
        views.name_facts(connection, Places.of(layout), now(layout))
        refs = merge.merge(connection, bench, SILENT)
        refs["popularity"] = popularity.rank(connection, bench, ["CC0-1.0"]).files
    return {name: [row for ref in found for row in pq.read_table(bench.path(ref)).to_pylist()]
            for name, found in refs.items()}  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_the_answers_are_those_of_all_facts_merged_together(seed: int, tmp_path: Path) -> None:
    layout = archive(tmp_path / "a")
    for part in PARTS:
        add(layout, part, seed)
    assert now(layout).overlaps["recording"]
    ours, whole = shown(layout), merged_together(layout, Places(tmp_path / "bench"))
    for name in VIEWS:
        assert ours[name] == whole[name], name
        assert ours[name], name


def test_bytes_do_not_depend_on_the_order_of_ingest_or_on_what_was_there_before(tmp_path: Path) -> None:
    contents = []
    for number, order in enumerate([*list(permutations(PARTS))[::31], PARTS[::-1]]):
        layout = archive(tmp_path / str(number))
        if number % 2:
            add(layout, PARTS[0], 77)
        for part in order:
            add(layout, part, 5)
        told = now(layout).as_json() | {"number": 0}
        for entry in told["partitions"]:
            entry.pop("tombstones", None)
        contents.append(told)
    assert all(told == contents[0] for told in contents)


def test_a_newer_dump_makes_its_own_tables_again_and_no_others(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    for part in PARTS:
        add(layout, part, 1)
    before = now(layout)
    add(layout, PARTS[1], 2)
    after = now(layout)
    for part in PARTS:
        assert (before.partition(*part) == after.partition(*part)) == (part != PARTS[1])
    for entry in after.partitions:
        assert set(entry.merged) == set(before.merged)


def test_what_nobody_else_describes_is_in_no_common_table(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    add(layout, PARTS[0], 1)
    add(layout, PARTS[3], 1)
    told = now(layout)
    assert not told.overlaps
    assert not any(ref.rows for refs in told.merged.values() for ref in refs)


def test_a_catalogue_of_an_older_format_is_taken_over(tmp_path: Path) -> None:
    """Its flat partitions have no tables of their own, and what they share was not known."""
    old, new = archive(tmp_path / "old"), archive(tmp_path / "new")
    for part in PARTS[:4]:
        add(old, part, 3)
        add(new, part, 3)
    places = Places.of(old)
    told = now(old)
    bare = replace(told, overlaps={}, partitions=tuple(replace(p, merged={}) for p in told.partitions))
    with engine.connect(engine.DEFAULT) as connection:
        durable.make_folder(places.spool)
        views.name_facts(connection, places, bare)
        bare = replace(bare, number=told.number + 1, merged=merge.merge(connection, places, SILENT))
        bare = replace(bare, popularity=popularity.rank(connection, places, ["CC0-1.0"]))
    generation.commit(places, bare)
    assert now(old).as_json()["format"] == 1
    assert shown(old) == shown(new)
    for layout in (old, new):
        add(layout, PARTS[4], 3)
    assert now(old).same_content(now(new))


def test_an_ingest_after_the_last_shared_description_has_gone_shares_nothing(tmp_path: Path) -> None:
    layout, fresh = archive(tmp_path / "a"), archive(tmp_path / "b")
    add(layout, PARTS[0], 1)
    add(layout, PARTS[1], 1)
    assert now(layout).overlaps
    for one in (layout, fresh):
        if one is fresh:
            add(one, PARTS[0], 1)
        ingest_records(one, info("fma"), "b", "empty", [])
    assert not now(layout).overlaps
    assert shown(layout) == shown(fresh)
