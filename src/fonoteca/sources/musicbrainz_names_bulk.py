"""The names in MusicBrainz's canonical dump by columns.

Lines in which nothing is odd go to the engine as they are. Any other row is read as the record way reads it, and
written in one line; empty cells stand for the further lines that it takes, and for one that is refused, so that a row's
number stays its line's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from fonoteca.core import durable
from fonoteca.core.progress import Progress, Unit
from fonoteca.sources import musicbrainz_canonical as canonical
from fonoteca.sources import musicbrainz_names as names
from fonoteca.sources import musicbrainz_names_sql as queries
from fonoteca.sources import staged_once
from fonoteca.sources.ahead import ahead
from fonoteca.sources.bulk import CHUNK_ROWS, Sql, literal
from fonoteca.sources.musicbrainz_canonical import File, Table
from fonoteca.sources.musicbrainz_names import Named, One, Usual
from fonoteca.sources.musicbrainz_pieces import PIECE
from fonoteca.sources.packed import MAGIC_BYTES, form_of
from fonoteca.sources.records import Refused

_DONE = "musicbrainz-names.json"
_REFUSED = "names.refused.csv"
_RATIO = 5
"""Bytes of lines for one of a packed file."""
_SHARE, _RESULT_SHARE = 1, 0.5
"""Bytes of staged rows with what joins spill, and of the result, for one byte of the lines; measured: 0.15 and 0.2."""


@dataclass
class _Piece:
    """Lines of one table: the number of the first in its file (``base``) and in the dump (``seq``)."""

    name: str
    shown: str
    columns: tuple[str, ...]
    lines: int
    base: int
    seq: int


@dataclass
class NamesBulk:
    """The bulk way of the names."""

    files: Sequence[File]
    chunk_rows: int = CHUNK_ROWS
    piece: int = PIECE
    _pieces: list[_Piece] = field(default_factory=list)
    _refused: int = 0
    _again: tuple[int, int] = (0, 0)
    _chunks: dict[str, list[str]] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)
    _work: Path = field(default_factory=Path)

    def space(self) -> int:
        """The staged rows, what joins spill, and the pieces that are cut and parsed at one time."""
        return self._size() * _SHARE + 3 * self.piece

    def result(self) -> int:
        """By the size of the lines."""
        return int(self._size() * _RESULT_SHARE)

    def _size(self) -> int:
        """Bytes of all lines, about: what packed ones come to is a guess."""
        return sum(file.path.stat().st_size * (_RATIO if _is_packed(file.path) else 1) for file in self.files)

    def prepare(self, sql: Sql, progress: Progress) -> None:
        """Stage; take out repeated recordings; number releases and artists where they come first.

        Raises:
            Usage: ``missing-table``, ``unknown-columns``; TornDump.
        """
        self._work = sql.work
        self._stage(sql, progress)
        sql.view("names_raw", self._union(self._pieces))
        self._unique(sql)
        sql.stage("names_release", queries.RELEASES)
        sql.stage("names_artist", queries.ARTISTS)
        self._plan(sql)
        self._tally(sql)

    def tables(self) -> Mapping[str, int]:
        """Artists, releases, recordings."""
        return {name: len(chunks) for name, chunks in self._chunks.items()}

    def rows(self, table: str, chunk: int) -> str:
        """Rows in the order of the dump."""
        return self._chunks[table][chunk]

    def flat(self) -> Mapping[str, str]:
        """Everything nests."""
        return {}

    def refusals(self) -> str | None:
        """In the order of the dump."""
        parts = [f"FROM {queries.refused(self._work / _REFUSED)}"] if self._refused else []
        if self._again[1]:
            parts.append(queries.CONFLICTS)
        if not parts:
            return None
        return f"SELECT position, code, reason, raw, kind FROM ({' UNION ALL '.join(parts)}) ORDER BY seq"

    def counts(self) -> Mapping[str, int]:
        """As :class:`fonoteca.sources.tally.Tally`."""
        return self._counts

    # --- staging ------------------------------------------------------------------------------------------------------

    def _stage(self, sql: Sql, progress: Progress) -> None:
        def read(refused: Any) -> dict[str, Any]:
            progress.stage("reading", sum(file.path.stat().st_size for file in self.files), Unit.BYTES)
            cutter = _Cutter(sql.work, self.files, self.piece, refused, progress)
            for piece in ahead(cutter.pieces()):
                path = cutter.path(piece)
                sql.stage(piece.name, queries.reading(path, piece.columns))
                durable.remove(path)
                self._pieces.append(piece)
            return {"pieces": [vars(piece) for piece in self._pieces], "refused": cutter.refused}

        told = staged_once.told(sql.work / _DONE, sql.work / _REFUSED, read)
        self._pieces = [_Piece(**values) for values in told["pieces"]]
        self._refused = told["refused"]

    def _union(self, pieces: Sequence[_Piece]) -> str:
        parts = [
            f"SELECT * EXCLUDE (file_row_number), file_row_number + {p.seq} AS seq, {literal(p.shown)} AS member, "
            f"file_row_number + {p.base} AS line FROM "
            f"read_parquet({literal(self._work / f'{p.name}.parquet')}, file_row_number=true) WHERE key IS NOT NULL"
            for p in pieces
        ]
        return " UNION ALL ".join(parts) or queries.NOTHING

    def _unique(self, sql: Sql) -> None:
        count, distinct = sql.rows("SELECT count(*), count(DISTINCT key) FROM names_raw")[0]
        if count == distinct:
            sql.view("names", "FROM names_raw")
            return
        sql.table("names_again", queries.AGAIN)
        sql.view("names", f"FROM names_raw {queries.FIRST}")
        self._again = sql.rows(queries.AGAIN_COUNTED)[0]

    def _plan(self, sql: Sql) -> None:
        size = self.chunk_rows
        for name, rows in (("artist", queries.artists), ("release", queries.releases)):
            count = sql.value(f"SELECT count(*) FROM names_{name}")
            self._chunks[name] = [rows(at, at + size) for at in range(0, count, size)]
        self._chunks["recording"] = [queries.recordings(part) for part in self._slices()]

    def _slices(self) -> Iterator[str]:
        """Rows of whole pieces, as many as fit a chunk, or of parts of one: scans of their own files only."""
        first = queries.FIRST if any(self._again) else ""
        together: list[_Piece] = []
        for piece in [*self._pieces, None]:
            if together and (piece is None or sum(p.lines for p in together) + piece.lines > self.chunk_rows):
                begin, end = together[0].seq, together[-1].seq + together[-1].lines
                rows = f"(SELECT * FROM ({self._union(together)}) {first})"
                for at in range(begin, end, self.chunk_rows):
                    yield f"(FROM {rows} WHERE seq >= {at} AND seq < {at + self.chunk_rows})"
                together = []
            if piece is not None:
                together.append(piece)

    def _tally(self, sql: Sql) -> None:
        recordings = sql.value("SELECT count(*) FROM names")
        releases, artists = (sql.value(f"SELECT count(*) FROM names_{name}") for name in ("release", "artist"))
        refused = self._refused + self._again[1]
        self._counts = {
            "rows": recordings + self._again[0] + refused, "recordings": recordings, "references": 0,
            "duplicates": self._again[0], "refused": refused, "releases": releases, "release_duplicates": 0,
            "release_refused": 0, "records": 2 * recordings + releases + artists, "tracks": recordings,
            "artists": artists, "synthetic": 0,
        }  # fmt: skip


class _Cutter:
    """Cuts tables into pieces on the disk that the engine can read, and puts what is refused apart."""

    def __init__(
        self, work: Path, files: Sequence[File], size: int, refused: Any, progress: Progress
    ) -> None:  # fmt: skip
        self._work = work
        self._files = files
        self._size = size
        self._rows = refused
        self._progress = progress
        self._seq = self._number = 0
        self.refused = 0

    def path(self, piece: _Piece) -> Path:
        """Where a piece lies until it is staged."""
        return self._work / f"{piece.name}.csv"

    def pieces(self) -> Iterator[_Piece]:
        """All tables, piece by piece; whoever takes one removes it. Raises Usage, TornDump."""
        archived = any(file.kind is None for file in self._files)
        for table in names.tables(self._files):
            if isinstance(table, Refused):
                self._refuse(self._seq, table)
                self._seq += 1
                continue
            if archived:  # of plain files it is said before
                for warning in canonical.drift(table.shown, canonical.NAMES, table.columns):
                    self._progress.warn(warning)
            yield from self._cut(table)
        self._progress.advance(sum(file.path.stat().st_size for file in self._files))

    def _cut(self, table: Table) -> Iterator[_Piece]:
        runs = names.scan(table)
        run = next(runs, None)
        while run is not None:
            piece = _Piece(f"names_{self._number:05d}", table.shown, table.columns, 0, run.line, self._seq)
            with durable.scratch(self.path(piece)) as out:
                while run is not None and out.tell() < self._size:
                    piece.lines += self._write(out, run, piece)
                    run = next(runs, None)
            self._seq += piece.lines
            self._number += 1
            yield piece

    def _write(self, out: IO[bytes], run: Usual | One, piece: _Piece) -> int:
        """Write lines; returns how many."""
        if isinstance(run, Usual):
            out.write(run.data)
            return run.data.count(b"\n")
        blank = b"," * (len(piece.columns) - 1) + b"\n"
        if isinstance(run.said, Refused):
            self._refuse(piece.seq + run.line - piece.base, run.said)
        out.write((_line(run.said, piece.columns) if isinstance(run.said, Named) else blank) + blank * (run.lines - 1))
        return run.lines

    def _refuse(self, seq: int, one: Refused) -> None:
        self.refused += 1
        self._rows.writerow((seq, one.position, one.code, one.reason, one.raw, one.kind))


def _is_packed(path: Path) -> bool:
    with path.open("rb") as stream:
        return form_of(stream.read(MAGIC_BYTES)) is not None


def _line(said: Named, columns: Sequence[str]) -> bytes:
    """A row as the engine reads it."""
    cells: dict[str, Any] = {
        "recording_mbid": said.key, "recording_name": said.title, "release_mbid": said.release,
        "release_name": said.release_title, "artist_mbids": ",".join(said.artists), "artist_credit_name": said.credit,
    }  # fmt: skip
    written = ('"' + cells.get(name, "").replace('"', '""') + '"' for name in columns)
    return ",".join(written).encode() + b"\n"
