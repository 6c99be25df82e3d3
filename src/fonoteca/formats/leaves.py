"""The SHA-256 of each 16 KiB block of a blob or pack, kept so that verify can name the damaged block.

A file is the leaves one after the other, 32 bytes each. It needs no digest of its own: its Merkle root must be the
one that the ledger or packs.parquet promises. Normative text: docs/formats/fixity-leaves.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import overload

from fonoteca.core import durable, merkle


def blob_name(sha256: str) -> str:
    """Where the leaves of a blob are, below the folder of leaves."""
    return f"{sha256[:2]}/{sha256}"


def pack_name(pack: str, revision: int) -> str:
    """Where the leaves of a pack are, below the folder of leaves."""
    return f"packs/{pack}.r{revision}.tar.leaves"


def edition_name(number: int, path: str) -> str:
    """Where the leaves of a file of an edition's folder are, below the folder of leaves."""
    return f"editions/{number:04d}/{path}.leaves"


def store(folder: Path, name: str, leaves: Sequence[bytes]) -> None:
    """Write the leaves, durably. Nothing is written where the same are there."""
    data = b"".join(leaves)
    path = folder / name
    if path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data:
        return
    durable.write_bytes(path, data)


def remember(folder: Path, name: str, path: Path) -> None:
    """Keep the leaves of a file that was just made."""
    store(folder, name, merkle.leaves(path))


def load(folder: Path, name: str, root: str) -> list[bytes] | None:
    """The leaves whose Merkle root is ``root`` (hex), or None where they are missing or damaged."""
    try:
        data = (folder / name).read_bytes()
    except OSError:
        return None
    return parse(data, root)


def parse(data: bytes, root: str) -> list[bytes] | None:
    """The leaves that a file of them holds, if their Merkle root is ``root`` (hex); else None."""
    # Zeros at the end are the tree's own filling: they would not change the root, and are no digest of a block.
    if len(data) % merkle.HASH or data.endswith(bytes(merkle.HASH)):
        return None
    leaves = _split(data)
    return leaves if merkle.root(leaves).hex() == root else None


def kept(folder: Path, name: str, root: str) -> Kept | None:
    """As :func:`load`, but what was checked is read again when it is asked for, and takes no memory until then."""
    found = load(folder, name, root)
    return None if found is None else Kept(folder / name, len(found))


class Kept(Sequence[bytes]):
    """Leaves that stay on the disk until somebody looks: those of two terabytes of packs are four gigabytes."""

    def __init__(self, path: Path, count: int) -> None:
        self._path = path
        self._count = count

    @cached_property
    def _leaves(self) -> list[bytes]:
        return _split(self._path.read_bytes())

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: int) -> bytes: ...
    @overload
    def __getitem__(self, at: slice) -> list[bytes]: ...
    def __getitem__(self, at: int | slice) -> bytes | list[bytes]:
        return self._leaves[at]


def _split(data: bytes) -> list[bytes]:
    return [data[i : i + merkle.HASH] for i in range(0, len(data), merkle.HASH)]
