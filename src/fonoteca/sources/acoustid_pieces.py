"""AcoustID's lines as pieces that the engine parses at once, with the number of each line in its table.

Lines that match the pattern of one seen before go as they are: it has the same columns, once each, and plain values.
Every other one is read as the record way reads it; a refused or blank one leaves a line without columns, so that a
row's number in a piece leads to its line.
"""

from __future__ import annotations

import io
import json
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO

from fonoteca.core import durable
from fonoteca.core.progress import Progress
from fonoteca.sources import jsonlines
from fonoteca.sources.acoustid_rows import File, Pair, Track, meaning
from fonoteca.sources.bulk import Sql, columns, literal
from fonoteca.sources.limits import LIMITS
from fonoteca.sources.records import Refused
from fonoteca.sources.rows import Row, refused
from fonoteca.sources.stream import Torn, open_bytes, torn

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BLOCK = 4 << 20
REFUSED = "acoustid.refused.jsonl"
_DONE = "acoustid.json"
_PARSED = {
    "track": (("id", "BIGINT"), ("gid", "UUID"), ("new_id", "BIGINT")),
    "track_mbid": (("track_id", "BIGINT"), ("mbid", "UUID"), ("disabled", "BOOLEAN")),
}
_END = b"[]\n"
"""A line that is always refused: put behind others it tells how many they were."""
_NOTHING = b"{}\n"
_MANY = 1 << 16
_SHAPES = 8
_RUN = 1 << 12
_READ = 64 << 10
_NAME = re.compile(r"[A-Za-z0-9_]{1,40}", re.ASCII)
_NUMBER = rb"[1-9][0-9]{0,17}+"
_UUID = rb'"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"'
_PLAIN = rb'"[ !#-\[\]-~]{0,200}+"|-?(?:0|[1-9][0-9]{0,17}+)(?:\.[0-9]{1,17}+)?+|true|false|null'
_VALUES = {
    "track": {"id": _NUMBER, "gid": _UUID, "new_id": _NUMBER + b"|null"},
    "track_mbid": {"track_id": _NUMBER, "mbid": _UUID, "disabled": b"true|false|null"},
}
"""What a value looks like that the engine reads as the record way does."""


@dataclass(frozen=True)
class Piece:
    """Staged lines of a table; ``first`` is the number in the table, from 0, of the first of them."""

    name: str
    kind: str
    first: int


@dataclass
class Reading:
    """What became of the files: staged pieces, numbers of refused lines, and where each file's lines begin."""

    pieces: list[Piece] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    starts: dict[str, list[tuple[int, str]]] = field(default_factory=dict)


def stage(sql: Sql, files: Sequence[File], size: int, progress: Progress) -> Reading:
    """Read the files once, whether this run is the first or not. OSError as usual."""
    done = sql.work / _DONE
    if not done.exists():
        found = Reading()
        with durable.writing(sql.work / REFUSED) as broken:
            for kind in _PARSED:
                _Table(sql, kind, size, found, broken).read([f for f in files if f.kind == kind], progress)
        durable.write_bytes(done, json.dumps(asdict(found), sort_keys=True).encode())
    told = json.loads(done.read_text("utf-8"))
    starts = {kind: [(first, shown) for first, shown in listed] for kind, listed in told["starts"].items()}
    return Reading([Piece(**values) for values in told["pieces"]], told["refused"], starts)


class _Table:
    """One table, file by file, into pieces."""

    def __init__(self, sql: Sql, kind: str, size: int, found: Reading, broken: IO[bytes]) -> None:
        self._sql = sql
        self._kind = kind
        self._size = size
        self._found = found
        self._broken = broken
        self._shapes = Shapes(kind)
        self._lines = 0
        self._shown = ""
        self._before = 0

    def read(self, files: Sequence[File], progress: Progress) -> None:
        """Cut all files into pieces, and have them staged."""
        parts = self._parts(files, progress)
        part = next(parts, None)
        while part is not None:
            name = f"acoustid_{self._kind}_{sum(p.kind == self._kind for p in self._found.pieces):05d}"
            piece = Piece(name, self._kind, self._lines)
            path = self._sql.work / f"{name}.jsonl"
            with durable.scratch(path) as out:
                while part is not None and out.tell() < self._size:
                    out.write(part)
                    self._lines += part.count(b"\n")
                    part = next(parts, None)
            self._sql.stage(name, _parsing(path, self._kind))
            durable.remove(path)
            self._found.pieces.append(piece)

    def _parts(self, files: Sequence[File], progress: Progress) -> Iterator[bytes]:
        """Lines as the engine reads them. What was given is counted when the next is asked for."""
        starts = self._found.starts.setdefault(self._kind, [])
        for file in files:
            before = self._lines
            with open_bytes(file.path) as stream:
                yield from self._parts_of(stream, file.shown, before)
            if self._lines > before:
                starts.append((before, file.shown))
            progress.advance(file.path.stat().st_size)

    def _parts_of(self, stream: io.BufferedReader, shown: str, before: int) -> Iterator[bytes]:
        self._shown = shown
        self._before = before
        told = False
        while block := stream.read(BLOCK):
            if not block.endswith(b"\n"):
                block += stream.readline(LIMITS.line + 1)
            whole = block.rfind(b"\n") + 1
            yield from self._whole_lines(block[:whole])
            if whole < len(block):  # a very long line, or the last one
                rest = _Rest(block[whole:], stream)
                yield from self._alone(io.BufferedReader(rest), rest)
                told = rest.wrong is not None
        wrong = torn(stream)
        if wrong is not None and not told:
            self._written(refused(self._position(self._lines - before + 1), wrong.code, wrong.reason, ""))

    def _position(self, line: int) -> str:
        return f"{self._shown}:{line}"

    def _whole_lines(self, block: bytes) -> Iterator[bytes]:
        """Runs of lines that match as they are; where one does not, it is read alone, and more the longer none does."""
        at, run = 0, 1
        while at < len(block):
            end = self._shapes.match(block, at)
            if end > at:
                run = 1
                yield block[at:end]
            else:
                for _ in range(run):
                    end = block.find(b"\n", end) + 1 or len(block)
                run = min(2 * run, _RUN)
                yield from self._alone(io.BytesIO(block[at:end] + _END))
            at = end

    def _alone(self, stream: BinaryIO, rest: _Rest | None = None) -> Iterator[bytes]:
        """Lines read as the record way reads them; the stream ends in one more, which is always refused."""
        first = self._lines - self._before
        held: deque[Row | Refused] = deque()
        given = 0
        for row in jsonlines.rows_of(stream, self._shown, LIMITS):
            held.append(row)
            if len(held) > 2:
                yield from self._given(held[0], given, first)
                given = _line(held.popleft())
        count = _line(held.pop()) - 1
        if rest is not None and rest.wrong is not None:
            last = held.pop() if held and _line(held[-1]) == count else None
            held.append(_cut(last, rest.wrong, rest.raw, f":{count}"))
        for row in held:
            yield from self._given(row, given, first)
            given = _line(row)
        yield from _nothing(count - given)

    def _given(self, row: Row | Refused, given: int, first: int) -> Iterator[bytes]:
        """The row's line, after blank ones."""
        line = _line(row)
        yield from _nothing(line - given - 1)
        yield self._written(replace(row, position=self._position(first + line)))

    def _written(self, row: Row | Refused) -> bytes:
        found = meaning(self._kind, row)
        if isinstance(row, Row) and not isinstance(found, Refused):
            self._shapes.learn(row.values)
            return _encoded(found)
        assert isinstance(found, Refused)
        kinds = self._found.refused
        told = {"number": sum(kinds.values())} | asdict(found)
        kinds[found.kind] = kinds.get(found.kind, 0) + 1
        self._broken.write(json.dumps(told).encode() + b"\n")
        return _NOTHING


class _Rest(io.RawIOBase):
    """A line from its beginning to its end, however long it is, and ``_END``."""

    def __init__(self, head: bytes, stream: io.BufferedReader) -> None:
        super().__init__()
        self._pending = head
        self._stream = stream
        self._last = head[-1:]
        self._done = False
        self.raw = head.rpartition(b"\r")[2].decode("utf-8", "surrogateescape")
        self.wrong: Torn | None = None
        """Why it has no end, once it is read."""

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """The next bytes."""
        if not self._pending and not self._done:
            self._pending = self._next()
        view = memoryview(buffer).cast("B")
        data, self._pending = self._pending[: len(view)], self._pending[len(view) :]
        view[: len(data)] = data
        return len(data)

    def _next(self) -> bytes:
        more = self._stream.readline(_READ)
        self._done = not more or more.endswith(b"\n")
        if not more and self._last != b"\r":
            self.wrong = torn(self._stream)
        self._last = more[-1:] or self._last
        return more if not self._done else (more or b"\n") + _END


class Shapes:
    """Patterns of lines that were seen: which columns, in which order, with values that need no second look."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._known: dict[tuple[str, ...], bytes] = {}
        self._pattern: re.Pattern[bytes] | None = None

    def match(self, block: bytes, at: int) -> int:
        """Where the lines end that match, from ``at`` on."""
        found = self._pattern.match(block, at) if self._pattern else None
        return found.end() if found else at

    def learn(self, row: Mapping[str, object]) -> None:
        """Know lines with the columns of a good row."""
        names = tuple(row)
        if names in self._known or len(self._known) == _SHAPES or not all(map(_NAME.fullmatch, names)):
            return
        known = _VALUES[self._kind]
        cells = [b'"%b": ?(?:%b)' % (name.encode(), known.get(name, _PLAIN)) for name in names]
        self._known[names] = rb"\{" + b", ?".join(cells) + rb"\}\n"
        self._pattern = re.compile(b"(?:" + b"|".join(self._known.values()) + b")*+")


def _line(row: Row | Refused) -> int:
    return int(row.position.rpartition(":")[2])


def _cut(row: Row | Refused | None, wrong: Torn, text: str, position: str) -> Refused:
    """The refusal of a line that has no end because its file is torn."""
    if row is None:
        return refused(position, wrong.code, wrong.reason, text)
    if isinstance(row, Row):
        return row.refuse(wrong.code, wrong.reason)
    return replace(row, code=wrong.code, reason=wrong.reason)


def _nothing(lines: int) -> Iterator[bytes]:
    for done in range(0, lines, _MANY):
        yield _NOTHING * min(_MANY, lines - done)


def _encoded(row: Track | Pair) -> bytes:
    told = {"id": row.number, "gid": row.gid, "new_id": row.into} if isinstance(row, Track) else {
        "track_id": row.track, "mbid": row.mbid, "disabled": row.disabled}  # fmt: skip
    return json.dumps(told).encode() + b"\n"


def _parsing(path: Path, kind: str) -> str:
    """The query of a piece's rows. Columns that are not kept do not matter."""
    return (
        f"FROM read_json({literal(path)}, format='newline_delimited', compression='none', auto_detect=false, "
        f"columns={columns(_PARSED[kind])})"
    )


def refusals(path: Path) -> str:
    """The query of the lines that were refused, numbered as they came."""
    kinds = [("number", "BIGINT"), *((name, "VARCHAR") for name in ("position", "code", "reason", "raw", "kind"))]
    return (
        f"FROM read_json({literal(path)}, format='newline_delimited', compression='none', auto_detect=false, "
        f"columns={columns(kinds)})"
    )
