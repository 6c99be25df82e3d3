"""The view ``heard_counts``: of each source, how many recordings have so many listens; most of it without counting.

Ranks are kept with the number of recordings that have each count of listens, over all sources (``ranks``,
docs/formats/generation.md). The largest wide source is what is left of them when all others are taken away, so only
the others are counted: in a catalogue of one large source nothing is, whatever its size.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from fonoteca.catalogue import heard, operations
from fonoteca.catalogue.engine import parquet, text
from fonoteca.catalogue.generation import Generation, Popularity
from fonoteca.catalogue.places import Places

COUNTED = operations.histogram("heard", "source")
"""The view where nothing is known beforehand: source, listens (null: unknown), recordings."""
_ROWS = "source, listens, recordings"


def query(places: Places, generation: Generation) -> str:
    """The query of the view; the views of ``heard`` are there.

    Wide rows that somebody else describes too are hidden, and how many they are is not on record: then all are counted.
    """
    told = generation.popularity
    sizes = _sizes(generation)
    if told is None or not told.ranks or "recording" in generation.overlapping or not sizes:
        return COUNTED
    largest = max(sizes, key=lambda source: (sizes[source], source))
    recordings = sum(sizes.values()) + sum(ref.rows for ref in told.files)
    return _rest(largest, recordings, parquet(places.paths(told.ranks)), _others(places, generation, told, largest))


def _sizes(generation: Generation) -> Counter[str]:
    """Source → its wide recordings."""
    found: Counter[str] = Counter()
    for part in generation.wide:
        found[part.source] += sum(chunk.rows.rows for chunk in part.wide.get("recording", []))
    return +found


def _others(places: Places, generation: Generation, told: Popularity, largest: str) -> str:
    """The recordings of all but the wide partitions of one source; empty where there are none."""
    merged = [ref for ref in told.files if ref.rows]
    queries = [f"SELECT {heard.COLUMNS} FROM {parquet(places.paths(merged))}"] if merged else []
    others = replace(generation, partitions=tuple(p for p in generation.partitions if p.source != largest))
    return " UNION ALL ".join(filter(None, [*queries, heard.rows(places, others, told)]))


def _rest(largest: str, recordings: int, ranks: str, others: str) -> str:
    name = text(largest)
    queries = [
        f"SELECT {name} AS source, listens, recordings FROM {ranks}",
        f"""SELECT {name} AS source, CAST(NULL AS BIGINT) AS listens,
            {recordings} - coalesce(sum(recordings), 0) AS recordings FROM {ranks}""",
    ]
    if others:
        # Each of them once for its own source, and once less for the largest.
        queries.append(f"""
            SELECT CASE WHEN g.sign = 1 THEN o.source ELSE {name} END AS source, o.listens,
                g.sign * o.recordings AS recordings
            FROM ({operations.histogram(f"({others}) AS h", "source")}) AS o
            CROSS JOIN (SELECT 1 AS sign UNION ALL SELECT -1 AS sign) AS g""")
    rows = " UNION ALL ".join(f"SELECT {_ROWS} FROM ({query}) AS q" for query in queries)
    return f"""
        SELECT source, listens, CAST(sum(recordings) AS BIGINT) AS recordings FROM ({rows}) AS c
        GROUP BY source, listens HAVING sum(recordings) > 0"""
