"""MusicBrainz's JSON dumps by columns: the engine parses whole pieces strictly.

Where a piece does not parse, it is read again line by line by the parser of the record way: a broken line is kept as a
refusal and leaves an empty object, so that a row's number stays its line's.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fonoteca.core import durable
from fonoteca.core.progress import Progress, Unit
from fonoteca.sources import musicbrainz_json_shapes as shapes
from fonoteca.sources import musicbrainz_json_sql as queries
from fonoteca.sources import musicbrainz_pieces as pieces
from fonoteca.sources.ahead import ahead
from fonoteca.sources.bulk import CHUNK_ROWS, Sql, columns, literal
from fonoteca.sources.delimited import Lines as TextLines
from fonoteca.sources.delimited import TooLong
from fonoteca.sources.limits import LIMITS
from fonoteca.sources.musicbrainz_json import Lines, open_lines
from fonoteca.sources.musicbrainz_pieces import Piece
from fonoteca.sources.records import Refused
from fonoteca.sources.rows import refused

_DONE = "musicbrainz-json.json"
_PLACES = 1 << 20
"""Places in one line, for tracks of a release: ``pos`` is the line's number times this, and the place."""
_SHARE, _RESULT_SHARE = 0.4, 0.15
"""Bytes of staged pieces, and of the result, for one byte of the lines; measured of generated ones: 0.2 and 0.1."""
_RATIO = 18
"""Bytes of lines for one of a packed file: xz makes few of them."""
_WHOLE = 16
"""Pieces in a plain file that is read where it lies, in one go."""
_BLOCK = 1 << 20
"""Bytes that are looked at at once: no line within one of them is too long."""


@dataclass
class _Staged:
    """One piece: its lines, how many of them are broken, and the number of the first, in its file and in the dump."""

    name: str
    entity: str
    shown: str
    lines: int
    broken: int
    mended: bool
    base: int
    seq: int


@dataclass
class JsonBulk:
    """The bulk way of a JSON dump."""

    files: Sequence[Lines]
    chunk_rows: int = CHUNK_ROWS
    piece: int = pieces.PIECE
    _staged: list[_Staged] = field(default_factory=list)
    _entries: list[Refused] = field(default_factory=list)
    _chunks: dict[str, list[str]] = field(default_factory=dict)
    _out: dict[str, tuple[int, int]] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def space(self) -> int:
        """The staged pieces, and two pieces unpacked."""
        return int(self._size() * _SHARE) + 3 * self.piece

    def result(self) -> int:
        """By the size of the lines."""
        return int(self._size() * _RESULT_SHARE)

    def _size(self) -> int:
        """Bytes of all lines, about: what packed ones come to is a guess."""
        size = sum(path.stat().st_size for path in {lines.path for lines in self.files})
        return size * (_RATIO if any(lines.member for lines in self.files) else 1)

    def prepare(self, sql: Sql, progress: Progress) -> None:
        """Stage pieces; take out repeated entities; number recordings and artists. Raises TornDump."""
        self._stage_all(sql, progress)
        for entity in ("artist", "recording", "release"):
            sql.view(f"json_raw_{entity}", self._union(sql.work, entity))
            self._unique(sql, entity)
        with_releases = any(s.entity == "release" for s in self._staged)
        if with_releases:
            sql.stage("json_track", queries.tracks("json_release"))
            listed = "key, title, year, duration_ms, flags, credits, identifiers, pos, member, line"
            sql.view("json_told", f"SELECT {listed} FROM json_recording UNION ALL SELECT {listed} FROM json_track")
            sql.stage("json_numbered", queries.NUMBERED)
            sql.stage("json_issues", queries.ISSUES)
        self._artists(sql, with_releases=with_releases)
        self._plan(sql, with_releases=with_releases)
        self._tally(sql, with_releases=with_releases)

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
        """Broken lines, entries of archives, keys that come again with other content."""
        parts = [self._broken(staged) for staged in self._staged if staged.broken]
        parts += [f"SELECT -1 AS pos, * EXCLUDE (pos) FROM (SELECT {_values(entry)})" for entry in self._entries]
        parts += [
            f"SELECT pos, member || ':' || line AS position, 'key-conflict' AS code, '{entity} ' || key || "
            f"' came before with other content' AS reason, key::VARCHAR AS raw, '{entity}' AS kind "
            f"FROM json_out_{entity} WHERE NOT exact"
            for entity, (_, conflicts) in self._out.items() if conflicts
        ]  # fmt: skip
        if not parts:
            return None
        return f"SELECT position, code, reason, raw, kind FROM ({' UNION ALL '.join(parts)}) ORDER BY pos, position"

    def counts(self) -> Mapping[str, int]:
        """As :class:`fonoteca.sources.tally.Tally`."""
        return self._counts

    # --- staging ------------------------------------------------------------------------------------------------------

    def _stage_all(self, sql: Sql, progress: Progress) -> None:
        self._work = sql.work
        done = sql.work / _DONE
        if done.exists():
            told = json.loads(done.read_text("utf-8"))
            self._staged = [_Staged(**values) for values in told["pieces"]]
            self._entries = [Refused(**values) for values in told["entries"]]
            return
        progress.stage("reading", sum(p.stat().st_size for p in {f.path for f in self.files}), Unit.BYTES)
        for lines, piece in ahead(self._cut(sql.work, progress)):
            self._take(sql, lines, piece)
        told = {"pieces": [vars(s) for s in self._staged], "entries": [vars(e) for e in self._entries]}
        durable.write_bytes(done, json.dumps(told, sort_keys=True).encode())

    def _take(self, sql: Sql, lines: Lines, piece: Piece) -> None:
        """Stage a piece; a large one that does not parse as a whole is cut, so that less is read line by line."""
        number = len(self._staged)
        if piece.size > 2 * self.piece and piece.path == lines.path:
            name = f"json_whole_{number:05d}"
            if piece.plain and self._parsed(sql, name, lines.entity, piece):
                self._add(name, lines, piece, 0, mended=False)
                return
            sql.drop(name)
            with lines.path.open("rb") as stream:
                for part in pieces.cut(stream, sql.work, f"{name}-part", self.piece):
                    self._take(sql, lines, _look(part.path))
            return
        name = f"json_{number:05d}"
        broken = self._stage(sql, name, lines.entity, piece)
        self._add(name, lines, piece, broken, mended=(sql.work / f"{name}.broken").exists())
        if piece.path.is_relative_to(sql.work):
            durable.remove(piece.path)

    def _add(self, name: str, lines: Lines, piece: Piece, broken: int, *, mended: bool) -> None:
        base = 1 + sum(staged.lines for staged in self._staged if staged.shown == lines.shown)
        seq = 1 + sum(staged.lines for staged in self._staged)
        self._staged.append(_Staged(name, lines.entity, lines.shown, piece.lines, broken, mended, base, seq))

    def _cut(self, work: Path, progress: Progress) -> Iterator[tuple[Lines, Piece]]:
        for number, lines in enumerate(self.files):
            with lines.path.open("rb") as file:
                is_plain = not lines.member and file.read(1) in (b"{", b"\xef", b" ", b"\n")
            if is_plain and lines.path.stat().st_size <= _WHOLE * self.piece:
                yield lines, _look(lines.path)
            else:
                for found in open_lines(lines):
                    if isinstance(found, Refused):
                        self._entries.append(found)
                    else:
                        for piece in pieces.cut(found, work, f"json_{number}", self.piece):
                            yield lines, _look(piece.path)
            progress.advance(lines.path.stat().st_size)

    def _stage(self, sql: Sql, name: str, entity: str, piece: Piece) -> int:
        mark = sql.work / f"{name}.broken"
        if not mark.exists() and not (piece.plain and self._parsed(sql, name, entity, piece)):
            sql.drop(name)
            _mend(sql.work, name, entity, piece)
        if mark.exists():
            mended = sql.work / f"{name}.jsonl"
            sql.stage(name, _reading(mended, entity))
            durable.remove(mended)
            return int(mark.read_text("utf-8"))
        return 0

    def _parsed(self, sql: Sql, name: str, entity: str, piece: Piece) -> bool:
        """Whether the engine could parse every line, and each has its key."""
        try:
            sql.stage(name, _reading(piece.path, entity))
        except Exception as error:  # the engine's own: this package knows none
            if "JSON" not in str(error) and "maximum_object_size" not in str(error):
                raise
            return False
        key = "key" if entity == "recording" else queries.mbid("id")
        return tuple(sql.rows(f"SELECT count(*), count({key}) FROM {name}")[0]) == (piece.lines, piece.lines)

    def _union(self, work: Path, entity: str) -> str:
        found = [
            f"SELECT * EXCLUDE (file_row_number), (file_row_number + {s.seq}) * {_PLACES} AS pos, "
            f"{literal(s.shown)} AS member, file_row_number + {s.base} AS line FROM "
            f"read_parquet({literal(work / f'{s.name}.parquet')}, file_row_number=true)"
            + (f" WHERE {'key' if entity == 'recording' else 'id'} IS NOT NULL" if s.mended else "")
            for s in self._staged if s.entity == entity and s.lines
        ]  # fmt: skip
        return " UNION ALL ".join(found) or _nothing(entity)

    def _unique(self, sql: Sql, entity: str) -> None:
        key = "key" if entity == "recording" else queries.mbid("id")
        count, distinct = sql.rows(f"SELECT count(*), count(DISTINCT {key}) FROM json_raw_{entity}")[0]
        self._out[entity] = (0, 0)
        if count == distinct:
            sql.view(f"json_{entity}", f"FROM json_raw_{entity}")
            return
        row = "(SELECT r FROM (SELECT r.* EXCLUDE (pos, member, line)) r)"
        sql.table(f"json_out_{entity}", f"""
            SELECT pos, member, line, key, content = first AS exact FROM (
                SELECT pos, member, line, k AS key, content, first_value(content) OVER w AS first,
                    row_number() OVER w AS n
                FROM (SELECT {key} AS k, pos, member, line, to_json({row})::VARCHAR AS content FROM json_raw_{entity} r)
                WINDOW w AS (PARTITION BY k ORDER BY pos)) WHERE n > 1""")  # fmt: skip
        sql.view(f"json_{entity}", f"FROM json_raw_{entity} ANTI JOIN json_out_{entity} USING (pos)")
        self._out[entity] = sql.rows(
            f"SELECT count(*) FILTER (exact), count(*) FILTER (NOT exact) FROM json_out_{entity}")[0]  # fmt: skip

    def _artists(self, sql: Sql, *, with_releases: bool) -> None:
        parts = [queries.artists("json_artist"), queries.artists_of("json_recording", "named")]
        if with_releases:
            parts.append(queries.artists_of("(SELECT \"artist-credit\" AS named, pos, member, line FROM json_release)",
                                            "named"))  # fmt: skip
            parts.append(queries.artists_of("json_track", "named"))
        sql.view("json_artists_told", " UNION ALL ".join(f"({part})" for part in parts))
        sql.stage("json_artists", queries.ARTISTS)

    def _plan(self, sql: Sql, *, with_releases: bool) -> None:
        size = self.chunk_rows
        artists = sql.value("SELECT count(*) FROM json_artists")
        self._chunks["artist"] = [queries.artist_rows(at, at + size) for at in range(0, artists, size)]
        self._chunks["release"] = [queries.releases(part) for part in self._slices("release")]
        if with_releases:
            recordings = sql.value("SELECT count(*) FROM json_numbered")
            self._chunks["recording"] = [queries.recordings(at, at + size) for at in range(0, recordings, size)]
        else:
            self._chunks["recording"] = [queries.recordings_alone(part) for part in self._slices("recording")]

    def _slices(self, entity: str) -> Iterator[str]:
        """Rows of whole pieces, as many as fit a chunk, or of parts of one: scans of their own files only."""
        out = f" ANTI JOIN json_out_{entity} USING (pos)" if any(self._out[entity]) else ""
        together: list[_Staged] = []
        for staged in [*(s for s in self._staged if s.entity == entity and s.lines), None]:
            if together and (staged is None or sum(s.lines for s in together) + staged.lines > self.chunk_rows):
                first, last = together[0].seq, together[-1].seq + together[-1].lines
                union = JsonBulk(self.files, _staged=together)._union(self._work, entity)
                for at in range(first, last, self.chunk_rows):
                    part = f"WHERE pos >= {at * _PLACES} AND pos < {(at + self.chunk_rows) * _PLACES}"
                    yield f"(SELECT * FROM ({union}){out} {part if last - first > self.chunk_rows else ''})"
                together = []
            if staged is not None:
                together.append(staged)

    def _broken(self, staged: _Staged) -> str:
        path = literal(self._work / f"{staged.name}.refused.csv")
        return (
            f"SELECT (line + {staged.seq}) * {_PLACES} AS pos, "
            f"{literal(staged.shown)} || ':' || (line + {staged.base}) AS position, code, reason, raw, "
            f"'{staged.entity}' AS kind FROM read_csv({path}, auto_detect=false, "
            "header=false, delim=',', quote='\"', escape='\"', nullstr='\\N', max_line_size=1048576, "
            "columns={'line': 'BIGINT', 'code': 'VARCHAR', 'reason': 'VARCHAR', 'raw': 'VARCHAR'})"
        )

    def _tally(self, sql: Sql, *, with_releases: bool) -> None:
        broken = dict.fromkeys(("artist", "recording", "release"), 0)
        for staged in self._staged:
            broken[staged.entity] += staged.broken
        count = {name: sql.value(f"SELECT count(*) FROM json_{name}") for name in ("release", "artists")}
        recordings = sql.value(f"SELECT count(*) FROM {'json_numbered' if with_releases else 'json_recording'}")
        tracks = sql.value("SELECT count(*) FROM json_track") if with_releases else 0
        refused_ = broken["recording"] + broken["artist"] + len(self._entries)
        refused_ += self._out["recording"][1] + self._out["artist"][1]
        duplicates = self._out["recording"][0] + self._out["artist"][0]
        self._counts = {
            "rows": recordings + refused_ + duplicates, "recordings": recordings, "references": 0,
            "duplicates": duplicates, "refused": refused_, "releases": count["release"],
            "release_duplicates": self._out["release"][0],
            "release_refused": broken["release"] + self._out["release"][1],
            "records": recordings + count["release"] + count["artists"] + tracks, "tracks": tracks,
            "artists": count["artists"], "synthetic": 0,
        }  # fmt: skip


def _values(entry: Refused) -> str:
    told = {"position": entry.position, "code": entry.code, "reason": entry.reason, "raw": entry.raw,
            "kind": entry.kind}  # fmt: skip
    return "0 AS pos, " + ", ".join(f"{literal(value)} AS {name}" for name, value in told.items())


def _reading(path: Path, entity: str) -> str:
    """The query that parses a piece. Recordings are described at once; others are kept as they are written."""
    source = (f"read_json({literal(path)}, format='newline_delimited', compression='none', "
              f"maximum_object_size={2 * LIMITS.line}, columns={columns(shapes.columns(entity))})")  # fmt: skip
    if entity != "recording":
        return f"SELECT * FROM {source}"
    return f'SELECT {queries.described("r")}, r."artist-credit" AS named FROM {source} r'


def _nothing(entity: str) -> str:
    if entity == "recording":
        names = ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in shapes.columns(entity))
        given = f'SELECT {queries.described("r")}, r."artist-credit" AS named FROM (SELECT {names}) r'
    else:
        given = "SELECT " + ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in shapes.columns(entity))
    return f"SELECT *, NULL::BIGINT AS pos, NULL::VARCHAR AS member, NULL::BIGINT AS line FROM ({given}) WHERE false"


def _look(path: Path) -> Piece:
    """A piece where it lies; ``plain``: none of its lines is longer than a line may be."""
    size = lines = 0
    start = 0  # of the line at hand
    longest = 0
    with path.open("rb", buffering=0) as stream:
        while block := stream.read(_BLOCK):
            count = block.count(b"\n")
            if count:
                longest = max(longest, size + block.find(b"\n") - start)
                start = size + block.rfind(b"\n") + 1
            lines += count
            size += len(block)
    longest = max(longest, size - start)
    return Piece(path, size, lines + (start < size), longest <= LIMITS.line)


def _mend(work: Path, name: str, entity: str, piece: Piece) -> None:
    """Write the piece with an empty object for each broken line, and those apart; the count last."""
    broken = 0
    with (
        durable.writing(work / f"{name}.jsonl") as out,
        durable.writing(work / f"{name}.refused.csv") as binary,
        piece.path.open("rb") as stream,
    ):
        text = io.TextIOWrapper(binary, "utf-8", newline="", write_through=True)
        rows = csv.writer(text, lineterminator="\n")
        for number, line in enumerate(lines_of(stream, entity)):
            if isinstance(line, dict):
                out.write(json.dumps(line).encode() + b"\n")
                continue
            out.write(b"{}\n")
            if line is not None:
                broken += 1
                rows.writerow((number, line.code, line.reason, line.raw))
        text.flush()
        text.detach()
    durable.write_bytes(work / f"{name}.broken", str(broken).encode())


def lines_of(stream: io.BufferedReader, entity: str) -> Iterator[dict[str, object] | Refused | None]:
    """Each line as it is read, or what is wrong with it; None for one that is blank. The stream is closed."""
    with io.TextIOWrapper(stream, "utf-8", errors="surrogateescape", newline="\n") as text:
        lines = TextLines(text, LIMITS)
        while True:
            lines.begin()
            try:
                line = next(lines)
            except StopIteration:
                return
            except TooLong:
                yield refused("", "long-row", "the line is longer than a line may be", lines.taken[0], LIMITS, entity)
                continue
            bare = line.strip("\ufeff \t\r\n")
            yield one(bare, entity) if bare else None


def one(line: str, entity: str) -> dict[str, object] | Refused:
    """The parts of a line that are read, or its refusal."""
    try:
        found = shapes.parse(line, entity)
    except (ValueError, RecursionError) as error:
        return refused("", "bad-json", f"the line cannot be read: {error}", line, LIMITS, entity)
    if shapes.mbid(found["id"]) is None:
        return refused("", "no-key", "the line has no MBID", line, LIMITS, entity)
    return found
