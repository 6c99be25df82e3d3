"""The v1 half of a torrent (BEP 3), with the pad files that a foreign hybrid may have (BEP 47)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from fonoteca.formats.metainfo_fields import Limits, field, length, text
from fonoteca.formats.metainfo_values import MetainfoError

KEYS: Final = frozenset({b"pieces", b"files", b"length"})
"""Any of these in the info dictionary says that there is a v1 half."""
_SHA1: Final = 20


@dataclass(frozen=True)
class Listed:
    """One file of the list; ``offset`` is its place in the content."""

    path: tuple[str, ...]
    length: int
    offset: int


@dataclass(frozen=True)
class Half:
    """What the v1 half says, pad files left out."""

    files: Sequence[Listed]
    single_file: bool
    pieces: bytes

    def pieces_of(self, item: Listed, piece_length: int) -> list[bytes]:
        """The SHA-1 of the pieces that begin in a file."""
        first, last = -(-item.offset // piece_length), -(-(item.offset + item.length) // piece_length)
        return [self.pieces[i * _SHA1 : (i + 1) * _SHA1] for i in range(first, last)]


def read(info: dict[bytes, Any], name: str, piece_length: int, limits: Limits) -> Half:
    """The half.

    Raises:
        MetainfoError: a symlink, a pad file that does not end at a piece border, lengths that do not fit the pieces.
    """
    single = b"length" in info
    if single and b"files" in info:
        raise MetainfoError("torrent-field", "both 'length' and 'files' are there")
    files: list[Listed] = []
    offset = 0
    for item in map(_file, [info] if single else field(info, b"files", list)):
        size = length(item, limits)
        if b"p" in item.get(b"attr", b""):
            _check_pad(size, offset, piece_length, bool(files))
        else:
            files.append(Listed((name,) if single else _path(item), size, offset))
        offset += size
        if offset > limits.content:
            raise MetainfoError("torrent-length", f"more than {limits.content} bytes of content")
    if b"meta version" in info:
        _check_borders(files, piece_length)
    pieces = field(info, b"pieces", bytes)
    if not files or len(pieces) != -(-offset // piece_length) * _SHA1:
        raise MetainfoError("torrent-pieces", f"{len(pieces)} bytes of hashes do not fit {offset} bytes of content")
    return Half(files, single, pieces)


def _file(item: object) -> dict[bytes, Any]:
    if not isinstance(item, dict):
        raise MetainfoError("torrent-field", "a file is not a dictionary")
    attributes = item.get(b"attr", b"")
    if not isinstance(attributes, bytes):
        raise MetainfoError("torrent-field", "'attr' is not a string")
    if b"l" in attributes or b"symlink path" in item:
        raise MetainfoError("torrent-symlink", "a file is a symbolic link")
    return item


def _path(item: dict[bytes, Any]) -> tuple[str, ...]:
    parts = field(item, b"path", list)
    if item.get(b"path.utf-8", parts) != parts:
        raise MetainfoError("torrent-path", "a file has two different paths")
    return tuple(text(part) for part in parts)


def _check_pad(size: int, offset: int, piece_length: int, follows: bool) -> None:
    gap = -offset % piece_length
    if not follows or size != gap or not size:
        raise MetainfoError("torrent-padding", f"a pad file of {size} bytes where {gap} are missing to the border")


def _check_borders(files: Sequence[Listed], piece_length: int) -> None:
    """In a hybrid each file that is not empty begins at a piece border (BEP 52)."""
    for item in files:
        if item.length and item.offset % piece_length:
            raise MetainfoError("torrent-padding", f"{'/'.join(item.path)[:200]!r} begins inside a piece")
