"""The names in MusicBrainz's canonical dump: ``canonical_musicbrainz_data.csv``, a recording with its release a row.

PostgreSQL writes it (``COPY … WITH CSV``): a cell is quoted where it holds a quote, a comma or a line end, or nothing.
Of artists there are the MBIDs and the credit as one text. Which part of that text is whose is not said, and the order
of the MBIDs need not be that of the names. So the text of a credit of several artists is the joining text of the first
one, and none of them has a name: put together it is what is written, and nothing is split that was never apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fonoteca.core import canonical as canonical_json
from fonoteca.sources import musicbrainz_canonical as canonical
from fonoteca.sources import values
from fonoteca.sources.delimited import Rows
from fonoteca.sources.limits import LIMITS
from fonoteca.sources.musicbrainz_canonical import NAMES, NEEDED, File, Table
from fonoteca.sources.musicbrainz_json_shapes import mbid
from fonoteca.sources.records import (
    ArtistRecord,
    Credit,
    Duplicate,
    Record,
    RecordingRecord,
    Refused,
    ReleaseRecord,
    TrackRecord,
)
from fonoteca.sources.rows import Row, TableFile, refused

CONFLICT = "key-conflict", "the recording came before with other content"
_MBID = rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_ARTISTS = rb'(?:\{?MBID\}?|"\{?MBID(?:,MBID){0,999}+\}?")'.replace(b"MBID", _MBID)
_CELL = rb'(?:"(?:[^"\r\n\x00]{1,999}+|""){0,130}+"|[^",\r\n\x00]{0,9999}+)'
_ODD = re.compile("[\0\r\n\ud800-\udfff]")
_PLAIN = {"\0": "\1", "\r": " ", "\n": " "}
"""What has the same meaning and can stand in a line that an engine reads (:func:`fonoteca.sources.values.text`)."""


@dataclass(frozen=True)
class Named:
    """What a row says, as it is written but for line ends, bytes that are no text, and the form of MBIDs."""

    key: str
    title: str
    release: str
    release_title: str
    artists: tuple[str, ...]
    credit: str

    @property
    def raw(self) -> str:
        """For quarantine: both ways have no more of a row that can be read."""
        return ",".join((self.key, self.title, self.release, self.release_title, " ".join(self.artists), self.credit))


@dataclass(frozen=True)
class Usual:
    """Whole lines, each of them a row in which nothing is odd. ``line`` is the number of the first."""

    line: int
    data: bytes


@dataclass(frozen=True)
class One:
    """A row that was read alone: how many lines it takes, and what it says; None for a blank one."""

    line: int
    lines: int
    said: Named | Refused | None


def find(files: Sequence[File]) -> list[File]:
    """The files with names, and archives that may have them. Raises Usage ``missing-table``."""
    found = [file for file in files if file.kind in (NAMES, None)]
    if not found:
        raise canonical.no_table(files, (NAMES,))
    return found


def warnings(files: Sequence[File]) -> Iterator[str]:
    """Columns that are not known."""
    for file in files:
        if file.kind == NAMES:
            yield from canonical.drift(file.shown, NAMES, file.columns)


def tables(files: Sequence[File]) -> Iterator[Table | Refused]:
    """The tables, and a refusal for each entry of an archive that no dump should have.

    Raises:
        Usage: ``unknown-columns``; at the end ``missing-table``. TornDump, also while a table is read.
    """
    any_ = False
    for found in canonical.tables(files, (NAMES,)):
        if isinstance(found, Refused):
            yield found
        elif found.columns:
            any_ = True
            yield found
    if not any_:
        raise canonical.no_table(files, (NAMES,))


# --- rows -------------------------------------------------------------------------------------------------------------


def scan(table: Table, *, quick: bool = True) -> Iterator[Usual | One]:
    """A table from its first line to its last, in bounded memory.

    Args:
        table: stands after its header.
        quick: give lines in which nothing is odd as they are, many at once; else each row is read alone.
    """
    buffer = _Buffer(table.stream, usual(table.columns))
    rows = Rows(TableFile(Path(table.shown), "csv", table.columns, shown=table.shown), buffer)
    rows.lines.skip(1)
    while True:
        if quick and not rows.lines.waiting and (run := buffer.run()):
            yield Usual(rows.lines.skip(run.count(b"\n")), run)
            continue
        found = rows.cells()
        if found is None:
            return
        row = None if not found[0] and found[1] is None else rows.row(*found)
        line, lines = rows.lines.first, len(rows.lines.taken)
        yield One(line, lines, _said(row) if isinstance(row, Row) else row)


def usual(columns: Sequence[str]) -> re.Pattern[bytes]:
    """What lines match that every reader of CSV takes for the same good row each."""
    kinds = {"recording_mbid": _MBID, "release_mbid": _MBID, "artist_mbids": _ARTISTS}
    return re.compile(rb"(?:" + b",".join(kinds.get(name, _CELL) for name in columns) + rb"\n)*+")


class _Buffer:
    """The bytes of a table: as runs of usual lines, or line by line as text."""

    def __init__(self, stream: IO[bytes], pattern: re.Pattern[bytes]) -> None:
        self._stream = stream
        self._pattern = pattern
        self._data = b""
        self._at = 0
        self._odd = 0
        """Up to here bytes are no text somewhere: lines are read alone, so that none is looked at often."""

    def run(self) -> bytes:
        """The usual lines that come next; nothing where the next one is not."""
        if self._data.find(b"\n", self._at) < 0:
            self._fill()
        if self._at < self._odd:
            return b""
        found = self._pattern.match(self._data, self._at)
        assert found is not None
        data = self._data[self._at : found.end()]
        try:
            data.decode()
        except UnicodeDecodeError:
            self._odd = found.end()
            return b""
        self._at = found.end()
        return data

    def readline(self, size: int, /) -> str:
        """A line with its end; of one that is longer than so many characters the first, and an end."""
        while (end := self._data.find(b"\n", self._at)) < 0 and len(self._data) - self._at <= 4 * size:
            if not self._fill():
                break
        if end < 0 and len(self._data) - self._at > 4 * size:
            held = self._data[self._at : self._at + 4 * size]
            self._leave_line()
        else:
            end = len(self._data) if end < 0 else end + 1
            held, self._at = self._data[self._at : end], end
        text = held.decode("utf-8", "surrogateescape")
        return text if len(text) <= size else text[: size - 1] + "\n"

    def _fill(self) -> bool:
        more = self._stream.read(canonical.BLOCK)
        self._data = self._data[self._at :] + more
        self._odd = max(self._odd - self._at, 0)
        self._at = 0
        return bool(more)

    def _leave_line(self) -> None:
        while (end := self._data.find(b"\n", self._at)) < 0:
            self._at = len(self._data)
            if not self._fill():
                return
        self._at = end + 1


def _said(row: Row) -> Named | Refused:
    cells = {name: row.values[name] for name in NEEDED[NAMES]}
    ids = {name: mbid(cells[name].strip()) for name in ("recording_mbid", "release_mbid")}
    written = cells["artist_mbids"].strip().removeprefix("{").removesuffix("}")
    artists = [mbid(one.strip()) for one in written.split(",")]
    bad = next((name for name, found in ids.items() if found is None), None)
    if bad is not None:
        return row.refuse("no-key", f"{bad} is no MBID")
    known = tuple(one for one in artists if one is not None)
    if len(known) < len(artists):
        return row.refuse("no-key", "artist_mbids is no list of MBIDs")
    title, release_title, credit = (plain(cells[f"{name}_name"]) for name in ("recording", "release", "artist_credit"))
    return Named(ids["recording_mbid"] or "", title, ids["release_mbid"] or "", release_title, known, credit)


def plain(cell: str) -> str:
    """A cell in one line, and text."""
    return _ODD.sub(lambda found: _PLAIN.get(found[0], "\ufffd"), cell)


# --- record by record -------------------------------------------------------------------------------------------------


def records(files: Sequence[File]) -> Iterator[Record]:
    """Recordings, each with its release and artists where they come first; keys in memory: for small dumps.

    Raises:
        Usage: ``missing-table``, ``unknown-columns``; TornDump.
    """
    told = _Told()
    for table in tables(files):
        if isinstance(table, Refused):
            yield table
            continue
        for one in scan(table, quick=False):
            if isinstance(one, Usual) or one.said is None:
                continue
            if isinstance(one.said, Refused):
                yield one.said
            else:
                yield from told.row(one.said, f"{table.shown}:{one.line}")


class _Told:
    """What has come so far."""

    def __init__(self) -> None:
        self._recordings: dict[str, str] = {}
        self._releases: set[str] = set()
        self._artists: set[str] = set()

    def row(self, said: Named, position: str) -> Iterator[Record]:
        digest = canonical_json.digest(vars(said) | {"artists": list(said.artists)})
        first = self._recordings.setdefault(said.key, digest)
        if first is not digest:
            again = Duplicate(position, said.key)
            yield again if first == digest else refused(position, *CONFLICT, said.raw, LIMITS)
            return
        flags: set[str] = set()
        title, credit = values.text(said.title, flags), values.text(said.credit, set()) or ""
        yield RecordingRecord(said.key, position, title, credits=_credits(said.artists, credit),
                              flags=tuple(sorted(flags)))  # fmt: skip
        if said.release not in self._releases:
            self._releases.add(said.release)
            flags = set()
            named = values.text(said.release_title, flags)
            yield ReleaseRecord(said.release, position, named, flags=tuple(sorted(flags)))
        yield TrackRecord(said.release, said.key, position)
        if len(said.artists) == 1 and credit and said.artists[0] not in self._artists:
            self._artists.add(said.artists[0])
            yield ArtistRecord(said.artists[0], position, credit)


def _credits(artists: Sequence[str], credit: str) -> tuple[Credit, ...]:
    if len(artists) == 1:
        return (Credit(credit, artists[0]),)
    return tuple(Credit("", key, joined_by="" if place else credit) for place, key in enumerate(artists))
