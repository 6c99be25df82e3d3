"""``acoustid``: AcoustID's daily files, of which two tables say which fingerprint track is which recording.

``track`` has a track's number and its gid, the id that is published, and the number of the track that it was merged
into; ``track_mbid`` pairs a track's number with an MBID. What comes is the identifier ``acoustid`` of MusicBrainz'
recordings. Files are read in the order of their days, and a later row of a track or a pair takes the earlier one's
place: that is how they are published. All pairs are held in memory here; large dumps go by columns
(:mod:`fonoteca.sources.acoustid_bulk`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from fonoteca.core.errors import Usage
from fonoteca.sources.acoustid_rows import (
    DISABLED,
    NAME,
    OF,
    TABLES,
    File,
    Pair,
    Track,
    dangling,
    loop,
    meaning,
    raw,
    rows,
)
from fonoteca.sources.bulk import Bulk
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
from fonoteca.sources.rows import Row

INFO = SourceInfo(
    name=NAME,
    kind="links",
    title="AcoustID (which fingerprint track is which recording of MusicBrainz)",
    licences=(FieldLicence("*", "CC-BY-SA-3.0", "AcoustID"), FieldLicence("identifiers", "CC-PDDC", "AcoustID")),
    where="data.acoustid.org: YEAR/YEAR-MONTH, a file of each table a day",
    size="about 3.5 GB packed, from August 2011 on, of the two tables that are read",
    files="DAY-track-update.jsonl.gz and DAY-track_mbid-update.jsonl.gz, gzipped or not, of as many days as there are",
)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_LOOKED_AT = 5
SMALLEST = 16 << 20
"""Bytes of files, packed or not, from which on they are read by columns."""


class AcoustId(DocumentSource):
    """Identifiers of another source's recordings; no recordings of its own."""

    @property
    def info(self) -> SourceInfo:
        """CC BY-SA 3.0; AcoustID lets the mapping to MusicBrainz be considered public domain."""
        return INFO

    def documents(self, dump: Dump) -> list[Document]:
        """Files of the two tables: tracks, then pairs, each by day. Raises Usage."""
        found = recognise(dump, NAME, TABLES, _kind_of, deep=True)
        return sorted(found, key=lambda document: (TABLES.index(document.kind), _day(document.path)))

    def warnings(self, dump: Dump) -> list[str]:
        """A table that is not there."""
        kinds = {document.kind for document in self.documents(dump)}
        if "track" not in kinds:
            return ["there is no file of track: no pair has an AcoustID"]
        return ["there is no file of track_mbid: nothing is identified"] if "track_mbid" not in kinds else []

    def bulk(self, dump: Dump) -> Bulk | None:
        """By columns where the files are large; None where they are small enough to hold all pairs in memory."""
        if sum(path.stat().st_size for path in dump.paths) < SMALLEST:
            return None
        from fonoteca.sources.acoustid_bulk import AcoustIdBulk

        documents = self.documents(dump)
        shown = names([document.path for document in documents])
        return AcoustIdBulk([File(one.path, shown[one.path], one.kind) for one in documents])

    def records(self, dump: Dump) -> Iterator[Record]:
        """Refusals as they come, then pairs in the order of their last rows."""
        reader = _Reader()
        documents = self.documents(dump)
        shown = names([document.path for document in documents])
        for document in documents:
            for row in rows(document.path, shown[document.path]):
                found = meaning(document.kind, row)
                if isinstance(found, Refused):
                    yield found
                elif (told := reader.add(found, row.position)) is not None:
                    yield told
        yield from reader.identifiers()


def _kind_of(path: Path) -> str | None:
    """By the first row; an empty file of a quiet day is none, and a folder passes it over."""
    try:
        row = next((row for row in islice(rows(path, path.name), _LOOKED_AT) if isinstance(row, Row)), None)
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


@dataclass
class _Reader:
    """Tracks and pairs of all files so far."""

    _tracks: dict[int, tuple[str, int | None]] = field(default_factory=dict)
    """Number → gid and the track that it was merged into."""
    _pairs: dict[tuple[int, str], tuple[str, bool]] = field(default_factory=dict)
    """Number of a track and MBID → position of the pair's last row, and whether that is disabled."""

    def add(self, row: Track | Pair, position: str) -> Duplicate | None:
        """Keep a row; the one of a pair that it takes the place of is a repeated one."""
        if isinstance(row, Track):
            self._tracks[row.number] = (row.gid, row.into)
            return None
        before = self._pairs.pop((row.track, row.mbid), None)
        self._pairs[row.track, row.mbid] = (position, row.disabled)
        return Duplicate(before[0], row.mbid) if before else None

    def identifiers(self) -> Iterator[Record]:
        """What the pairs come to. A track that others were merged into has their gids besides its own."""
        ends = {number: self._end(number) for number in self._tracks}
        merged: dict[int, list[str]] = {}
        for number, end in ends.items():
            if end is not None and end != number:
                merged.setdefault(end, []).append(self._tracks[number][0])
        given: set[tuple[str, str]] = set()
        for (track, mbid), (position, disabled) in self._pairs.items():
            refusal = DISABLED if disabled else _refusal(track, ends)
            if refusal is not None:
                yield Refused(position, *refusal, raw(track, mbid))
                continue
            end = ends[track]
            assert end is not None
            gids = dict.fromkeys([self._tracks[end][0], *sorted(merged.get(end, ()))])
            fresh = [gid for gid in gids if (gid, mbid) not in given]
            given |= {(gid, mbid) for gid in fresh}
            if fresh:
                told = tuple((NAME, gid) for gid in fresh)
                yield IdentifierRecord(Ref(OF, mbid), position, told)
            else:
                yield Duplicate(position, mbid)

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


def _refusal(track: int, ends: dict[int, int | None]) -> tuple[str, str] | None:
    if track not in ends:
        return dangling(track)
    return loop(track) if ends[track] is None else None
