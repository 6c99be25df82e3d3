"""The SHA-256 Merkle tree over 16 KiB blocks of BEP 52: the fixity unit of store, torrent and repair.

A leaf is the SHA-256 of a block; the last block of a file is hashed as short as it is. The tree is filled with
zero hashes to a power of two. Source of the rules: BEP 52, section "file tree" and "piece layers".
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

BLOCK = 16_384
"""Bytes in a block (BEP 52)."""
HASH = 32
"""Bytes in a SHA-256 digest."""
_ZERO = bytes(HASH)
_READ = 1 << 20


class Blocks:
    """The leaves of bytes that come in any portions.

    Attributes:
        leaves: SHA-256 of each block so far; complete after :meth:`finish`.
    """

    def __init__(self) -> None:
        self.leaves: list[bytes] = []
        self._rest = b""

    def update(self, data: bytes | memoryview) -> None:
        """Add the next bytes of the stream."""
        view = memoryview(self._rest + bytes(data) if self._rest else data)
        whole = len(view) - len(view) % BLOCK
        sha256 = hashlib.sha256
        self.leaves.extend([sha256(view[i : i + BLOCK]).digest() for i in range(0, whole, BLOCK)])
        self._rest = bytes(view[whole:])

    def finish(self) -> list[bytes]:
        """All leaves; call after the last byte."""
        if self._rest:
            self.leaves.append(hashlib.sha256(self._rest).digest())
            self._rest = b""
        return self.leaves


def leaves(path: Path) -> list[bytes]:
    """SHA-256 of each block of a file."""
    blocks, view = Blocks(), memoryview(bytearray(_READ))
    with path.open("rb", buffering=0) as stream:
        while got := stream.readinto(view):
            blocks.update(view[:got])
    return blocks.finish()


def _parent(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(left + right).digest()


def _fill(level: int) -> bytes:
    """The root of a subtree of ``level`` levels that holds only zero leaves."""
    value = _ZERO
    for _ in range(level):
        value = _parent(value, value)
    return value


def _next_level(nodes: Sequence[bytes], filler: bytes) -> list[bytes]:
    padded = list(nodes) + ([filler] if len(nodes) % 2 else [])
    return [_parent(padded[i], padded[i + 1]) for i in range(0, len(padded), 2)]


def root(leaves: Sequence[bytes], level: int = 0) -> bytes:
    """Merkle root of leaves that stand at ``level`` (0: blocks). No leaves: 32 zero bytes."""
    if not leaves:
        return _ZERO
    nodes = list(leaves)
    filler = _fill(level)
    while len(nodes) > 1:
        nodes = _next_level(nodes, filler)
        filler = _parent(filler, filler)
    return nodes[0]


def piece_layer(leaves: Sequence[bytes], piece_length: int) -> list[bytes]:
    """The tree's nodes that each cover one piece. ``piece_length`` is a power of two of at least 16 KiB."""
    check_piece_length(piece_length)
    nodes = list(leaves)
    filler = _ZERO
    for _ in range((piece_length // BLOCK).bit_length() - 1):
        nodes = _next_level(nodes, filler)
        filler = _parent(filler, filler)
    return nodes


def check_piece_length(piece_length: int) -> None:
    """Raises ValueError unless the length is a power of two of at least 16 KiB (BEP 52)."""
    if piece_length < BLOCK or piece_length & (piece_length - 1):
        raise ValueError(f"piece length {piece_length} is not a power of two of at least {BLOCK}")
