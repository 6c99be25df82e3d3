"""Popularity: known listens, summed per recording, as a score from 0 to 100 and a rank (docs/formats/signal.md).

The mapping is absolute, so that a score means the same in every generation and archive:
``score = min(100, 10 * log10(1 + listens))``, to two decimals. Unknown listens have no score, which is not 0.
A rank is one more than the number of recordings with more listens: equal listens share it. Score and rank depend on
the listens alone, so the rows of wide partitions need no table of their own but a small one from listens to both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from fonoteca.catalogue import files, heard, operations
from fonoteca.catalogue.chosen import Here, Maker
from fonoteca.catalogue.engine import parquet, stream, text
from fonoteca.catalogue.files import FileRef, are_there
from fonoteca.catalogue.generation import Generation, Popularity
from fonoteca.catalogue.heard import counted
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.tables import POPULARITY

if TYPE_CHECKING:
    import duckdb

RANKS = pa.schema([("listens", pa.int64()), ("score", pa.float64()), ("rank", pa.int64()), ("recordings", pa.int64())])
"""Listens → score, rank and how many recordings have so many."""


def ranks(counted_listens: str) -> str:
    """SQL of :data:`RANKS` from a query of (listens, recordings) that counts each recording once."""
    return f"SELECT listens, score, rank, recordings FROM ({operations.ranks_of(f'({counted_listens}) AS h')}) AS r"


def rank(
    connection: duckdb.DuckDBPyConnection, places: Places, licences: Sequence[str],
    generation: Generation | None = None, before: Generation | None = None, maker: Maker | None = None,
) -> Popularity:  # fmt: skip
    """Write the popularity table from the views ``recordings`` and ``signals``: a row for each recording in them.

    Args:
        connection: with these views of the merged tables.
        places: of the catalogue.
        licences: whose listens count.
        generation: with the wide partitions and direct tables that the views do not have; None where there are none.
        before: the generation before: of its popularity, what has not changed is kept.
        maker: sums and counts for the connection, which writes what comes out; None: it does both.
    """
    made = maker or Here(connection)
    named = tuple(sorted(set(licences)))
    if generation is None or generation.is_flat:
        _name_rows(made, [counted(named)])
        made.keep("listen_ranks", ranks(_HISTOGRAM))
        written = _write(connection, places, "popularity", _table(named), POPULARITY)
        return Popularity(named, _synthetic(made, [counted(named)]), [written])
    given = heard.givers(places, generation, named)
    # Another engine sees files alone, and not what keys find.
    few = isinstance(made, Here)
    to_merged = heard.givers_to(connection, places, generation, named, "recordings") if few else list(given.values())
    _name_rows(made, to_merged)
    told = Popularity(named, synthetic=False, files=[], heard=heard.bring_up(
        connection, places, generation, given, named, before, made))  # fmt: skip
    made.keep("listen_ranks", ranks(_counted(places, replace(generation, popularity=told), before, made)))
    ranked = [_write(connection, places, "ranks", "FROM listen_ranks", RANKS)]
    # Not by the engine itself: its bytes hang on what it knows of the rows, which is not the same after Spark.
    written = _write(connection, places, "popularity", "FROM ranked_rows", heard.ROWS)
    synthetic = _synthetic(made, _asked_if_synthetic(places, generation, named, before))
    return replace(told, synthetic=synthetic, files=[written], ranks=ranked)


_HISTOGRAM = "SELECT listens, count(*) AS recordings FROM ranked_rows GROUP BY listens"


def _counted(places: Places, generation: Generation, before: Generation | None, made: Maker) -> str:
    """The query of how many recordings have so many listens: those before, where most partitions are as they were,
    without what has gone and with what has come, or else all counted anew."""
    told = generation.popularity
    assert told is not None
    rows = Counter(heard.scans(places, generation, told))
    # A query names its files by their digests: the same query is the same rows.
    earlier = Counter(_earlier(places, generation, before)) if isinstance(made, Here) else Counter()
    gone, come = list((earlier - rows).elements()), list((rows - earlier).elements())
    if before is None or before.popularity is None or len(gone) + len(come) >= rows.total():
        return " UNION ALL ".join([_HISTOGRAM, *_histograms(generation, list(rows.elements()))])
    was = before.popularity
    less = [
        *_histograms(generation, gone),
        f"SELECT listens, count(*) AS recordings FROM {parquet(places.paths(was.files))} GROUP BY listens",
    ]
    more = [
        _HISTOGRAM,
        f"SELECT listens, recordings FROM {parquet(places.paths(was.ranks))}",
        *_histograms(generation, come),
    ]
    signed = [*more, *[f"SELECT listens, -recordings AS recordings FROM ({query})" for query in less]]
    return f"""SELECT listens, sum(recordings) AS recordings FROM ({" UNION ALL ".join(signed)})
        WHERE listens IS NOT NULL GROUP BY listens HAVING sum(recordings) > 0"""


def _earlier(places: Places, generation: Generation, before: Generation | None) -> list[str]:
    """The wide rows that the ranks of the generation before count; none where they are of no use."""
    was = before.popularity if before else None
    if before is None or was is None or not was.ranks or before.partitions == generation.partitions:
        # With the same partitions somebody asks for ranks that are made anew.
        return []
    same = before.overlaps.get("recording") == generation.overlaps.get("recording")
    return heard.scans(places, before, was) if same and are_there(places, was.all_files()) else []


def _histograms(generation: Generation, rows: Sequence[str]) -> list[str]:
    found = _without_overlaps(generation, rows)
    return [f"SELECT listens, count(*) AS recordings FROM ({found}) GROUP BY listens"] if found else []


def _asked_if_synthetic(
    places: Places, generation: Generation, licences: Sequence[str], before: Generation | None
) -> list[str]:  # fmt: skip
    """Queries of the listens of which it is not known from before that none is made up."""
    asked = _counting(places, generation, licences)
    if before is None or before.popularity is None or before.popularity.synthetic:
        return asked
    known = set(_counting(places, before, before.popularity.licences))
    return [query for query in asked if query not in known]


def _counting(places: Places, generation: Generation, licences: Sequence[str]) -> list[str]:
    """Queries of all listens that count: those that are given, and those that wide partitions have themselves."""
    scans = [parquet(places.paths(chunk.rows for chunk in part.wide["recording"]))
             for part in generation.wide if part.wide.get("recording")]  # fmt: skip
    own = [f"FROM ({heard.own(licences, scan)}) WHERE listens IS NOT NULL" for scan in scans]
    return [*heard.givers(places, generation, licences).values(), *own]


def _without_overlaps(generation: Generation, rows: Sequence[str]) -> str:
    """Wide recordings that nobody else describes; the view ``overlap_recording`` is there where some are."""
    found = " UNION ALL ".join(rows)
    if found and "recording" in generation.overlapping:
        return f"SELECT w.* FROM ({found}) w ANTI JOIN overlap_recording o ON w.recording_id = o.id"
    return found


def _write(
    connection: duckdb.DuckDBPyConnection, places: Places, name: str, query: str, schema: pa.Schema
) -> FileRef:  # fmt: skip
    listed = ", ".join(schema.names)
    rows = stream(connection, f"SELECT {listed} FROM ({query}) ORDER BY {schema.names[0]}")
    return files.write(places, f"{name}.parquet", rows, schema)


def _name_rows(made: Maker, given: Sequence[str]) -> None:
    """``ranked_rows``: a row for each merged recording, with the listens that these queries give it."""
    listens = " UNION ALL ".join(given) or "SELECT NULL::BIGINT AS recording_id, 0 AS listens WHERE false"
    made.keep(
        "ranked_rows",
        f"""
        SELECT r.id AS recording_id, k.listens, r.source, r.year, r.release_id
        FROM recordings r LEFT JOIN (
            SELECT recording_id, sum(listens)::BIGINT AS listens FROM ({listens}) g
            SEMI JOIN recordings m ON m.id = g.recording_id GROUP BY 1) k ON k.recording_id = r.id""",
    )


def _table(licences: Sequence[str]) -> str:
    told = text(", ".join(licences))
    return f"""
        SELECT p.recording_id, p.listens, l.score, l.rank, CASE WHEN p.listens IS NOT NULL THEN {told} END AS licence
        FROM ranked_rows p LEFT JOIN listen_ranks l ON l.listens = p.listens"""


def _synthetic(made: Maker, queries: Sequence[str]) -> bool:
    """Is any of the counted listens made up?"""
    return any(made.rows(f"SELECT 1 AS found FROM ({query}) AS g WHERE synthetic LIMIT 1") for query in queries)


def views(places: Places, generation: Generation) -> dict[str, str]:
    """The queries of the views ``popularity`` and ``heard`` (recording_id, source, year, release_id, listens).

    Args:
        places: of the catalogue.
        generation: with its popularity; the view ``overlap_recording`` is there where it has such.
    """
    told = generation.popularity
    assert told is not None
    table = parquet(places.paths(told.files))
    if generation.is_flat:
        columns = ", ".join(POPULARITY.names)
        return {"popularity": f"SELECT {columns} FROM {table}", "heard": operations.heard("recordings", table)}
    parts = [f"SELECT {heard.COLUMNS} FROM {table}"] if any(f.rows for f in told.files) else []
    parts += [part for part in [_without_overlaps(generation, heard.scans(places, generation, told))] if part]
    rows = " UNION ALL ".join(parts) or f"SELECT {heard.COLUMNS} FROM {table}"
    mapped, licence = parquet(places.paths(told.ranks)), text(", ".join(told.licences))
    scored = f"""SELECT h.recording_id, h.listens, l.score, l.rank,
        CASE WHEN h.listens IS NOT NULL THEN {licence} END AS licence
        FROM ({rows}) h LEFT JOIN {mapped} l ON l.listens = h.listens"""
    return {"popularity": scored, "heard": rows}
