"""The key files of a partition: of its wide tables and of the flat tables that stand beside the merged ones.

A wide table's keys are joined from those of its chunks, a flat table's are made piece by piece of its files, so memory
does not grow with either (docs/formats/keys.md).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fonoteca.catalogue import keys
from fonoteca.catalogue.engine import parquet, text
from fonoteca.catalogue.files import FileRef
from fonoteca.catalogue.generation import KeyFiles, PartitionEntry, WideFile
from fonoteca.catalogue.places import Places
from fonoteca.core import durable

if TYPE_CHECKING:
    import duckdb

MOST = keys.CHUNKS << keys.ROW_BITS
"""Rows of a flat file that keys can name."""
ABOUT = {"signal": "recording_id", "claim": "entity_id", "genre": "entity_id", "identifier": "entity_id"}
"""Flat table → the column that says what a row is about."""


def with_keys(connection: duckdb.DuckDBPyConnection, places: Places, part: PartitionEntry) -> PartitionEntry:
    """The partition with its key files, instead of those of its chunks."""
    found = {table: _wide(connection, places, table, chunks) for table, chunks in part.wide.items() if chunks}
    for table in part.direct:
        if all(ref.rows <= MOST for ref in part.tables[table]):
            found[table] = _flat(connection, places, table, part.tables[table])
    bare = {table: [replace(chunk, keys=()) for chunk in chunks] for table, chunks in part.wide.items()}
    return replace(part, wide=bare, keys=found)


def _wide(
    connection: duckdb.DuckDBPyConnection, places: Places, table: str, chunks: list[WideFile]
) -> KeyFiles:  # fmt: skip
    ids, names = ([places.path(chunk.keys[which]) for chunk in chunks] for which in (0, 1))
    scan = parquet(places.paths(chunk.rows for chunk in chunks))
    rows = connection.execute(f"SELECT DISTINCT key_scheme FROM {scan} WHERE key_scheme IS NOT NULL").fetchall()
    return KeyFiles(
        keys.join(places, f"{table}-ids", ids), keys.join(places, f"{table}-names", names),
        tuple(sorted(scheme for (scheme,) in rows)),
    )  # fmt: skip


def _flat(connection: duckdb.DuckDBPyConnection, places: Places, table: str, refs: list[FileRef]) -> KeyFiles:
    ids = tuple(_file(connection, places, ref, ABOUT[table]) for ref in refs)
    named = keys.name_hash_sql("scheme", "value")
    names = tuple(_file(connection, places, ref, named) for ref in refs) if table == "identifier" else ()
    return KeyFiles(ids, names)


def _file(connection: duckdb.DuckDBPyConnection, places: Places, ref: FileRef, hashed: str) -> FileRef:
    """Keys of one flat file."""
    scan = f"read_parquet({text(str(places.path(ref)))}, file_row_number = true)"
    pieces: list[Path] = []
    for first in range(0, ref.rows, keys.ROWS + 1):
        found = connection.execute(
            f"SELECT {hashed} AS h, file_row_number - {first} AS row FROM {scan} "
            f"WHERE file_row_number BETWEEN {first} AND {first + keys.ROWS}"
        ).fetchnumpy()
        pieces.append(places.spool / f"piece-{len(pieces)}.keys")
        durable.write_bytes(pieces[-1], keys.packed(found["h"], found["row"]).tobytes())
    [joined] = keys.join(places, "flat", pieces)
    for piece in pieces:
        durable.remove(piece)
    return joined
