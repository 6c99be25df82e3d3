"""From spooled rows to a partition's fact files: ids settled, artists completed, rows sorted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from fonoteca.catalogue import collisions, files
from fonoteca.catalogue.collisions import Key, MakeId
from fonoteca.catalogue.engine import parquet, stream, text
from fonoteca.catalogue.files import FileRef
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.tables import ENTITIES, FACTS, Partition
from fonoteca.core.ids import Kind

if TYPE_CHECKING:
    import duckdb

_SETTLED = pa.schema([("kind", pa.string()), ("key", pa.string()), ("id", pa.int64())])


class Spooled(Protocol):
    """A dump that was read: by one :class:`~fonoteca.catalogue.spool.Spool`, or by several."""

    @property
    def quarantine(self) -> Path:
        """The refused records."""
        ...

    def paths(self, table: str) -> Sequence[Path]:
        """Where a table's rows are."""
        ...

    def counts(self) -> dict[str, int]:
        """Rows by what became of them."""
        ...


def finish(
    connection: duckdb.DuckDBPyConnection, places: Places, spool: Spooled, partition: Partition, make: MakeId
) -> tuple[dict[str, list[FileRef]], list[tuple[str, str, int]]]:
    """Write a partition's fact files.

    Returns:
        table → files, and the (kind, key, id) that collisions inside the partition touched.
    """
    for table in FACTS:
        connection.execute(f"CREATE VIEW raw_{table} AS SELECT * FROM {parquet(spool.paths(table))}")
    connection.execute(f"CREATE VIEW all_artist AS {_ALL_ARTISTS}")
    settled = [row for kind in Kind for row in _settle(connection, partition.source, kind, make)]
    columns = [list(c) for c in zip(*settled, strict=True)] or [[], [], []]
    connection.register("settled", pa.table(columns, schema=_SETTLED))
    written = {}
    for table in FACTS:
        query = _rows(table, partition, collided=bool(settled))
        written[table] = [files.write(places, f"{table}.parquet", stream(connection, query), FACTS[table])]
    return written, settled


_ALL_ARTISTS = """
    SELECT id, key, name, sort_name, position FROM raw_artist
    UNION ALL
    SELECT artist_id, artist_key, first(name ORDER BY length(position), position, ordinal, name), NULL,
        first(position ORDER BY length(position), position)
    FROM raw_credit
    WHERE NOT EXISTS (SELECT 1 FROM raw_artist a WHERE a.key = artist_key)
    GROUP BY artist_id, artist_key"""
"""A name in a credit makes an artist, where the source has no record of its own for it."""


def _entity(kind: Kind) -> str:
    return "all_artist" if kind is Kind.ARTIST else f"raw_{kind.word}"


def _settle(connection: duckdb.DuckDBPyConnection, source: str, kind: Kind, make: MakeId) -> list[tuple[str, str, int]]:
    """The keys of one kind that collisions touch, and their ids."""
    found = connection.execute(
        f"SELECT DISTINCT key FROM {_entity(kind)} WHERE id IN "
        f"(SELECT id FROM {_entity(kind)} GROUP BY id HAVING min(key) <> max(key))"
    ).fetchall()

    def owners(ids: set[int]) -> Iterable[Key]:
        listed = ", ".join(map(str, ids))
        rows = connection.execute(f"SELECT DISTINCT key FROM {_entity(kind)} WHERE id IN ({listed})").fetchall()
        return [(source, key) for (key,) in rows]

    given = collisions.resolve(kind, [(source, key) for (key,) in found], owners, make)
    return sorted((kind.word, key, value) for (_, key), value in given.items())


def _rows(table: str, partition: Partition, *, collided: bool) -> str:
    """The query for a fact table's rows: every column in the order of sorting, so that equal keys have one order."""
    ids = dict(_IDS[table]) if collided else {}
    constant = vars(partition)
    columns = []
    for name in FACTS[table].names:
        if name in constant:
            columns.append(f"{text(constant[name])} AS {name}")
        elif name in ids:
            kind, key = ids[name]
            own = " AND t.of_source IS NULL" if table in {"signal", "claim"} else ""
            columns.append(f"coalesce((SELECT s.id FROM settled s WHERE s.kind = {kind} AND s.key = t.{key}{own}), "
                           f"t.{name}) AS {name}")  # fmt: skip
        else:
            columns.append(f"t.{name}")
    origin = "all_artist" if table == "artist" else f"raw_{table}"
    order = ", ".join(f'"{name}"' for name in _order(table))
    return f"SELECT DISTINCT {', '.join(columns)} FROM {origin} t ORDER BY {order}"


def _order(table: str) -> list[str]:
    first = [name for name, _ in _IDS[table]] if table != "identifier" else ["scheme", "value", "entity_id"]
    return [*first, *[name for name in FACTS[table].names if name not in first]]


_IDS: dict[str, list[tuple[str, tuple[str, str]]]] = {
    **{table: [("id", (text(table), "key"))] for table in ENTITIES},
    "track": [("release_id", ("'release'", "release_key")), ("recording_id", ("'recording'", "recording_key"))],
    "credit": [("entity_id", ("t.kind", "entity_key")), ("artist_id", ("'artist'", "artist_key"))],
    "identifier": [("entity_id", ("t.kind", "entity_key"))],
    "genre": [("entity_id", ("t.kind", "entity_key"))],
    "signal": [("recording_id", ("'recording'", "entity_key"))],
    "claim": [("entity_id", ("t.kind", "entity_key"))],
}
"""Table → its id columns → (kind, key column); also the order of its rows."""
