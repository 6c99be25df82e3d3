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

from fonoteca.catalogue import copying, operations
from fonoteca.catalogue.chosen import Here, Maker
from fonoteca.catalogue.engine import parquet, text
from fonoteca.catalogue.generation import Generation, Heard, PartitionEntry, Popularity
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.wide import ROW_GROUP

if TYPE_CHECKING:
    import duckdb

ROWS = pa.schema([("recording_id", pa.int64()), ("source", pa.string()), ("year", pa.int32()),
                  ("release_id", pa.int64()), ("listens", pa.int64())])  # fmt: skip
"""Of the view ``heard``, and of the files."""
COLUMNS = ", ".join(ROWS.names)


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
    matches = {name_of(p): dict(known[name_of(p)].by) if name_of(p) in known else {} for p in parts}
    for giver, query in given.items():
        asked = [p for p in parts if giver not in matches[name_of(p)]]
        for name, rows in _matching(made, places, asked, query).items():
            matches[name][giver] = rows
    return tuple(
        _heard(connection, made, places, part, {g: n for g, n in matches[name_of(part)].items() if g in given}, given,
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
    return " UNION ALL ".join(queries)
