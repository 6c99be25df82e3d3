"""Rows of a stranger's Parquet file: footer, row groups and pages under limits, a batch in memory at a time."""

from __future__ import annotations

import datetime
import decimal
import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from fonoteca.core.errors import Usage
from fonoteca.sources.jsonlines import flat
from fonoteca.sources.limits import Limits
from fonoteca.sources.records import Refused
from fonoteca.sources.rows import Row, TableFile, not_a_dump, refused
from fonoteca.sources.stream import GZIP_MAGIC, open_bytes, torn

_WHAT = "a Parquet file"
_MAGIC = b"PAR1"
_THRIFT = 100 << 20


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


def _check_footer(path: Path, source: BinaryIO, limits: Limits) -> None:
    size = source.seek(0, io.SEEK_END)
    source.seek(max(0, size - 8))
    end = source.read(8)
    if size < 12 or end[4:] != _MAGIC:
        raise not_a_dump(path, _WHAT, "its end is missing")
    length = struct.unpack("<I", end[:4])[0]
    if length > min(size - 12, limits.parquet_footer):
        raise not_a_dump(path, _WHAT, f"its footer says that it has {length} bytes")
    source.seek(0)


def _open(path: Path, source: BinaryIO, limits: Limits) -> Any:
    """A pyarrow ParquetFile whose footer was checked. Raises Usage."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    _check_footer(path, source, limits)
    try:
        file = pq.ParquetFile(source, thrift_string_size_limit=_THRIFT, thrift_container_size_limit=10_000_000)
        meta = file.metadata
        if meta.num_row_groups > limits.parquet_row_groups:
            raise not_a_dump(path, _WHAT, f"it has {meta.num_row_groups} row groups")
        largest = max((meta.row_group(i).total_byte_size for i in range(meta.num_row_groups)), default=0)
        if largest > limits.parquet_group:
            raise not_a_dump(path, _WHAT, f"one of its row groups says that it unpacks to {largest} bytes")
        return file
    except (pa.ArrowException, OSError, ValueError) as error:
        raise not_a_dump(path, _WHAT, str(error).splitlines()[0]) from None


def columns(path: Path, limits: Limits) -> tuple[str, ...]:
    """The file's columns. Raises Usage where it is no Parquet file."""
    from fonoteca.sources.sniff import check_columns

    with _seekable(path, limits) as source:
        names = tuple(str(name) for name in _open(path, source, limits).schema_arrow.names)
    check_columns(path, names, limits)
    return names


def rows(file: TableFile) -> Iterator[Row | Refused]:
    """The rows in order, numbered from 1. A damaged page ends the file with one refusal."""
    import pyarrow as pa

    number = 0
    try:
        with _seekable(file.path, file.limits) as source:
            table = _open(file.path, source, file.limits)
            batches = table.iter_batches(batch_size=file.limits.batch_rows, use_threads=False)
            for batch in batches:
                for values in batch.to_pylist():
                    number += 1
                    yield Row(f"{file.name}:{number}", flat({k: plain(v) for k, v in values.items()}))
    except (pa.ArrowException, OSError, ValueError, OverflowError, Usage) as error:
        reason = error.why if isinstance(error, Usage) else str(error).splitlines()[0]
        yield refused(f"{file.name}:{number + 1}", "damaged-parquet", f"the rest cannot be read ({reason})", "",
                      file.limits)  # fmt: skip


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
