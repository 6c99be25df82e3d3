"""Listens in an archive as ListenBrainz publishes it: ``YEAR/MONTH.listens`` of JSON lines, or files of Parquet.

JSON lines stream. Parquet is read from its end, so one file at a time is copied to a scratch file; it has no name of
the archive's.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import IO, BinaryIO, cast

from fonoteca.core.errors import Usage
from fonoteca.sources import jsonlines
from fonoteca.sources.limits import LIMITS, Limits
from fonoteca.sources.records import Refused
from fonoteca.sources.rows import Row, describe, refused
from fonoteca.sources.unpack import Member, TornDump, members

_PARQUET = b"PAR1"
_LOOKED_AT = 100
"""Members, and lines of one, that are looked at to know an archive."""
_COPIED = 1 << 20


def is_listens(path: Path, is_row: Callable[[Row], bool], is_table: Callable[[set[str]], bool]) -> bool:
    """Whether an archive holds listens, by the first of its members that holds either form. Raises Usage."""
    try:
        found = (m for m in members(path) if isinstance(m, Member))
        return any(_holds(member, is_row, is_table) for member in islice(found, _LOOKED_AT))
    except TornDump:
        return False


def _holds(member: Member, is_row: Callable[[Row], bool], is_table: Callable[[set[str]], bool]) -> bool:
    stream = cast(io.BufferedReader, member.stream)
    head = stream.read(4)
    if head == _PARQUET:
        with _scratch(head, stream) as file:
            return is_table(set(describe(Path(file.name)).columns))
    if not head.startswith(b"{"):
        return False
    lines = jsonlines.rows_of(_after(head, stream), member.name, LIMITS)
    return any(is_row(row) for row in islice(lines, _LOOKED_AT) if isinstance(row, Row))


def files(path: Path, name: str, limits: Limits = LIMITS) -> Iterator[tuple[str, Iterator[Row | Refused]]]:
    """Each file of listens in an archive: how positions name it, and its rows, to be read before the next.

    Entries that no dump should have, and an archive that is torn, come as a file with one refusal.
    """
    found = members(path, limits)
    last = name
    while True:
        try:
            member = next(found, None)
        except TornDump as error:
            yield last, iter([refused(f"{last}:0", error.torn.code, error.torn.reason, "", limits)])
            return
        if member is None:
            return
        if isinstance(member, Refused):
            yield name, iter([replace(member, position=f"{name}/{member.position}:0")])
            continue
        last = f"{name}/{member.name.removeprefix('./')}"
        head = member.stream.read(4)
        if head == _PARQUET or head.startswith(b"{"):
            yield last, _rows(last, head, member, limits)


def _rows(name: str, head: bytes, member: Member, limits: Limits) -> Iterator[Row | Refused]:
    if head != _PARQUET:
        yield from jsonlines.rows_of(_after(head, member.stream), name, limits)
        return
    try:
        scratch = _scratch(head, member.stream)
    except TornDump:
        return  # the archive says so when its next entry is asked for
    with scratch as file:
        try:
            table = describe(Path(file.name))
        except Usage as error:
            yield refused(f"{name}:0", "damaged-parquet", error.why, "", limits)
            return
        for row in table.rows():
            yield replace(row, position=f"{name}:{row.position.rpartition(':')[2]}")


def _scratch(head: bytes, stream: IO[bytes]) -> tempfile._TemporaryFileWrapper[bytes]:
    file = tempfile.NamedTemporaryFile()  # noqa: SIM115 closed by the caller
    try:
        file.write(head)
        while data := stream.read(_COPIED):
            file.write(data)
        file.flush()
    except BaseException:
        file.close()
        raise
    return file


class _Again(io.RawIOBase):
    """A stream whose first bytes were read already. It ends where the archive is torn, which is said elsewhere."""

    def __init__(self, head: bytes, stream: IO[bytes]) -> None:
        super().__init__()
        self._head = head
        self._stream = stream

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: object, /) -> int:
        """Fill the buffer."""
        view = memoryview(cast(bytearray, buffer)).cast("B")
        try:
            data = self._head or self._stream.read(len(view))
        except TornDump:
            data = b""
        self._head = b""
        view[: len(data)] = data
        return len(data)


def _after(head: bytes, stream: IO[bytes]) -> BinaryIO:
    return cast(BinaryIO, io.BufferedReader(_Again(head, stream), _COPIED))
