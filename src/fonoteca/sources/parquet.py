"""Rows of a stranger's Parquet file: footer, row groups and pages under limits, a batch in memory at a time.

No page is read before its header, and those of all pages of its row group, were held against the footer.
"""

from __future__ import annotations

import datetime
import decimal
import io
import struct
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from fonoteca.core.errors import Usage
from fonoteca.sources import parquet_footer, parquet_pages
from fonoteca.sources.jsonlines import flat
from fonoteca.sources.limits import Limits
from fonoteca.sources.records import Refused
from fonoteca.sources.rows import Row, TableFile, not_a_dump, refused
from fonoteca.sources.stream import GZIP_MAGIC, open_bytes, torn

_WHAT = "a Parquet file"
_MAGIC = b"PAR1"
_THRIFT = 100 << 20
_BUFFER = 1 << 20
"""Bytes of a column that are read at once: without it, the library holds the packed column of a row group whole."""
_LONG = 64 << 10
"""Bytes of a text that :func:`is_plain` does not let pass."""


@dataclass(frozen=True)
class Part:
    """Row groups of a file that are read apart: from ``first`` until ``end`` (None: the last); rows before them."""

    first: int = 0
    end: int | None = None
    before: int = 0


WHOLE = Part()


def _seekable(path: Path, limits: Limits) -> BinaryIO:
    """The file itself, or a gzipped one unpacked in memory. Raises Usage where that is too large or torn."""
    with path.open("rb") as source:
        packed = source.read(2) == GZIP_MAGIC
    if not packed:
        return path.open("rb")
    with open_bytes(path, limits) as stream:
        data = stream.read(limits.parquet_in_memory + 1)
        damage = torn(stream)
    if damage is not None:
        raise not_a_dump(path, _WHAT, damage.reason)
    if len(data) > limits.parquet_in_memory:
        raise not_a_dump(path, _WHAT, f"it is gzipped and unpacks to more than {limits.parquet_in_memory} bytes; "
                         "gunzip it first")  # fmt: skip
    return io.BytesIO(data)


def _check_footer(path: Path, source: BinaryIO, limits: Limits) -> int:
    """Bytes of the footer. Raises Usage."""
    size = source.seek(0, io.SEEK_END)
    source.seek(max(0, size - 8))
    end = source.read(8)
    if size < 12 or end[4:] != _MAGIC:
        raise not_a_dump(path, _WHAT, "its end is missing")
    length = struct.unpack("<I", end[:4])[0]
    if length > min(size - 12, limits.parquet_footer):
        raise not_a_dump(path, _WHAT, f"its footer says that it has {length} bytes")
    source.seek(0)
    return int(length)


def _open(path: Path, source: BinaryIO, limits: Limits, texts: Sequence[str] = ()) -> Any:
    """A pyarrow ParquetFile whose footer was checked. Raises Usage."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    _check_footer(path, source, limits)
    try:
        file = pq.ParquetFile(source, thrift_string_size_limit=_THRIFT, thrift_container_size_limit=10_000_000,
                              page_checksum_verification=True, read_dictionary=texts, buffer_size=_BUFFER)  # fmt: skip
        meta = file.metadata
        if meta.num_row_groups > limits.parquet_row_groups:
            raise not_a_dump(path, _WHAT, f"it has {meta.num_row_groups} row groups")
        lie = _lie(meta, source.seek(0, io.SEEK_END), limits)
        if lie:
            raise not_a_dump(path, _WHAT, lie)
        return file
    except (pa.ArrowException, OSError, ValueError) as error:
        raise not_a_dump(path, _WHAT, str(error).splitlines()[0]) from None


def _lie(meta: Any, size: int, limits: Limits) -> str | None:
    """What the footer says of its row groups and cannot be, or must not be; None where it may be true.

    Columns are not looked at: the library ends the process where one is encrypted. Reading them raises an error.
    """
    if meta.num_row_groups * meta.num_columns > limits.parquet_chunks:
        return f"it has {meta.num_row_groups} row groups of {meta.num_columns} columns"
    rows, most = 0, _most(size, limits)
    for number in range(meta.num_row_groups):
        group = meta.row_group(number)
        if group.total_byte_size > most:
            return f"one of its row groups says that it unpacks to {group.total_byte_size} bytes"
        rows += max(0, group.num_rows)
    return None if rows == meta.num_rows else f"it says that it has {meta.num_rows} rows, its row groups {rows}"


def _most(size: int, limits: Limits) -> int:
    """Bytes that a row group of a file of this size may say it unpacks to."""
    return min(limits.parquet_group, max(limits.gzip_floor, size * limits.gzip_ratio))


@dataclass(frozen=True)
class _Pages:
    """Where the pages of a file are said to be."""

    source: BinaryIO
    groups: Sequence[parquet_footer.Group]
    names: Sequence[str]
    limits: Limits

    def check(self, first: int, last: int) -> int:
        """Walk the page headers of the row groups ``first`` until ``last``; how many of their rows may be held.

        Raises:
            ValueError: a page is not what it may be.
        """
        densest = max((parquet_pages.check(self.source, self.groups[number], number, self.names, self.limits)
                       for number in range(first, last)), default=0.0)  # fmt: skip
        return max(1, int(min(self.limits.batch_rows, self.limits.batch_bytes / max(1.0, densest))))


def _pages(path: Path, source: BinaryIO, table: Any, limits: Limits) -> _Pages:
    """The footer as we read it ourselves. Raises ValueError where it cannot be true, or a column is encrypted."""
    length = _check_footer(path, source, limits)
    end = source.seek(0, io.SEEK_END) - 8 - length
    source.seek(end)
    groups = parquet_footer.groups(source.read(length))
    leaves = [table.schema.column(n) for n in range(table.metadata.num_columns)]
    names = [str(leaf.path) for leaf in leaves]
    lie = next(parquet_footer.lies(groups, names, [leaf.max_repetition_level > 0 for leaf in leaves], end), None)
    if lie is None:
        lie = _too_much(groups, end, limits)
    if lie is None and len(groups) != table.metadata.num_row_groups:
        lie = "its footer can be read in two ways"
    if lie is not None:
        raise ValueError(lie)
    return _Pages(source, groups, names, limits)


def _too_much(groups: Sequence[parquet_footer.Group], size: int, limits: Limits) -> str | None:
    unpacked = [sum(chunk.unpacked for chunk in group.chunks) for group in groups]
    if max(unpacked, default=0) > _most(size, limits):
        return f"the columns of one of its row groups say that they unpack to {max(unpacked)} bytes"
    if sum(unpacked) > max(limits.gzip_floor, size * limits.gzip_ratio):
        return f"its columns say that they unpack to {sum(unpacked)} bytes, from {size}"
    return None


def is_sound(path: Path, limits: Limits) -> bool:
    """Whether every page of a plain Parquet file fits what the footer says; :func:`rows` says what does not."""
    import pyarrow as pa

    try:
        with path.open("rb") as source:
            pages = _pages(path, source, _open(path, source, limits), limits)
            pages.check(0, len(pages.groups))
    except (pa.ArrowException, OSError, ValueError, OverflowError, Usage):
        return False
    return True


def is_plain(path: Path, limits: Limits) -> bool:
    """Whether a sound file can be read to its end, all text in it is UTF-8, and none of it is long. Reads all of it."""
    import pyarrow as pa

    try:
        with path.open("rb") as source:
            table = _open(path, source, limits)
            pages = _pages(path, source, table, limits)
            # A long text that is in a dictionary once, and in every row by number, must not be unpacked row by row.
            texts = _texts(path, source, limits)
            listed = _open(path, source, limits, texts)
            for number in range(len(pages.groups) if texts else 0):
                pages.check(number, number + 1)
                if _longest(next(listed.iter_batches(1, [number], texts, use_threads=False), None)) > _LONG:
                    return False
            for batch in _batches(table, pages, limits):
                batch.validate(full=True)
                if _longest(batch) > _LONG:
                    return False
    except (pa.ArrowException, OSError, ValueError, OverflowError, Usage):
        return False
    return True


def _longest(batch: Any) -> int:
    """Bytes of the longest text of a batch, or of its dictionaries: the first batch has all that is in them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = [c.dictionary if pa.types.is_dictionary(c.type) else c for c in batch.columns] if batch is not None else []
    texts = [c for c in found if pa.types.is_string(c.type) or pa.types.is_large_string(c.type)]
    return max((pc.max(pc.binary_length(c)).as_py() or 0 for c in texts), default=0)


def parts(path: Path, rows: int) -> list[Part]:
    """A file that is plain, cut between its row groups, into parts of so many rows or more."""
    import pyarrow.parquet as pq

    meta = pq.read_metadata(path)
    found, first, before, size = [], 0, 0, 0
    for number in range(meta.num_row_groups):
        size += meta.row_group(number).num_rows
        if size >= rows or number == meta.num_row_groups - 1:
            found.append(Part(first, number + 1, before))
            first, before, size = number + 1, before + size, 0
    return found or [WHOLE]


def columns(path: Path, limits: Limits) -> tuple[str, ...]:
    """The file's columns. Raises Usage where it is no Parquet file."""
    from fonoteca.sources.sniff import check_columns

    with _seekable(path, limits) as source:
        names = tuple(str(name) for name in _open(path, source, limits).schema_arrow.names)
    check_columns(path, names, limits)
    return names


def rows(file: TableFile, part: Part = WHOLE) -> Iterator[Row | Refused]:
    """The rows in order, numbered from 1. A damaged page ends the file with one refusal."""
    import pyarrow as pa

    number = part.before
    try:
        with _seekable(file.path, file.limits) as source:
            table = _open(file.path, source, file.limits, _texts(file.path, source, file.limits))
            for values in _values(table, _pages(file.path, source, table, file.limits), file.limits, part):
                number += 1
                yield _row(f"{file.name}:{number}", values, file.limits)
    except (pa.ArrowException, OSError, ValueError, OverflowError, Usage) as error:
        reason = error.why if isinstance(error, Usage) else str(error).splitlines()[0]
        yield refused(f"{file.name}:{number + 1}", "damaged-parquet", f"the rest cannot be read ({reason})", "",
                      file.limits)  # fmt: skip


def _texts(path: Path, source: BinaryIO, limits: Limits) -> list[str]:
    """Paths of the columns of text, those within lists and structs among them."""
    schema = _open(path, source, limits).schema
    leaves = [schema.column(number) for number in range(len(schema.names))]
    return [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY" and leaf.logical_type.type != "DECIMAL"]


def _values(table: Any, pages: _Pages, limits: Limits, part: Part) -> Iterator[dict[str, Any] | Exception | None]:
    """The rows' values, a batch in memory. Text stays in its dictionary: one long text that stands in every row
    takes its room once, and where a batch would be too large as Python texts, its rows come one by one. None: a row
    is too large by itself; an error: it has a value that is none, such as a date beyond the year 9999."""
    for batch in _batches(table, pages, limits, part):
        values = _python(batch) if sum(map(_weight, batch.columns)) <= limits.batch_text else None
        if isinstance(values, list):
            yield from values
            continue
        for at in range(batch.num_rows):
            row = batch.slice(at, 1)
            one = _python(row) if sum(map(_weight, row.columns)) <= limits.batch_text else [None]
            yield one[0] if isinstance(one, list) else one


def _python(batch: Any) -> list[Any] | Exception:
    """The rows as Python values, or why there are none."""
    import pyarrow as pa

    try:
        found: list[Any] = batch.to_pylist()
    except (pa.ArrowException, ValueError, OverflowError) as error:
        return error
    return found


def _batches(table: Any, pages: _Pages, limits: Limits, part: Part = WHOLE) -> Iterator[Any]:
    """Small row groups are read together: each call has its price."""
    first, rows = part.first, 0
    end = len(pages.groups) if part.end is None else part.end
    for last in range(first + 1, end + 1):
        rows += pages.groups[last - 1].rows
        if rows >= limits.batch_rows or last == end:
            size = pages.check(first, last)
            yield from table.iter_batches(batch_size=size, row_groups=range(first, last), use_threads=False)
            first, rows = last, 0


def _weight(array: Any) -> int:
    """Bytes of an array once each of its texts stands by itself."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(array.type):
        return int(pc.sum(pc.take(pc.binary_length(array.dictionary), array.indices).cast(pa.int64())).as_py() or 0)
    if pa.types.is_map(array.type):
        within = array.offsets[0].as_py(), array.offsets[-1].as_py()
        return sum(_weight(part[slice(*within)]) for part in (array.keys, array.items))
    if pa.types.is_struct(array.type):
        return sum(map(_weight, array.flatten()))
    if pa.types.is_nested(array.type):
        return _weight(array.flatten())
    return int(array.nbytes)


def _row(position: str, values: dict[str, Any] | Exception | None, limits: Limits) -> Row | Refused:
    if isinstance(values, Exception):
        return refused(position, "bad-row", f"a value of the row cannot be read ({values})", "", limits)
    if values is None:
        reason = f"the row takes more than {limits.batch_text} bytes once its texts are unpacked"
        return refused(position, "long-row", reason, "", limits)
    size = sum(len(v) for v in values.values() if isinstance(v, str | bytes | list))
    if size > limits.row:
        return refused(position, "long-row", f"the row holds {size} characters or items", "", limits)
    return Row(position, flat({k: plain(v) for k, v in values.items()}))


def plain(value: Any) -> Any:
    """An Arrow value as one that JSON has: dates as ISO 8601, bytes as UTF-8 or hex, NaN as None."""
    if isinstance(value, float):
        return value if value == value and value not in (float("inf"), float("-inf")) else None
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, bytes):
        return _text(value)
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.hex()
