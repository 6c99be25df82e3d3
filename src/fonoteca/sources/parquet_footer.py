"""Where a Parquet file's footer says that its column chunks are, and how large (apache/parquet-format, parquet.thrift).

Read by us and not by the library: the library ends the process where it is asked about a column that is encrypted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from fonoteca.sources.thrift import BINARY, I32, I64, STRUCT, Malformed, Shape, read

UNCOMPRESSED = 0
"""The codec of pages that are as they are."""
BYTE_ARRAY = 6
"""The physical type of text."""
DICTIONARY_VALUE = (1, 4, 8, 12, 4, 8, 4, 1)
"""Bytes that a value of each physical type takes at least in a dictionary."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """What is told of a column in a row group. Its pages are at ``start`` until ``end`` of the file."""

    kind: int
    codec: int
    values: int
    unpacked: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Group:
    """A row group, and what is told of each of its columns."""

    rows: int
    chunks: Sequence[Chunk]


def _chunk(fields: dict[int, Any]) -> Chunk:
    if fields.get(1):
        raise Malformed("a column is in another file")
    if 8 in fields or 9 in fields:
        raise Malformed("a column is encrypted")
    told = fields.get(3)
    if told is None:
        raise Malformed("nothing is told of a column")
    return Chunk(*told)


def _told(fields: dict[int, Any]) -> tuple[int, ...]:
    if any(number not in fields for number in (1, 4, 5, 6, 7, 9)):
        raise Malformed("a column lacks its sizes")
    start, dictionary = fields[9], fields.get(11, 0)
    if 0 < dictionary < start:
        start = dictionary
    return fields[1], fields[4], fields[5], fields[6], start, start + fields[7]


def _group(fields: dict[int, Any]) -> Group:
    return Group(fields.get(3, 0), fields.get(1, ()))


_ANY = Shape()
_STATISTICS_OF_SIZES = Shape(lists={2: I64, 3: I64})
_COLUMN = Shape(
    keep={1: I32, 4: I32, 5: I64, 6: I64, 7: I64, 9: I64, 11: I64},
    inner={8: _ANY, 13: _ANY, 16: _STATISTICS_OF_SIZES, 17: Shape(lists={2: I32})},
    lists={2: I32, 3: BINARY, 8: STRUCT, 13: STRUCT},
    make=_told,
)  # fmt: skip
_ENCRYPTION = Shape(inner={2: Shape(lists={1: BINARY})})
_CHUNK = Shape(keep={1: BINARY, 9: BINARY}, inner={3: _COLUMN, 8: _ENCRYPTION}, make=_chunk)
_GROUP = Shape(keep={3: I64}, inner={1: _CHUNK, 4: _ANY}, lists={1: STRUCT, 4: STRUCT}, make=_group)
_FOOTER = Shape(inner={4: _GROUP}, lists={2: STRUCT, 4: STRUCT, 5: STRUCT, 7: STRUCT})


def groups(footer: bytes) -> Sequence[Group]:
    """The row groups of a footer. Raises ValueError."""
    try:
        fields, _ = read(footer, 0, _FOOTER)
    except IndexError:
        raise Malformed("its footer is torn") from None
    return fields.get(4, ())  # type: ignore[no-any-return]


def lies(told: Sequence[Group], names: Sequence[str], repeated: Sequence[bool], end: int) -> Iterator[str]:
    """What cannot be of the row groups of a file whose footer begins at ``end``: chunks outside of it or in one
    another, sizes below zero, columns that are not there. ``repeated``: which columns have lists."""
    places = []
    for number, group in enumerate(told, 1):
        if len(group.chunks) != len(names) or group.rows < 0:
            yield f"row group {number} says that it has {len(group.chunks)} columns, {group.rows} rows"
            return
        for name, lists, chunk in zip(names, repeated, group.chunks, strict=True):
            where = f"row group {number}, column {name[:100]!r}"
            if lie := _lie(group, chunk, end, lists=lists):
                yield f"{where}: {lie}"
            if chunk.values:
                places.append((chunk.start, chunk.end, where))
    places.sort()
    for (_, before, _), (start, _, where) in pairwise(places):
        if start < before:
            yield f"{where}: begins at {start}, within another column that ends at {before}"


def _lie(group: Group, chunk: Chunk, end: int, *, lists: bool) -> str | None:
    # A column without values has no page, and some writers say of it that it is at 0.
    if not (4 if chunk.values else 0) <= chunk.start <= chunk.end <= end:
        return f"says that it is at {chunk.start} to {chunk.end} of {end} bytes"
    if min(chunk.values, chunk.unpacked) < 0 or not 0 <= chunk.kind < len(DICTIONARY_VALUE):
        return f"says that it has {chunk.values} values in {chunk.unpacked} bytes"
    if chunk.values < group.rows or (chunk.values > group.rows and not lists):
        return f"says that it has {chunk.values} values for {group.rows} rows"
    return None
