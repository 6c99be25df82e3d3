"""A slice of the catalogue as a file: Parquet, CSV, JSON lines, SQLite or DuckDB, by the ending of its name.

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

from fonoteca.catalogue import database_files
from fonoteca.catalogue.database_files import as_json, storable
from fonoteca.catalogue.rows import Rows
from fonoteca.core import durable
from fonoteca.core.errors import Usage

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
ROW_GROUP = 65_536


Writer = Callable[[Rows, Path], int]
"""Writes all rows to a path, durably, and returns their number."""


def export(rows: Rows, path: Path) -> int:
    """Write all rows to a file; returns their number. The file appears when it is whole.

    Raises:
        Usage: ``unknown-export`` for an ending that names no format; nothing was written.
        NoSpace, Failed: of the disk; the old file, if any, is untouched.
    """
    return writer_for(path)(rows, path)


def writer_for(path: Path) -> Writer:
    """The format that a name asks for. Raises Usage ``unknown-export``."""
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        known = ", ".join(sorted(_WRITERS))
        raise Usage("unknown-export", "The file was not written", f"{path.name} does not end in one of {known}",
                    "name the output for example slice.parquet, slice.csv, slice.jsonl or slice.sqlite",
                    str(path))  # fmt: skip
    return write


def _streamed(write: Callable[[Rows, IO[bytes]], int]) -> Writer:
    def to_file(rows: Rows, path: Path) -> int:
        with durable.writing(path) as stream:
            return write(rows, stream)

    return to_file


def _by_library(write: Callable[[Rows, Path], int]) -> Writer:
    def to_file(rows: Rows, path: Path) -> int:
        counts: list[int] = []
        durable.written_by(path, lambda temp: counts.append(write(rows, temp)))
        return counts[0]

    return to_file


def _parquet(rows: Rows, stream: IO[bytes]) -> int:
    from fonoteca.catalogue.files import row_groups

    schema = pa.schema([pa.field(f.name, storable(f.type)) for f in rows.schema])
    count = 0
    with pq.ParquetWriter(stream, schema, compression="zstd", version="2.6") as writer:
        for group in row_groups(rows.batches(), schema, ROW_GROUP):
            writer.write_table(group, row_group_size=ROW_GROUP)
            count += group.num_rows
    return count


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
    text = value if isinstance(value, str) else as_json(value)
    return "'" + text if text.startswith(_FORMULA) else text


def _json_lines(rows: Rows, stream: IO[bytes]) -> int:
    count = 0
    for row in rows.dicts():
        stream.write(json.dumps(row, ensure_ascii=False, default=str).encode("utf-8", "replace") + b"\n")
        count += 1
    return count


_WRITERS: dict[str, Writer] = {
    ".parquet": _streamed(_parquet), ".csv": _streamed(_csv),
    ".jsonl": _streamed(_json_lines), ".ndjson": _streamed(_json_lines),
    ".sqlite": _by_library(database_files.sqlite), ".db": _by_library(database_files.sqlite),
    ".duckdb": _by_library(database_files.duckdb),
}  # fmt: skip
