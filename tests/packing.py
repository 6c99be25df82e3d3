"""Small packs and torrents in memory, from a seed: for the tests of the formats and of who builds on them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

from fonoteca.core.fixity import Digester, Fixity, measure
from fonoteca.formats import pack
from fonoteca.formats.metainfo import FileEntry, Metainfo, file_entry, hybrid

PIECE = 16_384


def content(length: int, seed: str) -> bytes:
    """So many bytes that depend on nothing but the seed."""
    return (hashlib.sha256(seed.encode()).digest() * (length // 32 + 1))[:length]


@dataclass
class Shelf:
    """Blobs by digest."""

    blobs: dict[str, bytes] = field(default_factory=dict)

    def put(self, data: bytes) -> Fixity:
        """Keep a blob."""
        fixity = measure([data])
        self.blobs[fixity.sha256] = data
        return fixity

    def open(self, sha256: str) -> io.BytesIO:
        """A reader for a blob."""
        return io.BytesIO(self.blobs[sha256])

    def entry(self, recording_id: int, data: bytes, path: str = "") -> pack.Entry:
        """An entry for a new blob, under a made-up path if none is given."""
        return pack.Entry(recording_id, self.put(data), path or f"Artist/Release/{recording_id:02d} Title.ogg")

    def seal(self, entries: Sequence[pack.Entry], piece_length: int = PIECE) -> bytes:
        """The bytes of a pack."""
        sink = io.BytesIO()
        pack.write(pack.layout(entries, piece_length), self.open, sink, Digester(piece_length))
        return sink.getvalue()


def sealed(*lengths: int, piece_length: int = PIECE) -> bytes:
    """A pack whose entries have these lengths, for recordings 1, 2, ..."""
    shelf = Shelf()
    entries = [shelf.entry(i, content(n, f"blob {i}")) for i, n in enumerate(lengths, 1)]
    return shelf.seal(entries, piece_length)


def blob_of(recording_id: int, length: int) -> str:
    """Hex SHA-256 of the blob that :func:`sealed` made for a recording."""
    return hashlib.sha256(content(length, f"blob {recording_id}")).hexdigest()


def torrent_file(path: Sequence[str], data: bytes, piece_length: int = PIECE) -> FileEntry:
    """A file of a torrent, hashed as sealing does."""
    digester = Digester(piece_length)
    digester.update(data)
    return file_entry(path, digester.finish(), digester, piece_length)


def volume(*files: tuple[str, bytes], name: str = "head-free-0001-01") -> Metainfo:
    """A multi-file torrent of 16 KiB pieces."""
    return hybrid(name, [torrent_file((path,), data) for path, data in files], PIECE)
