"""The catalogue's engine: DuckDB over Parquet, in memory, with the operator's limits on memory and threads."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from fonoteca.core.settings import Settings
from fonoteca.sources.bulk import literal

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Engine:
    """Limits of one run: bytes of memory and number of threads. Neither changes a result."""

    memory: int = 2 << 30
    threads: int = 2

    @classmethod
    def of(cls, settings: Settings) -> Engine:
        """From ``catalogue.memory`` and ``catalogue.threads``."""
        return cls(settings.number("catalogue.memory"), max(1, settings.number("catalogue.threads")))


DEFAULT = Engine()
_REST = 8
"""One part in so many of the memory is for Python, for keys that are sorted, and for what the engine does not count."""
_ENTITY_ID = """
    CREATE MACRO entity_id(kind, source, key) AS
    (('0x' || left(sha256(kind || chr(0) || source || chr(0) || key), 16))::UBIGINT >> 1)::BIGINT"""
"""core.ids.make_id with counter 0, as SQL."""


@contextlib.contextmanager
def connect(engine: Engine, spill: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty in-memory database. ``spill`` is the folder for what does not fit; None: nothing is spilled."""
    import duckdb

    config: dict[str, Any] = {
        "memory_limit": f"{max(engine.memory - engine.memory // _REST, 64 << 20) // (1 << 20)}MiB",
        "threads": engine.threads,
        "temp_directory": str(spill) if spill else "",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "python_enable_replacements": "false",
    }
    connection = duckdb.connect(":memory:", config=config)
    try:
        # Times without zone and text in code point order, whatever the machine's zone and language are.
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_progress_bar = false")
        connection.execute(_ENTITY_ID)
        yield connection
    finally:
        connection.close()


@contextlib.contextmanager
def footers_kept(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """While views are named, a file's footer is read once and not for each of them: at 256 million rows 0.5 s, not 8.

    Only then: the footers of all files together would take a gigabyte.
    """
    connection.execute("SET parquet_metadata_cache = true")
    try:
        yield
    finally:
        connection.execute("SET parquet_metadata_cache = false")


def stream(connection: duckdb.DuckDBPyConnection, query: str) -> pa.RecordBatchReader:
    """The rows of a query as a stream; read it to its end before the next query."""
    return pa.RecordBatchReader.from_stream(connection.sql(query))


text = literal
"""A SQL literal of a text."""


def parquet(paths: Sequence[Path]) -> str:
    """The SQL of a scan of Parquet files."""
    listed = ", ".join(text(str(p)) for p in paths)
    return f"read_parquet([{listed}])"
