"""One file against its promise: every flipped bit, every cut, every length."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from fonoteca.archive.measure import Promise, compare
from fonoteca.core import merkle
from fonoteca.core.fixity import Digester

pytestmark = pytest.mark.core
BLOCK = merkle.BLOCK


def promise(path: Path, data: bytes) -> Promise:
    digester = Digester()
    digester.update(data)
    fixity = digester.finish()
    path.write_bytes(data)
    return Promise(path, "x", fixity.bytes, fixity.merkle_root, fixity.sha256, fixity.blake3, digester.leaves)


def found(held: Promise, *, full: bool = False) -> list[tuple[str, tuple[int, int] | None]]:
    return [(f.code, f.block) for f in compare(held, full=full)]


@pytest.mark.parametrize("size", [1, BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK, 70 * BLOCK + 3])
def test_a_whole_file_has_no_findings(tmp_path: Path, size: int) -> None:
    held = promise(tmp_path / "x", random.Random(size).randbytes(size))
    for full in (False, True):
        assert found(held, full=full) == []
        assert found(replace(held, leaves=None), full=full) == []


def test_an_empty_file_is_a_promise_too(tmp_path: Path) -> None:
    held = promise(tmp_path / "x", b"")
    assert found(held) == []
    (tmp_path / "x").write_bytes(b"a")
    assert [code for code, _ in found(held)] == ["file-longer"]


def test_32_768_flipped_bits_are_each_found_in_their_block(tmp_path: Path) -> None:
    """I1, the short form: every byte of two whole blocks and the ends of a third, a different bit each time."""
    data = random.Random(3).randbytes(2 * BLOCK + 100)
    held = promise(tmp_path / "x", data)
    with (tmp_path / "x").open("r+b", buffering=0) as stream:
        for at in range(len(data)):
            stream.seek(at)
            stream.write(bytes([data[at] ^ (1 << at % 8)]))
            assert found(held) == [("block-damaged", (at // BLOCK, at // BLOCK))], at
            stream.seek(at)
            stream.write(data[at : at + 1])
    assert found(held) == []


@pytest.mark.long
def test_every_flipped_bit_of_a_mebibyte_is_found_in_its_block(tmp_path: Path) -> None:
    """I1, exhaustive: one bit in each of the 64 blocks at once, for every position and bit."""
    data = random.Random(4).randbytes(1 << 20)
    held = promise(tmp_path / "x", data)
    wanted = [("block-damaged", (0, 63))]
    for at in range(BLOCK):
        for bit in range(8):
            flipped = bytearray(data)
            for block in range(64):
                flipped[block * BLOCK + at] ^= 1 << bit
            (tmp_path / "x").write_bytes(flipped)
            assert found(held) == wanted, (at, bit)


@pytest.mark.parametrize("keep", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 4 * BLOCK + 8])
def test_a_file_cut_anywhere_names_the_missing_blocks_only(tmp_path: Path, keep: int) -> None:
    data = random.Random(5).randbytes(4 * BLOCK + 9)
    held = promise(tmp_path / "x", data)
    (tmp_path / "x").write_bytes(data[:keep])
    assert found(held) == [("file-shorter", (keep // BLOCK, 4))]


@pytest.mark.parametrize("more", [1, BLOCK, 3 * BLOCK + 1, 100 * BLOCK])
def test_a_longer_file_names_the_blocks_behind_the_end(tmp_path: Path, more: int) -> None:
    data = random.Random(6).randbytes(4 * BLOCK)
    held = promise(tmp_path / "x", data)
    (tmp_path / "x").write_bytes(data + bytes(more))
    assert found(held) == [("file-longer", (4, (4 * BLOCK + more - 1) // BLOCK))]


def test_damage_in_a_cut_file_is_named_beside_the_cut(tmp_path: Path) -> None:
    data = bytearray(random.Random(7).randbytes(4 * BLOCK))
    held = promise(tmp_path / "x", bytes(data))
    data[5] ^= 1
    (tmp_path / "x").write_bytes(data[: 2 * BLOCK + 10])
    assert found(held) == [("file-shorter", (2, 3)), ("block-damaged", (0, 0))]


def test_realistic_damage(tmp_path: Path) -> None:
    """Zeroed 64 KiB, swapped blocks, a misdirected write, one sector (I2)."""
    data = random.Random(8).randbytes(12 * BLOCK)
    held = promise(tmp_path / "x", data)

    def put(changed: bytes) -> list[tuple[str, tuple[int, int] | None]]:
        (tmp_path / "x").write_bytes(changed)
        return found(held)

    assert put(data[:BLOCK] + bytes(4 * BLOCK) + data[5 * BLOCK :]) == [("block-damaged", (1, 4))]
    swapped = data[BLOCK : 2 * BLOCK] + data[:BLOCK] + data[2 * BLOCK :]
    assert put(swapped) == [("block-damaged", (0, 1))]
    assert put(data[: 6 * BLOCK] + data[:BLOCK] + data[7 * BLOCK :]) == [("block-damaged", (6, 6))]
    sector = data[: BLOCK * 3 + 512] + bytes(512) + data[BLOCK * 3 + 1024 :]
    assert put(sector) == [("block-damaged", (3, 3))]
    assert put(bytes(12 * BLOCK)) == [("block-damaged", (0, 11))]


def test_without_leaves_a_torrents_piece_layer_names_the_pieces_blocks(tmp_path: Path) -> None:
    data = bytearray(random.Random(9).randbytes(10 * BLOCK + 5))
    held = promise(tmp_path / "x", bytes(data))
    assert held.leaves is not None
    pieces = merkle.piece_layer(held.leaves, 4 * BLOCK)
    layered = replace(held, leaves=None, pieces=pieces, piece_length=4 * BLOCK)
    assert found(layered) == []
    data[9 * BLOCK] ^= 1
    (tmp_path / "x").write_bytes(data)
    assert found(layered) == [("file-differs", (8, 10))]
    assert found(replace(held, leaves=None)) == [("file-differs", (0, 10))]


def test_only_digests_of_the_whole_tell_that_it_differs(tmp_path: Path) -> None:
    held = promise(tmp_path / "x", b"abc")
    (tmp_path / "x").write_bytes(b"abd")
    assert found(Promise(held.path, "x", 3, sha256=held.sha256)) == [("file-differs", (0, 0))]
    (tmp_path / "x").write_bytes(b"abc")
    assert found(replace(held, sha256="00" * 32)) == []  # BLAKE3 is the faster, and right
    assert found(replace(held, sha256="00" * 32), full=True) == [("file-differs", (0, 0))]
    assert found(replace(held, blake3="00" * 32)) == [("file-differs", (0, 0))]
    assert found(replace(held, blake3="00" * 32), full=True) == [("file-differs", (0, 0))]


def test_what_is_not_there_or_is_no_file(tmp_path: Path) -> None:
    held = promise(tmp_path / "x", b"abc")
    (tmp_path / "x").unlink()
    assert found(held) == [("file-missing", None)]
    assert found(replace(held, optional=True)) == []
    (tmp_path / "x").mkdir()
    assert found(held) == [("file-missing", None)]


def test_a_damaged_block_of_a_pack_names_the_blobs_inside(tmp_path: Path) -> None:
    data = bytearray(random.Random(10).randbytes(4 * BLOCK))
    holds = ((512, 2 * BLOCK, "aa"), (2 * BLOCK + 512, 3 * BLOCK, "bb"))
    held = replace(promise(tmp_path / "x", bytes(data)), holds=holds, pack="tail-1")
    data[0] ^= 1
    data[2 * BLOCK + 1] ^= 1
    data[3 * BLOCK + 1] ^= 1
    (tmp_path / "x").write_bytes(data)
    first, second = compare(held)
    assert (first.block, first.blob, first.pack) == ((0, 0), "aa", "tail-1")
    assert (second.block, second.blob) == ((2, 3), "bb")
    assert "bb" in second.detail
