"""The merged tables of a generation as views: merged files, direct tables, and the wide rows that are nobody else's."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from fonoteca.catalogue import operations, own, popularity, tombstones, views, wide
from fonoteca.catalogue.engine import parquet
from fonoteca.catalogue.generation import Generation
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.tables import MERGED, POPULARITY
from fonoteca.catalogue.wide import shown

if TYPE_CHECKING:
    import duckdb

HEARD = operations.heard("recordings", "popularity")
"""The view ``heard`` over tables that are all whole, as in an edition."""
_ROW = "source, dump, position"
_DIRECT = {
    "signals": ("signal", f"recording_id, kind, value, licence, synthetic, {_ROW}"),
    "claims": ("claim", f"kind, {shown('kind', 'entity_id')} AS subject, licence, url, evidence, {_ROW}"),
    "identifiers": ("identifier", f"scheme, value, entity_id, kind, {_ROW}"),
    "genres": ("genre", f"entity_id, kind, genre, {_ROW}"),
}
"""Merged table → the fact table that may stand beside it as it is, and its columns."""
DIRECT = tuple(fact for fact, _ in _DIRECT.values())


def name_tables(
    connection: duckdb.DuckDBPyConnection, places: Places, generation: Generation, only: Collection[str] | None = None
) -> None:
    """Make the views ``recordings`` … ``claims``, or ``only`` some of them; and ``popularity`` and ``heard``."""
    hidden = wide.name_overlaps(connection, places, generation)
    given = wide.without_overlaps(wide.scans(places, generation), hidden)
    for table, schema in MERGED.items():
        if only is not None and table not in only and not generation.is_flat:
            continue
        queries = _queries(places, generation, given, table)
        queries += filter(None, [own.rows(places, generation, table, hidden)])
        listed = ", ".join(schema.names)
        rows = " UNION ALL ".join(f"SELECT {listed} FROM ({query})" for query in queries)
        _name(connection, table, rows, schema)
    _name(connection, "tombstones", tombstones.view(places, generation), tombstones.TOMBSTONES)
    if generation.popularity:
        for name, query in popularity.views(places, generation).items():
            connection.execute(f"CREATE VIEW {name} AS {query}")
    else:
        views.name_table(connection, "popularity", POPULARITY.empty_table())
        connection.execute(f"CREATE VIEW heard AS {HEARD}")


def _queries(places: Places, generation: Generation, given: wide.Given, table: str) -> list[str]:
    paths = places.paths(f for f in generation.merged.get(table, []) if f.rows or generation.is_flat)
    queries = [f"FROM {parquet(paths)}"] if paths else []
    if table in _DIRECT:
        fact, columns = _DIRECT[table]
        paths = places.paths(generation.direct(fact))
        queries += [f"SELECT {columns} FROM {parquet(paths)}"] if paths else []
    return queries + wide.merged(given, table)


def _name(connection: duckdb.DuckDBPyConnection, table: str, rows: str, schema: object) -> None:
    if rows:
        connection.execute(f"CREATE VIEW {table} AS {rows}")
    else:
        views.name_table(connection, table, schema.empty_table())  # type: ignore[attr-defined]
