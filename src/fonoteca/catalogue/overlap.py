"""Overlaps: the ids that several partitions describe, or several rows of a wide one.

Those entities, and only those, need the rules of precedence: the generation's merged tables take them over, and the
views leave the partitions' own rows out. An ingest looks only at what the new partition shares with the others, and
again at what was shared before where a partition has gone. Sorted key files tell nearly all of it, so its cost follows
the dump and not the catalogue; partitions without keys, and ids that are shared by the million, are scanned.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from fonoteca.catalogue import files, matches, views
from fonoteca.catalogue.engine import parquet, stream
from fonoteca.catalogue.files import FileRef
from fonoteca.catalogue.generation import Generation, PartitionEntry
from fonoteca.catalogue.places import Places

if TYPE_CHECKING:
    import duckdb

_IDS = pa.schema([("id", pa.int64())])
_PART = pa.field("part", pa.int32())
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
            _add_tracks_of_releases(connection, places, current, wanted)
        if connection.execute(f"SELECT count(*) FROM shared_{kind}").fetchall()[0][0]:
            ordered = stream(connection, f"SELECT DISTINCT id FROM shared_{kind} ORDER BY id")
            found[kind] = [files.write(places, f"overlap-{kind}.parquet", ordered, _IDS)]
    return found


def _stays(current: Generation, wanted: Generation) -> bool:
    """True where no partition has gone: what was shared still is."""
    return all(part in wanted.partitions for part in current.partitions)


class _Mentions:
    """Who mentions the ids of one kind, partition by partition."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, places: Places, current: Generation, wanted: Generation, kind: str
    ) -> None:
        self._connection, self._places, self._kind = connection, places, kind
        self._current, self._wanted = current, wanted

    def find(self) -> None:
        """Make the table ``shared_<kind>``."""
        kind, run = self._kind, self._connection.execute
        run(f"CREATE OR REPLACE TEMP TABLE shared_{kind} (id BIGINT)")
        run("CREATE OR REPLACE TEMP TABLE keyed (id BIGINT)")
        candidates = list(self._candidates())
        before = self._places.paths(self._current.overlaps.get(kind, []))
        if before and _stays(self._current, self._wanted):
            run(f"INSERT INTO shared_{kind} SELECT id FROM {parquet(before)}")
        elif before:
            candidates.append(f"SELECT id FROM {parquet(before)}")
        run(f"CREATE OR REPLACE TEMP TABLE candidate AS {' UNION '.join([*candidates, 'SELECT id FROM keyed'])}")
        [(count,)] = run("SELECT count(id) FROM candidate").fetchall()
        if count:
            few = run("SELECT id FROM candidate WHERE id IS NOT NULL") if count <= matches.MOST else None
            self._count(few.fetchnumpy()["id"] if few else None)

    def _count(self, ids: matches.Rows | None) -> None:
        """Add the candidates that are mentioned more than once. ``ids``: all of them, unless they are too many."""
        asked = None if ids is None else matches.prefixes(ids)
        found, queries = [_IDS.append(_PART).empty_table()], []
        for number, part in enumerate(self._parts(self._wanted)):
            keyed = matches.wide(self._places, part, self._kind)
            rows = None if asked is None or keyed is None else matches.rows(keyed, asked, _IDS)
            if rows is not None:
                found.append(rows.append_column(_PART, pa.repeat(pa.scalar(number, _PART.type), len(rows))))
            elif self._wide(part):
                queries.append(f"SELECT id, {number} AS part, true AS wide FROM ({self._wide(part)})")
            if self._flat(part):
                queries.append(f"SELECT id, {number} AS part, false AS wide FROM ({self._flat(part)})")
        views.name_table(self._connection, "looked_at", pa.concat_tables(found))
        queries.append("SELECT id, part, true AS wide FROM looked_at")
        # One row for each candidate that a partition mentions; twice: several of its wide rows do.
        each = " UNION ALL ".join(f"""
            SELECT id, wide AND count(*) > 1 AS twice FROM ({query}) WHERE id IN (SELECT id FROM candidate)
            GROUP BY part, wide, id""" for query in queries)  # fmt: skip
        self._connection.execute(f"""
            INSERT INTO shared_{self._kind}
            SELECT id FROM ({each}) GROUP BY id HAVING count(*) > 1 OR bool_or(twice)""")
        self._connection.execute("DROP TABLE looked_at")

    def _parts(self, generation: Generation) -> list[PartitionEntry]:
        return [p for p in generation.partitions if self._mentioned(p)]

    def _mentioned(self, part: PartitionEntry) -> str:
        return " UNION ALL ".join(query for query in (self._wide(part), self._flat(part)) if query)

    def _wide(self, part: PartitionEntry) -> str:
        chunks = part.wide.get(self._kind)
        return f"SELECT id FROM {parquet(self._places.paths(c.rows for c in chunks))}" if chunks else ""

    def _flat(self, part: PartitionEntry) -> str:
        return " UNION ALL ".join(query for query, _ in self._flat_scans(part))

    def _flat_scans(self, part: PartitionEntry) -> Iterator[tuple[str, int]]:
        """Queries, each with the number of rows that it goes through."""
        for query in _FLAT[self._kind]:
            table = query.split(" FROM ")[1].split()[0]
            refs = [ref for ref in part.to_merge(table) if ref.rows]
            if refs:
                scan = parquet(self._places.paths(refs))
                yield query.replace(f"FROM {table}", f"FROM {scan}"), sum(ref.rows for ref in refs)

    def _candidates(self) -> Iterator[str]:
        """Queries of ids that may be shared because a new partition brings them; what keys tell is put in ``keyed``."""
        known = [p for p in self._parts(self._current) if p.merged or not p.is_flat]
        old = [p for p in self._parts(self._wanted) if p in known]
        new = [p for p in self._parts(self._wanted) if p not in known]
        for number, part in enumerate(new):
            others = [*old, *new[:number]]
            scanned = self._by_keys(part, others)
            own = self._mentioned(part)
            if part in scanned:
                yield f"SELECT id FROM ({own}) GROUP BY id HAVING count(*) > 1"
            scans = [self._wide(p) for p in others if p in scanned] + [self._flat(p) for p in others]
            if any(scans):
                yield f"SELECT id FROM ({' UNION ALL '.join(filter(None, scans))}) WHERE id IN ({own})"

    def _by_keys(self, part: PartitionEntry, others: Sequence[PartitionEntry]) -> list[PartitionEntry]:
        """Put in ``keyed`` what a new partition may share with the wide rows of others, and those of its own that may
        be several; returns the partitions, itself among them, of which keys do not tell."""
        asked = _Asked(matches.wide(self._places, part, self._kind), bool(self._wide(part)), self._flat_ids(part))
        wide = [(p, matches.wide(self._places, p, self._kind)) for p in others if self._wide(p)]
        scanned = [p for p, keyed in wide if not asked.may_share(keyed)]
        if not asked.may_repeat():
            scanned.append(part)
        ids = asked.ids()
        if ids is None:
            return [part, *[p for p, _ in wide]]
        if any(map(len, ids)):
            views.name_table(self._connection, "asked", pa.concat_tables(ids))
            self._connection.execute("INSERT INTO keyed FROM asked")
        return scanned

    def _flat_ids(self, part: PartitionEntry) -> matches.Rows | None:
        """The ids that flat rows of a partition mention; None where those are too many to hold."""
        import numpy as np

        scans = list(self._flat_scans(part))
        if sum(rows for _, rows in scans) > matches.MOST:
            return None
        if not scans:
            return np.empty(0, np.int64)
        query = f"SELECT DISTINCT id FROM ({self._flat(part)}) WHERE id IS NOT NULL"
        return np.asarray(self._connection.execute(query).fetchnumpy()["id"])


class _Asked:
    """Ids of a new partition, and what keys of others tell of them."""

    def __init__(self, wide: matches.Keyed | None, is_wide: bool, flat: matches.Rows | None) -> None:
        self._wide, self._flat = wide, flat
        self._known = flat is not None and (wide is not None or not is_wide)
        self._in_wide: list[matches.Numbers] = []
        self._in_flat: list[matches.Numbers] = []

    def may_share(self, other: matches.Keyed | None) -> bool:
        """Note what may be in another table, too; False where its keys do not tell."""
        if other is None or not self._known:
            return False
        return self._note(matches.none() if self._wide is None else matches.shared(self._wide, other), other)

    def may_repeat(self) -> bool:
        """Note what may be there several times, once of them in a wide row; False where keys do not tell."""
        if self._wide is None or not self._known:
            return self._known
        return self._note(matches.repeated(self._wide), self._wide)

    def _note(self, in_wide: matches.Numbers | None, other: matches.Keyed) -> bool:
        assert self._flat is not None
        in_flat = matches.among(matches.prefixes(self._flat), other)
        if in_wide is None or in_flat is None:
            return False
        self._in_wide.append(in_wide)
        self._in_flat.append(in_flat)
        return True

    def ids(self) -> list[pa.Table] | None:
        """All ids that were noted, and some that only begin like others; None where they are too many."""
        import numpy as np

        found = []
        if self._wide is not None and self._in_wide:
            rows = matches.rows(self._wide, np.unique(np.concatenate(self._in_wide)), _IDS)
            if rows is None:
                return None
            found.append(rows)
        if self._flat is not None and self._in_flat:
            ids = matches.beginning(self._flat, np.unique(np.concatenate(self._in_flat)))
            found.append(pa.table({"id": ids}, _IDS))
        return found


def _add_tracks_of_releases(
    connection: duckdb.DuckDBPyConnection, places: Places, current: Generation, wanted: Generation
) -> None:  # fmt: skip
    """What a shared release is called may change, and so what its recordings say of it."""
    before = places.paths(current.overlaps.get("release", [])) if _stays(current, wanted) else []
    run = connection.execute
    run(f"""
        CREATE OR REPLACE TEMP TABLE newly_shared AS
        SELECT id FROM shared_release {f"EXCEPT SELECT id FROM {parquet(before)}" if before else ""}""")
    [(fresh,)] = run("SELECT count(*) FROM newly_shared").fetchall()
    for part in wanted.partitions:
        # Of a partition that was there, what is on releases that were shared is known.
        is_known = bool(before) and part in current.partitions
        if is_known and not fresh:
            continue
        for query in _tracks(places, part):
            run(f"""
                INSERT INTO shared_recording SELECT id FROM ({query})
                WHERE release_id IN (SELECT id FROM {"newly_shared" if is_known else "shared_release"})""")


def _tracks(places: Places, part: PartitionEntry) -> Iterator[str]:
    """Queries of which recordings are on which releases."""
    chunks, tracks = part.wide.get("recording"), [ref for ref in part.to_merge("track") if ref.rows]
    if chunks:
        scan = parquet(places.paths(c.rows for c in chunks))
        yield f"SELECT id, unnest(tracks).release_id AS release_id FROM {scan}"
    if tracks:
        yield f"SELECT recording_id AS id, release_id FROM {parquet(places.paths(tracks))}"
