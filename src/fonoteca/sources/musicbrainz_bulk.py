"""A dump of MusicBrainz tables, read by columns: tables are staged, checked, joined and handed over in chunks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fonoteca.core import durable
from fonoteca.core.progress import Progress, Unit
from fonoteca.sources import musicbrainz_checks as checks
from fonoteca.sources import musicbrainz_pieces as pieces
from fonoteca.sources import musicbrainz_sql as queries
from fonoteca.sources.ahead import ahead
from fonoteca.sources.bulk import CHUNK_ROWS, Sql
from fonoteca.sources.musicbrainz_files import Files, lacking, no_recordings
from fonoteca.sources.musicbrainz_pieces import literal
from fonoteca.sources.musicbrainz_tables import CORE, Table

_DONE = "musicbrainz.json"
_STAGED_SHARE = 0.6
"""Bytes of staged tables for one byte of the dump's tables, at most; measured: a third to a half."""
_UNPACKED = 6
"""Bytes of tables for one of a packed dump, at most; measured with bzip2: 4 to 5."""


@dataclass
class Staged:
    """Pieces of one table: name of the staged file, lines, and how many of them are broken."""

    table: Table
    pieces: list[tuple[str, int, int]] = field(default_factory=list)

    @property
    def broken(self) -> int:
        """Lines that could not be read."""
        return sum(broken for _, _, broken in self.pieces)


class TablesBulk:
    """The bulk way of the core tables."""

    def __init__(self, files: Files, chunk_rows: int = CHUNK_ROWS, piece: int = pieces.PIECE) -> None:
        self._files = files
        self._chunk_rows = chunk_rows
        self._piece = piece
        self._staged: dict[str, Staged] = {}
        self._chunks: dict[str, list[Callable[[], str]]] = {}
        self._refusals: list[str] = []
        self._counts: dict[str, int] = {}

    def space(self) -> int:
        """Two pieces, the staged tables, and what joins spill."""
        bytes_ = self._files.size * (_UNPACKED if self._files.packed else 1)
        return int(bytes_ * _STAGED_SHARE) + 3 * self._piece

    def prepare(self, sql: Sql, progress: Progress) -> None:
        """Stage all tables; name them; take out rows that repeat or lead nowhere; stage what rows share.

        Raises:
            Usage: ``missing-table``, ``unknown-columns``; TornDump.
        """
        self._stage_all(sql, progress)
        if "recording" not in self._staged:
            raise no_recordings(self._files)
        if self._files.packed:
            for sentence in lacking(set(self._staged), derived=False):
                progress.warn(sentence)
        for table in CORE.values():
            sql.view(f"raw_{table.name}", self._raw(sql.work, table))
        self._refusals = [self._broken(sql.work, staged) for staged in self._staged.values() if staged.broken]
        found = checks.run(sql, set(self._staged))
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
        return checks.ordered(self._refusals)

    def counts(self) -> Mapping[str, int]:
        """As :class:`fonoteca.sources.tally.Tally`, and ``tracks``, ``artists``, ``synthetic``."""
        return self._counts

    # --- staging ------------------------------------------------------------------------------------------------------

    def _stage_all(self, sql: Sql, progress: Progress) -> None:
        done = sql.work / _DONE
        if done.exists():
            for name, found in json.loads(done.read_text("utf-8")).items():
                self._staged[name] = Staged(CORE[name], [tuple(piece) for piece in found])
            for name in [name for staged in self._staged.values() for name, _, _ in staged.pieces]:
                sql.stage(name, f"FROM read_parquet({literal(sql.work / f'{name}.parquet')})")
            return
        progress.stage("unpacking", self._files.size or None, Unit.BYTES)
        for table, form, piece in ahead(self._cut(sql.work, progress)):
            staged = self._staged.setdefault(table.name, Staged(table))
            if piece is None:
                continue
            name = f"mb_{table.name}_{len(staged.pieces):05d}"
            broken = pieces.stage(sql, name, piece, table, form)
            staged.pieces.append((name, piece.lines, broken))
            if piece.path.is_relative_to(sql.work):
                durable.remove(piece.path)
        listed = {name: staged.pieces for name, staged in self._staged.items()}
        durable.write_bytes(done, json.dumps(listed, sort_keys=True).encode())

    def _cut(self, work: Path, progress: Progress) -> Iterator[tuple[Table, tuple[str, ...], pieces.Piece | None]]:
        """Each table with nothing, so that an empty one is one, then with its pieces."""
        for file in self._files.open(progress):
            table = CORE.get(file.name)
            if table is None:
                continue
            yield table, (), None
            if file.path is not None:
                found: Iterator[pieces.Piece] = pieces.whole(file.path)
            else:
                found = pieces.cut(file.stream(), work, f"mb_{table.name}", self._piece)
            form: tuple[str, ...] | None = None
            for piece in found:
                form = form or self._files.form(table, pieces.width(piece.path))
                yield table, form, piece

    def _raw(self, work: Path, table: Table) -> str:
        staged = self._staged.get(table.name)
        if staged is None or not any(lines for _, lines, _ in staged.pieces):
            listed = ", ".join(f"NULL::{kind} AS {name}" for name, kind in table.kept.items())
            return f"SELECT {listed}, NULL::BIGINT AS line WHERE false"
        return " UNION ALL ".join(
            f"SELECT * EXCLUDE (file_row_number), file_row_number + {base} AS line FROM "
            f"read_parquet({literal(work / f'{name}.parquet')}, file_row_number=true)"
            + (f" WHERE {table.needed[0]} IS NOT NULL" if broken else "")
            for name, base, broken in _numbered(staged)
        )

    def _broken(self, work: Path, staged: Staged) -> str:
        kind = checks.kind(staged.table.name)
        return " UNION ALL ".join(
            f"SELECT '{staged.table.name}' AS name, line + {base} AS line, code, reason, raw, '{kind}' AS kind FROM "
            f"read_csv({literal(pieces.refusals_path(work, name))}, auto_detect=false, header=false, delim=',', "
            f"quote='\"', escape='\"', nullstr='\\N', max_line_size=1048576, columns={{'line': 'BIGINT', "
            f"'code': 'VARCHAR', 'reason': 'VARCHAR', 'raw': 'VARCHAR'}})"
            for name, base, broken in _numbered(staged)
            if broken
        )

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
        sql.view("mb_recording_names", queries.RECORDING_NAMES)

    def _plan(self, sql: Sql) -> dict[str, list[Callable[[], str]]]:
        credited = "artist_credit_name" in self._staged
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
        broken = {name: staged.broken for name, staged in self._staged.items()}
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


def _numbered(staged: Staged) -> Iterator[tuple[str, int, int]]:
    """Each piece's name, the number of its first line, and its broken lines."""
    first = 1
    for name, lines, broken in staged.pieces:
        if lines:
            yield name, first, broken
        first += lines


def _later(make: Callable[..., str], low: int, high: int, **options: bool) -> Callable[[], str]:
    return lambda: make(low, high, **options)
