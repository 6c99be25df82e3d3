"""Sorted key files: from an id or an identifier to the rows of a table's files (docs/formats/keys.md).

A key is the first bits of a 63-bit hash, then a row's place, as an unsigned 64-bit number, little-endian; a file is
nothing but such numbers, ascending. A key may name a row that has another id with the same first bits: look.
While a dump is read each chunk has keys of its own, of 42 bits and a row in 22; those of up to 64 chunks are then
joined into one file of keys with 36 bits and a place in 28: 6 bits of the chunk, 22 of its row.
:mod:`~fonoteca.catalogue.probe` reads them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fonoteca.catalogue.files import FileRef
from fonoteca.catalogue.places import Places
from fonoteca.core import durable

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, np.dtype[np.uint64]]

ROW_BITS = 22
ROWS = (1 << ROW_BITS) - 1
CHUNKS = 64
"""Chunks that one key file covers."""
PLACE_BITS = 28
_CUT = 21
_PIECE = 1 << 22
_ALL = 1 << (64 - PLACE_BITS)
RELEASE = "release"
"""Scheme under which a recording's rows are found by the id of a release, written as a number."""


def name_hash(scheme: str, value: str) -> int:
    """The first 63 bits of ``SHA-256("name" NUL scheme NUL value)``, as ids are made (docs/formats/id.md)."""
    digest = hashlib.sha256(f"name\0{scheme}\0{value}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def name_hash_sql(scheme: str, value: str) -> str:
    """The same, as SQL over two expressions: the macro ``entity_id`` of the engine hashes alike."""
    return f"entity_id('name', {scheme}, {value})"


def packed(hashes: Any, rows: Any) -> Numbers:
    """Sorted keys of one chunk from arrays of hashes (63 bits) and of row numbers."""
    import numpy as np

    found: Numbers = (hashes.astype("<u8") >> np.uint64(_CUT)) << np.uint64(ROW_BITS) | rows.astype("<u8")
    found.sort()
    return found


def write(places: Places, name: str, numbers: Iterable[Numbers]) -> FileRef:
    """Write ascending keys, some at a time, to a file that is then named by its digest."""
    work, digest, length, count = places.spool / name, hashlib.sha256(), 0, 0
    with durable.writing(work) as stream:
        for some in numbers:
            data = some.astype("<u8", copy=False).tobytes()
            stream.write(data)
            digest.update(data)
            length, count = length + len(data), count + len(some)
    ref = FileRef(digest.hexdigest(), length, count, "keys")
    durable.rename(work, places.path(ref))
    return ref


def join(places: Places, name: str, chunks: Sequence[Path]) -> tuple[FileRef, ...]:
    """One key file for every 64 chunks, from the chunks' own, in their order: within little memory."""
    groups = [chunks[first : first + CHUNKS] for first in range(0, len(chunks), CHUNKS)]
    return tuple(write(places, f"{name}-{n}", joined([_mapped(p) for p in some])) for n, some in enumerate(groups))


def _mapped(path: Path) -> Numbers:
    import numpy as np

    small = path.stat().st_size < _PIECE
    found: Numbers = np.fromfile(path, "<u8") if small else np.memmap(path, "<u8", "r")
    return found


def joined(chunks: Sequence[Numbers], piece: int = _PIECE) -> Iterator[Numbers]:
    """The keys of all chunks with 36 bits of the hash, ascending, at most so many at a time."""
    import numpy as np

    ranges = [(0, _ALL)]
    while ranges:
        first, end = ranges.pop()
        parts = [_between(keys, first, end) for keys in chunks]
        if sum(map(len, parts)) <= piece:
            found = np.concatenate([_placed(keys, number) for number, keys in enumerate(parts)])
            found.sort()
            yield found
        elif end - first > 1:
            middle = (first + end) // 2
            ranges += [(middle, end), (first, middle)]
        else:
            # A name that millions of rows have: within one hash the order is that of the chunks.
            for number, keys in enumerate(parts):
                yield np.sort(_placed(keys, number))


def _between(keys: Numbers, first: int, end: int) -> Numbers:
    """The keys whose first 36 bits are in a range."""
    import numpy as np

    low = int(np.searchsorted(keys, np.uint64(first << PLACE_BITS)))
    return keys[low:] if end == _ALL else keys[low : int(np.searchsorted(keys, np.uint64(end << PLACE_BITS)))]


def _placed(keys: Numbers, number: int) -> Numbers:
    import numpy as np

    place, row = np.uint64(PLACE_BITS), np.uint64(ROWS)
    found: Numbers = keys >> place << place | np.uint64(number << ROW_BITS) | keys & row
    return found
