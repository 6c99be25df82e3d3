"""Tombstones: what a source described in an earlier dump and describes no more (docs/formats/generation.md).

An id that was given out stays known: asked for it, the catalogue says which dump had it last, instead of nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from fonoteca.catalogue import files
from fonoteca.catalogue.engine import parquet, stream, text
from fonoteca.catalogue.files import FileRef
from fonoteca.catalogue.generation import Generation, PartitionEntry
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.tables import ENTITIES

if TYPE_CHECKING:
    import duckdb

TOMBSTONES = pa.schema([
    ("kind", pa.string()), ("id", pa.int64()), ("key", pa.string()), ("source", pa.string()),
    ("dataset", pa.string()), ("dump", pa.string()),
])  # fmt: skip
"""``dump`` is the last one that had the entity."""


def find(
    connection: duckdb.DuckDBPyConnection, places: Places, before: PartitionEntry | None, now: PartitionEntry
) -> list[FileRef]:
    """Write the tombstones of a partition that replaces another; no file where there are none."""
    if before is None:
        return []
    gone = [_gone(places, before, now, kind) for kind in ENTITIES]
    if before.tombstones:
        listed = ", ".join(TOMBSTONES.names)
        gone += [_still(places, before, now, kind, listed) for kind in ENTITIES]
    query = " UNION ALL ".join(query for query in gone if query)
    if not query:
        return []
    rows = stream(connection, f"SELECT DISTINCT * FROM ({query}) ORDER BY kind, id")
    ref = files.write(places, "tombstones.parquet", rows, TOMBSTONES)
    return [ref] if ref.rows else []


def _rows(places: Places, part: PartitionEntry, kind: str) -> str:
    """The query of ids and keys of a partition's entities; empty where it has none."""
    refs = part.tables.get(kind, []) + [chunk.rows for chunk in part.wide.get(kind, [])]
    paths = places.paths(ref for ref in refs if ref.rows)
    return f"SELECT id, key::VARCHAR AS key FROM {parquet(paths)}" if paths else ""


def _gone(places: Places, before: PartitionEntry, now: PartitionEntry, kind: str) -> str:
    old, new = _rows(places, before, kind), _rows(places, now, kind)
    same = (before.tables.get(kind), before.wide.get(kind)) == (now.tables.get(kind), now.wide.get(kind))
    if not old or same:
        return ""
    alive = f" ANTI JOIN ({new}) n ON o.id = n.id" if new else ""
    named = {"source": before.source, "dataset": before.dataset, "dump": before.dump.id}
    constants = ", ".join(f"{text(value)} AS {name}" for name, value in named.items())
    return f"SELECT '{kind}' AS kind, o.id, o.key, {constants} FROM ({old}) o{alive}"


def _still(places: Places, before: PartitionEntry, now: PartitionEntry, kind: str, listed: str) -> str:
    """Tombstones that were there, of entities that have not come back."""
    new = _rows(places, now, kind)
    alive = f" ANTI JOIN ({new}) n ON o.id = n.id" if new else ""
    paths = parquet(places.paths(before.tombstones))
    return f"SELECT o.* FROM (SELECT {listed} FROM {paths} WHERE kind = '{kind}') o{alive}"


def view(places: Places, generation: Generation) -> str:
    """The query of the view ``tombstones``; empty where there are none."""
    paths = places.paths(ref for part in generation.partitions for ref in part.tombstones)
    return f"SELECT {', '.join(TOMBSTONES.names)} FROM {parquet(paths)}" if paths else ""
