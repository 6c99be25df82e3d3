"""What both halves of a torrent are read with: limits, typed fields, and the rule for names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from fonoteca.formats import bencode
from fonoteca.formats.metainfo_values import MetainfoError
from fonoteca.formats.pack_path import component_fault, fold

T = TypeVar("T")


@dataclass(frozen=True)
class Limits:
    """What reading gives up at.

    Attributes:
        bytes: length of the ``.torrent`` file.
        depth: of nested lists and dictionaries.
        tokens: bencoded tokens; 300,000 are about 16,000 files, and take well under a second.
        piece_length: bytes in a piece.
        content: bytes of all files together.
        component: bytes of UTF-8 in one component of a path.
        addresses: trackers, and as many web seeds.
        address: characters in one address.
    """

    bytes: int = 10_000_000
    depth: int = 100
    tokens: int = 300_000
    piece_length: int = 1 << 28
    content: int = 1 << 50
    component: int = 255
    addresses: int = 1000
    address: int = 2000


def field(holder: dict[bytes, Any], key: bytes, kind: type[T]) -> T:
    """A field that must be there and of one type."""
    value = holder.get(key)
    if not isinstance(value, kind):
        found = "missing" if value is None else f"of type {type(value).__name__}"
        raise MetainfoError("torrent-field", f"{key.decode()!r} is {found}, not {kind.__name__}")
    return value


def text(raw: object) -> str:
    """UTF-8 text."""
    try:
        return raw.decode("utf-8") if isinstance(raw, bytes) else _no_text(raw)
    except UnicodeDecodeError:
        return _no_text(raw)


def _no_text(raw: object) -> str:
    raise MetainfoError("torrent-field", f"{repr(raw)[:80]} is not text in UTF-8")


def length(holder: dict[bytes, Any], limits: Limits) -> int:
    """The ``length`` of a file."""
    value = field(holder, b"length", int)
    if not 0 <= value <= limits.content:
        raise MetainfoError("torrent-length", f"a file of {value} bytes")
    return value


def check_names(name: str, paths: Sequence[tuple[str, ...]], limits: Limits) -> None:
    """Every component keeps to the file-name rule; no two files have one name, on no file system.

    Raises:
        MetainfoError: ``torrent-path``.
    """
    files: set[str] = set()
    folders: set[str] = set()
    for part in (name, *(part for path in paths for part in path)):
        fault = component_fault(part, limits.component)
        if fault:
            raise MetainfoError("torrent-path", f"the name {part[:200]!r} {fault}")
    for path in paths:
        whole = fold("/".join(path))
        if not path or whole in files:
            raise MetainfoError("torrent-path", f"two files are named {whole[:200]!r}")
        files.add(whole)
        folders.update(fold("/".join(path[:depth])) for depth in range(1, len(path)))
    if both := files & folders:
        raise MetainfoError("torrent-path", f"{min(both)[:200]!r} is a file and a folder")


def decoded(data: bytes, limits: Limits, wrong: str = "torrent-field") -> dict[bytes, Any]:
    """A torrent's file as the dictionary that it is.

    Args:
        wrong: the code for a file that is none.

    Raises:
        MetainfoError: that code, ``torrent-limit`` or ``torrent-bencode``.
    """
    if len(data) > limits.bytes:
        raise MetainfoError("torrent-limit", f"{len(data)} bytes are more than the limit of {limits.bytes}")
    try:
        top = bencode.decode(data, bencode.Limits(limits.bytes, limits.depth, limits.tokens))
    except ValueError as error:
        raise MetainfoError("torrent-bencode", str(error)) from None
    if not isinstance(top, dict):
        raise MetainfoError(wrong, "it is not a dictionary")
    return top
