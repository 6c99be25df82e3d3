"""Files that the engine writes itself: large tables, on all of its threads, the same bytes for the same rows."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from fonoteca.catalogue.engine import parquet, text
from fonoteca.catalogue.files import FileRef
from fonoteca.catalogue.places import Places
from fonoteca.core import durable

if TYPE_CHECKING:
    import duckdb

FORM = "FORMAT parquet, PARQUET_VERSION V2, COMPRESSION zstd, PRESERVE_ORDER true"
"""Version 2 has pages of differences: a sorted id takes 5 bytes instead of 8."""
GROUP = 65_536
"""Rows of a row group of flat tables."""


def write(connection: duckdb.DuckDBPyConnection, path: Path, query: str, group: int = GROUP) -> int:
    """Write the rows of a query, in their order; returns their number. The file appears when it is whole."""

    def copy(temp: Path) -> None:
        to = text(str(temp))
        connection.execute(f"COPY ({query}) TO {to} ({FORM}, ROW_GROUP_SIZE {group})").fetchall()

    durable.written_by(path, copy)
    return int(connection.execute(f"SELECT count(*) FROM {parquet([path])}").fetchall()[0][0])


def keep(places: Places, path: Path, rows: int) -> FileRef:
    """Take a written file into the catalogue, named by its digest."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    ref = FileRef(digest, path.stat().st_size, rows)
    durable.rename(path, places.path(ref))
    return ref


def table(
    connection: duckdb.DuckDBPyConnection, places: Places, name: str, query: str, group: int = GROUP
) -> FileRef:  # fmt: skip
    """Write a flat table into the catalogue."""
    path = places.spool / f"{name}.parquet"
    return keep(places, path, write(connection, path, query, group))
