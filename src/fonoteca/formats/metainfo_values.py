"""What a torrent is, as values: one type for what is made and for what was read (docs/formats/torrent.md)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote

from fonoteca.core import merkle
from fonoteca.core.fixity import Digester, Fixity
from fonoteca.formats import bencode


class MetainfoError(ValueError):
    """A torrent that is refused.

    Attributes:
        code: stable, listed in ``codes.toml`` (``torrent-path``, ``torrent-halves``, ...).
        reason: what is wrong, with the offending values.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


@dataclass(frozen=True)
class FileEntry:
    """One file of a torrent.

    Attributes:
        path: components below the torrent's name (of a single-file torrent: the name alone).
        length: bytes.
        root: 32-byte Merkle root over 16 KiB blocks; empty for an empty file.
        piece_layer: 32-byte nodes that each cover one piece; empty unless the file is longer than a piece.
        sha1_pieces: 20-byte SHA-1 of each v1 piece that begins in the file.
    """

    path: tuple[str, ...]
    length: int
    root: bytes
    piece_layer: Sequence[bytes]
    sha1_pieces: Sequence[bytes]

    @property
    def sort_key(self) -> tuple[bytes, ...]:
        """Files stand in the order of the file tree: components as raw bytes."""
        return tuple(part.encode() for part in self.path)


def file_entry(path: Sequence[str], fixity: Fixity, digester: Digester, piece_length: int) -> FileEntry:
    """The entry of a file that went through a digester (made with this piece length and finished)."""
    layer = merkle.piece_layer(digester.leaves, piece_length) if fixity.bytes > piece_length else []
    root = bytes.fromhex(fixity.merkle_root) if fixity.bytes else b""
    return FileEntry(tuple(path), fixity.bytes, root, layer, list(digester.sha1_pieces))


@dataclass(frozen=True)
class Metainfo:
    """A hybrid torrent.

    Attributes:
        name: the suggested name: of the folder, or of the single file.
        piece_length: bytes.
        files: in the order of the torrent.
        single_file: whether the torrent is one file without a folder.
        trackers, web_seeds: addresses, in order.
        top: the whole as bencoding has it, fields that are not ours included.
    """

    name: str
    piece_length: int
    files: tuple[FileEntry, ...]
    single_file: bool
    trackers: tuple[str, ...]
    web_seeds: tuple[str, ...]
    top: Mapping[bytes, Any] = field(repr=False)

    def encode(self) -> bytes:
        """The ``.torrent`` file."""
        return bencode.encode(self.top)

    @cached_property
    def _info(self) -> bytes:
        return bencode.encode(self.top[b"info"])

    @cached_property
    def infohash_v1(self) -> str:
        """Hex SHA-1 of the info dictionary (BEP 3)."""
        return hashlib.sha1(self._info, usedforsecurity=False).hexdigest()

    @cached_property
    def infohash_v2(self) -> str:
        """Hex SHA-256 of the info dictionary (BEP 52)."""
        return hashlib.sha256(self._info).hexdigest()

    @property
    def length(self) -> int:
        """Bytes of all files."""
        return sum(entry.length for entry in self.files)

    @property
    def has_pad_files(self) -> bool:
        """Whether the v1 half holds pad files (BEP 47). What we publish never does."""
        listed = self.top[b"info"].get(b"files", [])
        return any(b"p" in item.get(b"attr", b"") for item in listed)

    def magnet(self, trackers: Sequence[str] | None = None, web_seeds: Sequence[str] | None = None) -> str:
        """A magnet link with both infohashes (BEP 9, BEP 52); by default with the torrent's own addresses."""
        parts = [f"xt=urn:btih:{self.infohash_v1}", f"xt=urn:btmh:1220{self.infohash_v2}", f"dn={_escape(self.name)}"]
        parts += [f"tr={_escape(a)}" for a in (self.trackers if trackers is None else trackers)]
        parts += [f"ws={_escape(a)}" for a in (self.web_seeds if web_seeds is None else web_seeds)]
        return "magnet:?" + "&".join(parts)


def _escape(text: str) -> str:
    return quote(text, safe="")
