"""Which pieces must come again: at the edges of pieces and of the file."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest

from fonoteca.core import merkle
from fonoteca.mirror.check import Promise, bad_pieces

pytestmark = pytest.mark.core
PIECE = 32_768


def promise(data: bytes) -> Promise:
    found = [hashlib.sha256(data[i : i + merkle.BLOCK]).digest() for i in range(0, len(data), merkle.BLOCK)]
    layer = merkle.piece_layer(found, PIECE) if len(data) > PIECE else []
    return Promise(len(data), merkle.root(found).hex(), PIECE, layer)


@pytest.mark.parametrize("length", [1, PIECE - 1, PIECE, PIECE + 1, 4 * PIECE, 4 * PIECE + 1])
@pytest.mark.parametrize("where", ["first", "last", "border", "none"])
def test_one_damaged_byte_costs_one_piece(tmp_path: Path, length: int, where: str) -> None:
    data = random.Random(length).randbytes(length)
    at = {"first": 0, "last": length - 1, "border": min(PIECE, length - 1), "none": -1}[where]
    bad = bytearray(data)
    if at >= 0:
        bad[at] ^= 128
    path = tmp_path / "file"
    path.write_bytes(bytes(bad))
    promised = promise(data)
    assert (promised.kept_by(path) is not None) is (at < 0)
    if at < 0:
        return
    piece = at // PIECE * PIECE
    assert promised.bad_ranges(path) == [(piece, min(piece + PIECE, length))]


def test_a_shorter_file_lacks_its_end(tmp_path: Path) -> None:
    data = random.Random(1).randbytes(4 * PIECE)
    path = tmp_path / "file"
    path.write_bytes(data[: 2 * PIECE + 100])
    assert not promise(data).kept_by(path)
    assert promise(data).bad_ranges(path) == [(2 * PIECE, 4 * PIECE)]
    path.write_bytes(data + b"more")
    assert not promise(data).kept_by(path)
    assert not promise(data).kept_by(tmp_path / "missing")


def test_without_a_layer_everything_is_bad() -> None:
    assert bad_pieces([], [], PIECE, 3 * PIECE) == [(0, 3 * PIECE)]


def test_leaves_are_those_of_bep_52(tmp_path: Path) -> None:
    data = bytes(merkle.BLOCK) + b"end"
    path = tmp_path / "file"
    path.write_bytes(data)
    assert merkle.leaves(path) == [hashlib.sha256(bytes(merkle.BLOCK)).digest(), hashlib.sha256(b"end").digest()]
