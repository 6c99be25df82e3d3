"""One row of a large Parquet file, without the whole of its footer.

A wide file of 2^22 rows has 512 row groups of some forty columns; its footer takes 13 ms to parse and 17 MB of memory
when it is, and a catalogue has dozens of such files. So the footer is cut, as bytes, into those of single row groups:
each is parsed in microseconds when its row is asked for. Where a footer cannot be cut (another writer's), it is
parsed whole.
"""

from __future__ import annotations

import functools
import re
import struct
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
_KEPT = 32


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
        self._cut = _cut(self._footer(), first)
        self._opened = functools.lru_cache(_KEPT)(self._open)
        self._whole: pq.ParquetFile | None = None
        if self._cut:
            self._group = self._first_group()
            self._cut = self._cut if -(-rows // self._group) == len(self._cut[1]) else None
        if self._cut is None:
            self._whole = pq.ParquetFile(self._source)
            self._group = self._whole.metadata.row_group(0).num_rows if rows else 1

    def close(self) -> None:
        """Let go of the file."""
        self._opened.cache_clear()
        self._source.close()

    def row(self, number: int, columns: Sequence[str]) -> dict[str, Any]:
        """One row, by its number in the file; what is null or empty in all of its row group is None."""
        return self.run(number, 1, columns)[0]

    def run(self, number: int, most: int, columns: Sequence[str]) -> list[dict[str, Any]]:
        """Rows from one on, at most so many, and none of the next row group."""
        index, place = divmod(number, self._group)
        file, null = (self._whole, frozenset()) if self._whole else self._opened(index)
        wanted = [name for name in columns if name not in null]
        table = file.read_row_group(index if self._whole else 0, columns=wanted, use_threads=False)
        nothing = dict.fromkeys(null.intersection(columns))
        return [nothing | row for row in table.slice(place, most).to_pylist()]

    def _footer(self) -> bytes:
        end = self._source.size()
        tail = self._source.read_at(min(end, _ENDS.size), max(0, end - _ENDS.size))
        length, magic = _ENDS.unpack(tail) if len(tail) == _ENDS.size else (0, b"")
        if magic != _MAGIC or length > end:
            raise pa.ArrowInvalid(f"{self._path} is no Parquet file")
        return bytes(self._source.read_at(length, end - _ENDS.size - length))

    def _first_group(self) -> int:
        assert self._cut is not None
        return int(_metadata(self._cut[0], self._cut[1][0]).row_group(0).num_rows)

    def _open(self, index: int) -> tuple[pq.ParquetFile, frozenset[str]]:
        assert self._cut is not None
        head, groups = self._cut
        metadata = _metadata(head, groups[index])
        found = metadata.row_group(0)
        expected = min(self._group, self._rows - index * self._group)
        if found.num_rows != expected:
            raise pa.ArrowInvalid(f"{self._path} has no row group {index} of {expected} rows")
        return pq.ParquetFile(self._source, metadata=metadata), _null_columns(found) - self._exact


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


def _metadata(head: bytes, group: bytes) -> Any:
    """The footer of one row group, parsed: a list of one structure, and the end of the outer structure."""
    footer = head + b"\x19\x1c" + group + b"\x00"
    return pq.read_metadata(pa.BufferReader(_MAGIC + footer + _ENDS.pack(len(footer), _MAGIC)))


def _cut(footer: bytes, first: str) -> tuple[bytes, list[bytes]] | None:
    """What stands before the row groups, and each of them; None where it is not as expected."""
    name = first.encode()
    pattern = _GROUP + re.escape(bytes([len(name)]) + name)
    starts = [found.start() for found in re.finditer(pattern, footer, re.DOTALL)]
    count = len(starts)
    if not count:
        return None
    told = bytes([count << 4 | 12]) if count < 15 else b"\xfc" + _varint(count)
    head = starts[0] - len(told) - 1
    if head < 0 or footer[head : starts[0]] != b"\x19" + told:
        return None
    ends = [*starts[1:], len(footer)]
    return footer[:head], [footer[start:end] for start, end in zip(starts, ends, strict=True)]


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])
