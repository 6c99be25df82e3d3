"""Hashing what came before it counts: whole files against the signed table, and pieces to find what to fetch again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fonoteca.core import merkle


@dataclass(frozen=True)
class Promise:
    """What a pack must be, and how its torrent cuts it into pieces.

    The Merkle root decides: it is signed as the whole-file SHA-256 is, costs as much, and leaves over the digest of
    each block, which says later where the disk has damaged the pack (docs/decisions/0016).

    Attributes:
        length: bytes.
        root: of the tree over 16 KiB blocks (BEP 52), hex, as signed.
        piece_length: bytes in a piece of its torrent; 0 where there is no torrent: all is fetched again.
        layer: 32-byte nodes of its pieces (BEP 52).
    """

    length: int
    root: str
    piece_length: int = 0
    layer: Sequence[bytes] = ()

    def kept_by(self, path: Path) -> list[bytes] | None:
        """Hash a file from the disk: its leaves, if it is the promised bytes, else None."""
        if not path.is_file() or path.stat().st_size != self.length:
            return None
        found = merkle.leaves(path)
        return found if self.meets(found) else None

    def meets(self, leaves: Sequence[bytes]) -> bool:
        """Whether leaves are those of the promised bytes."""
        return len(leaves) == -(-self.length // merkle.BLOCK) and merkle.root(leaves).hex() == self.root

    def bad_ranges(self, path: Path) -> list[tuple[int, int]]:
        """Byte ranges (start, stop) of a file that must be fetched again."""
        return bad_pieces(merkle.leaves(path), self.layer, self.piece_length or self.length, self.length)


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
