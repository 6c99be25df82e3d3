"""One row of a large Parquet file, without the whole of its footer.

A wide file of 2^22 rows has 512 row groups of some forty columns; its footer takes 13 ms to parse and 17 MB of memory
when it is, and a catalogue has dozens of such files. So the footer is cut into those of single row groups. What is
kept are their places in the file: each is read and parsed when its row is asked for. Where a footer cannot be cut
(another writer's), it is parsed whole.
"""

from __future__ import annotations

import re
import struct
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_MAGIC = b"PAR1"
_ENDS = struct.Struct("<I4s")
# A row group starts with the list of its columns (field 1, structures), the first of which has a file offset, its
# metadata (type, encodings), and its path in the schema: the name that is put behind this.
_GROUP = (rb"\x19(?:\xfc[\x0f-\x7f]|[\x1c\x2c\x3c\x4c\x5c\x6c\x7c\x8c\x9c\xac\xbc\xcc\xdc\xec])"
          rb"\x26[\x80-\xff]*[\x00-\x7f]\x1c.{2,40}?\x18")  # fmt: skip


class RowGroups:
    """A file of equally large row groups; the last may be smaller."""

    def __init__(self, path: Path, rows: int, first: str = "id", exact: Sequence[str] = ()) -> None:
        """Open a file.

        Args:
            path: of the file.
            rows: how many it has.
            first: name of its first column.
            exact: lists of which it matters whether they are empty or null.
        """
        self._path = path
        # Not mapped into memory: pages that were read once would count as ours.
        self._source = pa.OSFile(str(path), "rb")
        self._rows, self._group = rows, rows
        self._exact = frozenset(exact)
        self._head, self._places = self._cut(first)
        self._recent: tuple[int, pq.ParquetFile] | None = None
        self._whole: pq.ParquetFile | None = None
        if self._places:
            self._group = int(self._metadata(0).row_group(0).num_rows)
            if -(-rows // self._group) != len(self._places) - 1:
                self._places = array("Q")
        if not self._places:
            self._whole = pq.ParquetFile(self._source)
            self._group = self._whole.metadata.row_group(0).num_rows if rows else 1

    def close(self) -> None:
        """Let go of the file."""
        self._recent = None
        self._source.close()

    def row(self, number: int, columns: Sequence[str]) -> dict[str, Any]:
        """One row, by its number in the file; what is null or empty in all of its row group is None."""
        return self.run(number, 1, columns)[0]

    def run(self, number: int, most: int, columns: Sequence[str]) -> list[dict[str, Any]]:
        """Rows from one on, at most so many, and none of the next row group."""
        index, place = divmod(number, self._group)
        null = frozenset() if self._whole else _null_columns(self._opened(index).metadata.row_group(0)) - self._exact
        wanted = [name for name in columns if name not in null]
        nothing = dict.fromkeys(null.intersection(columns))
        return [nothing | row for row in self.group(index, wanted).slice(place, most).to_pylist()]

    def group(self, index: int, columns: Sequence[str]) -> pa.Table:
        """Columns of a whole row group."""
        if self._whole:
            return self._whole.read_row_group(index, columns=list(columns), use_threads=False)
        return self._opened(index).read_row_group(0, columns=list(columns), use_threads=False)

    def _footer(self) -> bytes:
        end = self._source.size()
        tail = self._source.read_at(min(end, _ENDS.size), max(0, end - _ENDS.size))
        length, magic = _ENDS.unpack(tail) if len(tail) == _ENDS.size else (0, b"")
        if magic != _MAGIC or length > end:
            raise pa.ArrowInvalid(f"{self._path} is no Parquet file")
        return bytes(self._source.read_at(length, end - _ENDS.size - length))

    def _cut(self, first: str) -> tuple[bytes, array[int]]:
        """What stands before the row groups, and where in the file each of them starts and the last ends."""
        footer = self._footer()
        start = self._source.size() - _ENDS.size - len(footer)
        head, places = _cut(footer, first)
        return head, array("Q", (start + place for place in places))

    def _metadata(self, index: int) -> pq.FileMetaData:
        start, end = self._places[index], self._places[index + 1]
        return _parsed(self._head, bytes(self._source.read_at(end - start, start)))

    def _opened(self, index: int) -> pq.ParquetFile:
        if self._recent is None or self._recent[0] != index:
            metadata = self._metadata(index)
            expected = min(self._group, self._rows - index * self._group)
            if metadata.row_group(0).num_rows != expected:
                raise pa.ArrowInvalid(f"{self._path} has no row group {index} of {expected} rows")
            self._recent = index, pq.ParquetFile(self._source, metadata=metadata)
        return self._recent[1]


def _null_columns(group: Any) -> frozenset[str]:
    """Top columns whose leaves hold nothing: all null, or lists that are null or empty."""
    empty: dict[str, bool] = {}
    for number in range(group.num_columns):
        column = group.column(number)
        told = column.statistics
        name = column.path_in_schema.partition(".")[0]
        null = told is not None and told.has_null_count and told.null_count == column.num_values
        empty[name] = empty.get(name, True) and null
    return frozenset(name for name, is_empty in empty.items() if is_empty)


def _parsed(head: bytes, group: bytes) -> pq.FileMetaData:
    """The footer of one row group, parsed: a list of one structure, and the end of the outer structure."""
    footer = head + b"\x19\x1c" + group + b"\x00"
    return pq.read_metadata(pa.BufferReader(_MAGIC + footer + _ENDS.pack(len(footer), _MAGIC)))


def _cut(footer: bytes, first: str) -> tuple[bytes, list[int]]:
    """What stands before the row groups, where each starts and the last ends; nothing if it is not as expected."""
    name = first.encode()
    pattern = _GROUP + re.escape(bytes([len(name)]) + name)
    starts = [found.start() for found in re.finditer(pattern, footer, re.DOTALL)]
    count = len(starts)
    if not count:
        return b"", []
    told = bytes([count << 4 | 12]) if count < 15 else b"\xfc" + _varint(count)
    head = starts[0] - len(told) - 1
    if head < 0 or footer[head : starts[0]] != b"\x19" + told:
        return b"", []
    return footer[:head], [*starts, len(footer)]


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])
