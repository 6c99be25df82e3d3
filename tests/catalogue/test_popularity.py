"""Listens to score and rank: the published mapping, to the digit."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fonoteca.catalogue import engine, generation, popularity
from fonoteca.catalogue.engine import connect, parquet
from fonoteca.catalogue.generation import Generation
from fonoteca.catalogue.ingest import execute, plan, rank
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.query import Catalogue
from fonoteca.catalogue.wide import name_overlaps
from fonoteca.core.ids import Kind
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.progress import SILENT
from fonoteca.core.settings import resolve
from fonoteca.sources import table_bulk
from fonoteca.sources.records import Dump, Record, RecordingRecord, Signal
from fonoteca.sources.table import Table
from simulators.random_wide import RandomWide, entity
from simulators.tiny_catalogue import archive, filled, ingest

pytestmark = pytest.mark.core
CASES = (None, 0, 1, 9, 10, 99, 1_000, 123_456, 10**9, 10**10, 10**12)


def ranked(layout: ArchiveLayout, licences: Sequence[str] = ("CC0-1.0",)) -> dict[str, dict[str, Any]]:
    rank(layout, licences)
    with Catalogue.open(layout) as catalogue:
        rows = catalogue.select("SELECT r.title, p.* FROM popularity p JOIN recordings r ON r.id = p.recording_id")
    return {row["title"]: row for row in rows}


def listened(counts: Sequence[float | None]) -> list[Record]:
    return [
        RecordingRecord(str(n), f"t:{n}", str(value), signals=[] if value is None else [
            Signal("listens", value, "CC0-1.0")])
        for n, value in enumerate(counts)
    ]  # fmt: skip


def test_the_mapping_is_the_published_one(tmp_path: Path, golden: Callable[[str, bytes], None]) -> None:
    layout = archive(tmp_path)
    ingest(layout, "fma", listened(CASES))
    found = ranked(layout)
    scores = {str(c): found[str(c)]["score"] for c in CASES}
    golden("signal/scores.json", json.dumps(scores, indent=1).encode() + b"\n")
    for count in CASES[1:]:
        assert count is not None
        assert scores[str(count)] == pytest.approx(min(100, 10 * math.log10(1 + count)), abs=0.006)


def test_unknown_is_null_and_never_0(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    ingest(layout, "fma", listened(CASES))
    found = ranked(layout)
    assert [found["None"][k] for k in ("listens", "score", "rank", "licence")] == [None] * 4
    assert (found["0"]["listens"], found["0"]["score"]) == (0, 0.0)


def test_equal_listens_share_a_rank(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    ingest(layout, "fma", listened([5, 5, 7, None, 5]))
    rank(layout, ["CC0-1.0"])
    with Catalogue.open(layout) as catalogue:
        rows = catalogue.select(
            "SELECT rank, listens, recording_id FROM popularity WHERE rank IS NOT NULL ORDER BY rank"
        )
    assert [r["rank"] for r in rows] == [1, 2, 2, 2]
    assert [(-r["listens"], r["recording_id"]) for r in rows] == sorted(
        (-r["listens"], r["recording_id"]) for r in rows
    )


def test_listens_of_several_sources_are_summed_and_other_kinds_are_not_converted(tmp_path: Path) -> None:
    found = ranked(filled(tmp_path))
    assert found["Dawn"]["listens"] == 95
    assert found["Own"]["listens"] is None


def test_only_the_named_licences_count(tmp_path: Path) -> None:
    layout = filled(tmp_path)
    assert ranked(layout)["Meer"]["listens"] is None
    assert ranked(layout, ["CC-BY-NC-4.0"])["Meer"]["listens"] == 1_000
    both = ranked(layout, ["CC0-1.0", "CC-BY-NC-4.0"])
    assert (both["Meer"]["listens"], both["Meer"]["licence"]) == (1_000, "CC-BY-NC-4.0, CC0-1.0")


def test_no_licence_at_all_counts_nothing(tmp_path: Path) -> None:
    assert {row["listens"] for row in ranked(filled(tmp_path), []).values()} == {None}


def test_made_up_listens_are_named(tmp_path: Path) -> None:
    layout = filled(tmp_path)
    assert rank(layout, ["CC0-1.0"])[0].popularity.synthetic  # type: ignore[union-attr]
    assert not rank(layout, ["CC-BY-NC-4.0"])[0].popularity.synthetic  # type: ignore[union-attr]


def test_counts_that_are_none_are_left_out(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    ingest(layout, "fma", listened([math.nan, math.inf, -1, 2.0**53, 3]))
    found = ranked(layout)
    assert [row["listens"] for row in found.values() if row["listens"] is not None] == [3]


def wide(layout: ArchiveLayout, dataset: str, seed: int, *, synthetic: bool = False, prefix: str = "") -> None:
    made = RandomWide(seed, prefix=prefix or dataset)
    for row in made.tables["recording"]:
        row["listens_synthetic"] = synthetic
    path = layout.root / "dump"
    path.write_text(f"{dataset} {seed} {synthetic}")
    execute(plan(layout, made, Dump([path], dataset), resolve([])), SILENT)


def listens(layout: ArchiveLayout, name: str, counts: dict[str, int]) -> None:
    mapping = {"about": "signals", "source": "musicbrainz", "key": ["mbid"], "licence": "CC0-1.0",
               "signals": {"listens": "n"}}  # fmt: skip
    path = layout.root / f"{name}.parquet"
    pq.write_table(pa.table({"mbid": list(counts), "n": list(counts.values())}), path)
    execute(plan(layout, Table(), Dump([path], name, {"mapping": mapping}), resolve([])), SILENT)


def current(layout: ArchiveLayout) -> Generation:
    return generation.load(Places.of(layout))


@pytest.mark.parametrize("bulk", [True, False])
def test_ranks_that_were_brought_up_are_those_that_are_made_anew(
    tmp_path: Path, bulk: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if bulk:
        monkeypatch.setattr(table_bulk.bulk, "__defaults__", (0,))
    layout = archive(tmp_path)
    steps: list[Callable[[], object]] = [
        *[lambda name=name: wide(layout, name, 1) for name in "vwxy"],  # type: ignore[misc]
        lambda: listens(layout, "some", {"v1": 5, "v2": 7_000, "w3": 1, "nobody": 9}),
        lambda: listens(layout, "more", {"v1": 5, "x4": 7}),
        lambda: wide(layout, "z", 2),
        lambda: ingest(layout, "fma", listened([3, None, 7_000])),
        lambda: wide(layout, "z", 3, synthetic=True),
        lambda: listens(layout, "some", {"z1": 1}),
        lambda: wide(layout, "z", 4),
        lambda: wide(layout, "again", 5, prefix="v"),
        lambda: wide(layout, "last", 6),
    ]
    told = set()
    for step in steps:
        step()
        was = current(layout)
        assert was.popularity is not None
        told.add(was.popularity.synthetic)
        assert not rank(layout, ["CC0-1.0"])[1]
        assert current(layout).same_content(was)
        counts, synthetic = heard(layout)
        assert dict(ranks(layout)) == counts
        assert was.popularity.synthetic == synthetic
    assert told == {True, False}


def heard(layout: ArchiveLayout) -> tuple[dict[int, int], bool]:
    """How many recordings have so many listens, and whether any listens are made up."""
    with Catalogue.open(layout) as catalogue:
        rows = catalogue.select("SELECT listens, count(*) AS n FROM heard WHERE listens IS NOT NULL GROUP BY ALL")
        made_up = catalogue.select("SELECT 1 AS n FROM signals WHERE kind = 'listens' AND licence = 'CC0-1.0' "
                                   "AND synthetic LIMIT 1")  # fmt: skip
    return {row["listens"]: row["n"] for row in rows}, bool(made_up)


def ranks(layout: ArchiveLayout) -> list[tuple[int, int]]:
    found = current(layout).popularity
    assert found is not None
    tables = [pq.read_table(Places.of(layout).path(ref)) for ref in found.ranks]
    return [(row["listens"], row["recordings"]) for table in tables for row in table.to_pylist()]


def test_what_a_partition_adds_is_ranked_without_a_look_at_the_others(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    wide(layout, "x", 1)
    wide(layout, "y", 1)
    before = current(layout)
    wide(layout, "z", 2)
    after, places = current(layout), Places.of(layout)
    for part in before.partitions:
        for chunk in part.wide["recording"]:
            places.path(chunk.rows).unlink()
    places.spool.mkdir()
    with connect(engine.DEFAULT) as connection:
        connection.execute(f"CREATE VIEW recordings AS FROM {parquet(places.paths(after.merged['recordings']))}")
        assert popularity.rank(connection, places, ["CC0-1.0"], after, before) == after.popularity


def test_keys_find_the_listens_of_merged_recordings_that_a_scan_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_bulk.bulk, "__defaults__", (0,))
    layout = archive(tmp_path)
    wide(layout, "x", 1)
    wide(layout, "again", 2, prefix="x")
    listens(layout, "some", {"x1": 3, "x7": 5_000, "nobody": 4} | {f"none {n}": n for n in range(400)})
    listens(layout, "more", {"x1": 8})
    listens(layout, "others", {"nobody": 4})
    told, places = current(layout), Places.of(layout)
    assert sum("signal" in part.keys for part in told.partitions) == 3
    bare = replace(told, partitions=tuple(replace(part, keys={}) for part in told.partitions))
    places.spool.mkdir()
    with connect(engine.DEFAULT) as connection:
        connection.execute(f"CREATE VIEW recordings AS FROM {parquet(places.paths(told.merged['recordings']))}")
        name_overlaps(connection, places, told)
        assert popularity.rank(connection, places, ["CC0-1.0"], bare, bare) == told.popularity
        assert popularity.rank(connection, places, ["CC0-1.0"], told, told) == told.popularity
    with Catalogue.open(layout) as catalogue:
        found = catalogue.select("SELECT recording_id, listens FROM popularity WHERE listens IS NOT NULL")
    listened_to = {row["recording_id"]: row["listens"] for row in found}
    for key, given in (("x1", 11), ("x7", 5_000)):
        assert listened_to[entity(Kind.RECORDING, key)] >= given
