"""Popularity: known listens, summed per recording, as a score from 0 to 100 and a rank (docs/formats/signal.md).

The mapping is absolute, so that a score means the same in every generation and archive:
``score = min(100, 10 * log10(1 + listens))``, to two decimals. Unknown listens have no score, which is not 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fonoteca.catalogue import files
from fonoteca.catalogue.engine import stream, text
from fonoteca.catalogue.generation import Popularity
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.tables import POPULARITY

if TYPE_CHECKING:
    import duckdb

MOST = 9_007_199_254_740_992
"""Counts from 2^53 on are no counts."""


def counted(licences: Sequence[str]) -> str:
    """SQL of the signals that count: listens under one of these licences, finite and not negative."""
    listed = ", ".join(text(name) for name in licences) or "NULL"
    return (f"SELECT recording_id, source, synthetic, round(value)::BIGINT AS listens FROM signals "
            f"WHERE kind = 'listens' AND licence IN ({listed}) AND isfinite(value) "
            f"AND value >= 0 AND value < {MOST}")  # fmt: skip


def rank(connection: duckdb.DuckDBPyConnection, places: Places, licences: Sequence[str]) -> Popularity:
    """Write the popularity table from the views ``recordings`` and ``signals``: a row for each recording."""
    named = tuple(sorted(set(licences)))
    query = f"""
        WITH known AS (SELECT recording_id, sum(listens)::BIGINT AS listens FROM ({counted(named)}) GROUP BY 1),
        scored AS (
            SELECT r.id AS recording_id, k.listens,
                CASE WHEN k.listens IS NOT NULL THEN round(least(100, 10 * log10(1 + k.listens)), 2) END AS score,
                CASE WHEN k.listens IS NOT NULL THEN {text(", ".join(named))} END AS licence
            FROM recordings r LEFT JOIN known k ON k.recording_id = r.id)
        SELECT recording_id, listens, score, CASE WHEN listens IS NOT NULL THEN
            row_number() OVER (ORDER BY listens DESC NULLS LAST, recording_id) END AS rank, licence
        FROM scored ORDER BY recording_id"""
    written = [files.write(places, "popularity.parquet", stream(connection, query), POPULARITY)]
    return Popularity(named, _synthetic(connection, named), written)


def _synthetic(connection: duckdb.DuckDBPyConnection, licences: Sequence[str]) -> bool:
    found = connection.execute(f"SELECT coalesce(bool_or(synthetic), false) FROM ({counted(licences)})").fetchone()
    return bool(found and found[0])
