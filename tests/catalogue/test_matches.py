"""What keys of two tables have in common: the same as a look at all ids, however the files are cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fonoteca.catalogue import copying, files, keys, matches
from fonoteca.catalogue.engine import DEFAULT, connect
from fonoteca.catalogue.matches import Keyed
from fonoteca.catalogue.places import Places

pytestmark = pytest.mark.core
SCHEMA = pa.schema([("id", pa.int64()), ("word", pa.string())])
IDS = st.builds(lambda high, low: high << 27 | low, st.integers(0, 9) | st.just((1 << 36) - 1),
                st.integers(0, 2) | st.just((1 << 27) - 1))  # fmt: skip
CHUNKS = st.lists(st.lists(IDS, min_size=1, max_size=12), min_size=1, max_size=4)


def made(folder: Path, chunks: Sequence[Sequence[int]], flat: bool = False) -> Keyed:
    """A table of these ids: a wide one with a key file, or a flat one with a key file for each of its own."""
    places = Places(folder)
    places.files.mkdir(exist_ok=True)
    places.spool.mkdir(exist_ok=True)
    paths, rows = [], []
    for number, ids in enumerate(chunks):
        paths.append(folder / f"{number}.chunk")
        paths[-1].write_bytes(keys.packed(np.array(ids, "<u8"), np.arange(len(ids))).tobytes())
        batch = pa.record_batch([pa.array(ids), pa.array([f"w{n}" for n in ids])], SCHEMA)
        ref = files.write(places, "rows", [batch], SCHEMA, group=5)
        rows.append((places.path(ref), ref.rows))
    joined = [keys.join(places, "k", some)[0] for some in ([[p] for p in paths] if flat else [paths])]
    named = tuple((places.path(ref), ref.rows) for ref in joined)
    return Keyed(named, tuple(rows), "id", keys.PLACE_BITS if flat else keys.ROW_BITS)


def begun(ids: Sequence[int]) -> list[int]:
    return sorted({n >> 27 << 28 for n in ids})


def flatten(chunks: Sequence[Sequence[int]]) -> list[int]:
    return [n for ids in chunks for n in ids]


@settings(max_examples=80, deadline=None)
@given(one=CHUNKS, other=CHUNKS, flat=st.booleans(), piece=st.integers(1, 20))
def test_what_is_shared_repeated_and_among_is_what_the_ids_say(
    one: list[list[int]], other: list[list[int]], flat: bool, piece: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    first, second = (made(tmp_path_factory.mktemp("t"), chunks, flat) for chunks in (one, other))
    asked = matches.prefixes(np.array(flatten(one)))
    assert asked.tolist() == begun(flatten(one))
    both = sorted({*begun(flatten(one))} & {*begun(flatten(other))})
    for found in (matches.shared(first, second, piece=piece), matches.among(asked, second, piece=piece)):
        assert found is not None
        assert found.tolist() == both
    twice = matches.repeated(first, piece=piece)
    assert twice is not None
    high = [n >> 27 << 28 for n in flatten(one)]
    assert twice.tolist() == sorted({n for n in high if high.count(n) > 1})


@settings(max_examples=80, deadline=None)
@given(chunks=CHUNKS, asked=st.lists(IDS, min_size=1, max_size=6), flat=st.booleans(), piece=st.integers(1, 20))
def test_the_rows_are_all_that_begin_alike_with_their_columns(
    chunks: list[list[int]], asked: list[int], flat: bool, piece: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    table = made(tmp_path_factory.mktemp("t"), chunks, flat)
    found = matches.rows(table, matches.prefixes(np.array(asked)), SCHEMA, piece=piece)
    assert found is not None
    assert found.schema == SCHEMA
    wanted = sorted(n for n in flatten(chunks) if n >> 27 in {m >> 27 for m in asked})
    assert sorted(found["id"].to_pylist()) == wanted
    assert sorted(found["word"].to_pylist()) == sorted(f"w{n}" for n in wanted)


def test_single_rows_and_whole_columns_are_the_same(tmp_path: Path) -> None:
    ids = [n << 30 for n in range(5_000)]
    table = made(tmp_path, [ids])
    some = matches.rows(table, matches.prefixes(np.array(ids[::1_000])), SCHEMA)
    many = matches.rows(table, matches.prefixes(np.array(ids[::2])), SCHEMA)
    assert some is not None
    assert some["id"].to_pylist() == ids[::1_000]
    assert many is not None
    assert many["id"].to_pylist() == ids[::2]


def test_more_than_one_wants_to_hold_is_told_and_not_held(tmp_path: Path) -> None:
    ids = [n << 30 for n in range(40)]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, other = made(tmp_path / "a", [ids, ids]), made(tmp_path / "b", [ids])
    asked = matches.prefixes(np.array(ids))
    for most, known in ((39, False), (40, True)):
        assert (matches.shared(one, other, most) is not None) is known
        assert (matches.among(asked, one, most) is not None) is known
        assert (matches.repeated(one, most) is not None) is known
        assert (matches.rows(other, asked, SCHEMA, most) is not None) is known


def test_large_tables_are_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [n << 30 for n in range(100)]
    table = made(tmp_path, [ids])
    monkeypatch.setattr(matches, "_WHOLE", 150)
    assert matches.rows(table, matches.prefixes(np.array(ids[:9])), SCHEMA) is None
    found = matches.rows(table, matches.prefixes(np.array(ids[:8])), SCHEMA)
    assert found is not None
    assert found.num_rows == 8


def test_more_chunks_than_a_key_file_covers(tmp_path: Path) -> None:
    chunks = [[n << 30] for n in range(70)]
    table = made(tmp_path, chunks)
    paths = sorted(tmp_path.glob("*.chunk"), key=lambda path: int(path.stem))
    places = Places(tmp_path)
    joined = keys.join(places, "k", paths)
    assert len(joined) == 2
    table = replace(table, keys=tuple((places.path(ref), ref.rows) for ref in joined))
    found = matches.rows(table, matches.prefixes(np.array([3 << 30, 65 << 30])), SCHEMA)
    assert found is not None
    assert found["id"].to_pylist() == [3 << 30, 65 << 30]


def test_rows_that_the_engine_wrote_are_found(tmp_path: Path) -> None:
    ids = [n << 30 for n in range(300)]
    table = made(tmp_path, [ids])
    path = tmp_path / "engine.parquet"
    with connect(DEFAULT) as connection:
        query = f"SELECT (i::BIGINT << 30) AS id, NULL::VARCHAR AS word FROM range({len(ids)}) t(i) ORDER BY i"
        copying.write(connection, path, query, 64)
    found = matches.rows(replace(table, rows=((path, len(ids)),)), matches.prefixes(np.array([7 << 30])), SCHEMA)
    assert found is not None
    assert found.to_pylist() == [{"id": 7 << 30, "word": None}]
