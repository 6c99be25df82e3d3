"""Overlaps by keys: the same bytes as by scans, and what a count of all mentions says, whatever was there before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fonoteca.catalogue import engine, files, keys, matches, overlap
from fonoteca.catalogue.engine import connect
from fonoteca.catalogue.files import FileRef
from fonoteca.catalogue.generation import DumpId, Generation, KeyFiles, PartitionEntry, WideFile
from fonoteca.catalogue.places import Places

pytestmark = pytest.mark.core
KINDS = ("recording", "release", "artist")
ON = pa.list_(pa.struct([("release_id", pa.int64())]))
# Some begin with the same 36 bits and are not the same.
IDS = st.builds(lambda high, low: high << 27 | low, st.integers(0, 6), st.integers(0, 2))
ROWS = st.lists(st.tuples(IDS, st.lists(IDS, max_size=2)), max_size=4)


@dataclass(frozen=True)
class Told:
    """A partition: chunks of wide recordings (id, releases that it is on), releases, artists; flat recordings and
    tracks; whether it has keys, and merged tables of its own."""

    recording: list[list[tuple[int, list[int]]]]
    release: list[list[tuple[int, list[int]]]]
    artist: list[list[tuple[int, list[int]]]]
    flat: list[int]
    track: list[tuple[int, int | None]]
    has_keys: bool
    merged: bool


WIDE = st.lists(ROWS.filter(bool), max_size=3)
PARTS = st.builds(Told, WIDE, WIDE, WIDE, st.lists(IDS, max_size=3) | st.just([]),
                  st.lists(st.tuples(IDS, st.none() | IDS), max_size=2) | st.just([]), st.integers(0, 3).map(bool),
                  st.booleans())  # fmt: skip


def written(places: Places, columns: dict[str, pa.Array]) -> FileRef:
    table = pa.table(columns)
    return files.write(places, "rows", table.to_batches(), table.schema, group=2)


def keyed(places: Places, chunks: Sequence[Sequence[int]]) -> KeyFiles:
    paths = []
    for number, ids in enumerate(chunks):
        paths.append(places.spool / f"{number}.keys")
        paths[-1].write_bytes(keys.packed(np.array(ids, "<u8"), np.arange(len(ids))).tobytes())
    return KeyFiles(keys.join(places, "k", paths))


def entry(places: Places, name: str, told: Told) -> PartitionEntry:
    wide, found = {}, {}
    for kind in KINDS:
        chunks = getattr(told, kind)
        if chunks:
            wide[kind] = [WideFile(_wide_file(places, rows)) for rows in chunks]
            found[kind] = keyed(places, [[n for n, _ in rows] for rows in chunks])
    tables = {}
    if told.flat:
        tables["recording"] = [written(places, {"id": pa.array(told.flat, pa.int64())})]
    if told.track:
        ids, on = zip(*told.track, strict=True)
        tables["track"] = [written(places, {"recording_id": pa.array(ids, pa.int64()),
                                            "release_id": pa.array(on, pa.int64())})]  # fmt: skip
    return PartitionEntry(
        "s", name, DumpId(f"{name}{hash(str(told))}"), [], "", "", {}, None, tables, wide=wide,
        merged={"recordings": [FileRef("0", 0, 0)]} if told.merged and tables else {},
        keys=found if told.has_keys else {},
    )  # fmt: skip


def _wide_file(places: Places, rows: Sequence[tuple[int, list[int]]]) -> FileRef:
    on = [[{"release_id": n} for n in releases] for _, releases in rows]
    return written(places, {"id": pa.array([n for n, _ in rows], pa.int64()), "tracks": pa.array(on, ON)})


def expected(parts: Iterable[Told]) -> dict[str, list[int]]:
    """Counted plainly: how many partitions mention an id, or wide rows of one, or wide and flat rows of one."""
    parts = list(parts)
    shared: dict[str, set[int]] = {}
    for kind in KINDS:
        mentions: Counter[int] = Counter()
        for told in parts:
            rows = Counter(n for chunk in getattr(told, kind) for n, _ in chunk)
            mentions.update({n: 2 if count > 1 else 1 for n, count in rows.items()})
            mentions.update(_flat(told, kind))
        shared[kind] = {n for n, count in mentions.items() if count > 1}
    on = [(n, r) for told in parts for chunk in told.recording for n, releases in chunk for r in releases]
    on += [(n, r) for told in parts for n, r in told.track if r is not None]
    shared["recording"] |= {n for n, release in on if release in shared["release"]}
    return {kind: sorted(found) for kind, found in shared.items() if found}


def _flat(told: Told, kind: str) -> set[int]:
    if kind == "recording":
        return {*told.flat, *[n for n, _ in told.track]}
    return {r for _, r in told.track if r is not None} if kind == "release" else set()


def found(places: Places, current: Generation, wanted: Generation) -> dict[str, list[FileRef]]:
    with connect(engine.DEFAULT) as connection:
        return overlap.find(connection, places, current, wanted)


def bare(generation: Generation) -> Generation:
    return replace(generation, partitions=tuple(replace(p, keys={}) for p in generation.partitions))


def ids(places: Places, overlaps: dict[str, list[FileRef]]) -> dict[str, list[int]]:
    return {kind: pq.read_table(places.path(ref))["id"].to_pylist() for kind, [ref] in overlaps.items()}


def places_in(folder: Path) -> Places:
    places = Places(folder)
    places.files.mkdir(parents=True)
    places.spool.mkdir()
    return places


@settings(max_examples=60, deadline=None)
@given(before=st.lists(PARTS, max_size=3), new=PARTS, replaces=st.booleans(), few=st.booleans())
def test_keys_find_what_scans_and_counting_find(
    before: list[Told], new: Told, replaces: bool, few: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    places = places_in(tmp_path_factory.mktemp("overlap") / "catalogue")
    current = Generation(1, tuple(entry(places, f"p{n}", told) for n, told in enumerate(before)))
    current = replace(current, overlaps=found(places, bare(Generation(0)), bare(current)))
    assert ids(places, current.overlaps) == expected(before)
    name = "p0" if replaces else "q"
    wanted = replace(current.with_partition(entry(places, name, new)), overlaps={})
    with pytest.MonkeyPatch.context() as patch:
        if few:
            # As where millions of ids are shared: keys are given up on at every place where they can be.
            patch.setattr(matches, "MOST", 1)
            for function in (matches.among, matches.shared, matches.repeated, matches.rows):
                patch.setattr(function, "__defaults__", (1, 3))
        by_keys = found(places, current, wanted)
    assert by_keys == found(places, bare(current), bare(wanted))
    assert ids(places, by_keys) == expected([*(before[1:] if replaces else before), new])


def told(recording: Sequence[Sequence[int]], has_keys: bool = True) -> Told:
    return Told([[(n, []) for n in chunk] for chunk in recording], [], [], [], [], has_keys, merged=False)


def test_what_only_begins_alike_overlaps_with_nothing(tmp_path: Path) -> None:
    places = places_in(tmp_path / "catalogue")
    current = Generation(1, (entry(places, "a", told([[1 << 27, 2 << 27]])),))
    wanted = current.with_partition(entry(places, "b", told([[1 << 27 | 1], [1 << 27 | 2]])))
    assert found(places, current, wanted) == {}


def test_rows_of_others_are_not_looked_at_where_keys_tell_that_nothing_is_shared(tmp_path: Path) -> None:
    places = places_in(tmp_path / "catalogue")
    current = Generation(1, (entry(places, "a", told([[n << 27 for n in range(1_000)]])),))
    wanted = current.with_partition(entry(places, "b", told([[n << 27 for n in range(1_000, 1_100)]])))
    for chunk in current.partitions[0].wide["recording"]:
        places.path(chunk.rows).unlink()
    assert found(places, current, wanted) == {}


def test_missing_key_files_are_done_without(tmp_path: Path) -> None:
    places = places_in(tmp_path / "catalogue")
    current = Generation(1, (entry(places, "a", told([[5, 6]])),))
    wanted = current.with_partition(entry(places, "b", told([[6, 7 << 27]])))
    places.path(current.partitions[0].keys["recording"].ids[0]).unlink()
    assert ids(places, found(places, current, wanted)) == {"recording": [6]}


@pytest.mark.parametrize("has_keys", [True, False])
def test_a_newly_shared_release_takes_over_its_recordings_of_old_partitions_too(tmp_path: Path, has_keys: bool) -> None:
    places = places_in(tmp_path / "catalogue")
    one = Told([[(n << 30, [n]) for n in (1, 2, 3)]], [[(1, []), (2, []), (3, [])]], [], [], [], has_keys, merged=False)
    other, last = (replace(told([[n << 40]], has_keys), release=[[(n, [])]]) for n in (1, 2))
    current = Generation(1, tuple(entry(places, name, part) for name, part in (("a", one), ("b", other))))
    current = replace(current, overlaps=found(places, Generation(0), current))
    assert ids(places, current.overlaps) == {"release": [1], "recording": [1 << 30]}
    wanted = replace(current.with_partition(entry(places, "c", last)), overlaps={})
    assert ids(places, found(places, current, wanted)) == {"release": [1, 2], "recording": [1 << 30, 2 << 30]}
