"""A table in pieces that can be read apart: what another engine hands to its machines (docs/explanation/engines.md)."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from fonoteca.sources import parquet
from fonoteca.sources.mapping import Mapping
from fonoteca.sources.parquet import WHOLE, Part
from fonoteca.sources.records import ArtistRecord, Dump, Record, Refused, ReleaseRecord
from fonoteca.sources.rows import Row, TableFile
from fonoteca.sources.seen import Seen
from fonoteca.sources.table_row import RowReader

Place = tuple[int, int]
"""Number of a file in its dump, of a row in its file: the order in which a dump is read."""
ROWS = 1 << 18
"""Rows of a part of a file, or those of a row group where it has more."""
Name = tuple[int, str, str]
"""Number of a file, kind and key: of what a file names often and describes where it does so first."""


@dataclass(frozen=True)
class Piece:
    """One file of a table, or a part of one.

    ``counts``: the file is a sound table of nothing but counts. On one machine it would go by columns.
    """

    number: int
    file: TableFile
    meaning: Mapping
    part: Part = WHOLE
    counts: bool = False

    def parts(self, rows: int = ROWS) -> list[Piece]:
        """A sound Parquet file, cut between row groups."""
        return [replace(self, part=part) for part in parquet.parts(self.file.path, rows)]

    def rows(self) -> Iterator[tuple[Place, int, Row | Refused]]:
        """The rows, each with its place and a number that is equal for rows of one key."""
        reader = RowReader(self.meaning, Seen())
        found = self.file.rows() if self.part == WHOLE else parquet.rows(self.file, self.part)
        for number, row in enumerate(found, self.part.before):
            identity = None if isinstance(row, Refused) else reader.identity(row)
            told = row.position if identity is None else identity
            yield (self.number, number), zlib.crc32(told.encode("utf-8", "surrogatepass")), row


@runtime_checkable
class PiecedSource(Protocol):
    """A source whose dumps come in such pieces."""

    def pieces(self, dump: Dump) -> Sequence[Piece]:
        """The files of a resolved dump, or parts of them."""
        ...


class SomeKeys:
    """Reads all rows of some keys, in the dump's order, by the rules that read a whole dump.

    A whole file's releases and artists are described by the first row that names them. Other keys may have an earlier
    row, so these records are not given out with the rest.

    Attributes:
        named: the first of them here: who wants the file's takes the one of the smallest place.
        refused: places of the refused rows, in their order.
    """

    def __init__(self, pieces: Iterable[Piece]) -> None:
        seen = Seen()
        self._readers = {piece.number: RowReader(piece.meaning, seen) for piece in pieces}
        self.named: dict[Name, tuple[Place, Record]] = {}
        self.refused: list[Place] = []

    def records(self, rows: Iterable[tuple[Place, Row | Refused]]) -> Iterator[Record]:
        """The records of these rows."""
        for place, row in rows:
            found = [row] if isinstance(row, Refused) else self._readers[place[0]].records(row)
            for record in found:
                if isinstance(record, ReleaseRecord | ArtistRecord):
                    self.named[place[0], type(record).__name__, record.key] = (place, record)
                    continue
                if isinstance(record, Refused):
                    self.refused.append(place)
                yield record
