"""Hashing what came before it counts: whole files against the signed table, and pieces to find what to fetch again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fonoteca.core import merkle
from fonoteca.core.fixity import chunks


@dataclass(frozen=True)
class Promise:
    """What a pack must be, and how its torrent cuts it into pieces.

    The whole-file SHA-256 decides: it is signed, and one large hash leaves the processor to the transfer. The
    tree's leaves are only computed where it fails, to find what must be fetched again.

    Attributes:
        length: bytes.
        sha256: hex, as signed.
        piece_length: bytes in a piece of its torrent; 0 where there is no torrent: all is fetched again.
        layer: 32-byte nodes of its pieces (BEP 52).
    """

    length: int
    sha256: str
    piece_length: int = 0
    layer: Sequence[bytes] = ()

    def kept_by(self, path: Path) -> bool:
        """Hash a file from the disk: whether it is the promised bytes."""
        if not path.is_file() or path.stat().st_size != self.length:
            return False
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == self.sha256

    def bad_ranges(self, path: Path) -> list[tuple[int, int]]:
        """Byte ranges (start, stop) of a file that must be fetched again."""
        return bad_pieces(leaves(path), self.layer, self.piece_length or self.length, self.length)


def leaves(path: Path) -> list[bytes]:
    """SHA-256 of each 16 KiB block of a file (BEP 52)."""
    with path.open("rb") as stream:
        return [hashlib.sha256(block).digest() for block in chunks(stream, size=merkle.BLOCK)]


def bad_pieces(found: Sequence[bytes], layer: Sequence[bytes], piece_length: int, length: int) -> list[tuple[int, int]]:
    """Byte ranges (start, stop) whose pieces differ, neighbours joined.

    Args:
        found: the leaves of what is there.
        layer: the torrent's piece layer of the file; empty for a file of one piece: then all is bad.
        length: that the file should have.
    """
    count = -(-length // piece_length)
    have = merkle.piece_layer(found, piece_length) if layer else []
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
