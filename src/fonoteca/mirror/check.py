"""Hashing what came before it counts: whole files against the signed table, and pieces to find what to fetch again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fonoteca.core import merkle
from fonoteca.core.fixity import READ, chunks


class Hasher:
    """SHA-256 of the whole and the BEP 52 leaves, of bytes that come in any portions."""

    def __init__(self) -> None:
        self.length = 0
        self._sha256 = hashlib.sha256()
        self._leaves: list[bytes] = []
        self._rest = b""

    def update(self, data: bytes) -> None:
        """Add the next bytes."""
        self._sha256.update(data)
        self.length += len(data)
        view = memoryview(self._rest + data if self._rest else data)
        whole = len(view) - len(view) % merkle.BLOCK
        sha256 = hashlib.sha256
        self._leaves.extend(sha256(view[i : i + merkle.BLOCK]).digest() for i in range(0, whole, merkle.BLOCK))
        self._rest = bytes(view[whole:])

    def finish(self) -> Hashed:
        """The digests; call once."""
        if self._rest:
            self._leaves.append(hashlib.sha256(self._rest).digest())
        return Hashed(self.length, self._sha256.hexdigest(), merkle.root(self._leaves).hex(), self._leaves)


@dataclass(frozen=True)
class Hashed:
    """What a file's bytes are: length, hex digests, leaves."""

    length: int
    sha256: str
    merkle_root: str
    leaves: Sequence[bytes]

    def is_of(self, length: int, sha256: str, merkle_root: str) -> bool:
        """Whether these are the promised bytes: length and both digests."""
        return (self.length, self.sha256, self.merkle_root) == (length, sha256, merkle_root)


def hash_file(path: Path) -> Hashed:
    """Hash a file from the disk."""
    hasher = Hasher()
    with path.open("rb") as stream:
        for data in chunks(stream, size=READ):
            hasher.update(data)
    return hasher.finish()


def bad_pieces(found: Hashed, layer: Sequence[bytes], piece_length: int, length: int) -> list[tuple[int, int]]:
    """Byte ranges (start, stop) of the file that must be fetched again, neighbours joined.

    Args:
        layer: the torrent's piece layer of the file (BEP 52); empty for a file of one piece: then all is bad.
        length: that the file should have.
    """
    count = -(-length // piece_length)
    have = merkle.piece_layer(found.leaves, piece_length) if found.length == length else []
    ranges: list[tuple[int, int]] = []
    for index in range(count):
        if len(layer) == count and index < len(have) and have[index] == layer[index]:
            continue
        start, stop = index * piece_length, min((index + 1) * piece_length, length)
        if ranges and ranges[-1][1] == start:
            ranges[-1] = (ranges[-1][0], stop)
        else:
            ranges.append((start, stop))
    return ranges
