"""From facts to merged tables: whose value stands (docs/formats/generation.md, section "Precedence").

A field takes the value of the first source in :data:`~fonoteca.catalogue.tables.PRECEDENCE` that gives one, then
of the first dataset by name, then of the first position. A list of credits is taken whole from one row. Every
result is sorted by all its columns, so bytes do not depend on threads, memory or the order of ingest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from fonoteca.catalogue import files
from fonoteca.catalogue.engine import parquet, stream, text
from fonoteca.catalogue.files import FileRef
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.tables import MERGED, PRECEDENCE
from fonoteca.catalogue.wide import shown
from fonoteca.core.progress import Progress, Unit
from fonoteca.formats.tables import SORT_KEYS

if TYPE_CHECKING:
    import duckdb

RANK = f"coalesce(list_position([{', '.join(text(s) for s in PRECEDENCE)}], source), {len(PRECEDENCE) + 1})"
ROW_GROUP = 8_192
"""Rows that are read to look one up."""
ORDER = f"{RANK}, source, dataset, length(position), position"
"""Precedence as SQL. Positions in one file grow with their row number: shorter first is the earlier row."""


def merge(
    connection: duckdb.DuckDBPyConnection, places: Places, progress: Progress, releases: str | None = None
) -> dict[str, list[FileRef]]:
    """Write all merged tables from the views ``facts_*``, and name each as a view by the table's name.

    Args:
        connection: with the views.
        places: where the files go.
        progress: is told of each table.
        releases: query of further releases, that recordings may be on and that are not merged here.
    """
    progress.stage("merging", len(_QUERIES), Unit.FILES)
    written: dict[str, list[FileRef]] = {}
    for table, query in _QUERIES.items():
        schema = MERGED[table]
        order = [*SORT_KEYS[table], *[name for name in schema.names if name not in SORT_KEYS[table]]]
        listed, by = ", ".join(schema.names), ", ".join(order)
        rows = stream(connection, f"SELECT {listed} FROM ({query}) ORDER BY {by}")
        written[table] = [files.write(places, f"{table}.parquet", rows, schema, ROW_GROUP)]
        name_merged(connection, places, {table: written[table]}, releases if table == "releases" else None)
        progress.advance(1)
    return written


def name_merged(
    connection: duckdb.DuckDBPyConnection, places: Places, merged: Mapping[str, Sequence[FileRef]],
    more: str | None = None,
) -> None:  # fmt: skip
    """Merged tables as views by their names; ``more`` is a query of further rows."""
    for table, refs in merged.items():
        paths = places.paths(refs)
        rest = f" UNION ALL SELECT {', '.join(MERGED[table].names)} FROM ({more})" if more else ""
        listed = ", ".join(MERGED[table].names)
        connection.execute(f"CREATE OR REPLACE VIEW {table} AS SELECT {listed} FROM {parquet(paths)}{rest}")


def _first(*columns: str) -> str:
    return ", ".join(
        f"first({c} ORDER BY {ORDER}, {c}) FILTER ({c} IS NOT NULL) AS {c}" for c in columns
    )  # fmt: skip


_ROW = (f"first(source ORDER BY {ORDER}) AS source, first(dump ORDER BY {ORDER}) AS dump, "
        f"first(position ORDER BY {ORDER}) AS position")  # fmt: skip
_FLAGS = "list_sort(list_distinct(flatten(list(flags)))) AS flags"


_CREDITS = f"""
    WITH rows AS (
        SELECT DISTINCT *, dense_rank() OVER (PARTITION BY kind, entity_id ORDER BY {ORDER}) AS place
        FROM facts_credit)
    SELECT * FROM rows WHERE place = 1"""
_NAMES = """
    SELECT kind, entity_id, string_agg(name || CASE WHEN joined_by = '' AND name <> '' AND NOT final THEN ', '
        ELSE joined_by END, '' ORDER BY ordinal, name) AS artist
    FROM (SELECT *, ordinal = max(ordinal) OVER (PARTITION BY kind, entity_id) AS final
          FROM credits WHERE role = 'artist')
    GROUP BY kind, entity_id"""
_TRACKS = f"""
    SELECT release_id, disc, number, recording_id, {_first("title")}, {_ROW}
    FROM facts_track GROUP BY release_id, disc, number, recording_id"""
_RELEASES = f"""
    SELECT r.*, n.artist, coalesce(t.tracks, 0)::INTEGER AS tracks
    FROM (SELECT id, {_first("title", "year", "date", "kind", "label", "country")}, {_FLAGS}, {_ROW}
          FROM facts_release GROUP BY id) r
    LEFT JOIN ({_NAMES}) n ON n.kind = 'release' AND n.entity_id = r.id
    LEFT JOIN (SELECT release_id, count(*) AS tracks FROM tracks GROUP BY release_id) t ON t.release_id = r.id"""
# The first release: smallest (year, id), packed into one number, which no engine can break a tie of otherwise.
_FIRST_RELEASE = """
    SELECT t.recording_id, (min((greatest(0, least(coalesce(r.year, 32767), 32767))::HUGEINT << 64)
        | r.id::HUGEINT) & 9223372036854775807::HUGEINT)::BIGINT AS release_id
    FROM tracks t JOIN releases r ON r.id = t.release_id GROUP BY t.recording_id"""
_RECORDINGS = f"""
    SELECT r.* REPLACE (coalesce(r.year, l.year) AS year), n.artist, l.title AS release, l.id AS release_id
    FROM (SELECT id, {_first("title", "duration_ms", "year", "language")}, {_FLAGS}, {_ROW}
          FROM facts_recording GROUP BY id) r
    LEFT JOIN ({_NAMES}) n ON n.kind = 'recording' AND n.entity_id = r.id
    LEFT JOIN ({_FIRST_RELEASE}) f ON f.recording_id = r.id
    LEFT JOIN releases l ON l.id = f.release_id"""
_QUERIES = {
    "credits": _CREDITS,
    "tracks": _TRACKS,
    "releases": _RELEASES,
    "recordings": _RECORDINGS,
    "artists": f"SELECT id, {_first('name', 'sort_name')}, {_ROW} FROM facts_artist GROUP BY id",
    "identifiers": f"""
        SELECT scheme, value, entity_id, kind, {_ROW} FROM facts_identifier GROUP BY scheme, value, entity_id, kind""",
    "genres": f"SELECT entity_id, kind, genre, {_ROW} FROM facts_genre GROUP BY entity_id, kind, genre",
    "signals": """
        SELECT DISTINCT recording_id, kind, value, licence, synthetic, source, dump, position FROM facts_signal""",
    "claims": f"""
        SELECT DISTINCT kind, {shown("kind", "entity_id")} AS subject, licence, url, evidence, source, dump, position
        FROM facts_claim""",
}
"""Table → its rows, in the order in which they build on one another."""
