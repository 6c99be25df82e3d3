"""Popularity: known listens, summed per recording, as a score from 0 to 100 and a rank (docs/formats/signal.md).

The mapping is absolute, so that a score means the same in every generation and archive:
``score = min(100, 10 * log10(1 + listens))``, to two decimals. Unknown listens have no score, which is not 0.
A rank is one more than the number of recordings with more listens: equal listens share it. Score and rank depend on
the listens alone, so the rows of wide partitions need no table of their own but a small one from listens to both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from fonoteca.catalogue import copying, files, wide
from fonoteca.catalogue.engine import parquet, stream, text
from fonoteca.catalogue.files import FileRef
from fonoteca.catalogue.generation import Generation, Popularity
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.tables import POPULARITY

if TYPE_CHECKING:
    import duckdb

MOST = 9_007_199_254_740_992
"""Counts from 2^53 on are no counts."""
RANKS = pa.schema([("listens", pa.int64()), ("score", pa.float64()), ("rank", pa.int64()), ("recordings", pa.int64())])
"""Listens → score, rank and how many recordings have so many."""


def counts(licences: Sequence[str], licence: str, value: str) -> str:
    """SQL of the condition that a value under a licence counts: finite, not negative, and no nonsense."""
    listed = ", ".join(text(name) for name in licences) or "NULL"
    return f"({licence} IN ({listed}) AND isfinite({value}) AND {value} >= 0 AND {value} < {MOST})"


def counted(licences: Sequence[str], signals: str = "signals") -> str:
    """SQL of the signals that count: listens under one of these licences."""
    return (f"SELECT recording_id, source, synthetic, round(value)::BIGINT AS listens FROM {signals} "
            f"WHERE kind = 'listens' AND {counts(licences, 'licence', 'value')}")  # fmt: skip


def own(licences: Sequence[str], given: str) -> str:
    """SQL of the wide recordings with their own listens where these count, else null."""
    return (f"SELECT id AS recording_id, source, coalesce(year, release_year) AS year, release_id, "
            f"CASE WHEN {counts(licences, 'listens_licence', 'listens::DOUBLE')} THEN listens END AS listens, "
            f"listens_synthetic AS synthetic FROM {given}")  # fmt: skip


def ranks(known: str) -> str:
    """SQL of :data:`RANKS` from a query with a column ``listens``; it must count each recording once."""
    return f"""
        SELECT listens, round(least(100, 10 * log10(1 + listens)), 2) AS score,
            (1 + coalesce(sum(recordings) OVER (ORDER BY listens DESC
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0))::BIGINT AS rank, recordings
        FROM (SELECT listens, sum(n)::BIGINT AS recordings FROM ({known}) WHERE listens IS NOT NULL GROUP BY listens)
        ORDER BY listens"""


def rank(
    connection: duckdb.DuckDBPyConnection, places: Places, licences: Sequence[str],
    generation: Generation | None = None,
) -> Popularity:  # fmt: skip
    """Write the popularity table from the views ``recordings`` and ``signals``: a row for each recording in them.

    Args:
        connection: with these views of the merged tables.
        places: of the catalogue.
        licences: whose listens count.
        generation: with the wide partitions and direct tables that the views do not have; None where there are none.
    """
    named = tuple(sorted(set(licences)))
    given = {} if generation is None else wide.scans(places, generation)
    direct = [] if generation is None else [places.path(f) for f in generation.direct("signal")]
    _name_known(connection, named, direct)
    _name_rows(connection, named, given.get("recording"), generation)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE listen_ranks AS {ranks(_histogram(named, given))}")
    flat = generation is None or generation.is_flat
    ranked = [] if flat else [_write(connection, places, "ranks", "FROM listen_ranks", RANKS)]
    written = _write(connection, places, "popularity", _table(named), POPULARITY) if flat else (
        copying.table(connection, places, "popularity", "FROM ranked_rows ORDER BY recording_id")
    )  # fmt: skip
    return Popularity(named, _synthetic(connection, named, given), [written], ranked)


def _write(
    connection: duckdb.DuckDBPyConnection, places: Places, name: str, query: str, schema: pa.Schema
) -> FileRef:  # fmt: skip
    listed = ", ".join(schema.names)
    rows = stream(connection, f"SELECT {listed} FROM ({query}) ORDER BY {schema.names[0]}")
    return files.write(places, f"{name}.parquet", rows, schema)


def _name_known(connection: duckdb.DuckDBPyConnection, licences: Sequence[str], direct: Iterable[object]) -> None:
    """``known_listens``: recording_id, listens, synthetic, of the merged tables and of direct ones."""
    paths = list(direct)
    queries = [counted(licences)]
    queries += [counted(licences, parquet(paths))] if paths else []  # type: ignore[arg-type]
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE known_listens AS
        SELECT recording_id, sum(listens)::BIGINT AS listens, bool_or(synthetic) AS synthetic
        FROM ({" UNION ALL ".join(queries)}) GROUP BY 1""")


def _name_rows(
    connection: duckdb.DuckDBPyConnection, licences: Sequence[str], given: str | None, generation: Generation | None
) -> None:
    """``ranked_rows``: a row for each merged recording, and for each wide one that others give listens."""
    queries = [
        """
        SELECT r.id AS recording_id, k.listens, r.source, r.year, r.release_id
        FROM recordings r LEFT JOIN known_listens k ON k.recording_id = r.id"""
    ]
    if given is not None:
        hidden = generation is not None and bool(generation.overlaps.get("recording"))
        hide = "ANTI JOIN overlap_recording o ON w.recording_id = o.id" if hidden else ""
        queries.append(f"""
            SELECT w.recording_id, (coalesce(w.listens, 0) + k.listens)::BIGINT AS listens, w.source, w.year,
                w.release_id
            FROM ({own(licences, given)}) w JOIN known_listens k ON k.recording_id = w.recording_id {hide}""")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE ranked_rows AS {' UNION ALL '.join(queries)}")


def _histogram(licences: Sequence[str], given: dict[str, str]) -> str:
    """How many recordings have so many listens."""
    queries = ["SELECT listens, count(*) AS n FROM ranked_rows GROUP BY listens"]
    if "recording" in given:
        queries.append(f"""
            SELECT w.listens, count(*) AS n FROM ({own(licences, given["recording"])}) w
            ANTI JOIN ranked_rows r ON w.recording_id = r.recording_id GROUP BY w.listens""")
    return " UNION ALL ".join(queries)


def _table(licences: Sequence[str]) -> str:
    told = text(", ".join(licences))
    return f"""
        SELECT p.recording_id, p.listens, l.score, l.rank, CASE WHEN p.listens IS NOT NULL THEN {told} END AS licence
        FROM ranked_rows p LEFT JOIN listen_ranks l ON l.listens = p.listens"""


def _synthetic(connection: duckdb.DuckDBPyConnection, licences: Sequence[str], given: dict[str, str]) -> bool:
    queries = ["SELECT synthetic FROM known_listens"]
    if "recording" in given:
        queries.append(f"SELECT synthetic FROM ({own(licences, given['recording'])}) WHERE listens IS NOT NULL")
    rows = " UNION ALL ".join(queries)
    found = connection.execute(f"SELECT coalesce(bool_or(synthetic), false) FROM ({rows})").fetchall()
    return bool(found[0][0])


def views(places: Places, generation: Generation, given: dict[str, str]) -> dict[str, str]:
    """The queries of the views ``popularity`` and ``heard`` (recording_id, source, year, release_id, listens).

    Args:
        places: of the catalogue.
        generation: with its popularity.
        given: wide table → SQL of the rows that the views may show.
    """
    told = generation.popularity
    assert told is not None
    table = parquet([places.path(f) for f in told.files])
    if generation.is_flat:
        joined = f"""SELECT r.id AS recording_id, r.source, r.year, r.release_id, p.listens
            FROM recordings r LEFT JOIN {table} p ON p.recording_id = r.id"""
        return {"popularity": f"SELECT {', '.join(POPULARITY.names)} FROM {table}", "heard": joined}
    columns = "recording_id, source, year, release_id, listens"
    heard = [f"SELECT {columns} FROM {table}"]
    if "recording" in given:
        rest = f"({own(told.licences, given['recording'])})"
        if any(f.rows for f in told.files):
            rest = f"(SELECT w.* FROM {rest} w ANTI JOIN {table} r ON w.recording_id = r.recording_id)"
        heard.append(f"SELECT {columns} FROM {rest}")
    rows = " UNION ALL ".join(heard)
    mapped, licence = parquet([places.path(f) for f in told.ranks]), text(", ".join(told.licences))
    scored = f"""SELECT h.recording_id, h.listens, l.score, l.rank,
        CASE WHEN h.listens IS NOT NULL THEN {licence} END AS licence
        FROM ({rows}) h LEFT JOIN {mapped} l ON l.listens = h.listens"""
    return {"popularity": scored, "heard": rows}
