"""``jamendo``: the MTG-Jamendo tables of Jamendo tracks (autotagging.tsv and its kin), one table at a time.

They have ids, durations and tags, and no titles. Rows have as many cells as tags, at least one.
Source of the layout: Bogdanov, Won, Tovstogan, Porter, Serra, "The MTG-Jamendo Dataset for Automatic Music
Tagging", ICML 2019.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fonoteca.core.errors import Usage
from fonoteca.sources import values
from fonoteca.sources.headed import Headed, HeadedSource, Layout, columns, recognise, rows
from fonoteca.sources.records import (
    Credit,
    Dump,
    FieldLicence,
    Record,
    RecordingRecord,
    Refused,
    ReleaseRecord,
    SourceInfo,
    TrackRecord,
)
from fonoteca.sources.rows import Reading, Row
from fonoteca.sources.seen import Seen

LICENCE = "CC-BY-NC-SA-4.0"
INFO = SourceInfo(
    name="jamendo",
    kind="catalogue",
    title="MTG-Jamendo (Jamendo tracks with tags; no titles)",
    licences=(FieldLicence("*", LICENCE, "MTG-Jamendo dataset: Bogdanov, Won, Tovstogan, Porter, Serra, ICML 2019"),),
    where="github.com/MTG/mtg-jamendo-dataset, data/autotagging.tsv",
    size="55,701 tracks",
    files="one tab-separated table of tracks, gzipped or not, whatever its name",
)
_COLUMNS = columns("TRACK_ID ARTIST_ID ALBUM_ID PATH DURATION TAGS")
TRACKS = Layout("autotagging.tsv", columns("TRACK_ID TAGS"), _COLUMNS, _COLUMNS)
_READING = Reading(format="csv", delimiter="\t", encoding="utf-8-sig", quoting=False)
_ID = re.compile(r"(?:track|artist|album)_0*(\d{1,18})", re.ASCII)
_GENRE = "genre---"


class Jamendo(HeadedSource):
    """Recordings by Jamendo's own track ids; releases and artists by id only."""

    @property
    def info(self) -> SourceInfo:
        """CC BY-NC-SA 4.0: not for commercial use, so it never enters ``snapshot/``."""
        return INFO

    def files(self, dump: Dump) -> list[Headed]:
        """The one table. The dataset's tables repeat tracks with other tags, so two of them would be in conflict."""
        found = recognise(dump, "jamendo", (TRACKS,), _READING)
        if len(found) > 1:
            names = ", ".join(sorted(headed.file.name for headed in found))
            raise Usage("several-tables", "The dump of jamendo is one table", f"there are {len(found)}: {names}",
                        "name the one to read, best the one with all tracks", str(dump.paths[0]))  # fmt: skip
        return found

    def records(self, dump: Dump) -> Iterator[Record]:
        """Recordings, each with its place on its album; an album comes with its first track."""
        seen, albums = Seen(), set[str]()
        for headed in self.files(dump):
            for row in rows(headed, ragged=True):
                if isinstance(row, Refused):
                    yield row
                else:
                    yield from _track(row, seen, albums)


def _id(value: str) -> str | None:
    found = _ID.fullmatch(value.strip())
    return found[1] if found else None


def _track(row: Row, seen: Seen, albums: set[str]) -> Iterator[Record]:
    key = _id(row.values["TRACK_ID"])
    if key is None:
        yield row.refuse("no-key", f"TRACK_ID is {row.values['TRACK_ID'][:40]!r}, not track_ and a number")
        return
    again = seen.second(key, row)
    if again is not None:
        yield again
        return
    flags: set[str] = set()
    artist, album = _id(row.values["ARTIST_ID"]), _id(row.values["ALBUM_ID"])
    credited = (Credit("", artist),) if artist else ()
    duration = values.duration(row.values["DURATION"], flags)
    tags = [tag.strip() for tag in row.values["TAGS"].split("\t")]
    genres = [values.text(tag.removeprefix(_GENRE), flags) for tag in tags if tag.startswith(_GENRE)]
    yield RecordingRecord(
        key, row.position, None, duration, credits=credited,
        genres=tuple(dict.fromkeys(g for g in genres if g)), flags=tuple(sorted(flags)),
    )  # fmt: skip
    if album is None:
        return
    if album not in albums:
        albums.add(album)
        yield ReleaseRecord(album, row.position, credits=credited)
    yield TrackRecord(album, key, row.position)
