"""The fact tables of a generation as views, with the ids that hold across all partitions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from fonoteca.catalogue import collisions, wide
from fonoteca.catalogue.collisions import Key, MakeId
from fonoteca.catalogue.engine import parquet
from fonoteca.catalogue.files import FileRef
from fonoteca.catalogue.generation import Generation, PartitionEntry, Remap
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.tables import ENTITIES, FACTS
from fonoteca.core.ids import Kind

if TYPE_CHECKING:
    import duckdb

_REMAP = pa.schema([
    ("kind", pa.string()), ("source", pa.string()), ("dataset", pa.string()), ("key", pa.string()),
    ("was", pa.int64()), ("now", pa.int64()),
])  # fmt: skip
_ID_COLUMNS = {
    **{table: {"id": f"'{table}'"} for table in ENTITIES},
    "track": {"release_id": "'release'", "recording_id": "'recording'"},
    "credit": {"entity_id": "t.kind", "artist_id": "'artist'"},
    "identifier": {"entity_id": "t.kind"},
    "genre": {"entity_id": "t.kind"},
    "signal": {"recording_id": "'recording'"},
    "claim": {"entity_id": "t.kind"},
}


def name_facts(
    connection: duckdb.DuckDBPyConnection, places: Places, generation: Generation, remaps: Sequence[Remap] = ()
) -> None:
    """Make a view ``facts_<table>`` for each fact table: flat and wide rows alike."""
    flat = {table: generation.facts(table) for table in FACTS}
    _name(connection, places, flat, wide.scans(places, generation), remaps)


def name_facts_to_merge(
    connection: duckdb.DuckDBPyConnection, places: Places, generation: Generation, remaps: Sequence[Remap] = (),
    *, whole: bool,
) -> None:  # fmt: skip
    """The same views, but of what the merged tables are made from: no direct tables, and only the rows of ids that
    somebody else describes too (views ``overlap_<kind>``).

    Args:
        whole: all flat rows, whoever else describes them: where partitions have no merged tables of their own.
    """
    kinds = wide.name_overlaps(connection, places, generation)
    flat = {table: generation.to_merge(table) for table in FACTS}
    given = wide.only_overlaps(wide.scans(places, generation), kinds)
    _name(connection, places, flat, given, remaps, None if whole else kinds)


def name_flat_facts(connection: duckdb.DuckDBPyConnection, places: Places, part: PartitionEntry) -> None:
    """The same views, of one partition's flat rows that merged tables are made from."""
    _name(connection, places, {table: part.to_merge(table) for table in FACTS}, {}, ())


def _shared(table: str, scan: str, kinds: Collection[str]) -> list[str]:
    """Queries of the rows about ids that several partitions describe. Signals and claims just stand together."""
    column, may_overlap = wide.HIDDEN.get(table, ("", ()))
    found = []
    for kind in filter(kinds.__contains__, may_overlap):
        rows = f"(FROM {scan} WHERE kind = '{kind}')" if column == "entity_id" else scan
        found.append(f"FROM {rows} w SEMI JOIN overlap_{kind} o ON w.{column} = o.id")
    return found


def _name(
    connection: duckdb.DuckDBPyConnection, places: Places, flat: Mapping[str, Sequence[FileRef]],
    given: wide.Given, remaps: Sequence[Remap], kinds: Collection[str] | None = None,
) -> None:  # fmt: skip
    """``kinds``: only the flat rows of their ids that overlap; None: all."""
    name_table(connection, "remap", _remap_table(remaps))
    for table, schema in FACTS.items():
        paths = places.paths(flat[table])
        scan = parquet(paths)
        every = [f"FROM {scan}"] if kinds is None else _shared(table, scan, kinds)
        queries = every if paths else []
        queries += [f"FROM ({query})" for query in wide.facts(given, table)]
        if not queries:
            name_table(connection, f"facts_{table}", schema.empty_table())
            continue
        listed = ", ".join(schema.names)
        rows = " UNION ALL ".join(f"SELECT {listed} FROM ({query})" for query in queries)
        forget(connection, f"facts_{table}")
        rows = _remapped(table, f"({rows})") if remaps else rows
        connection.execute(f"CREATE VIEW facts_{table} AS {rows}")


def name_table(connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    """A small table from values: it lives in the database, so that every cursor sees it."""
    connection.register("given_values", table)
    forget(connection, name)
    connection.execute(f'CREATE TABLE "{name}" AS SELECT * FROM given_values')
    connection.unregister("given_values")


def forget(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Let a name go, be it a table's or a view's: the engine replaces neither by the other."""
    found = connection.execute("SELECT table_type FROM information_schema.tables WHERE table_name = ?", [name])
    for (kind,) in found.fetchall():
        connection.execute(f'DROP {"VIEW" if kind == "VIEW" else "TABLE"} "{name}"')


def _remap_table(remaps: Sequence[Remap]) -> pa.Table:
    return pa.Table.from_pylist([r.as_json() for r in remaps], schema=_REMAP)


def _remapped(table: str, scan: str) -> str:
    columns = []
    for name in FACTS[table].names:
        kind = _ID_COLUMNS[table].get(name)
        columns.append(f"t.{name}" if kind is None else f"coalesce({_now(table, name, kind)}, t.{name}) AS {name}")
    return f"SELECT {', '.join(columns)} FROM {scan} t"


def _now(table: str, column: str, kind: str) -> str:
    own = f"r.source = t.source AND r.dataset = t.dataset AND r.was = t.{column}"
    if table in {"signal", "claim"}:
        own = (f"CASE WHEN t.of_source IS NULL THEN {own} "
               f"ELSE r.source = t.of_source AND r.key = t.of_key END")  # fmt: skip
    return f"(SELECT max(r.now) FROM remap r WHERE r.kind = {kind} AND {own})"


def find_remaps(
    connection: duckdb.DuckDBPyConnection, places: Places, generation: Generation, make: MakeId
) -> tuple[Remap, ...]:
    """The ids that collisions between partitions change. Nearly always none: 63 bits are many."""
    name_facts_to_merge(connection, places, generation, whole=False)
    settled = {(kind, p.source, key) for p in generation.partitions for kind, key, _ in p.collisions}
    if not settled and not any(_across(connection, kind) for kind in Kind):
        return ()
    # Who else may own an id is asked of all keys.
    name_facts_to_merge(connection, places, generation, whole=True)
    found: list[Remap] = []
    for kind in Kind:
        local = {(source, key) for word, source, key in settled if word == kind.word}
        given = _resolve(connection, kind, local, make)
        found += [r for p in generation.partitions for r in _changes(connection, kind, p, given, make)]
    return tuple(sorted(found, key=lambda r: (r.kind, r.source, r.dataset, r.key)))


def _across(connection: duckdb.DuckDBPyConnection, kind: Kind) -> list[Key]:
    """The keys that share an id with another one."""
    entities = f"facts_{kind.word}"
    found = connection.execute(
        f"SELECT DISTINCT source, key FROM {entities} WHERE id IN (SELECT id FROM {entities} GROUP BY id "
        f"HAVING min(source || chr(0) || key) <> max(source || chr(0) || key))"
    ).fetchall()
    return [(source, key) for source, key in found]


def _resolve(connection: duckdb.DuckDBPyConnection, kind: Kind, local: set[Key], make: MakeId) -> dict[Key, int]:
    entities = f"facts_{kind.word}"

    def owners(ids: set[int]) -> Iterable[Key]:
        listed = ", ".join(map(str, ids))
        query = f"SELECT DISTINCT source, key FROM {entities} WHERE id IN ({listed})"
        return [(source, key) for source, key in connection.execute(query).fetchall()]

    return collisions.resolve(kind, {*local, *_across(connection, kind)}, owners, make)


def _changes(
    connection: duckdb.DuckDBPyConnection, kind: Kind, part: PartitionEntry, given: dict[Key, int], make: MakeId
) -> list[Remap]:
    """Keys whose id is not the one of their partition's facts, or not the one that other sources' references have."""
    keys = [key for source, key in given if source == part.source]
    if not keys:
        return []
    rows = connection.execute(
        f"SELECT DISTINCT key, id FROM facts_{kind.word} WHERE source = ? AND dataset = ? AND list_contains(?, key)",
        [part.source, part.dataset, keys],
    ).fetchall()
    return [
        Remap(kind.word, part.source, part.dataset, key, was, given[part.source, key])
        for key, was in rows
        if {was, make(kind, part.source, key, 0)} != {given[part.source, key]}
    ]  # fmt: skip
