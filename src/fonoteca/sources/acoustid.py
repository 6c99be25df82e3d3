"""``acoustid``: AcoustID's daily files, of which two tables say which fingerprint track is which recording.

``track`` has a track's number and its gid, the id that is published, and the number of the track that it was merged
into; ``track_mbid`` pairs a track's number with an MBID. What comes is the identifier ``acoustid`` of MusicBrainz'
recordings. Files are read in the order of their days, and a later row of a track or a pair takes the earlier one's
place: that is how they are published. All pairs are held in memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from fonoteca.core.errors import Usage
from fonoteca.sources import jsonlines, values
from fonoteca.sources.documents import Document, DocumentSource, names, recognise
from fonoteca.sources.records import (
    Dump,
    Duplicate,
    FieldLicence,
    IdentifierRecord,
    Record,
    Ref,
    Refused,
    SourceInfo,
)
from fonoteca.sources.rows import Row, TableFile

NAME = "acoustid"
OF = "musicbrainz"
INFO = SourceInfo(
    name=NAME,
    kind="links",
    title="AcoustID (which fingerprint track is which recording of MusicBrainz)",
    licences=(FieldLicence("*", "CC-BY-SA-3.0", "AcoustID"), FieldLicence("identifiers", "CC-PDDC", "AcoustID")),
    where="data.acoustid.org: YEAR/YEAR-MONTH, a file of each table a day",
    size="about 3.5 GB packed, from August 2011 on, of the two tables that are read",
    files="DAY-track-update.jsonl.gz and DAY-track_mbid-update.jsonl.gz, gzipped or not, of as many days as there are",
)
_TABLES = ("track", "track_mbid")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_BIGGEST = 2**63
_LOOKED_AT = 5


class AcoustId(DocumentSource):
    """Identifiers of another source's recordings; no recordings of its own."""

    @property
    def info(self) -> SourceInfo:
        """CC BY-SA 3.0; AcoustID lets the mapping to MusicBrainz be considered public domain."""
        return INFO

    def documents(self, dump: Dump) -> list[Document]:
        """Files of the two tables: tracks, then pairs, each by day. Raises Usage."""
        found = recognise(dump, NAME, _TABLES, _kind_of, deep=True)
        return sorted(found, key=lambda document: (_TABLES.index(document.kind), _day(document.path)))

    def warnings(self, dump: Dump) -> list[str]:
        """A table that is not there."""
        kinds = {document.kind for document in self.documents(dump)}
        if "track" not in kinds:
            return ["there is no file of track: no pair has an AcoustID"]
        return ["there is no file of track_mbid: nothing is identified"] if "track_mbid" not in kinds else []

    def records(self, dump: Dump) -> Iterator[Record]:
        """Refusals as they come, then pairs in the order of their last rows."""
        reader = _Reader()
        documents = self.documents(dump)
        shown = names([document.path for document in documents])
        for document in documents:
            read = reader.track if document.kind == "track" else reader.pair
            for row in _rows(document.path, shown[document.path]):
                if isinstance(row, Refused):
                    # A broken line of tracks is no row of a recording.
                    yield _of(row, document.kind)
                elif (told := read(row)) is not None:
                    yield told
        yield from reader.identifiers()


def _of(row: Refused, kind: str) -> Refused:
    return row if kind == "track_mbid" else replace(row, kind="release")


def _rows(path: Path, name: str) -> Iterator[Row | Refused]:
    for row in jsonlines.rows(TableFile(path, "jsonl", ())):
        yield replace(row, position=name + row.position[len(path.name) :])


def _kind_of(path: Path) -> str | None:
    """By the first row; an empty file of a quiet day is none, and a folder passes it over."""
    try:
        row = next((row for row in islice(_rows(path, path.name), _LOOKED_AT) if isinstance(row, Row)), None)
    except Usage:
        return None
    if row is None:
        return None
    if {"track_id", "mbid"} <= row.values.keys():
        return "track_mbid"
    return "track" if {"id", "gid"} <= row.values.keys() else None


def _day(path: Path) -> tuple[str, str]:
    found = _DAY.match(path.name)
    return (found[0] if found else "", path.name)


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _BIGGEST else None


@dataclass
class _Pair:
    """The last row of a pair."""

    position: str
    raw: str
    disabled: bool


@dataclass
class _Reader:
    """Tracks and pairs of all files so far."""

    _tracks: dict[int, tuple[str, int | None]] = field(default_factory=dict)
    """Number → gid and the track that it was merged into."""
    _pairs: dict[tuple[int, str], _Pair] = field(default_factory=dict)

    def track(self, row: Row) -> Refused | None:
        """Keep a row of track."""
        number, gid = _number(row.values.get("id")), values.mbid(row.values.get("gid"), set())
        into = row.values.get("new_id")
        if number is None or gid is None:
            return row.refuse("no-key", "the track has no number or no gid", kind="release")
        if into is not None and _number(into) is None:
            return row.refuse("no-key", "new_id is no number of a track", kind="release")
        self._tracks[number] = (gid, into)
        return None

    def pair(self, row: Row) -> Refused | Duplicate | None:
        """Keep a row of track_mbid; the row that it takes the place of is a repeated one."""
        track, mbid = _number(row.values.get("track_id")), values.mbid(row.values.get("mbid"), set())
        disabled = row.values.get("disabled")
        if track is None or mbid is None:
            return row.refuse("no-key", "the pair has no number of a track or no MBID")
        if disabled is not None and not isinstance(disabled, bool):
            return row.refuse("no-content", "disabled is neither true nor false")
        before = self._pairs.pop((track, mbid), None)
        self._pairs[track, mbid] = _Pair(row.position, row.raw or "", bool(disabled))
        return Duplicate(before.position, mbid) if before else None

    def identifiers(self) -> Iterator[Record]:
        """What the pairs come to. A track that others were merged into has their gids besides its own."""
        ends = {number: self._end(number) for number in self._tracks}
        merged: dict[int, list[str]] = {}
        for number, end in ends.items():
            if end is not None and end != number:
                merged.setdefault(end, []).append(self._tracks[number][0])
        given: set[tuple[str, str]] = set()
        for (track, mbid), pair in self._pairs.items():
            refusal = self._refusal(track, pair, ends)
            if refusal is not None:
                yield Refused(pair.position, *refusal, pair.raw)
                continue
            end = ends[track]
            assert end is not None
            gids = dict.fromkeys([self._tracks[end][0], *sorted(merged.get(end, ()))])
            fresh = [gid for gid in gids if (gid, mbid) not in given]
            given |= {(gid, mbid) for gid in fresh}
            if fresh:
                told = tuple((NAME, gid) for gid in fresh)
                yield IdentifierRecord(Ref(OF, mbid), pair.position, told)
            else:
                yield Duplicate(pair.position, mbid)

    def _refusal(self, track: int, pair: _Pair, ends: dict[int, int | None]) -> tuple[str, str] | None:
        if pair.disabled:
            return "disabled-pair", "AcoustID has taken this pair back"
        if track not in ends:
            return "dangling-reference", f"there is no track {track}"
        if ends[track] is None:
            return "redirect-loop", f"what track {track} was merged into is not there, or leads back to it"
        return None

    def _end(self, number: int) -> int | None:
        """The track that is left after all merges; None where they lead nowhere."""
        seen = set()
        while number in self._tracks and number not in seen:
            into = self._tracks[number][1]
            if into is None:
                return number
            seen.add(number)
            number = into
        return None
