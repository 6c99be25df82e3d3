"""One row of a large Parquet file, without the whole of its footer.

A wide file of 2^22 rows has 512 row groups of some forty columns; its footer takes 13 ms to parse and 17 MB of memory
when it is, and a catalogue has dozens of such files. So the footer is cut into those of single row groups. What is
kept are their places in the file: each is read and parsed when its row is asked for. Where a footer cannot be cut
(another writer's), it is parsed whole.
"""

from __future__ import annotations

import functools
import re
import struct
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

_MAGIC = b"PAR1"
_ENDS = struct.Struct("<I4s")
_EXACT = ("BYTE_ARRAY", "INT32", "INT64")
# A row group starts with the list of its columns (field 1, structures), the first of which has a file offset, its
# metadata (type, encodings), and its path in the schema: the name that is put behind this.
_GROUP = (rb"\x19(?:\xfc[\x0f-\x7f]|[\x1c\x2c\x3c\x4c\x5c\x6c\x7c\x8c\x9c\xac\xbc\xcc\xdc\xec])"
          rb"\x26[\x80-\xff]*[\x00-\x7f]\x1c.{2,40}?\x18")  # fmt: skip


@dataclass(frozen=True)
class _Opened:
    """A row group whose footer is parsed."""

    index: int
    metadata: pq.FileMetaData
    reader: Any
    leaves: Mapping[str, Sequence[int]]
    """Top column → numbers of the columns that lie in it."""

    def read(self, columns: Sequence[str]) -> pa.Table:
        """These columns of all rows."""
        chosen = [leaf for name in columns for leaf in self.leaves[name]]
        found: pa.Table = self.reader.read_row_group(0, column_indices=chosen, use_threads=False)
        return found

    def told(self, columns: Sequence[str], exact: frozenset[str]) -> dict[str, Any]:
        """What its statistics say of all of its rows: columns that hold nothing (None), and those of one value."""
        group = self.metadata.row_group(0)
        found: dict[str, Any] = {}
        for name in columns:
            parts = [group.column(leaf) for leaf in self.leaves[name]]
            if name not in exact and all(_is_null(part) for part in parts):
                found[name] = None
            elif len(parts) == 1 and (value := _only_value(parts[0], group.num_rows)) is not None:
                found[name] = value
        return found


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
        self._recent: _Opened | None = None
        self._leaves: dict[str, list[int]] = {}
        self._orders = b""
        self._whole: pq.ParquetFile | None = None
        if self._places:
            first_group = self._metadata(0).row_group(0)
            self._group, self._leaves = int(first_group.num_rows), _leaves(first_group)
            self._orders = _orders(int(first_group.num_columns))
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
        told = {} if self._whole else self._opened(index).told(columns, self._exact)
        wanted = [name for name in columns if name not in told]
        some = self.group(index, wanted).slice(place, most) if wanted else None
        rows = some.to_pylist() if some is not None else [{}] * min(most, self._expected(index) - place)
        return [told | row for row in rows]

    def group(self, index: int, columns: Sequence[str]) -> pa.Table:
        """Columns of a whole row group."""
        if self._whole:
            return self._whole.read_row_group(index, columns=list(columns), use_threads=False)
        return self._opened(index).read(columns)

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
        # The last one has what follows the row groups behind it, and so these already.
        orders = self._orders if index < len(self._places) - 2 else b""
        return _parsed(self._head, bytes(self._source.read_at(end - start, start)), orders)

    def _expected(self, index: int) -> int:
        return min(self._group, self._rows - index * self._group)

    def _opened(self, index: int) -> _Opened:
        if self._recent is None or self._recent.index != index:
            metadata = self._metadata(index)
            if metadata.row_group(0).num_rows != self._expected(index):
                raise pa.ArrowInvalid(f"{self._path} has no row group {index} of {self._expected(index)} rows")
            reader = _bare().reader()
            reader.open(self._source, use_memory_map=False, metadata=metadata, arrow_extensions_enabled=True)
            self._recent = _Opened(index, metadata, reader, self._leaves)
        return self._recent


def _leaves(group: Any) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number in range(group.num_columns):
        found.setdefault(group.column(number).path_in_schema.partition(".")[0], []).append(number)
    return found


def _is_null(column: Any) -> bool:
    """All null, or lists that are null or empty."""
    told = column.statistics
    return told is not None and told.has_null_count and told.null_count == column.num_values


def _only_value(column: Any, rows: int) -> Any:
    """The text or number that stands in each row; None where there are several, or nulls, or it is not known."""
    told = column.statistics
    if told is None or not (told.has_min_max and told.has_null_count) or told.null_count or column.num_values != rows:
        return None
    if "." in column.path_in_schema or column.physical_type not in _EXACT:
        return None
    # A least value that was cut short differs from a greatest one that was.
    least = told.min
    return least if isinstance(least, str | int) and least == told.max else None


def _parsed(head: bytes, group: bytes, orders: bytes) -> pq.FileMetaData:
    """The footer of one row group, parsed: a list of one structure, and the end of the outer structure."""
    footer = head + b"\x19\x1c" + group + orders + b"\x00"
    return _bare().rebuilt(pa.py_buffer(footer))


class _Bare(NamedTuple):
    """What opens a row group without :class:`pyarrow.parquet.ParquetFile`, which takes three times as long as that."""

    rebuilt: Callable[[pa.Buffer], pq.FileMetaData]
    """A footer from its bytes, as one is rebuilt that was pickled."""
    reader: Callable[[], Any]
    """What a ParquetFile reads with."""


@functools.cache
def _bare() -> _Bare:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"id": [0]}), sink)
    one = pq.ParquetFile(pa.BufferReader(sink.getvalue()))
    return _Bare(one.metadata.__reduce__()[0], type(one.reader))


def _cut(footer: bytes, first: str) -> tuple[bytes, list[int]]:
    """What stands before the row groups, where each starts and the last ends; nothing if it is not as expected."""
    name = first.encode()
    pattern = _GROUP + re.escape(bytes([len(name)]) + name)
    starts = [found.start() for found in re.finditer(pattern, footer, re.DOTALL)]
    count = len(starts)
    if not count:
        return b"", []
    told = _list_of_structures(count)
    head = starts[0] - len(told) - 1
    if head < 0 or footer[head : starts[0]] != b"\x19" + told:
        return b"", []
    return footer[:head], [*starts, len(footer)]


def _orders(columns: int) -> bytes:
    """How each column is ordered: as its type is (field 7, ColumnOrder). Without it least and greatest are not told."""
    return b"\x39" + _list_of_structures(columns) + b"\x1c\x00\x00" * columns


def _list_of_structures(count: int) -> bytes:
    return bytes([count << 4 | 12]) if count < 15 else b"\xfc" + _varint(count)


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])
