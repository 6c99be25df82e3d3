"""Counting of listens, each once, in bounded memory: entries go to a scratch file by recording, part by part.

An entry has 36 bytes: the recording's MBID, digests of who listened and of when to what, and where that stood. Two
users of one recording share the 40 bits of the first with a chance of one in ten million million. 2.5 thousand million
listens take 90 GB of scratch, in the folder that the system has for temporary files; parts of it are sorted in memory.
"""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby, pairwise
from typing import BinaryIO

_ENTRY = 36
_USER, _LISTEN = 16 + 5, 16 + 5 + 8
"""Where the digests of an entry end."""
_ROW = 40
"""Bits of a row's number."""
_PARTS = 4096
_HELD = 64 << 20
"""Bytes of entries in memory, beyond which they go to the scratch file."""


@dataclass(frozen=True)
class Counted:
    """A recording's listens, and how many users they are of.

    ``first``: where the first of them stood; ``again``: where repeated ones stood.
    """

    mbid: str
    listens: int
    listeners: int
    first: tuple[int, int]
    again: tuple[tuple[int, int], ...]


class ListenCount:
    """Counts listens; use as a context manager, which drops the scratch file at the end."""

    def __init__(self, held: int = _HELD) -> None:
        self._limit = held
        self._held = 0
        self._parts = [bytearray() for _ in range(_PARTS)]
        self._extents = [array("Q") for _ in range(_PARTS)]
        self._scratch: BinaryIO | None = None

    def __enter__(self) -> ListenCount:
        return self

    def __exit__(self, *_: object) -> None:
        if self._scratch is not None:
            self._scratch.close()

    def add(self, mbid: str, user: str, listen: str, file: int, row: int) -> None:
        """A listen.

        Args:
            mbid: of the recording.
            user: who.
            listen: when and what: with the user, equal for equal listens.
            file: number of the file, below 65,536.
            row: its number in the file, below 2^40.
        """
        who = blake2b(user.encode("utf-8", "backslashreplace"), digest_size=5).digest()
        what = blake2b(f"{user}\n{listen}".encode("utf-8", "backslashreplace"), digest_size=8).digest()
        entry = bytes.fromhex(mbid.replace("-", "")) + who + what + ((file << _ROW) | row).to_bytes(7, "big")
        self._parts[int.from_bytes(entry[:2], "big") >> 4] += entry
        self._held += _ENTRY
        if self._held >= self._limit:
            self._spill()

    def _spill(self) -> None:
        if self._scratch is None:
            self._scratch = tempfile.TemporaryFile()  # noqa: SIM115 closed by __exit__
        for part, extents in zip(self._parts, self._extents, strict=True):
            if part:
                extents.extend((self._scratch.tell(), len(part)))
                self._scratch.write(part)
                part.clear()
        self._held = 0

    def counted(self) -> Iterator[Counted]:
        """All recordings in the order of their MBIDs."""
        for number in range(_PARTS):
            data = self._read(number)
            entries = sorted(data[at : at + _ENTRY] for at in range(0, len(data), _ENTRY))
            for mbid, listens in groupby(entries, lambda entry: entry[:16]):
                yield _counted(mbid, list(listens))

    def _read(self, number: int) -> bytes:
        data = bytearray()
        extents = self._extents[number]
        if self._scratch is not None:
            end = self._scratch.seek(0, 2)
            for at, size in zip(extents[::2], extents[1::2], strict=True):
                self._scratch.seek(at)
                data += self._scratch.read(size)
            self._scratch.seek(end)
        return bytes(data + self._parts[number])


def _counted(mbid: bytes, entries: list[bytes]) -> Counted:
    again = [entry for before, entry in pairwise(entries) if before[:_LISTEN] == entry[:_LISTEN]]
    users = 1 + sum(before[:_USER] != entry[:_USER] for before, entry in pairwise(entries))
    first = min(entry[_LISTEN:] for entry in entries)
    text = mbid.hex()
    name = "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
    repeated = tuple(sorted(_place(entry[_LISTEN:]) for entry in again))
    return Counted(name, len(entries) - len(again), users, _place(first), repeated)


def _place(written: bytes) -> tuple[int, int]:
    number = int.from_bytes(written, "big")
    return number >> _ROW, number & ((1 << _ROW) - 1)
