"""What two tables have in common, found in their sorted key files instead of their rows (docs/formats/keys.md).

A key has 36 bits of an id. What no key of another table begins with is not there; what one begins with may be, or is
another id that begins alike: of a million ids beside 32 million others, some 500 are. So rows are read to know, but
only those. Key files are looked at some at a time, so memory does not grow with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from fonoteca.catalogue import files
from fonoteca.catalogue.files import FileRef
from fonoteca.catalogue.generation import PartitionEntry
from fonoteca.catalogue.keyed import ABOUT
from fonoteca.catalogue.keys import CHUNKS, PLACE_BITS, ROW_BITS
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.rowgroups import RowGroups

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, np.dtype[np.uint64]]
    Rows = np.ndarray[Any, np.dtype[np.int64]]

MOST = 1 << 18
"""Matches up to which keys are asked; where there are more, a scan is no slower."""
_PIECE = 1 << 20
_NEAR = 1 << 16
"""Keys that are searched at once: half a megabyte stays close to the processor."""
_PLACES = (1 << PLACE_BITS) - 1
_HIGH = ((1 << 64) - 1) ^ _PLACES
_CUT = 63 - (64 - PLACE_BITS)
_SPARSE = 14
"""One row in 2^14 is looked up by itself, at 0.25 ms; of more the columns are read whole, at 16 ns a row."""
_WHOLE = 1 << 23
"""Values that are read whole at once."""


@dataclass(frozen=True)
class Keyed:
    """A table with keys.

    Attributes:
        keys: its key files, each with the number of keys.
        rows: its Parquet files, each with the number of rows.
        column: the first of a row, of which the keys are.
        row_bits: of a place, those of the row; above them is the number of the file, among those of one key file.
    """

    keys: tuple[tuple[Path, int], ...]
    rows: tuple[tuple[Path, int], ...]
    column: str
    row_bits: int


def wide(places: Places, part: PartitionEntry, table: str) -> Keyed | None:
    """A partition's wide table by its keys; None where there is none, or has no keys."""
    return _keyed(places, part, table, [chunk.rows for chunk in part.wide.get(table, [])], "id", ROW_BITS)


def direct(places: Places, part: PartitionEntry, table: str) -> Keyed | None:
    """Likewise a flat table that stands beside the merged ones."""
    refs = part.tables.get(table, []) if table in part.direct else []
    return _keyed(places, part, table, refs, ABOUT[table], PLACE_BITS)


def _keyed(
    places: Places, part: PartitionEntry, table: str, rows: Sequence[FileRef], column: str, bits: int
) -> Keyed | None:  # fmt: skip
    if not rows or table not in part.keys or not files.are_there(places, part.keys[table].ids):
        return None
    named = tuple((places.path(ref), ref.rows) for ref in part.keys[table].ids)
    return Keyed(named, tuple((places.path(ref), ref.rows) for ref in rows), column, bits)


def none() -> Numbers:
    """No prefixes."""
    import numpy as np

    return np.empty(0, "<u8")


def prefixes(ids: Rows) -> Numbers:
    """What the keys of these ids begin with, ascending."""
    import numpy as np

    return _distinct(np.sort(_begun(ids)))


def beginning(ids: Rows, with_any: Numbers) -> Rows:
    """Those of the ids whose keys begin with any of these."""
    import numpy as np

    return ids[np.isin(_begun(ids), with_any)]


def _begun(ids: Rows) -> Numbers:
    import numpy as np

    found: Numbers = ids.astype("<u8") >> np.uint64(_CUT) << np.uint64(PLACE_BITS)
    return found


def among(asked: Numbers, table: Keyed, most: int = MOST, piece: int = _PIECE) -> Numbers | None:
    """Those of the prefixes that keys of a table begin with; None where they are more than so many."""
    import numpy as np

    found, count = [none()], 0
    for some in _found(table, asked, piece):
        found.append(_distinct(_high(some)))
        count += len(found[-1])
        if count > most:
            return None
    return np.unique(np.concatenate(found))


def shared(one: Keyed, other: Keyed, most: int = MOST, piece: int = _PIECE) -> Numbers | None:
    """What keys of both tables begin with; None where that is more than so many."""
    import numpy as np

    few, many = sorted((one, other), key=lambda table: sum(count for _, count in table.keys))
    found, count = [none()], 0
    for path, length in few.keys:
        for first in range(0, length, piece):
            some = among(_distinct(_high(_mapped(path, first, min(piece, length - first)))), many, most, piece)
            count += most + 1 if some is None else len(some)
            if some is None or count > most:
                return None
            found.append(some)
    return np.unique(np.concatenate(found))


def repeated(table: Keyed, most: int = MOST, piece: int = _PIECE) -> Numbers | None:
    """What several keys of a table begin with; None where that is more than so many."""
    import numpy as np

    found, count = [none()], 0
    for number, (path, length) in enumerate(table.keys):
        for first in range(0, length, piece):
            some = _high(_mapped(path, first, min(piece + 1, length - first)))
            found.append(_distinct(some[1:][some[1:] == some[:-1]]))
        for other in table.keys[:number]:
            both = shared(replace(table, keys=(other,)), replace(table, keys=((path, length),)), most, piece)
            if both is None:
                return None
            found.append(both)
        count = sum(map(len, found))
        if count > most:
            return None
    return np.unique(np.concatenate(found))


def rows(table: Keyed, asked: Numbers, schema: pa.Schema, most: int = MOST, piece: int = _PIECE) -> pa.Table | None:
    """Columns of the rows whose keys begin with any of these: those that are meant, and some that only begin alike.

    Args:
        table: that has the rows.
        asked: prefixes, ascending.
        schema: the columns.
        most: of such rows.
        piece: keys that are looked at at once.

    Returns:
        None where the rows are many, so that a scan costs less.
    """
    import numpy as np

    places: list[list[Numbers]] = [[] for _ in table.rows]
    count = 0
    for number, file in enumerate(table.keys):
        for keys in _found(replace(table, keys=(file,)), asked, piece):
            count += len(keys)
            if count > most:
                return None
            for which, at in _by_file(keys & np.uint64(_PLACES), table.row_bits):
                places[which + number * (CHUNKS if table.row_bits < PLACE_BITS else 1)].append(at)
    found = [schema.empty_table()]
    for (path, length), some in zip(table.rows, places, strict=True):
        if some:
            read = _read(path, length, np.sort(np.concatenate(some)), table.column, schema)
            if read is None:
                return None
            found.append(read)
    return pa.concat_tables(found)


def _by_file(places: Numbers, bits: int) -> Iterator[tuple[int, Numbers]]:
    """The row numbers in places, file by file."""
    import numpy as np

    numbers = places >> np.uint64(bits)
    for which in np.unique(numbers):
        yield int(which), places[numbers == which] & np.uint64((1 << bits) - 1)


def _read(path: Path, length: int, at: Numbers, column: str, schema: pa.Schema) -> pa.Table | None:
    if len(at) <= max(8, length >> _SPARSE):
        opened = RowGroups(path, length, column)
        try:
            return pa.Table.from_pylist([opened.row(int(row), schema.names) for row in at], schema)
        finally:
            opened.close()
    if length * len(schema) > _WHOLE:
        return None
    with pq.ParquetFile(path) as whole:
        return whole.read(schema.names, use_threads=False).select(schema.names).take(pa.array(at)).cast(schema)


def _found(table: Keyed, asked: Numbers, piece: int) -> Iterator[Numbers]:
    """The keys that begin with any of these, some at a time."""
    import numpy as np

    for path, length in table.keys:
        if not length or not len(asked):
            continue
        whole = _mapped(path, 0, length)
        first = int(np.searchsorted(whole, asked[0]))
        end = int(np.searchsorted(whole, asked[-1] | np.uint64(_PLACES), "right"))
        # Mapped anew for each piece: pages that were looked at count as this process's memory until then.
        del whole
        for start in range(first, end, piece):
            keys = _mapped(path, start, min(piece, end - start))
            for near in range(0, len(keys), _NEAR):
                yield _in_piece(keys[near : near + _NEAR], asked)


def _in_piece(keys: Numbers, asked: Numbers) -> Numbers:
    import numpy as np

    low = int(np.searchsorted(asked, keys[0] & np.uint64(_HIGH)))
    mine = asked[low : int(np.searchsorted(asked, keys[-1], "right"))]
    at = np.searchsorted(keys, mine)
    hit = _high(keys[at]) == mine
    first, end = at[hit], np.searchsorted(keys, mine[hit] | np.uint64(_PLACES), "right")
    lengths = end - first
    # Runs of places: each from its first on.
    place = np.repeat(first - (np.cumsum(lengths) - lengths), lengths) + np.arange(int(lengths.sum()))
    return keys[place]


def _mapped(path: Path, first: int, count: int) -> Numbers:
    import numpy as np

    return np.asarray(np.memmap(path, "<u8", "r", first * 8, (count,)))


def _high(keys: Numbers) -> Numbers:
    import numpy as np

    found: Numbers = keys & np.uint64(_HIGH)
    return found


def _distinct(ascending: Numbers) -> Numbers:
    import numpy as np

    if not len(ascending):
        return ascending
    found: Numbers = ascending[np.concatenate([[True], ascending[1:] != ascending[:-1]])]
    return found
