"""Look-ups in sorted files that are read, not mapped: what a long-running reader keeps in memory stays small.

Keys (:mod:`fonoteca.catalogue.keys`) are hashes, so they lie evenly: a key's place is guessed to within some hundred
others, and one read of a few pages finds it.
"""

from __future__ import annotations

import math
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

from fonoteca.catalogue.keys import ROW_BITS

_CUT = 63 - (64 - ROW_BITS)
_ROWS = (1 << ROW_BITS) - 1
_GUESSES = 4
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
        # Evenly spread keys lie around their place with a deviation of half the root of their number.
        self._window = math.isqrt(count) + 16

    def close(self) -> None:
        """Let go of the file; only once."""
        os.close(self._fd)

    def rows(self, hash63: int) -> list[int]:
        """Numbers of the rows that may have this hash, ascending."""
        first = (hash63 >> _CUT) << ROW_BITS
        place, found = self._seek(first)
        rows: list[int] = []
        while found:
            for key in found:
                if key > first | _ROWS:
                    return rows
                rows.append(key & _ROWS)
            place += len(found)
            found = self._read(place, min(self._count, place + self._window))
        return rows

    def _seek(self, wanted: int) -> tuple[int, array[int]]:
        """The place of the first key that is not below the wanted one, and some keys from there on."""
        low, high, step = 0, self._count, 0
        guess = wanted * self._count >> 64
        while low < high:
            start = min(max(low, guess - self._window), high - 1)
            end = min(high, start + 2 * self._window)
            keys = self._read(start, end)
            at = bisect_left(keys, wanted)
            if at == 0 and start > low:
                high, moved = start, -1
            elif at == len(keys):
                low, moved = end, 1
            else:
                return start + at, keys[at:]
            step += 1
            # Keys that do not lie evenly are halved instead.
            guess = guess + moved * 2 * self._window if step < _GUESSES else (low + high) // 2
        return low, self._read(low, min(self._count, low + self._window))

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
        self._source = pa.OSFile(str(path), "rb")
        self._file = pq.ParquetFile(self._source)
        self._column = column
        self._zones = _zones(self._file, column)
        known = [zone for zone in self._zones if zone is not None]
        self._ends = [most for _, most in known]
        self._ordered = len(known) == len(self._zones) and all(
            before[1] <= after[0] for before, after in pairwise(known)
        )  # fmt: skip

    def close(self) -> None:
        """Let go of the file."""
        self._source.close()

    def rows(self, value: Any) -> list[dict[str, Any]]:
        """All rows with this value."""
        found: list[dict[str, Any]] = []
        for group in self._groups(value):
            at = self._matching(group, value)
            if len(at):
                found += self._file.read_row_group(group, use_threads=False).take(at).to_pylist()
        return found

    def has(self, value: Any) -> bool:
        """True where there is a row with this value."""
        return any(len(self._matching(group, value)) for group in self._groups(value))

    def _matching(self, group: int, value: Any) -> Any:
        column = self._file.read_row_group(group, columns=[self._column], use_threads=False).column(0)
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


def _zones(file: pq.ParquetFile, column: str) -> list[_Zone]:
    """Least and greatest value of each row group; None where the file does not tell, or may cut long texts."""
    whole = str(file.metadata.created_by).startswith("parquet-cpp-arrow")
    place = file.schema_arrow.get_field_index(column)
    zones: list[_Zone] = []
    for number in range(file.metadata.num_row_groups):
        told = file.metadata.row_group(number).column(place).statistics
        bounded = told is not None and told.has_min_max
        zones.append((told.min, told.max) if bounded and (whole or not isinstance(told.min, str | bytes)) else None)
    return zones
