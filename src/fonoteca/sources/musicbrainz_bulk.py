"""A dump of MusicBrainz tables, read by columns: tables are staged, checked, joined and handed over in chunks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fonoteca.core.progress import Progress
from fonoteca.sources import musicbrainz_checks as checks
from fonoteca.sources import musicbrainz_links as links
from fonoteca.sources import musicbrainz_pieces as pieces
from fonoteca.sources import musicbrainz_sql as queries
from fonoteca.sources.bulk import CHUNK_ROWS, Sql
from fonoteca.sources.musicbrainz_files import Files
from fonoteca.sources.musicbrainz_staging import Staging
from fonoteca.sources.musicbrainz_tables import CORE

_RESULT_SHARE = 0.3
"""Bytes of the result for one byte of the tables; measured of generated ones: 0.27."""


class TablesBulk:
    """The bulk way of the core tables."""

    def __init__(self, files: Files, chunk_rows: int = CHUNK_ROWS, piece: int = pieces.PIECE) -> None:
        self._staging = Staging(files, CORE, piece)
        self._chunk_rows = chunk_rows
        self._chunks: dict[str, list[Callable[[], str]]] = {}
        self._refusals: list[str] = []
        self._counts: dict[str, int] = {}

    def space(self) -> int:
        """Pieces, the staged tables, and what joins spill."""
        return self._staging.space()

    def result(self) -> int:
        """By the size of the tables."""
        return self._staging.result(_RESULT_SHARE)

    def prepare(self, sql: Sql, progress: Progress) -> None:
        """Stage all tables; name them; take out rows that repeat or lead nowhere; stage what rows share.

        Raises:
            Usage: ``missing-table``, ``unknown-columns``; TornDump.
        """
        self._staging.run(sql, progress)
        found = checks.run(sql, CORE, set(self._staging.tables))
        self._refusals = self._staging.refusals(sql.work)
        self._refusals += found.refusals
        self._share(sql, recount="track" in found.refused)
        self._chunks = self._plan(sql)
        self._counts = self._tally(sql, found)

    def tables(self) -> Mapping[str, int]:
        """Artists, releases, recordings."""
        return {name: len(chunks) for name, chunks in self._chunks.items()}

    def rows(self, table: str, chunk: int) -> str:
        """Rows by their number in the dump."""
        return self._chunks[table][chunk]()

    def flat(self) -> Mapping[str, str]:
        """Everything nests."""
        return {}

    def refusals(self) -> str | None:
        """Broken lines, rows that repeat a key, references that lead nowhere; by table, then line."""
        if not self._refusals:
            return None
        return checks.ordered(self._refusals, CORE)

    def counts(self) -> Mapping[str, int]:
        """As :class:`fonoteca.sources.tally.Tally`, and ``tracks``, ``artists``, ``synthetic``."""
        return self._counts

    # --- what rows share ----------------------------------------------------------------------------------------------

    def _share(self, sql: Sql, *, recount: bool) -> None:
        sql.stage("mb_artist_ids", queries.ARTIST_IDS)
        sql.stage("mb_credit_names", queries.CREDIT_NAMES)
        parts = []
        for number, (low, high) in enumerate(self._ranges(sql, "mb_credit_names", "artist_credit")):
            sql.stage(f"mb_credits_{number}", queries.credit_lists(low, high))
            parts.append(f"FROM mb_credits_{number}")
        sql.view("mb_credits", " UNION ALL ".join(parts) or _NO_CREDITS)
        sql.stage("mb_named_artists", queries.NAMED_ARTISTS)
        sql.stage("mb_issues", queries.ISSUES)
        sql.stage("mb_places", queries.PLACES)
        counted = "(SELECT medium, count(*) AS tracks FROM mb_track GROUP BY medium)"
        sql.stage("mb_track_counts", queries.TRACK_COUNTS.format(counted if recount else "mb_medium_tracks"))
        for kind in links.KINDS:
            sql.stage(links.staged(kind), links.query(kind))
        sql.view("mb_recording_names", queries.RECORDING_NAMES)

    def _plan(self, sql: Sql) -> dict[str, list[Callable[[], str]]]:
        credited = "artist_credit_name" in self._staging.tables
        named = sql.value("SELECT count(*) FROM mb_named_artists")
        return {
            "artist": [
                *(_later(queries.artists, low, high) for low, high in self._ranges(sql, "mb_artist", "id")),
                *(_later(queries.named_artists, low, min(low + self._chunk_rows, named))
                  for low in range(0, named, self._chunk_rows)),
            ],
            "release": [_later(queries.releases, low, high, credited=credited)
                        for low, high in self._ranges(sql, "mb_release", "id")],
            "recording": [_later(queries.recordings, low, high, credited=credited)
                          for low, high in self._ranges(sql, "mb_recording", "id")],
        }  # fmt: skip

    def _ranges(self, sql: Sql, table: str, column: str) -> list[tuple[int, int]]:
        """Half-open ranges of a column, each with at most a chunk of its values."""
        least, most, count = sql.rows(f"SELECT min({column}), max({column}), count(DISTINCT {column}) FROM {table}")[0]
        if not count:
            return []
        if count <= self._chunk_rows:
            return [(least, most + 1)]
        cuts = sql.rows(
            f"SELECT {column} FROM (SELECT {column}, row_number() OVER (ORDER BY {column}) AS n FROM "
            f"(SELECT DISTINCT {column} FROM {table})) WHERE (n - 1) % {self._chunk_rows} = 0 ORDER BY 1"
        )
        starts = [row[0] for row in cuts]
        return list(zip(starts, [*starts[1:], most + 1], strict=True))

    def _tally(self, sql: Sql, found: checks.Found) -> dict[str, int]:
        broken = self._staging.broken
        release_refused = broken.get("release", 0) + found.refused.get("release", 0)
        refused = sum(broken.values()) + sum(found.refused.values()) - release_refused
        count = {name: sql.value(f"SELECT count(*) FROM mb_{name}") for name in ("recording", "release", "artist")}
        tracks = sql.value("SELECT coalesce(sum(tracks), 0) FROM mb_track_counts")
        artists = count["artist"]
        duplicates = found.duplicates - found.release_duplicates
        return {
            "rows": count["recording"] + duplicates + refused, "recordings": count["recording"], "references": 0,
            "duplicates": duplicates, "refused": refused, "releases": count["release"],
            "release_duplicates": found.release_duplicates, "release_refused": release_refused,
            "records": count["recording"] + count["release"] + artists + int(tracks), "tracks": int(tracks),
            "artists": artists, "synthetic": 0,
        }  # fmt: skip


_NO_CREDITS = (
    "SELECT NULL::BIGINT AS artist_credit, NULL::STRUCT(artist_id BIGINT, name VARCHAR, role VARCHAR, "
    "joined_by VARCHAR)[] AS credits, NULL::VARCHAR AS artist WHERE false"
)


def _later(make: Callable[..., str], low: int, high: int, **options: bool) -> Callable[[], str]:
    return lambda: make(low, high, **options)
