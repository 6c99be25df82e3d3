"""All digests of a byte stream in one read: SHA-256, BLAKE3, 16 KiB leaves and, if asked, v1 pieces."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO

from blake3 import blake3

from fonoteca.core import merkle

READ = 1 << 20
"""Bytes per read: a multiple of the block, small enough to stay in the processor's cache."""


@dataclass(frozen=True)
class Fixity:
    """What a blob or a file is held to: length in bytes, and hex digests."""

    bytes: int
    sha256: str
    blake3: str
    merkle_root: str


class Digester:
    """Feed bytes in any portions; read every digest at the end.

    Args:
        piece_length: hash BitTorrent v1 pieces (SHA-1) of this many bytes too.
    """

    def __init__(self, piece_length: int | None = None) -> None:
        if piece_length is not None:
            merkle.check_piece_length(piece_length)
        self._blocks = merkle.Blocks()
        self.leaves = self._blocks.leaves
        self.sha1_pieces: list[bytes] = []
        self.length = 0
        self._piece_length = piece_length
        self._sha256 = hashlib.sha256()
        self._blake3 = blake3()
        self._sha1 = hashlib.sha1(usedforsecurity=False)
        self._in_piece = 0

    def update(self, data: bytes | memoryview) -> None:
        """Add the next bytes of the stream."""
        self._sha256.update(data)
        self._blake3.update(data)
        self.length += len(data)
        if self._piece_length:
            self._update_pieces(memoryview(data), self._piece_length)
        self._blocks.update(data)

    def _update_pieces(self, view: memoryview, length: int) -> None:
        while len(view):
            take = min(length - self._in_piece, len(view))
            self._sha1.update(view[:take])
            self._in_piece += take
            view = view[take:]
            if self._in_piece == length:
                self._end_piece()

    def _end_piece(self) -> None:
        self.sha1_pieces.append(self._sha1.digest())
        self._sha1 = hashlib.sha1(usedforsecurity=False)
        self._in_piece = 0

    def finish(self) -> Fixity:
        """All digests; call once, after the last byte."""
        self._blocks.finish()
        if self._in_piece:
            self._end_piece()
        return Fixity(self.length, self._sha256.hexdigest(), self._blake3.hexdigest(), merkle.root(self.leaves).hex())


def chunks(stream: IO[bytes], length: int | None = None, size: int = READ) -> Iterator[bytes]:
    """The stream's bytes in portions, at most ``length`` of them."""
    left = length
    while left is None or left > 0:
        data = stream.read(size if left is None else min(size, left))
        if not data:
            return
        if left is not None:
            left -= len(data)
        yield data


def measure(portions: Iterable[bytes]) -> Fixity:
    """The fixity of bytes that come in portions."""
    digester = Digester()
    for data in portions:
        digester.update(data)
    return digester.finish()


def damaged_blocks(expected: Iterable[bytes], found: Iterable[bytes]) -> list[tuple[int, int]]:
    """Runs of blocks (first, last, both included) whose leaves differ; a missing or extra block differs."""
    runs: list[tuple[int, int]] = []
    want, have = list(expected), list(found)
    for index in range(max(len(want), len(have))):
        same = index < len(want) and index < len(have) and want[index] == have[index]
        if same:
            continue
        if runs and runs[-1][1] == index - 1:
            runs[-1] = (runs[-1][0], index)
        else:
            runs.append((index, index))
    return runs
