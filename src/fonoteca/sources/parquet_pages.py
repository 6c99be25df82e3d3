"""The pages of a Parquet file held against its footer before any of them is unpacked.

The library takes as much memory for a page as the page's own header says. So all headers are read first, one after
the other (a seek each, no page is read), and what they say must fit what the footer says and our limits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from fonoteca.sources.limits import Limits
from fonoteca.sources.parquet_footer import BYTE_ARRAY, DICTIONARY_VALUE, UNCOMPRESSED, Chunk, Group
from fonoteca.sources.thrift import I32, Malformed, Shape, read

_DATA, _INDEX, _DICTIONARY, _DATA_V2 = range(4)
_FIRST_READ = 512


class PageLie(ValueError):
    """A page is not what its chunk may have."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a header says: of which type, bytes unpacked and packed, values, and the bytes of levels ahead of them."""

    type: int
    unpacked: int
    packed: int
    values: int
    levels: int = 0


def _page(fields: dict[int, Any]) -> Page:
    if any(number not in fields for number in (1, 2, 3)):
        raise Malformed("a page lacks its sizes")
    kind = fields[1]
    if kind == _INDEX or not 0 <= kind <= _DATA_V2:  # readers pass over what they do not know
        return Page(_INDEX, fields[2], fields[3], 0)
    more = fields.get({_DATA: 5, _DICTIONARY: 7, _DATA_V2: 8}[kind], {})
    if 1 not in more or (kind == _DATA_V2 and not {5, 6} <= more.keys()):
        raise Malformed("a page lacks its number of values")
    levels = [more.get(number, 0) for number in (5, 6)]
    if min(levels) < 0:
        raise Malformed("a page has less than no levels")
    return Page(kind, fields[2], fields[3], more[1], sum(levels))


_HEADER = Shape(
    keep={1: I32, 2: I32, 3: I32},
    inner={5: Shape(keep={1: I32}), 7: Shape(keep={1: I32}), 8: Shape(keep={1: I32, 5: I32, 6: I32})},
    make=_page,
)


def check(source: BinaryIO, group: Group, number: int, names: Sequence[str], limits: Limits) -> float:
    """Walk the page headers of row group ``number`` (from 0); the most bytes that a row has in the mean of its pages.

    Raises:
        PageLie: names group, column, and what is wrong.
    """
    held, densest = 0, 0.0
    for name, chunk in zip(names, group.chunks, strict=True):
        try:
            pages, dense = _walk(source, chunk, limits)
            held, densest = held + pages, densest + dense
        except ValueError as error:
            raise PageLie(f"row group {number + 1}, column {name[:100]!r}: {error}") from None
        if held > limits.parquet_pages:
            raise PageLie(f"row group {number + 1}, column {name[:100]!r}: its largest page and those of the columns "
                          f"before it unpack to {held} bytes, more than {limits.parquet_pages}")  # fmt: skip
    return densest


def _walk(source: BinaryIO, chunk: Chunk, limits: Limits) -> tuple[int, float]:
    """Bytes that are held of the chunk at once, and the most bytes that a value has in the mean of a page."""
    at, values, unpacked, idle, dictionary, largest, densest = chunk.start, 0, 0, 0, 0, 0, 0.0
    while values < chunk.values:
        page, begin = _header(source, at, chunk.end, limits)
        _check_page(page, begin, chunk, limits)
        if page.type == _DICTIONARY:
            if at != chunk.start:
                raise PageLie("it has a second dictionary, or one behind its values")
            dictionary = page.unpacked * (5 if chunk.kind == BYTE_ARRAY else 1)
        elif page.type == _INDEX:
            idle += 1
        elif not page.values:  # one library reads on, the other takes it for the end
            raise PageLie("it has a page without values")
        else:
            values += page.values
            largest, densest = max(largest, page.unpacked), max(densest, page.unpacked / page.values)
        at, unpacked = begin + page.packed, unpacked + page.unpacked
        _check_sums(chunk, values, unpacked, idle, limits)
    return dictionary + largest, densest


def _check_page(page: Page, begin: int, chunk: Chunk, limits: Limits) -> None:
    if min(page.unpacked, page.packed, page.values) < 0:
        raise PageLie(f"a page says that it has {page.unpacked} bytes, {page.packed} packed, {page.values} values")
    if begin + page.packed > chunk.end:
        raise PageLie(f"a page of {page.packed} bytes ends behind its column, which has {chunk.end - begin} bytes left")
    if max(page.unpacked, page.packed) > limits.parquet_page:
        raise PageLie(
            f"a page says that {page.packed} bytes unpack to {page.unpacked}, more than {limits.parquet_page}"
        )
    if chunk.codec == UNCOMPRESSED and page.unpacked != page.packed:
        raise PageLie(f"a page that is not packed says that it has {page.packed} bytes and {page.unpacked} unpacked")
    if page.levels > min(page.unpacked, page.packed):
        raise PageLie(f"a page says that it has {page.levels} bytes of levels in {page.packed} bytes")
    if page.type == _DICTIONARY and page.values * DICTIONARY_VALUE[chunk.kind] > page.unpacked:
        raise PageLie(f"a dictionary says that it has {page.values} values in {page.unpacked} bytes")


def _check_sums(chunk: Chunk, values: int, unpacked: int, idle: int, limits: Limits) -> None:
    if unpacked > chunk.unpacked:
        raise PageLie(f"the footer says that it unpacks to {chunk.unpacked} bytes, its pages {unpacked}")
    if values > chunk.values:
        raise PageLie(f"the footer says that it has {chunk.values} values, its pages {values}")
    if idle > limits.parquet_idle_pages:
        raise PageLie(f"it has more than {limits.parquet_idle_pages} pages that are no values")


def _header(source: BinaryIO, at: int, end: int, limits: Limits) -> tuple[Page, int]:
    """The page whose header is at ``at``, and where its bytes begin."""
    size = _FIRST_READ
    while True:
        source.seek(at)
        data = source.read(min(size, end - at))
        try:
            page, length = read(data, 0, _HEADER)
            return page, at + length
        except IndexError:
            if len(data) < size:
                raise PageLie("a page begins where the column ends, or its header has no end") from None
        size *= 16
        if size > limits.parquet_page_header:
            raise PageLie(f"a page has a header of more than {limits.parquet_page_header} bytes")
