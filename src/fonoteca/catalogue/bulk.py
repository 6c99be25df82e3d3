"""The bulk way of an ingest: a source's queries become wide files, chunk by chunk.

Each chunk that is finished is noted in the work folder with the digests of its files, so an interrupted ingest goes
on after it. The work folder belongs to one reading of one dump; it goes when the ingest is done.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fonoteca.catalogue import copying, keys
from fonoteca.catalogue.engine import parquet, text
from fonoteca.catalogue.files import FileRef, are_there
from fonoteca.catalogue.generation import WideFile
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.tables import FACTS, Partition
from fonoteca.catalogue.wide import ROW_GROUP, WIDE
from fonoteca.core import durable
from fonoteca.core.errors import Failed
from fonoteca.core.progress import Progress, Unit
from fonoteca.sources.bulk import CHUNK_ROWS, Bulk

if TYPE_CHECKING:
    import duckdb

ORDER = ("artist", "release", "recording")
_STAGED = "FORMAT parquet, PARQUET_VERSION V2, COMPRESSION lz4, DICTIONARY_SIZE_LIMIT 0"
"""Staged rows are written and read once or twice: nothing is looked up in dictionaries, which ids and texts never fill.
A quarter smaller and a sixth cheaper than version 1 with them (tables of MusicBrainz, measured)."""


@dataclass(frozen=True)
class Written:
    """What came of a dump: flat files, wide files, and counts."""

    tables: dict[str, list[FileRef]]
    wide: dict[str, list[WideFile]]
    counts: dict[str, int]


class Workbench:
    """The engine as a source sees it (:class:`fonoteca.sources.bulk.Sql`)."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, work: Path) -> None:
        self._connection = connection
        self._work = work
        self._kinds: dict[str, str] = {}

    @property
    def work(self) -> Path:
        """Outlives an interruption of this ingest."""
        return self._work

    def stage(self, name: str, query: str) -> None:
        """Write once, and name."""
        path = self._work / f"{name}.parquet"
        if not path.exists():
            durable.written_by(path, lambda temp: self._copy(query, temp))
        self._named(name, "VIEW", f"FROM {parquet([path])}")

    def _copy(self, query: str, path: Path) -> None:
        self._connection.execute(f"COPY ({query}) TO {text(str(path))} ({_STAGED})").fetchall()

    def view(self, name: str, query: str) -> None:
        """Name a query."""
        self._named(name, "VIEW", query)

    def table(self, name: str, query: str) -> None:
        """Keep rows in memory."""
        self._named(name, "TABLE", query)

    def _named(self, name: str, kind: str, query: str) -> None:
        if name in self._kinds:
            self._connection.execute(f'DROP {self._kinds[name]} IF EXISTS "{name}"')
        self._connection.execute(f'CREATE {kind} "{name}" AS {query}')
        self._kinds[name] = kind

    def drop(self, name: str) -> None:
        """Let go."""
        if name in self._kinds:
            self._connection.execute(f'DROP {self._kinds.pop(name)} IF EXISTS "{name}"')
        durable.remove(self._work / f"{name}.parquet")

    def value(self, query: str) -> Any:
        """The first value."""
        found = self._connection.execute(query).fetchall()
        return found[0][0] if found else None

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """A small result."""
        return self._connection.execute(query).fetchall()


def write(
    connection: duckdb.DuckDBPyConnection, places: Places, work: Path, bulk: Bulk, constant: Partition,
    progress: Progress,
) -> Written:  # fmt: skip
    """Read a dump into wide and flat files. ``work`` outlives an interruption of this very reading.

    Raises:
        NoSpace, Failed, Usage: nothing of the catalogue has changed; the same command again goes on.
    """
    durable.make_folder(work)
    sql = Workbench(connection, work)
    bulk.prepare(sql, progress)
    chunks = bulk.tables()
    progress.stage("writing", sum(chunks.values()), Unit.FILES)
    wide = {
        table: [_chunk(connection, places, work, bulk, constant, (table, n), progress) for n in range(chunks[table])]
        for table in ORDER if chunks.get(table)
    }  # fmt: skip
    flat = {}
    for table, query in bulk.flat().items():
        flat[table] = _flat(connection, places, constant, table, query)
    return Written(flat, {t: [c for c in found if c.rows.rows] for t, found in wide.items()}, dict(bulk.counts()))


def _chunk(
    connection: duckdb.DuckDBPyConnection, places: Places, work: Path, bulk: Bulk, constant: Partition,
    which: tuple[str, int], progress: Progress,
) -> WideFile:  # fmt: skip
    table, number = which
    note = work / f"done-{table}-{number:05d}.json"
    found = _noted(places, note)
    if found is None:
        query = _rows(connection, bulk, constant, which)
        found = _write_chunk(connection, places, f"{table}-{number:05d}", query, table)
        durable.write_bytes(note, json.dumps(found.as_json(), sort_keys=True).encode())
    progress.advance(1)
    return found


def _noted(places: Places, note: Path) -> WideFile | None:
    """The chunk that an interrupted run finished, where its files are still there, whole."""
    try:
        found = WideFile.from_json(json.loads(note.read_bytes()))
        return found if len(found.keys) == 2 and are_there(places, (found.rows, *found.keys)) else None
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _rows(connection: duckdb.DuckDBPyConnection, bulk: Bulk, constant: Partition, which: tuple[str, int]) -> str:
    """The chunk's query with every column of the wide table, in its order and type."""
    table, number = which
    query = bulk.rows(table, number)
    given = {name: kind for name, kind, *_ in connection.execute(f"DESCRIBE {query}").fetchall()}
    fixed = vars(constant)
    columns = []
    for name, kind in WIDE[table].items():
        if name in fixed:
            columns.append(f"{text(fixed[name])} AS {name}")
        elif name not in given:
            columns.append(f"NULL::{kind} AS {name}")
        elif given[name] == kind or (name == "key" and given[name] == "UUID"):
            columns.append(name)
        else:
            columns.append(f"{name}::{kind} AS {name}")
    return f"SELECT {', '.join(columns)} FROM ({query})"


def _write_chunk(
    connection: duckdb.DuckDBPyConnection, places: Places, name: str, query: str, table: str
) -> WideFile:  # fmt: skip
    path = places.spool / f"{name}.parquet"
    rows = copying.write(connection, path, query, ROW_GROUP)
    if rows > CHUNK_ROWS:
        raise Failed("bulk-chunk", "The dump could not be read", f"{name} has {rows} rows, more than {CHUNK_ROWS}",
                     "this is a fault of the source's reader: report it", name)  # fmt: skip
    ids, names = _keys(connection, path, table)
    schemes, empty = _schemes(connection, path), _empty(connection, path)
    ref = copying.keep(places, path, rows)
    kept = keys.write(places, f"{name}.ids", [ids]), keys.write(places, f"{name}.names", [names])
    return WideFile(ref, schemes, kept, empty)


def _keys(connection: duckdb.DuckDBPyConnection, path: Path, table: str) -> tuple[keys.Numbers, keys.Numbers]:
    """Keys of one wide file: by id; by identifier, and for recordings by release."""
    scan = f"read_parquet({text(str(path))}, file_row_number = true)"
    ids = _packed(connection, [f"SELECT id AS h, file_row_number AS row FROM {scan}"])
    return ids, _packed(connection, list(_names(scan, table)))


def _schemes(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[str, ...]:
    rows = connection.execute(f"SELECT DISTINCT unnest(identifiers).scheme FROM {parquet([path])}").fetchall()
    return tuple(sorted(scheme for (scheme,) in rows))


def _empty(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[str, ...]:
    """Columns of which the file's own statistics say that they hold nothing; of lists, neither any list."""
    rows = connection.execute(f"""
        SELECT split_part(path_in_schema, ', ', 1) AS name FROM parquet_metadata({text(str(path))})
        GROUP BY name HAVING bool_and(stats_null_count IS NOT NULL AND stats_null_count = num_values)""").fetchall()
    return tuple(sorted(name for (name,) in rows))


def _names(scan: str, table: str) -> Iterator[str]:
    name = keys.name_hash_sql("i.scheme", "i.value")
    yield f"""SELECT {name} AS h, row FROM (
        SELECT unnest(identifiers) AS i, file_row_number AS row FROM {scan} WHERE len(identifiers) > 0)"""
    if table != "recording":
        return
    release = keys.name_hash_sql(text(keys.RELEASE), "release_id::VARCHAR")
    # Neighbours are on the same release: only the first row of a run of them has a key.
    yield f"""SELECT {release} AS h, row FROM (
        SELECT row, release_id, lag(release_id) OVER (ORDER BY row) AS before
        FROM (SELECT tracks[1].release_id AS release_id, file_row_number AS row FROM {scan}))
        WHERE release_id IS NOT NULL AND release_id IS DISTINCT FROM before"""
    yield f"""SELECT {release} AS h, row FROM (
        SELECT unnest(tracks[2:]).release_id AS release_id, file_row_number AS row FROM {scan} WHERE len(tracks) > 1)"""


def _packed(connection: duckdb.DuckDBPyConnection, queries: Iterable[str]) -> keys.Numbers:
    found = connection.execute(" UNION ALL ".join(queries)).fetchnumpy()
    return keys.packed(found["h"], found["row"])


def _flat(
    connection: duckdb.DuckDBPyConnection, places: Places, constant: Partition, table: str, query: str
) -> list[FileRef]:
    """A fact table of a dump: its rows are distinct, because no two of them have one position."""
    schema = FACTS[table]
    fixed = vars(constant)
    listed = ", ".join(f"{text(fixed[n])} AS {n}" if n in fixed else f"{n}::{_SQL[str(schema.field(n).type)]} AS {n}"
                       for n in schema.names)  # fmt: skip
    first = "scheme" if table == "identifier" else schema.names[0]
    order = ", ".join([first, *[n for n in schema.names if n != first and n not in fixed]])
    ref = copying.table(connection, places, table, f"SELECT {listed} FROM ({query}) ORDER BY {order}", ROW_GROUP)
    return [ref] if ref.rows else []


_SQL = {"int64": "BIGINT", "int32": "INTEGER", "string": "VARCHAR", "double": "DOUBLE", "bool": "BOOLEAN"}


def refusals(connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[tuple[str, str, str, str]]:
    """The refused rows of a bulk reading: position, code, reason, raw."""
    cursor = connection.execute(query)
    while rows := cursor.fetchmany(10_000):
        for position, code, reason, raw, _ in rows:
            yield position, code, reason, raw or ""
