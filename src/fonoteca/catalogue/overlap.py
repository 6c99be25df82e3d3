"""Overlaps: the ids of wide rows that another row, or another partition, describes too.

Those entities, and only those, need the rules of precedence: the merged tables take them over, and the views leave
the wide rows out. An ingest looks only at what the new partition shares with the others, and again at what was
shared before, so its cost follows the dump and not the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from fonoteca.catalogue import files
from fonoteca.catalogue.engine import parquet, stream
from fonoteca.catalogue.files import FileRef
from fonoteca.catalogue.generation import Generation, PartitionEntry
from fonoteca.catalogue.places import Places

if TYPE_CHECKING:
    import duckdb

_IDS = pa.schema([("id", pa.int64())])
_FLAT = {
    "recording": ("SELECT id FROM recording", "SELECT recording_id AS id FROM track",
                  "SELECT entity_id AS id FROM credit WHERE kind = 'recording'"),
    "release": ("SELECT id FROM release", "SELECT release_id AS id FROM track",
                "SELECT entity_id AS id FROM credit WHERE kind = 'release'"),
    "artist": ("SELECT id FROM artist",),
}  # fmt: skip
"""Kind → what mentions an entity in flat tables so that the merge has to see it."""


def find(
    connection: duckdb.DuckDBPyConnection, places: Places, current: Generation, wanted: Generation
) -> dict[str, list[FileRef]]:
    """Write the ids that overlap in a generation to be, by kind; no entry where there are none.

    Args:
        connection: of the engine.
        places: of the catalogue.
        current: the generation that counts, whose overlaps are known.
        wanted: the one to be: its partitions are set, its overlaps are not.
    """
    if not wanted.wide:
        return {}
    found: dict[str, list[FileRef]] = {}
    for kind in ("release", "recording", "artist"):
        _Mentions(connection, places, current, wanted, kind).find()
        if kind == "recording" and "release" in found:
            _add_tracks_of_releases(connection, places, wanted)
        if connection.execute(f"SELECT count(*) FROM shared_{kind}").fetchall()[0][0]:
            ordered = stream(connection, f"SELECT DISTINCT id FROM shared_{kind} ORDER BY id")
            found[kind] = [files.write(places, f"overlap-{kind}.parquet", ordered, _IDS)]
    return found


class _Mentions:
    """Who mentions the ids of one kind: each wide partition by itself, all flat ones together."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, places: Places, current: Generation, wanted: Generation, kind: str
    ) -> None:
        self._connection, self._places, self._kind = connection, places, kind
        self._current, self._wanted = current, wanted

    def find(self) -> None:
        """Make the table ``shared_<kind>``."""
        kind = self._kind
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE shared_{kind} (id BIGINT)")
        candidates = list(self._candidates())
        if not candidates:
            return
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE candidate AS {' UNION '.join(candidates)}")
        parts = [f"SELECT id, '{p.source}/{p.dataset}' AS part, true AS wide FROM ({self._wide(p)})"
                 for p in self._parts(self._wanted)]  # fmt: skip
        flat = self._flat(self._wanted)
        parts += [f"SELECT DISTINCT id, '' AS part, false AS wide FROM ({flat})"] if flat else []
        self._connection.execute(f"""
            INSERT INTO shared_{kind} SELECT id FROM (
                SELECT id, part, wide, count(*) AS n FROM ({" UNION ALL ".join(parts)})
                WHERE id IN (SELECT id FROM candidate) GROUP BY ALL)
            GROUP BY id HAVING bool_or(wide) AND (count(*) > 1 OR bool_or(wide AND n > 1))""")

    def _parts(self, generation: Generation) -> list[PartitionEntry]:
        return [p for p in generation.wide if p.wide.get(self._kind)]

    def _wide(self, part: PartitionEntry) -> str:
        return f"SELECT id FROM {parquet(self._places.paths(c.rows for c in part.wide[self._kind]))}"

    def _flat(self, generation: Generation) -> str:
        queries = []
        for query in _FLAT[self._kind]:
            table = query.split(" FROM ")[1].split()[0]
            paths = self._places.paths(generation.to_merge(table))
            if paths:
                queries.append(query.replace(f"FROM {table}", f"FROM {parquet(paths)}"))
        return " UNION ALL ".join(queries)

    def _candidates(self) -> Iterator[str]:
        """Queries of ids that may be shared: those that were, and those that a new partition brings."""
        before = self._places.paths(self._current.overlaps.get(self._kind, []))
        if before:
            yield f"SELECT id FROM {parquet(before)}"
        known = self._parts(self._current)
        old = [p for p in self._parts(self._wanted) if p in known]
        new = [p for p in self._parts(self._wanted) if p not in known]
        flat, flat_before = self._flat(self._wanted), self._flat(self._current)
        for number, part in enumerate(new):
            own = self._wide(part)
            yield f"SELECT id FROM ({own}) GROUP BY id HAVING count(*) > 1"
            others = [self._wide(p) for p in [*old, *new[:number]]] + ([flat] if flat else [])
            if others:
                yield f"SELECT id FROM ({' UNION ALL '.join(others)}) WHERE id IN ({own})"
        if flat and flat != flat_before and old:
            yield f"SELECT id FROM ({' UNION ALL '.join(map(self._wide, old))}) WHERE id IN ({flat})"


def _add_tracks_of_releases(connection: duckdb.DuckDBPyConnection, places: Places, wanted: Generation) -> None:
    """What a shared release is called may change, and so what its recordings say of it."""
    for part in wanted.wide:
        chunks = part.wide.get("recording")
        if chunks:
            scan = parquet(places.paths(c.rows for c in chunks))
            connection.execute(f"""
                INSERT INTO shared_recording SELECT id FROM (
                    SELECT id, unnest(tracks).release_id AS release_id FROM {scan})
                WHERE release_id IN (SELECT id FROM shared_release)""")
