"""Blanking withdrawn entries of a pack, deterministically (normative: docs/formats/redaction.md).

Whoever holds a pack makes its redaction alone: nothing moves, only the entry's data becomes zeros and 512 bytes of
its header change. Redacting A, then B, gives the same bytes as redacting both at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fonoteca.core import durable
from fonoteca.core.fixity import READ, Digester
from fonoteca.formats.pack_header import HEADER, SECTOR, header, pax_sector
from fonoteca.formats.pack_path import WITHDRAWN
from fonoteca.formats.pack_read import ReadEntry, read


@dataclass(frozen=True)
class Redaction:
    """What was blanked: the entries as they stood before, in the order of the pack."""

    entries: tuple[ReadEntry, ...]

    @property
    def blobs(self) -> frozenset[str]:
        """Hex SHA-256 of the blobs that are gone."""
        return frozenset(entry.sha256 for entry in self.entries)


def _zeros(length: int) -> Iterator[bytes]:
    block = bytes(READ)
    for _ in range(length // READ):
        yield block
    if length % READ:
        yield bytes(length % READ)


def zeros_sha256(length: int) -> str:
    """Hex SHA-256 of so many zero bytes."""
    sha256 = hashlib.sha256()
    for portion in _zeros(length):
        sha256.update(portion)
    return sha256.hexdigest()


def redacted(entry: ReadEntry) -> tuple[str, str, int]:
    """Path, digest and size that stand in an entry's header after its redaction."""
    return f"{WITHDRAWN}/{entry.sha256}", zeros_sha256(entry.bytes), entry.bytes


def redact(source: IO[bytes], sink: IO[bytes], blobs: Collection[str], digester: Digester | None = None) -> Redaction:
    """Copy a pack with the entries of ``blobs`` (hex SHA-256) blanked; blobs that are not in it do not matter.

    Args:
        source: must be able to seek.
        digester: gets every byte of the new pack.

    Raises:
        Damaged: ``bad-pack``: the source is not a pack.
    """
    entries = _withdrawn(source, blobs)
    out = _Both(sink, digester)
    source.seek(0)
    offset = 0
    for entry in entries:
        out.copy(source, entry.header_offset - offset)
        out.write(header(*redacted(entry)))
        for portion in _zeros(entry.bytes):
            out.write(portion)
        offset = entry.data_offset + entry.bytes
        source.seek(offset)
    out.copy(source, None)
    return Redaction(entries)


def redact_in_place(path: Path, blobs: Collection[str]) -> Redaction:
    """Blank the entries of ``blobs`` in a file that nobody else reads; the same bytes as :func:`redact` gives.

    Safe to kill at any moment: the data goes first and is on the disk before the one 512-byte sector that names
    the blob is rewritten, so a second run finds the entry again and ends in the same bytes.

    Raises:
        Damaged: ``bad-pack``: the file is not a pack; nothing was changed.
        NoSpace, Failed: as ``core.durable`` says.
    """
    with durable.patching(path) as stream:
        entries = _withdrawn(stream, blobs)
        for entry in entries:
            stream.seek(entry.data_offset)
            for portion in _zeros(entry.bytes):
                stream.write(portion)
        durable.sync(stream)
        for entry in entries:
            stream.seek(entry.header_offset + SECTOR)
            stream.write(pax_sector(*redacted(entry)))
    return Redaction(entries)


def _withdrawn(stream: IO[bytes], blobs: Collection[str]) -> tuple[ReadEntry, ...]:
    wanted = frozenset(blobs)
    return tuple(entry for entry in read(stream) if entry.sha256 in wanted and entry.withdrawn is None)


class _Both:
    """The sink and the digester."""

    def __init__(self, sink: IO[bytes], digester: Digester | None) -> None:
        self._sink = sink
        self._digester = digester

    def write(self, data: bytes) -> None:
        """Add bytes."""
        self._sink.write(data)
        if self._digester:
            self._digester.update(data)

    def copy(self, source: IO[bytes], length: int | None) -> None:
        """Add the next bytes of a stream: ``length`` of them, or all that is left."""
        left = length
        while left is None or left:
            data = source.read(READ if left is None else min(READ, left))
            if not data:
                return
            self.write(data)
            left = None if left is None else left - len(data)


assert HEADER == 4 * SECTOR
