"""All digests in one read, however the bytes come."""

from __future__ import annotations

import hashlib
import io

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from fonoteca.core import merkle
from fonoteca.core.fixity import READ, Digester, Fixity, chunks, damaged_blocks, measure
from packing import content

pytestmark = pytest.mark.core

B = merkle.BLOCK
BORDERS = [0, 1, B - 1, B, B + 1, 2 * B - 1, 2 * B, 2 * B + 1, 4 * B - 1, 4 * B, 4 * B + 1]


def slices(data: bytes, size: int) -> list[bytes]:
    return [data[i : i + size] for i in range(0, len(data), size)]


def expected(data: bytes) -> Fixity:
    leaves = [hashlib.sha256(block).digest() for block in slices(data, B)]
    return Fixity(len(data), hashlib.sha256(data).hexdigest(), blake3(data).hexdigest(), merkle.root(leaves).hex())


@pytest.mark.parametrize("length", BORDERS)
def test_borders_of_blocks_and_pieces(length: int) -> None:
    data = content(length, "border")
    digester = Digester(2 * B)
    digester.update(data)
    assert digester.finish() == expected(data)
    assert digester.leaves == [hashlib.sha256(block).digest() for block in slices(data, B)]
    assert digester.sha1_pieces == [hashlib.sha1(piece).digest() for piece in slices(data, 2 * B)]


@given(st.sampled_from(BORDERS), st.lists(st.integers(1, 3 * B) | st.sampled_from([1, B - 1, B, B + 1]), max_size=9))
def test_portions_do_not_matter(length: int, takes: list[int]) -> None:
    data = content(length, "portions")
    digester, left = Digester(B), memoryview(data)
    for take in (*takes, length):
        digester.update(left[:take] if take % 2 else bytes(left[:take]))
        left = left[take:]
    assert digester.finish() == expected(data)
    assert digester.sha1_pieces == [hashlib.sha1(piece).digest() for piece in slices(data, B)]


def test_a_buffer_may_be_used_again_after_update() -> None:
    data, buffer = content(3 * B + 7, "buffer"), bytearray(1000)
    digester = Digester(B)
    for piece in slices(data, 1000):
        buffer[: len(piece)] = piece
        digester.update(memoryview(buffer)[: len(piece)])
    assert digester.finish() == expected(data)


def test_without_a_piece_length_there_are_no_pieces() -> None:
    digester = Digester()
    digester.update(b"x" * B)
    digester.finish()
    assert digester.sha1_pieces == []
    with pytest.raises(ValueError, match="power of two"):
        Digester(B + 1)


def test_measure_of_nothing() -> None:
    assert measure([]) == measure([b""]) == expected(b"")


@pytest.mark.parametrize("length", [0, 1, 9, 10, 11, None])
def test_chunks_stop_at_the_length_or_the_end(length: int | None) -> None:
    data = b"0123456789"
    assert b"".join(chunks(io.BytesIO(data), length, size=3)) == data[:length]
    assert READ % B == 0


@pytest.mark.parametrize(
    ("want", "have", "runs"),
    [
        ("", "", []),
        ("abc", "abc", []),
        ("abc", "xbc", [(0, 0)]),
        ("abc", "abx", [(2, 2)]),
        ("abcdef", "axxdxf", [(1, 2), (4, 4)]),
        ("abc", "a", [(1, 2)]),
        ("a", "abc", [(1, 2)]),
        ("abc", "", [(0, 2)]),
    ],
)
def test_damaged_blocks_are_named_in_runs(want: str, have: str, runs: list[tuple[int, int]]) -> None:
    assert damaged_blocks([c.encode() for c in want], [c.encode() for c in have]) == runs
