"""Look-ups in sorted files that are read, not mapped: what a long-running reader keeps in memory stays small.

Keys (:mod:`fonoteca.catalogue.keys`) are hashes, so they lie evenly: a key's place is guessed to within some thousand
others, the keys there say it to within some dozen, and two reads of one page find it.
"""

from __future__ import annotations

import os
import sys
from array import array
from bisect import bisect_left
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fonoteca.catalogue.keys import PLACE_BITS
from fonoteca.catalogue.rowgroups import RowGroups

_CUT = 63 - (64 - PLACE_BITS)
_PLACES = (1 << PLACE_BITS) - 1
_GUESSES = 6
_WINDOW = 512
_BYTES = 8
_Zone = tuple[Any, Any] | None


if sys.platform == "win32":

    def _read(fd: int, length: int, offset: int) -> bytes:
        os.lseek(fd, offset, os.SEEK_SET)
        return os.read(fd, length)
else:
    _read = os.pread


class Keys:
    """A file of sorted keys."""

    def __init__(self, path: Path, count: int) -> None:
        self._fd = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        self._count = count

    def close(self) -> None:
        """Let go of the file; only once."""
        os.close(self._fd)

    def rows(self, hash63: int) -> list[int]:
        """Places of the rows that may have this hash, ascending."""
        first = (hash63 >> _CUT) << PLACE_BITS
        place, found = self._seek(first)
        rows: list[int] = []
        while found:
            for key in found:
                if key > first | _PLACES:
                    return rows
                rows.append(key & _PLACES)
            place += len(found)
            found = self._read(place, min(self._count, place + _WINDOW))
        return rows

    def _seek(self, wanted: int) -> tuple[int, array[int]]:
        """The place of the first key that is not below the wanted one, and some keys from there on."""
        low, high, least, most = 0, self._count, 0, 1 << 64
        step = 0
        while low < high:
            # Keys that do not lie evenly are halved after some guesses.
            evenly = (wanted - least) * (high - low) // max(1, most - least) if step < _GUESSES else (high - low) // 2
            start = max(low, min(low + evenly - _WINDOW // 2, high - _WINDOW))
            end = min(high, start + _WINDOW)
            keys = self._read(start, end)
            if keys[0] >= wanted and start > low:
                high, most = start, keys[0]
            elif keys[-1] < wanted:
                low, least = end, keys[-1]
            else:
                at = bisect_left(keys, wanted)
                return start + at, keys[at:]
            step += 1
        return low, self._read(low, min(self._count, low + _WINDOW))

    def _read(self, start: int, end: int) -> array[int]:
        found = array("Q")
        if end > start:
            found.frombytes(_read(self._fd, (end - start) * _BYTES, start * _BYTES))
            if sys.byteorder == "big":
                found.byteswap()
        return found


class Sorted:
    """A Parquet file of ours, by a column of which its row groups know least and greatest value."""

    def __init__(self, path: Path, column: str) -> None:
        with pa.OSFile(str(path), "rb") as source:
            # A large file's footer, parsed, takes a hundred megabytes: what is kept of it are the bounds.
            whole = pq.read_metadata(source)
            self._columns = whole.schema.to_arrow_schema().names
            self._zones = _zones(whole, self._columns.index(column))
        self._file = RowGroups(path, whole.num_rows, self._columns[0])
        self._column = column
        known = [zone for zone in self._zones if zone is not None]
        self._ends = [most for _, most in known]
        self._ordered = len(known) == len(self._zones) and all(
            before[1] <= after[0] for before, after in pairwise(known)
        )  # fmt: skip

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def rows(self, value: Any) -> list[dict[str, Any]]:
        """All rows with this value."""
        found: list[dict[str, Any]] = []
        for group in self._groups(value):
            at = self._matching(group, value)
            if len(at):
                found += self._file.group(group, self._columns).take(at).to_pylist()
        return found

    def has(self, value: Any) -> bool:
        """True where there is a row with this value."""
        return any(len(self._matching(group, value)) for group in self._groups(value))

    def _matching(self, group: int, value: Any) -> Any:
        column = self._file.group(group, [self._column]).column(0)
        return pc.indices_nonzero(pc.equal(column, pa.scalar(value, column.type)))

    def _groups(self, value: Any) -> list[int]:
        if not self._ordered:
            return [n for n, zone in enumerate(self._zones) if zone is None or zone[0] <= value <= zone[1]]
        found = []
        for number in range(bisect_left(self._ends, value), len(self._zones)):
            zone = self._zones[number]
            if zone is None or zone[0] > value:
                break
            found.append(number)
        return found


def _zones(whole: pq.FileMetaData, place: int) -> list[_Zone]:
    """Least and greatest value of each row group; None where the file does not tell, or may cut long texts."""
    exact = str(whole.created_by).startswith("parquet-cpp-arrow")
    zones: list[_Zone] = []
    for number in range(whole.num_row_groups):
        told = whole.row_group(number).column(place).statistics
        bounded = told is not None and told.has_min_max
        zones.append((told.min, told.max) if bounded and (exact or not isinstance(told.min, str | bytes)) else None)
    return zones
