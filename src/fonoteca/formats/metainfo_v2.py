"""The v2 half of a torrent (BEP 52): file tree and piece layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fonoteca.core import merkle
from fonoteca.formats.metainfo_fields import Limits, field, length, text
from fonoteca.formats.metainfo_values import MetainfoError

KEYS: Final = frozenset({b"file tree", b"meta version"})
"""Any of these in the info dictionary says that there is a v2 half."""


@dataclass(frozen=True)
class Leaf:
    """One file of the tree."""

    path: tuple[str, ...]
    length: int
    root: bytes
    layer: Sequence[bytes]


@dataclass(frozen=True)
class Half:
    """What the v2 half says."""

    files: Sequence[Leaf]


def read(top: dict[bytes, Any], info: dict[bytes, Any], piece_length: int, limits: Limits) -> Half:
    """The half.

    Raises:
        MetainfoError: another meta version, a malformed tree, a zero root, layers that are missing, superfluous or
            do not lead to their root.
    """
    if field(info, b"meta version", int) != 2:
        raise MetainfoError("torrent-version", f"meta version {info[b'meta version']} is not 2")
    layers = _Layers(field(top, b"piece layers", dict), piece_length)
    files: list[Leaf] = []
    total = 0
    for path, leaf in _walk(field(info, b"file tree", dict), ()):
        size = length(leaf, limits)
        root = _root(leaf, size)
        files.append(Leaf(path, size, root, layers.of(root, size)))
        total += size
    if not files or total > limits.content:
        raise MetainfoError("torrent-length", f"{len(files)} files of {total} bytes")
    layers.check_all_used()
    return Half(files)


def _walk(node: dict[bytes, Any], above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], dict[bytes, Any]]]:
    """Paths and properties of all files, in the tree's order. Its depth was limited by decoding."""
    if not node:
        raise MetainfoError("torrent-field", "a folder of the file tree is empty")
    for key, child in node.items():
        path = (*above, text(key))
        if not key or not isinstance(child, dict):
            raise MetainfoError("torrent-field", f"{'/'.join(path)[:200]!r} is malformed in the file tree")
        if b"" not in child:
            yield from _walk(child, path)
        elif len(child) > 1:
            raise MetainfoError("torrent-path", f"{'/'.join(path)[:200]!r} is a file and a folder")
        else:
            yield path, _properties(child[b""])


def _properties(leaf: object) -> dict[bytes, Any]:
    if not isinstance(leaf, dict):
        raise MetainfoError("torrent-field", "a file of the tree is not a dictionary")
    attributes = leaf.get(b"attr", b"")
    if not isinstance(attributes, bytes):
        raise MetainfoError("torrent-field", "'attr' is not a string")
    if b"l" in attributes or b"symlink path" in leaf:
        raise MetainfoError("torrent-symlink", "a file is a symbolic link")
    if b"p" in attributes:
        raise MetainfoError("torrent-padding", "a pad file stands in the file tree")
    return leaf


def _root(leaf: dict[bytes, Any], size: int) -> bytes:
    if not size:
        if b"pieces root" in leaf:
            raise MetainfoError("torrent-layers", "an empty file has a root")
        return b""
    root = field(leaf, b"pieces root", bytes)
    if len(root) != merkle.HASH or not any(root):
        raise MetainfoError("torrent-layers", "a root is not a hash, or all zeros")
    return root


class _Layers:
    """The piece layers; each is hashed to its root once, however many files name it."""

    def __init__(self, layers: dict[bytes, Any], piece_length: int) -> None:
        self._layers = layers
        self._piece_length = piece_length
        self._good: dict[bytes, list[bytes]] = {}

    def of(self, root: bytes, size: int) -> list[bytes]:
        """The layer of a file; none where it is not longer than a piece."""
        if size <= self._piece_length:
            return []
        nodes = self._good.get(root)
        if nodes is None:
            nodes = self._good[root] = self._checked(root)
        if len(nodes) != -(-size // self._piece_length):
            raise MetainfoError("torrent-layers", f"{len(nodes)} hashes in the layer of a file of {size} bytes")
        return nodes

    def _checked(self, root: bytes) -> list[bytes]:
        layer = self._layers.get(root)
        if not isinstance(layer, bytes) or len(layer) % merkle.HASH:
            raise MetainfoError("torrent-layers", f"the piece layer of {root.hex()} is missing or malformed")
        nodes = [layer[i : i + merkle.HASH] for i in range(0, len(layer), merkle.HASH)]
        if merkle.root(nodes, (self._piece_length // merkle.BLOCK).bit_length() - 1) != root:
            raise MetainfoError("torrent-layers", f"the piece layer of {root.hex()} does not lead to it")
        return nodes

    def check_all_used(self) -> None:
        """No layer without a file."""
        if len(self._good) != len(self._layers):
            raise MetainfoError("torrent-layers", "a piece layer belongs to no file")
