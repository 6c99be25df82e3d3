"""Listens of wide recordings: their own, or summed with what other partitions say of them.

Where others give listens to a wide partition's recordings, each of its chunks has a file beside it with the same rows
in the same order, and the sums in it. Such a file depends on that partition and on those who give it listens, and on
nothing else: a new dump makes only its own files, and a question never joins one large table with another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from fonoteca.catalogue import copying, matches, operations, views
from fonoteca.catalogue.chosen import Here, Maker
from fonoteca.catalogue.engine import parquet, text
from fonoteca.catalogue.generation import Generation, Heard, PartitionEntry, Popularity
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.tables import FACTS
from fonoteca.catalogue.wide import ROW_GROUP

if TYPE_CHECKING:
    import duckdb

ROWS = pa.schema([("recording_id", pa.int64()), ("source", pa.string()), ("year", pa.int32()),
                  ("release_id", pa.int64()), ("listens", pa.int64())])  # fmt: skip
"""Of the view ``heard``, and of the files."""
COLUMNS = ", ".join(ROWS.names)
_ID = pa.schema([("id", pa.int64())])
_GIVEN = pa.schema([FACTS["signal"].field(name)
                    for name in ("recording_id", "kind", "value", "licence", "synthetic", "source")])  # fmt: skip
"""What :func:`counted` looks at."""
_NAMED = pa.schema([_GIVEN.field(0)])


def counts(licences: Sequence[str], licence: str, value: str) -> str:
    """SQL of the condition that a value under a licence counts: finite, not negative, and no nonsense."""
    listed = ", ".join(text(name) for name in licences) or "NULL"
    return f"({licence} IN ({listed}) AND {operations.counts(value)})"


def counted(licences: Sequence[str], signals: str = "signals") -> str:
    """SQL of the signals that count: listens under one of these licences."""
    return (f"SELECT recording_id, source, synthetic, round(value)::BIGINT AS listens FROM {signals} "
            f"WHERE kind = 'listens' AND {counts(licences, 'licence', 'value')}")  # fmt: skip


def own(licences: Sequence[str], rows: str, more: str = "") -> str:
    """SQL of wide recordings with their own listens where these count, else null; ``more`` columns besides."""
    return (f"SELECT id AS recording_id, source, coalesce(year, release_year) AS year, release_id, "
            f"CASE WHEN {counts(licences, 'listens_licence', 'listens::DOUBLE')} THEN listens END AS listens, "
            f"listens_synthetic AS synthetic{more} FROM {rows}")  # fmt: skip


def givers(places: Places, generation: Generation, licences: Sequence[str]) -> dict[str, str]:
    """Who gives listens to others' recordings: a name that changes with the facts → query of what counts."""
    found = {}
    if any(ref.rows for ref in generation.merged.get("signals", [])):
        digests = "".join(ref.sha256[:16] for ref in generation.merged["signals"])
        found[f"merged {digests}"] = counted(licences, parquet(places.paths(generation.merged["signals"])))
    for part in generation.partitions:
        direct = part.tables.get("signal", []) if "signal" in part.direct else []
        refs = [*direct, *[ref for ref in part.merged.get("signals", []) if ref.rows]]
        if refs:
            found[name_of(part)] = counted(licences, parquet(places.paths(refs)))
    return found


def givers_to(
    connection: duckdb.DuckDBPyConnection, places: Places, generation: Generation, licences: Sequence[str], rows: str
) -> list[str]:  # fmt: skip
    """Queries of all listens that are given to the ids of some rows, and maybe of others that are given.

    Args:
        connection: of the engine; what keys find is named ``given_<number>`` in it.
        places: of the catalogue.
        generation: to be.
        licences: whose listens count.
        rows: a relation with the column ``id``.
    """
    given = givers(places, generation, licences)
    [(count,)] = connection.execute(f"SELECT count(*) FROM {rows}").fetchall()
    if count > matches.MOST:
        return list(given.values())
    asked = matches.prefixes(connection.execute(f"SELECT id FROM {rows}").fetchnumpy()["id"])
    keyed = {name_of(p): _by_keys(places, p) for p in generation.partitions}
    for number, name in enumerate(given):
        table = keyed.get(name)
        found = matches.rows(table, asked, _GIVEN) if table else None
        if found is not None:
            views.name_table(connection, f"given_{number}", found)
            given[name] = counted(licences, f"given_{number}")
    return list(given.values())


def bring_up(
    connection: duckdb.DuckDBPyConnection, places: Places, generation: Generation, given: Mapping[str, str],
    licences: tuple[str, ...], before: Generation | None, maker: Maker | None = None,
) -> tuple[Heard, ...]:  # fmt: skip
    """The listens of each wide partition: as they were where nothing has changed, else made anew.

    A name is not enough to know a partition again: the same dump may have been read with another meaning.

    Args:
        connection: of the engine.
        places: of the catalogue.
        generation: to be.
        given: of :func:`givers`.
        licences: whose listens count.
        before: the generation before.
        maker: sums for the connection, which writes; None: it does both.
    """
    made = maker or Here(connection)
    parts = [part for part in generation.wide if part.wide.get("recording")]
    known = _known(generation, licences, before)
    found = {name_of(p): dict(known[name_of(p)].by) if name_of(p) in known else {} for p in parts}
    keyed = {name_of(p): _by_keys(places, p) for p in generation.partitions}
    for giver, query in given.items():
        scanned = []
        asked = [p for p in parts if giver not in found[name_of(p)]]
        ids = _few(connection, query) if asked and not keyed.get(giver) else None
        for part in asked:
            rows = (_matching_few(connection, places, part, keyed.get(giver), licences) if ids is None
                    else _matching_ids(places, part, ids))  # fmt: skip
            if rows is None:
                scanned.append(part)
            else:
                found[name_of(part)][giver] = rows
        for name, count in _matching(made, places, scanned, query).items():
            found[name][giver] = count
    return tuple(
        _heard(connection, made, places, part, {g: n for g, n in found[name_of(part)].items() if g in given}, given,
               licences, known.get(name_of(part))) for part in parts
    )  # fmt: skip


def _known(generation: Generation, licences: tuple[str, ...], before: Generation | None) -> dict[str, Heard]:
    """What is known of partitions that have not changed, from givers that have not changed."""
    told = before.popularity if before else None
    if before is None or told is None or told.licences != licences:
        return {}
    changed = {name_of(p) for p in [*before.partitions, *generation.partitions]
               if p not in before.partitions or p not in generation.partitions}  # fmt: skip
    return {
        h.name: replace(h, by=tuple(given for given in h.by if given[0] not in changed))
        for h in told.heard if h.name not in changed and not changed.intersection(g for g, rows in h.by if rows)
    }  # fmt: skip


def name_of(part: PartitionEntry) -> str:
    """What the listens of a partition are known by."""
    return f"{part.source} {part.dataset} {part.dump.id}"


def _by_keys(places: Places, part: PartitionEntry) -> matches.Keyed | None:
    """All that a partition gives listens by, where that has keys."""
    merged = any(ref.rows for ref in part.merged.get("signals", []))
    return None if merged else matches.direct(places, part, "signal")


def _matching_few(
    connection: duckdb.DuckDBPyConnection, places: Places, part: PartitionEntry, giver: matches.Keyed | None,
    licences: Sequence[str],
) -> int | None:  # fmt: skip
    """How many rows of a partition somebody gives listens to, by the keys of both; None where only a scan tells."""
    import numpy as np

    asked = matches.wide(places, part, "recording")
    both = matches.shared(giver, asked) if giver and asked else None
    if giver is None or asked is None or both is None:
        return None
    ids, named = matches.rows(asked, both, _ID), matches.rows(giver, both, _NAMED)
    if ids is None or named is None:
        return None
    both = matches.prefixes(np.intersect1d(ids["id"].to_numpy(), named["recording_id"].to_numpy()))
    signals = matches.rows(giver, both, _GIVEN)
    return None if signals is None else _count(connection, ids, counted(licences, "some_signals"), signals)


def _few(connection: duckdb.DuckDBPyConnection, query: str) -> matches.Rows | None:
    """Whom somebody without keys gives listens to; None where those are too many to hold."""
    ids = f"SELECT DISTINCT recording_id FROM ({query}) WHERE recording_id IS NOT NULL LIMIT {matches.MOST + 1}"
    found: matches.Rows = connection.execute(ids).fetchnumpy()["recording_id"]
    return found if len(found) <= matches.MOST else None


def _matching_ids(places: Places, part: PartitionEntry, ids: matches.Rows) -> int | None:
    """How many rows of a partition have these ids, by its keys; None where only a scan tells."""
    import numpy as np

    asked = matches.wide(places, part, "recording")
    rows = matches.rows(asked, matches.prefixes(ids), _ID) if asked else None
    return None if rows is None else int(np.isin(rows["id"].to_numpy(), ids).sum())


def _count(connection: duckdb.DuckDBPyConnection, ids: pa.Table, query: str, signals: pa.Table) -> int:
    views.name_table(connection, "some_ids", ids)
    views.name_table(connection, "some_signals", signals)
    rows = f"FROM some_ids w SEMI JOIN ({query}) k ON w.id = k.recording_id"
    [(count,)] = connection.execute(f"SELECT count(*) {rows}").fetchall()
    return int(count)


def _matching(made: Maker, places: Places, parts: Sequence[PartitionEntry], query: str) -> dict[str, int]:
    """How many rows of each partition somebody gives listens to."""
    found = {name_of(part): 0 for part in parts}
    if not parts:
        return found
    tagged = " UNION ALL ".join(
        f"SELECT id, {text(name_of(p))} AS part FROM {parquet(places.paths(c.rows for c in p.wide['recording']))}"
        for p in parts
    )  # fmt: skip
    rows = made.rows(f"""
        SELECT part, count(*) AS matched FROM ({tagged}) w SEMI JOIN ({query}) k ON w.id = k.recording_id
        GROUP BY part""")
    return found | dict(rows)


def _heard(
    connection: duckdb.DuckDBPyConnection, made: Maker, places: Places, part: PartitionEntry,
    matches: Mapping[str, int], given: Mapping[str, str], licences: Sequence[str], before: Heard | None,
) -> Heard:  # fmt: skip
    by = tuple(sorted(matches.items()))
    if before is not None and [g for g, n in before.by if n] == [g for g, n in by if n]:
        return Heard(name_of(part), by, before.files)
    giving = [given[giver] for giver, rows in by if rows]
    if not giving:
        return Heard(name_of(part), by, ())
    scan = parquet(places.paths(c.rows for c in part.wide["recording"]))
    made.keep(
        "given_listens",
        f"""
        SELECT recording_id, sum(listens)::BIGINT AS listens FROM ({" UNION ALL ".join(giving)}) k
        SEMI JOIN {scan} w ON w.id = k.recording_id GROUP BY recording_id""",
    )
    written = tuple(
        copying.table(connection, places, f"heard-{number:05d}", _sums(licences, places, part, number), ROW_GROUP)
        for number in range(len(part.wide["recording"]))
    )  # fmt: skip
    made.drop("given_listens")
    return Heard(name_of(part), by, written)


def _sums(licences: Sequence[str], places: Places, part: PartitionEntry, number: int) -> str:
    """The rows of one chunk in their order, with all their listens."""
    path = places.path(part.wide["recording"][number].rows)
    scan = f"read_parquet({text(str(path))}, file_row_number = true)"
    return f"""
        SELECT w.recording_id, w.source, w.year, w.release_id,
            CASE WHEN w.listens IS NOT NULL OR k.listens IS NOT NULL
                THEN coalesce(w.listens, 0) + coalesce(k.listens, 0) END AS listens
        FROM ({own(licences, scan, ", file_row_number AS row")}) w
        LEFT JOIN given_listens k ON k.recording_id = w.recording_id ORDER BY w.row"""


def rows(places: Places, generation: Generation, told: Popularity) -> str:
    """The query of all wide recordings with their listens (:data:`COLUMNS`); empty where there are none."""
    return " UNION ALL ".join(scans(places, generation, told))


def scans(places: Places, generation: Generation, told: Popularity) -> list[str]:
    """Queries of the wide recordings with their listens (:data:`COLUMNS`), one for each partition that has any."""
    known = {h.name: h for h in told.heard}
    queries = []
    for part in generation.wide:
        chunks = part.wide.get("recording", [])
        made = known[name_of(part)].files if name_of(part) in known else ()
        if made:
            queries.append(f"SELECT {COLUMNS} FROM {parquet(places.paths(made))}")
        elif chunks:
            scan = parquet(places.paths(c.rows for c in chunks))
            queries.append(f"SELECT {COLUMNS} FROM ({own(told.licences, scan)})")
    return queries
