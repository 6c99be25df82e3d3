"""Overlaps: the ids that several partitions describe, or several rows of a wide one.

Those entities, and only those, need the rules of precedence: the generation's merged tables take them over, and the
views leave the partitions' own rows out. An ingest looks only at what the new partition shares with the others, and
again at what was shared before, so its cost follows the dump and not the catalogue.
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
    """Who mentions the ids of one kind, partition by partition."""

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
        parts = " UNION ALL ".join(self._counted(p) for p in self._parts(self._wanted))
        if not parts or not self._connection.execute("SELECT 1 FROM candidate LIMIT 1").fetchall():
            return
        self._connection.execute(f"""
            INSERT INTO shared_{kind} SELECT id FROM ({parts}) GROUP BY id HAVING count(*) > 1 OR bool_or(twice)""")

    def _parts(self, generation: Generation) -> list[PartitionEntry]:
        return [p for p in generation.partitions if self._mentioned(p)]

    def _counted(self, part: PartitionEntry) -> str:
        """One row for each candidate that a partition mentions; ``twice``: several wide rows do."""
        chosen = "WHERE id IN (SELECT id FROM candidate) GROUP BY id"
        wide, flat = self._wide(part), self._flat(part)
        rows = [f"SELECT id, count(*) > 1 AS twice FROM ({wide}) {chosen}"] if wide else []
        rows += [f"SELECT id, false AS twice FROM ({flat}) {chosen}"] if flat else []
        return " UNION ALL ".join(rows)

    def _mentioned(self, part: PartitionEntry) -> str:
        return " UNION ALL ".join(query for query in (self._wide(part), self._flat(part)) if query)

    def _wide(self, part: PartitionEntry) -> str:
        chunks = part.wide.get(self._kind)
        return f"SELECT id FROM {parquet(self._places.paths(c.rows for c in chunks))}" if chunks else ""

    def _flat(self, part: PartitionEntry) -> str:
        queries = []
        for query in _FLAT[self._kind]:
            table = query.split(" FROM ")[1].split()[0]
            paths = self._places.paths(ref for ref in part.to_merge(table) if ref.rows)
            if paths:
                queries.append(query.replace(f"FROM {table}", f"FROM {parquet(paths)}"))
        return " UNION ALL ".join(queries)

    def _candidates(self) -> Iterator[str]:
        """Queries of ids that may be shared: those that were, and those that a new partition brings."""
        before = self._places.paths(self._current.overlaps.get(self._kind, []))
        if before:
            yield f"SELECT id FROM {parquet(before)}"
        known = [p for p in self._parts(self._current) if p.merged or not p.is_flat]
        old = [p for p in self._parts(self._wanted) if p in known]
        new = [p for p in self._parts(self._wanted) if p not in known]
        for number, part in enumerate(new):
            own = self._mentioned(part)
            if part.wide:
                yield f"SELECT id FROM ({self._mentioned(part)}) GROUP BY id HAVING count(*) > 1"
            others = [self._mentioned(p) for p in [*old, *new[:number]]]
            if others:
                yield f"SELECT id FROM ({' UNION ALL '.join(others)}) WHERE id IN ({own})"


def _add_tracks_of_releases(connection: duckdb.DuckDBPyConnection, places: Places, wanted: Generation) -> None:
    """What a shared release is called may change, and so what its recordings say of it."""
    for part in wanted.partitions:
        chunks, tracks = part.wide.get("recording"), [ref for ref in part.to_merge("track") if ref.rows]
        queries = []
        if chunks:
            scan = parquet(places.paths(c.rows for c in chunks))
            queries.append(f"SELECT id, unnest(tracks).release_id AS release_id FROM {scan}")
        if tracks:
            queries.append(f"SELECT recording_id AS id, release_id FROM {parquet(places.paths(tracks))}")
        for query in queries:
            connection.execute(f"""
                INSERT INTO shared_recording SELECT id FROM ({query})
                WHERE release_id IN (SELECT id FROM shared_release)""")
