"""Packs: deterministic, uncompressed TAR archives of holdings (normative: docs/formats/pack.md).

Every offset of a pack is known before a byte is written: :func:`layout` is pure, :func:`write` obeys it.
The headers themselves are in ``pack_header``, reading in ``pack_read``, redaction in ``redaction``.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import IO, Any, Final, Protocol

from blake3 import blake3

from fonoteca.core import canonical, merkle
from fonoteca.core.errors import Damaged
from fonoteca.core.fixity import READ, Digester
from fonoteca.core.ids import Kind, show_id
from fonoteca.formats.pack_header import END, HEADER, SECTOR, header, padding
from fonoteca.formats.pack_path import EntryName, entry_path, unique_paths
from fonoteca.formats.pack_read import ReadEntry, read
from fonoteca.formats.redaction import Redaction, redact, redact_in_place

__all__ = [
    "Blob", "Entry", "EntryName", "PackLayout", "Place", "ReadEntry", "Redaction", "entry_path", "file_name", "layout",
    "pack_id", "read", "redact", "redact_in_place", "unique_paths", "write",
]  # fmt: skip


class Blob(Protocol):
    """What a pack must know of a blob; ``core.fixity.Fixity`` is one."""

    @property
    def bytes(self) -> int:
        """Length."""
        ...

    @property
    def sha256(self) -> str:
        """Hex digest of the whole."""
        ...


@dataclass(frozen=True)
class Entry:
    """One holding that goes into a pack, under a path made by the file-name rule."""

    recording_id: int
    blob: Blob
    path: str

    @property
    def key(self) -> tuple[int, str]:
        """Entries stand in this order."""
        return self.recording_id, self.blob.sha256


@dataclass(frozen=True)
class Place:
    """Where an entry stands: byte offsets of its header and of its data, from the start of the pack."""

    entry: Entry
    header_offset: int
    data_offset: int


@dataclass(frozen=True)
class PackLayout:
    """A pack before it is written.

    Attributes:
        places: in the order of the pack.
        end_offset: where the two zero blocks begin.
        bytes: length of the pack: a whole number of pieces.
    """

    places: tuple[Place, ...]
    piece_length: int
    end_offset: int
    bytes: int

    @property
    def entries(self) -> tuple[Entry, ...]:
        """In the order of the pack."""
        return tuple(place.entry for place in self.places)

    @property
    def padding(self) -> int:
        """Bytes that are neither audio nor headers."""
        data = sum(entry.blob.bytes + HEADER for entry in self.entries)
        return self.bytes - data

    def id(self, tier: str) -> str:
        """The pack's id in a tier."""
        return pack_id(tier, self.entries)


def _ordered(entries: Sequence[Entry]) -> list[Entry]:
    ordered = sorted(entries, key=lambda entry: entry.key)
    if not ordered:
        raise ValueError("a pack has at least one entry")
    for before, after in itertools.pairwise(ordered):
        if before.key == after.key:
            raise ValueError(f"recording {before.recording_id} and blob {before.blob.sha256} stand twice in one pack")
    if len({entry.path for entry in ordered}) != len(ordered):
        raise ValueError("two entries of a pack have the same path")
    return ordered


def layout(entries: Sequence[Entry], piece_length: int) -> PackLayout:
    """Where everything goes. The order of ``entries`` does not matter.

    Raises:
        ValueError: no entries, one twice, a path twice or too long, or a piece length that BEP 52 forbids.
    """
    merkle.check_piece_length(piece_length)
    places: list[Place] = []
    offset = 0
    for entry in _ordered(entries):
        header(entry.path, entry.blob.sha256, entry.blob.bytes)
        places.append(Place(entry, offset, offset + HEADER))
        offset += HEADER + entry.blob.bytes + padding(entry.blob.bytes)
    whole = -(-(offset + END) // piece_length) * piece_length
    return PackLayout(tuple(places), piece_length, offset, whole)


def pack_id(tier: str, entries: Sequence[Entry]) -> str:
    """``<tier>-`` and 16 hex characters of the SHA-256 over what the pack holds: known before it is written."""
    held = [[show_id(Kind.RECORDING, e.recording_id), e.blob.sha256, e.path] for e in _ordered(entries)]
    return f"{tier}-{canonical.digest(held)[:16]}"


def file_name(pack: str, revision: int) -> str:
    """``<id>.r0.tar``; each redaction has the next revision."""
    if revision < 0:
        raise ValueError(f"revision {revision} is below 0")
    return f"{pack}.r{revision}.tar"


_NONE_KNOWN: Final[Mapping[str, str]] = MappingProxyType({})


def write(plan: PackLayout, open_blob: Callable[[str], IO[bytes]], sink: IO[bytes], digester: Digester,
          blake3_of: Mapping[str, str] = _NONE_KNOWN) -> None:  # fmt: skip
    """Write a pack; each byte is read once and digested once for the pack and once for its blob.

    Args:
        open_blob: gives a reader for a blob's hex SHA-256; it is closed here.
        digester: gets every byte of the pack; its leaves, pieces and fixity are then those of the pack. The
            caller finishes it.
        blake3_of: hex SHA-256 → hex BLAKE3 of the same bytes, from the blob's fixity: what is listed here is checked
            by the faster digest.

    Raises:
        Damaged: ``blob-differs``: a blob is not the bytes that it is named for. What was written is to be dropped.
    """
    out = _Output(sink, digester)
    for place in plan.places:
        entry = place.entry
        out.put(header(entry.path, entry.blob.sha256, entry.blob.bytes))
        fast = blake3_of.get(entry.blob.sha256)
        name, wanted = ("BLAKE3", fast) if fast else ("SHA-256", entry.blob.sha256)
        with open_blob(entry.blob.sha256) as blob:
            found, length = out.copy(blob, entry.blob.bytes, blake3() if fast else hashlib.sha256())
        if (found, length) != (wanted, entry.blob.bytes):
            raise _differs(entry, f"{name} {found}", length)
        out.zeros(padding(entry.blob.bytes))
    out.zeros(plan.bytes - plan.end_offset)
    out.flush()


def _differs(entry: Entry, found: str, length: int) -> Damaged:
    return Damaged(
        "blob-differs", "The pack could not be sealed",
        f"{entry.path} should be blob {entry.blob.sha256} of {entry.blob.bytes} bytes, and {length} or more bytes "
        f"with {found} were read", "run 'fonoteca verify' to see all damage, then restore the blob",
        entry.blob.sha256,
    )  # fmt: skip


class _Output:
    """One buffer between blobs and the sink, handed on whole: hashing then never sees an odd block or a copy."""

    SIZE: Final = READ

    def __init__(self, sink: IO[bytes], digester: Digester) -> None:
        self._sink = sink
        self._digester = digester
        self._view = memoryview(bytearray(self.SIZE))
        self._used = 0

    def put(self, data: bytes) -> None:
        """Add a few bytes."""
        view = memoryview(data)
        while view:
            room = self._room(len(view))
            room[:] = view[: len(room)]
            self._took(len(room))
            view = view[len(room) :]

    def zeros(self, count: int) -> None:
        """Add zero bytes."""
        while count:
            room = self._room(count)
            room[:] = bytes(len(room))
            self._took(len(room))
            count -= len(room)

    def copy(self, source: IO[bytes], length: int, digest: Any) -> tuple[str, int]:
        """Add ``length`` bytes and look for one more: the hex digest and the count of what was there."""
        left = length
        while left:
            room = self._room(left)
            got = _read_into(source, room)
            if not got:
                break
            digest.update(room[:got])
            self._took(got)
            left -= got
        more = len(source.read(1)) if not left else 0
        return str(digest.hexdigest()), length - left + more

    def flush(self) -> None:
        """Hand on what is in the buffer."""
        self._digester.update(self._view[: self._used])
        self._sink.write(self._view[: self._used])
        self._used = 0

    def _room(self, wanted: int) -> memoryview:
        return self._view[self._used : self._used + wanted]

    def _took(self, count: int) -> None:
        self._used += count
        if self._used == self.SIZE:
            self.flush()


def _read_into(source: IO[bytes], room: memoryview) -> int:
    """Fill from a stream; streams without ``readinto`` work too."""
    into: Callable[[memoryview], int | None] | None = getattr(source, "readinto", None)
    if into is not None:
        return into(room) or 0
    data = source.read(len(room))
    room[: len(data)] = data
    return len(data)


assert READ % merkle.BLOCK == 0
assert SECTOR == 512
