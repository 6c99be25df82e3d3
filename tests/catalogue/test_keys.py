"""Key files: every hash leads to its rows, and the bytes are those of docs/formats/keys.md."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fonoteca.catalogue import keys
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.probe import Keys

pytestmark = pytest.mark.core
HASHES = st.integers(0, (1 << 63) - 1)


@contextlib.contextmanager
def _opened(hashes: list[int], folder: Path) -> Iterator[Keys]:
    packed = keys.packed(np.array(hashes, "<u8"), np.arange(len(hashes)))
    places = Places(folder)
    places.files.mkdir(exist_ok=True)
    places.spool.mkdir(exist_ok=True)
    chunk = folder / "chunk.keys"
    chunk.write_bytes(packed.tobytes())
    [ref] = keys.join(places, "k", [chunk])
    found = Keys(places.path(ref), ref.rows)
    yield found
    found.close()


@settings(max_examples=60, deadline=None)
@given(hashes=st.lists(HASHES, max_size=40))
def test_every_hash_leads_to_all_of_its_rows(hashes: list[int], tmp_path_factory: pytest.TempPathFactory) -> None:
    with _opened(hashes, tmp_path_factory.mktemp("keys")) as found:
        for number, value in enumerate(hashes):
            rows = found.rows(value)
            assert number in rows
            assert all(hashes[row] >> 27 == value >> 27 for row in rows)
            assert rows == sorted(rows)


def test_the_ends_of_the_range_are_found(tmp_path: Path) -> None:
    with _opened([0, (1 << 63) - 1, 1 << 27, (1 << 27) - 1], tmp_path) as found:
        assert found.rows(0) == [0, 3]
        assert found.rows((1 << 63) - 1) == [1]
        assert found.rows(1 << 40) == []


def test_an_empty_file_has_nothing(tmp_path: Path) -> None:
    with _opened([], tmp_path) as found:
        assert found.rows(5) == []


def test_the_bytes_are_those_of_the_format(golden: Callable[[str, bytes], None], tmp_path: Path) -> None:
    hashes = [keys.name_hash("isrc", value) for value in ("USRC17607839", "GBAYE0601498", "USRC17607839")]
    with _opened(hashes, tmp_path) as found:
        assert found.rows(hashes[0]) == [0, 2]
    [path] = Places(tmp_path).files.iterdir()
    golden("keys/three-isrcs.keys", path.read_bytes())


@settings(max_examples=40, deadline=None)
@given(chunks=st.lists(st.lists(st.integers(0, 1 << 40) | HASHES, max_size=30), min_size=1, max_size=5),
       piece=st.integers(1, 40))  # fmt: skip
def test_joined_keys_lead_to_chunk_and_row_and_ascend(chunks: list[list[int]], piece: int) -> None:
    parts = [keys.packed(np.array(some, "<u8"), np.arange(len(some))) for some in chunks]
    pieces = list(keys.joined(parts, piece))
    found = np.concatenate(pieces).tolist()
    assert found == sorted(
        value >> 27 << 28 | number << 22 | row for number, some in enumerate(chunks) for row, value in enumerate(some)
    )
    crowded = max(map(len, parts), default=0) if len({value >> 27 for some in chunks for value in some}) < 9 else 30
    assert max(map(len, pieces), default=0) <= max(piece, crowded)


def test_more_than_sixty_four_chunks_have_several_key_files(tmp_path: Path) -> None:
    places = Places(tmp_path)
    places.files.mkdir()
    places.spool.mkdir()
    paths = []
    for number in range(70):
        paths.append(tmp_path / f"{number}.keys")
        paths[-1].write_bytes(keys.packed(np.array([number << 50], "<u8"), np.array([number])).tobytes())
    first, second = keys.join(places, "k", paths)
    assert (first.rows, second.rows) == (64, 6)
    file = Keys(places.path(second), second.rows)
    assert file.rows(66 << 50) == [2 << 22 | 66]
    file.close()
