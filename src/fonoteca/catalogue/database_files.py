"""Rows as a database file: one table ``rows`` in SQLite or DuckDB (docs/formats/snapshot.md, section "Exports").

Both libraries write a path, and both are made to write one file and nothing beside it that would matter: the file
gets its name when it is whole, so there is nothing that a journal could bring back.
"""

from __future__ import annotations

import contextlib
import errno
import json
import sqlite3
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from fonoteca.catalogue.engine import Engine, connect, text
from fonoteca.catalogue.files import row_groups
from fonoteca.catalogue.rows import Rows
from fonoteca.core import durable
from fonoteca.core.errors import Usage

TABLE = "rows"
GROUP = 122_880
"""Rows written at once: a row group of DuckDB."""
_MEMORY = 256 << 20
_LARGEST = 1 << 63
_FULL = ("no space left", "disk quota", "file too large")


def sqlite(rows: Rows, path: Path) -> int:
    """Write a SQLite database; returns the number of rows. Lists and structures are JSON.

    Raises:
        OSError: of the disk.
        Usage: ``sql-wrong``: more columns than SQLite has.
    """
    durable.remove(path)
    columns = ", ".join(
        f"{_quoted(name)} {_affinity(field.type)}".rstrip()
        for name, field in zip(_distinct(rows.columns), rows.schema, strict=True)
    )
    places = ", ".join("?" for _ in rows.columns)
    count = 0
    with _sqlite_errors(rows), contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        # No journal: a file that is not whole never gets its name.
        for pragma in ("page_size = 8192", "journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE"):
            database.execute(f"PRAGMA {pragma}")
        database.execute("BEGIN")
        database.execute(f"CREATE TABLE {TABLE} ({columns})")
        for batch in rows.batches():
            database.executemany(f"INSERT INTO {TABLE} VALUES ({places})", _sqlite_rows(batch))
            count += batch.num_rows
        database.execute("COMMIT")
    return count


def duckdb(rows: Rows, path: Path) -> int:
    """Write a DuckDB database that DuckDB 1.2 and later read; returns the number of rows.

    Raises:
        OSError: of the disk.
    """
    durable.remove(path)
    log = path.with_name(path.name + ".wal")
    durable.remove(log)
    names = _distinct(rows.columns)
    schema = pa.schema([pa.field(n, storable(f.type)) for n, f in zip(names, rows.schema, strict=True)])
    try:
        return _duckdb(rows, path, schema)
    finally:
        durable.remove(log)


def _duckdb(rows: Rows, path: Path, schema: pa.Schema) -> int:
    count = 0
    renamed = (batch.rename_columns(schema.names) for batch in rows.batches())
    with _duckdb_errors(), connect(Engine(memory=_MEMORY)) as database:
        database.execute(f"ATTACH {text(str(path))} AS out (STORAGE_VERSION 'v1.2.0')")
        database.register("part", schema.empty_table())
        database.execute(f"CREATE TABLE out.{TABLE} AS SELECT * FROM part")
        for group in row_groups(renamed, schema, GROUP):
            database.register("part", group)
            database.execute(f"INSERT INTO out.{TABLE} SELECT * FROM part")
            count += group.num_rows
        database.unregister("part")
        database.execute("DETACH out")
    return count


def storable(kind: pa.DataType) -> pa.DataType:
    """A bare NULL has a type that other readers do not know."""
    return pa.string() if pa.types.is_null(kind) else kind


def as_json(value: Any) -> str:
    """A list or structure as JSON, everything else as text."""
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, list | dict) else str(value)


def _distinct(names: Sequence[str]) -> list[str]:
    """Column names that differ in more than their case: a query may give one twice, a table may not."""
    given: list[str] = []
    taken = {name.lower() for name in names}
    seen: set[str] = set()
    for name in names:
        free, number = name, 1
        while free.lower() in seen or (free != name and free.lower() in taken):
            number += 1
            free = f"{name}_{number}"
        seen.add(free.lower())
        given.append(free)
    return given


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _affinity(kind: pa.DataType) -> str:
    """The declared type; none where a value may be larger than SQLite's integers: then it is kept as text."""
    if pa.types.is_boolean(kind) or (pa.types.is_integer(kind) and not pa.types.is_uint64(kind)):
        return "INTEGER"
    if pa.types.is_floating(kind):
        return "REAL"
    if pa.types.is_decimal(kind) or pa.types.is_uint64(kind):
        return ""
    return "BLOB" if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) else "TEXT"


def _sqlite_rows(batch: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    columns = []
    for column in batch.columns:
        values = column.to_pylist()
        columns.append(values if _plain(column.type) else [_sqlite_value(v) for v in values])
    return zip(*columns, strict=True)


def _plain(kind: pa.DataType) -> bool:
    """Types whose Python values SQLite takes as they are."""
    small = pa.types.is_integer(kind) and not pa.types.is_uint64(kind)
    return bool(small or pa.types.is_floating(kind) or pa.types.is_string(kind) or pa.types.is_binary(kind))


def _sqlite_value(value: Any) -> Any:
    if value is None or isinstance(value, str | bytes):
        return value
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)
    if isinstance(value, int):
        return int(value) if -_LARGEST <= value < _LARGEST else str(value)
    return as_json(value)


@contextlib.contextmanager
def _sqlite_errors(rows: Rows) -> Iterator[None]:
    """SQLite's errors as those of the operating system that they stand for."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        if name in {"SQLITE_ERROR", "SQLITE_TOOBIG"}:
            raise Usage("sql-wrong", "The rows do not fit into SQLite", str(error),
                        "choose fewer columns or shorter values, or write Parquet", ", ".join(rows.columns[:9]),
                        ) from error  # fmt: skip
        number = errno.ENOSPC if name == "SQLITE_FULL" else errno.EACCES if name == "SQLITE_READONLY" else errno.EIO
        raise OSError(number, str(error)) from error


@contextlib.contextmanager
def _duckdb_errors() -> Iterator[None]:
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise OSError(errno.ENOMEM, "the rows are too long for the memory that writing may take") from error
    except duckdb.IOException as error:
        told = str(error).strip().split("\n", maxsplit=1)[0]
        full = any(words in told.lower() for words in _FULL)
        raise OSError(errno.ENOSPC if full else errno.EIO, told) from error
