"""Look-ups by key files say what the queries say, to the letter."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from fonoteca.catalogue import generation, lookup, show
from fonoteca.catalogue.ingest import execute, ingest_records, plan
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.query import Catalogue
from fonoteca.core.ids import Kind, make_id, show_id
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.settings import resolve
from fonoteca.sources.records import (
    ClaimRecord,
    ClaimText,
    Credit,
    Dump,
    IdentifierRecord,
    RecordingRecord,
    Ref,
    ReleaseRecord,
    Signal,
    SignalRecord,
    TrackRecord,
)
from simulators.random_wide import SOURCE, RandomWide
from simulators.tiny_catalogue import archive, info, ingest

pytestmark = pytest.mark.core
SEEDS = range(2)
ASKED = 25


def read_in(layout: ArchiveLayout, source: RandomWide, dataset: str = "") -> None:
    dump = layout.root / "dump"
    dump.write_bytes(b"made up")
    execute(plan(layout, source, Dump([dump], dataset), resolve([])))


def others(wide: RandomWide) -> Iterator[object]:
    """What another source says: of recordings of the first, and of its own."""
    keys = wide.keys["recording"]
    for key in keys[:9]:
        yield SignalRecord(Ref(SOURCE, key), f"o:{key}", Signal("listens", 40, "CC0-1.0"))
        yield ClaimRecord(Ref(SOURCE, key), f"o:{key}", ClaimText("CC0", "", "letter"))
        yield IdentifierRecord(Ref(SOURCE, key), f"o:{key}", [("acoustid", f"gid-{key}"), ("table", "own")])
    yield RecordingRecord("own", "o:1", "Own", credits=[Credit("Dee")], identifiers=[("isrc", "QZSHARED00001")])
    yield ReleaseRecord("rel", "o:1", "Release", 2001, identifiers=[("upc", "000000000003")])
    yield TrackRecord("rel", "own", "o:1", 1, 1)


class Direct(RandomWide):
    """Wide rows of its own, and what it says of another partition's in flat tables that are not copied."""

    def __init__(self, about: RandomWide) -> None:
        super().__init__(7, count=12, prefix="q")
        self._about = {kind: about.tables[kind] for kind in ("recording", "release")}

    def flat(self) -> Mapping[str, str]:
        """Some thousand rows, several of them about one entity."""
        some = [row["id"] for row in self._about["recording"][:20]] * 2
        ids = ", ".join(f"({n}, {value}::BIGINT, 'recording')" for n, value in enumerate(some))
        ids += "".join(f", ({n}, {row['id']}::BIGINT, 'release')"
                       for n, row in enumerate(self._about["release"][:4]))  # fmt: skip
        rows = f"(VALUES {ids}) AS t(n, id, kind)"
        position, ref = "'f:' || kind || n AS position", "NULL AS of_source, NULL AS of_key"
        return {
            "signal": f"SELECT id AS recording_id, 'listens' AS kind, n::DOUBLE AS value, 'CC0-1.0' AS licence, "
                      f"false AS synthetic, {position}, {ref} FROM {rows} WHERE kind = 'recording'",
            "claim": f"SELECT id AS entity_id, kind, 'CC0-1.0' AS licence, NULL AS url, 'e' || n AS evidence, "
                     f"{position}, {ref} FROM {rows} WHERE n % 3 = 0",
            "genre": f"SELECT id AS entity_id, kind, 'genre ' || n % 7 AS genre, {position} FROM {rows}",
            "identifier": f"SELECT 'acoustid' AS scheme, 'gid-' || n % 11 AS value, id AS entity_id, kind, {position} "
                          f"FROM {rows} UNION ALL SELECT 'isrc', 'QZDIRECT000' || n % 5, id, kind, 'i:' || kind || n "
                          f"FROM {rows}",
        }  # fmt: skip


def world(folder: Path, seed: int) -> tuple[ArchiveLayout, RandomWide]:
    """Wide rows, some of which a second wide partition and a flat one describe, too; and another source."""
    layout, wide = archive(folder), RandomWide(seed, count=35)
    read_in(layout, wide, "x")
    return layout, wide


def add_others(layout: ArchiveLayout, wide: RandomWide) -> None:
    ingest_records(layout, info("table"), "t", "t1", others(wide))  # type: ignore[arg-type]


def add_overlaps(layout: ArchiveLayout, wide: RandomWide) -> None:
    again = [RecordingRecord(key, f"f:{n}", "Anew", year=1900 + n) for n, key in enumerate(wide.keys["recording"][5:9])]
    release = ReleaseRecord(wide.keys["release"][3], "f:20", "Release anew", 1899)
    ingest_records(layout, info(SOURCE), "again", "d2", [*again, release])
    read_in(layout, RandomWide(99, count=20, prefix="z"), "y")


def compare(layout: ArchiveLayout) -> dict[str, int]:
    """Show and resolve of everything, both ways; counts what the key files could say."""
    counts = {"quick": 0, "asked": 0}
    with Catalogue.open(layout) as catalogue:
        quick = catalogue._quick
        assert quick is not None
        given = lookup.given_ids(generation.load(Places.of(layout)))
        for kind, (table, *_) in show.FACTS.items():
            for row in catalogue.select(f"SELECT id FROM {table} ORDER BY id"):
                expected = show.show(catalogue.select, kind, row["id"], is_edition=False)
                found = quick.show(kind, row["id"])
                counts["asked"] += 1
                counts["quick"] += found is not None
                assert catalogue.show(kind, row["id"]) == expected
                assert found is None or found == expected
                assert catalogue.resolve(show_id(kind, row["id"])) == [(kind, row["id"])]
        named = catalogue.select("SELECT DISTINCT scheme || ':' || value AS words FROM identifiers ORDER BY 1")
        keyed = catalogue.select("SELECT DISTINCT source || ':' || key AS words FROM facts_recording ORDER BY 1")
        wrong = [
            {"words": w} for w in ("isrc:none", "table:own", "upc:3", "ean:0000000000003", f"{SOURCE}:none", "a:b")
        ]
        chosen = random.Random(1)
        for row in [*chosen.sample(named, ASKED), *chosen.sample(keyed, ASKED), *wrong]:
            expected_ids = lookup.resolve(catalogue.select, row["words"], given)
            assert catalogue.resolve(row["words"]) == expected_ids, row["words"]
    return counts


@pytest.mark.parametrize("seed", SEEDS)
def test_rows_that_only_one_partition_describes_need_no_query(seed: int, tmp_path: Path) -> None:
    layout, _ = world(tmp_path, seed)
    counts = compare(layout)
    assert counts["quick"] == counts["asked"] > 40


@pytest.mark.parametrize("seed", SEEDS)
def test_what_others_say_is_found_too(seed: int, tmp_path: Path) -> None:
    layout, wide = world(tmp_path, seed)
    add_others(layout, wide)
    counts = compare(layout)
    assert counts["quick"] == counts["asked"] > 40


@pytest.mark.parametrize("seed", SEEDS)
def test_where_several_describe_the_same_the_queries_say_it(seed: int, tmp_path: Path) -> None:
    layout, wide = world(tmp_path, seed)
    add_others(layout, wide)
    add_overlaps(layout, wide)
    counts = compare(layout)
    assert 30 < counts["quick"] < counts["asked"]


@pytest.mark.parametrize("seed", SEEDS)
def test_flat_tables_that_are_not_copied_need_no_query_either(seed: int, tmp_path: Path) -> None:
    layout, wide = world(tmp_path, seed)
    read_in(layout, Direct(wide), "direct")
    part = generation.load(Places.of(layout)).partition(SOURCE, "direct")
    assert part is not None
    assert {"signal", "claim", "genre", "identifier"} <= set(part.keys)
    counts = compare(layout)
    assert counts["quick"] == counts["asked"] > 40
    with Catalogue.open(layout) as catalogue:
        assert len(catalogue.resolve("acoustid:gid-3")) >= 2
        assert len(catalogue.resolve("isrc:QZDIRECT0001")) >= 2


def test_claims_on_releases_are_found_where_no_release_has_any_of_its_own(tmp_path: Path) -> None:
    layout, wide = archive(tmp_path), RandomWide(1, count=35)
    direct = Direct(wide)
    for name, source in (("x", wide), ("direct", direct)):
        for row in source.tables["release"]:
            row["claims"] = None
        read_in(layout, source, name)
    assert all("claims" in chunk.empty for p in generation.load(Places.of(layout)).wide for chunk in p.wide["release"])
    counts = compare(layout)
    assert counts["quick"] == counts["asked"] > 40
    with Catalogue.open(layout) as catalogue:
        assert catalogue.select("SELECT 1 FROM claims WHERE kind = 'release' LIMIT 1")


def test_a_partition_without_keys_is_asked_by_queries(tmp_path: Path) -> None:
    layout, wide = world(tmp_path, 0)
    places = Places.of(layout)
    before = generation.load(places)
    bare = tuple(replace(part, keys={}) for part in before.partitions)
    with Catalogue.open(layout) as catalogue:
        entity = wide.tables["recording"][0]["id"]
        expected = catalogue.show(Kind.RECORDING, entity)
    generation.commit(places, replace(before, number=before.number + 1, partitions=bare))
    with Catalogue.open(layout) as catalogue:
        assert catalogue._quick is None
        assert catalogue.show(Kind.RECORDING, entity) == expected


def test_a_barcode_leads_to_the_release_and_its_recordings(tmp_path: Path) -> None:
    layout, wide = world(tmp_path, 1)
    with Catalogue.open(layout) as catalogue:
        ((kind, entity),) = catalogue.resolve("upc:3")
        assert (kind, entity) == (Kind.RELEASE, make_id(Kind.RELEASE, SOURCE, "l3"))
        tracks = catalogue.show(kind, entity)["tracks"]
    expected = {
        show_id(Kind.RECORDING, r["id"]) for r in wide.tables["recording"]
        if entity in [t["release_id"] for t in r["tracks"] or ()]
    }  # fmt: skip
    assert {t["recording_id"] for t in tracks} == expected
    assert len(expected) >= 3


def test_nothing_is_a_key_error(tmp_path: Path) -> None:
    layout, _ = world(tmp_path, 1)
    with Catalogue.open(layout) as catalogue:
        for kind in Kind:
            with pytest.raises(KeyError):
                catalogue.show(kind, 5)
            assert catalogue.resolve(show_id(kind, 5)) == []


def test_a_flat_catalogue_has_no_key_files_to_ask(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    ingest(layout, "fma")
    with Catalogue.open(layout) as catalogue:
        assert catalogue._quick is None
