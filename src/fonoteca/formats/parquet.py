"""Parquet tables as this project publishes them: same rows, same bytes; and a reader with limits.

Every table that leaves the archive is sorted by its look-up key, cut into row groups that a reader can fetch
by byte range, and says in its schema metadata which source and licence each column comes from. Normative text:
docs/formats/packs-parquet.md, section "How tables are written".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from fonoteca.core import canonical, durable
from fonoteca.core.errors import Damaged

FORMAT = 1
"""The number under the key ``fonoteca.format`` of the schema metadata."""
ROW_GROUP = 65_536
"""Rows in a row group: a look-up by key then reads a few hundred kB of one column."""
_COMPRESSION_LEVEL = 6


@dataclass(frozen=True)
class ColumnNote:
    """Where a column's values come from: names of sources and licence ids, each sorted, without repeats."""

    sources: tuple[str, ...]
    licences: tuple[str, ...]


@dataclass(frozen=True)
class Limits:
    """The most that a reader accepts of a file that a stranger wrote."""

    file_bytes: int = 64 << 30
    rows: int = 1 << 31
    columns: int = 256
    memory_bytes: int = 8 << 30
    """Uncompressed bytes of the columns that are read."""


DEFAULT = Limits()


def note(sources: Sequence[str], licences: Sequence[str]) -> ColumnNote:
    """A note with its names in order."""
    return ColumnNote(tuple(sorted(set(sources))), tuple(sorted(set(licences))))


def sort(table: pa.Table, keys: Sequence[str]) -> pa.Table:
    """Rows by the look-up key, then by all other plain columns, so that equal keys have one order too."""
    plain = [f.name for f in table.schema if f.name not in keys and not pa.types.is_nested(f.type)]
    return table.sort_by([(name, "ascending") for name in [*keys, *plain]])


def write_table(
    path: Path,
    table: pa.Table,
    *,
    sort_by: Sequence[str],
    notes: Mapping[str, ColumnNote] | None = None,
    row_group: int = ROW_GROUP,
) -> None:
    """Write a table whose bytes depend on nothing but its rows, its schema and the library's version.

    Args:
        path: the file; it appears when it is whole.
        table: rows in any order.
        sort_by: the look-up key, by which rows are sorted.
        notes: column → sources and licences.
        row_group: rows in a row group.

    Raises:
        NoSpace, Failed: as :func:`fonoteca.core.durable.written_by`.
    """
    described = sort(table, sort_by).combine_chunks().replace_schema_metadata(_metadata(sort_by, notes or {}))

    def produce(temp: Path) -> None:
        pq.write_table(
            described, temp, row_group_size=row_group, version="2.6", compression="zstd",
            compression_level=_COMPRESSION_LEVEL, use_dictionary=True, write_statistics=True, data_page_version="1.0",
            write_page_index=True,
            sorting_columns=[pq.SortingColumn(described.schema.get_field_index(name)) for name in sort_by],
        )  # fmt: skip

    durable.written_by(path, produce)


def _metadata(sort_by: Sequence[str], notes: Mapping[str, ColumnNote]) -> dict[bytes, bytes]:
    columns = {name: {"sources": list(n.sources), "licences": list(n.licences)} for name, n in notes.items()}
    return {
        b"fonoteca.format": str(FORMAT).encode(),
        b"fonoteca.sorted_by": canonical.encode(list(sort_by)).strip(),
        b"fonoteca.columns": canonical.encode(columns).strip(),
    }


def read_table(
    path: Path,
    columns: Sequence[str] | None = None,
    *,
    schema: pa.Schema | None = None,
    limits: Limits = DEFAULT,
) -> pa.Table:
    """Read a table that somebody else may have written.

    Args:
        path: the file.
        columns: only these; None for all.
        schema: the columns and types that must be there; further ones are left out, so that a newer writer may
            add columns. The result has exactly this schema (or its part named by ``columns``).
        limits: what is refused.

    Raises:
        Damaged: ``bad-table``: no Parquet, beyond the limits, or not the columns that were promised.
        FileNotFoundError: no such file.
    """
    wanted = list(columns) if columns is not None else (schema.names if schema is not None else None)
    if path.stat().st_size > limits.file_bytes:
        raise _bad(path, f"it has {path.stat().st_size} bytes, more than the {limits.file_bytes} that are accepted")
    try:
        with pq.ParquetFile(path) as file:
            _check_shape(path, file.metadata, wanted, limits)
            table = file.read(columns=wanted, use_threads=False)
    except (pa.ArrowException, OSError, KeyError) as error:
        raise _bad(path, str(error).split("\n", maxsplit=1)[0]) from error
    return table if schema is None else _fit(path, table, schema, wanted or schema.names)


def column_notes(path: Path) -> dict[str, ColumnNote]:
    """Sources and licences of each column, as the file's metadata says. Raises Damaged ``bad-table``."""
    try:
        metadata = pq.read_schema(path).metadata or {}
        told: dict[str, Any] = canonical.decode(metadata.get(b"fonoteca.columns", b"{}"))
        return {name: note(value["sources"], value["licences"]) for name, value in told.items()}
    except (pa.ArrowException, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _bad(path, f"its metadata cannot be read ({error})") from error


def _check_shape(path: Path, metadata: Any, wanted: Sequence[str] | None, limits: Limits) -> None:
    if metadata.num_rows > limits.rows or metadata.num_columns > limits.columns:
        raise _bad(path, f"it has {metadata.num_rows} rows and {metadata.num_columns} columns, more than is accepted")
    memory = 0
    for group in range(metadata.num_row_groups):
        part = metadata.row_group(group)
        for index in range(part.num_columns):
            column = part.column(index)
            if wanted is None or column.path_in_schema.partition(".")[0] in wanted:
                memory += max(column.total_uncompressed_size, 0)
    if memory > limits.memory_bytes:
        raise _bad(path, f"it unfolds to {memory} bytes, more than the {limits.memory_bytes} that are accepted")


def _fit(path: Path, table: pa.Table, schema: pa.Schema, wanted: Sequence[str]) -> pa.Table:
    missing = [name for name in wanted if name not in table.column_names]
    if missing:
        raise _bad(path, f"it has no column {missing[0]!r}")
    part = pa.schema([schema.field(name) for name in wanted])
    for field in part:
        if table.schema.field(field.name).type != field.type:
            raise _bad(path, f"column {field.name!r} is {table.schema.field(field.name).type}, not {field.type}")
    return table.select(list(wanted)).replace_schema_metadata(None).cast(part)


def _bad(path: Path, why: str) -> Damaged:
    return Damaged("bad-table", "A table could not be read", f"{path.name}: {why}",
                   "fetch or build this file again; 'fonoteca verify' lists all damage", str(path))  # fmt: skip
