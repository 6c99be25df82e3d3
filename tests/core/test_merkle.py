"""The Merkle tree of BEP 52, against its definition written a second way."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fonoteca.core import merkle

pytestmark = pytest.mark.core


def defined(leaves: list[bytes], width: int) -> bytes:
    """The root of a full tree of ``width`` leaves, those that are missing being zero; straight from the BEP."""
    full = leaves + [bytes(32)] * (width - len(leaves))
    if width == 1:
        return full[0]
    half = width // 2
    return hashlib.sha256(defined(full[:half], half) + defined(full[half:], half)).digest()


def leaves_of(count: int) -> list[bytes]:
    return [hashlib.sha256(str(i).encode()).digest() for i in range(count)]


def width_for(count: int) -> int:
    return 1 << (count - 1).bit_length()


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33])
def test_root_at_powers_of_two_and_beside_them(count: int) -> None:
    assert merkle.root(leaves_of(count)) == defined(leaves_of(count), width_for(count))


def test_nothing_has_the_zero_root() -> None:
    assert merkle.root([]) == bytes(32)


@given(st.integers(1, 70), st.sampled_from([0, 1, 2, 3]))
def test_the_piece_layer_leads_to_the_root(count: int, level: int) -> None:
    leaves, piece_length = leaves_of(count), merkle.BLOCK << level
    layer = merkle.piece_layer(leaves, piece_length)
    assert len(layer) == -(-count // (1 << level))
    if count > 1 << level:
        assert merkle.root(layer, level) == merkle.root(leaves)


def test_each_node_of_the_layer_covers_its_piece() -> None:
    leaves = leaves_of(11)
    layer = merkle.piece_layer(leaves, 4 * merkle.BLOCK)
    assert layer == [defined(leaves[i : i + 4], 4) for i in (0, 4, 8)]


@pytest.mark.parametrize("good", [merkle.BLOCK, 2 * merkle.BLOCK, 1 << 22, 1 << 28])
def test_piece_lengths(good: int) -> None:
    merkle.check_piece_length(good)
    for bad in (good - 1, good + 1, 3 * good, -good):
        with pytest.raises(ValueError, match="power of two"):
            merkle.check_piece_length(bad)


@pytest.mark.parametrize("bad", [0, 1, 8192])
def test_piece_lengths_below_a_block(bad: int) -> None:
    with pytest.raises(ValueError, match="power of two"):
        merkle.piece_layer(leaves_of(1), bad)
