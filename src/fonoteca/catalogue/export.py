"""A slice of the catalogue as a file: Parquet, CSV or JSON lines, by the ending of its name.

CSV is RFC 4180 in UTF-8 with a header line. A cell that a spreadsheet would take for a formula (it starts with
``= + - @``, a tab or a carriage return, and is no number) gets an apostrophe in front: docs/formats/snapshot.md.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from fonoteca.catalogue.rows import Rows
from fonoteca.core import durable
from fonoteca.core.errors import Usage

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
ROW_GROUP = 65_536


def export(rows: Rows, path: Path) -> int:
    """Write all rows to a file; returns their number. The file appears when it is whole.

    Raises:
        Usage: ``unknown-export`` for an ending that names no format; nothing was written.
    """
    write = writer_for(path)
    with durable.writing(path) as stream:
        return write(rows, stream)


def writer_for(path: Path) -> Callable[[Rows, IO[bytes]], int]:
    """The format that a name asks for. Raises Usage ``unknown-export``."""
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        known = ", ".join(sorted(_WRITERS))
        raise Usage("unknown-export", "The file was not written", f"{path.name} does not end in one of {known}",
                    "name the output for example slice.parquet, slice.csv or slice.jsonl", str(path))  # fmt: skip
    return write


def _parquet(rows: Rows, stream: IO[bytes]) -> int:
    from fonoteca.catalogue.files import row_groups

    schema = pa.schema([pa.field(f.name, _storable(f.type)) for f in rows.schema])
    count = 0
    with pq.ParquetWriter(stream, schema, compression="zstd", version="2.6") as writer:
        for group in row_groups(rows.batches(), schema, ROW_GROUP):
            writer.write_table(group, row_group_size=ROW_GROUP)
            count += group.num_rows
    return count


def _storable(kind: pa.DataType) -> pa.DataType:
    """A bare NULL has a type that other readers of Parquet do not know."""
    return pa.string() if pa.types.is_null(kind) else kind


def _csv(rows: Rows, stream: IO[bytes]) -> int:
    count = 0
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="", errors="replace")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([_cell(name) for name in rows.columns])
    for batch in rows.batches():
        columns = [column.to_pylist() for column in batch.columns]
        writer.writerows([_cell(value) for value in row] for row in zip(*columns, strict=True))
        count += batch.num_rows
    text.flush()
    text.detach()
    return count


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    text = value if isinstance(value, str) else _json(value)
    return "'" + text if text.startswith(_FORMULA) else text


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, list | dict) else str(value)


def _json_lines(rows: Rows, stream: IO[bytes]) -> int:
    count = 0
    for row in rows.dicts():
        stream.write(json.dumps(row, ensure_ascii=False, default=str).encode("utf-8", "replace") + b"\n")
        count += 1
    return count


_WRITERS: dict[str, Callable[[Rows, IO[bytes]], int]] = {
    ".parquet": _parquet, ".csv": _csv, ".jsonl": _json_lines, ".ndjson": _json_lines,
}  # fmt: skip
