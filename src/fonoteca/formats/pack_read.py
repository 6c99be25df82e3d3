"""Reading a pack, strictly: anything that the writer would not have written is damage, not a dialect."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from fonoteca.core.errors import Damaged
from fonoteca.core.fixity import READ
from fonoteca.formats import pack_header, pack_path
from fonoteca.formats.pack_header import END, HEADER, SECTOR


@dataclass(frozen=True)
class ReadEntry:
    """One entry of a pack that was read.

    Attributes:
        path: as stored; of a redacted entry ``withdrawn/<blob sha256>``.
        sha256: hex digest that the data is promised to have (of a redacted entry: the digest of its zeros).
        header_offset, data_offset: from the start of the pack.
        bytes: length of the data.
    """

    path: str
    sha256: str
    header_offset: int
    data_offset: int
    bytes: int

    @property
    def withdrawn(self) -> str | None:
        """Hex SHA-256 of the blob that stood here before its redaction, or None."""
        folder, _, rest = self.path.partition("/")
        return rest if folder == pack_path.WITHDRAWN else None

    @property
    def end_offset(self) -> int:
        """Where the next header, or the end of the archive, begins."""
        return self.data_offset + self.bytes + pack_header.padding(self.bytes)


def read(stream: IO[bytes]) -> Iterator[ReadEntry]:
    """The entries of a pack, in order; the stream stands behind the header when an entry is given.

    Data is skipped, by seeking where the stream can, and not checked against its digest: what checks bytes is
    the pack's fixity. All of the pack's end is checked to be zeros. The caller may read from the stream and move
    it if it can seek; if it cannot, it must leave it where it is.

    Raises:
        Damaged: ``bad-pack``, with the byte offset.
    """
    offset = 0
    seekable = stream.seekable()
    while True:
        block = _exactly(stream, HEADER, offset)
        if not any(block[:SECTOR]):
            break
        entry = _entry(block, offset)
        yield entry
        offset = entry.end_offset
        _skip(stream, entry, seekable)
    _check_end(stream, block, offset)


def _entry(block: bytes, offset: int) -> ReadEntry:
    try:
        path, sha256, size = pack_header.parse(block)
        check_path(path)
    except ValueError as error:
        raise _bad(f"{error} (at byte {offset})") from None
    return ReadEntry(path, sha256, offset, offset + HEADER, size)


def check_path(path: str) -> None:
    """Raises ValueError unless every component keeps to the file-name rule."""
    for part in path.split("/"):
        fault = pack_path.component_fault(part)
        if fault:
            raise ValueError(f"a part of the path {path!r} {fault}")


def _skip(stream: IO[bytes], entry: ReadEntry, seekable: bool) -> None:
    pad = pack_header.padding(entry.bytes)
    if seekable:
        stream.seek(entry.data_offset + entry.bytes)
    else:
        left = entry.bytes
        while left:
            left -= len(_exactly(stream, min(left, READ), entry.end_offset - left))
    if any(_exactly(stream, pad, entry.end_offset - pad)):
        raise _bad(f"the filling before byte {entry.end_offset} is not zeros")


def _check_end(stream: IO[bytes], block: bytes, offset: int) -> None:
    if any(block[SECTOR:]):
        raise _bad(f"a lone zero block at byte {offset}")
    while data := stream.read(READ):
        if data.count(0) != len(data):
            raise _bad(f"bytes follow the end of the archive at byte {offset}")


def _exactly(stream: IO[bytes], count: int, offset: int) -> bytes:
    """``count`` bytes. At the very end of a pack a header may be as short as the two zero blocks are."""
    data = stream.read(count)
    while len(data) < count and (more := stream.read(count - len(data))):
        data += more
    short_end = count == HEADER and len(data) >= END and not any(data)
    if len(data) < count and not short_end:
        raise _bad(f"the pack is cut short behind byte {offset + len(data)}")
    return data


def _bad(why: str) -> Damaged:
    return Damaged(
        "bad-pack", "The pack could not be read", why, "fetch it again from a mirror, or run 'fonoteca repair'"
    )


def read_bytes(data: bytes) -> list[ReadEntry]:
    """The entries of a pack that is in memory."""
    return list(read(io.BytesIO(data)))
