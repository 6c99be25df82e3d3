"""``freemusi``: the freemusi.cc database of Creative Commons netlabel releases (releases.csv, tracks.csv).

Licences stand on the releases and hold for their tracks. Rows have no id, so a track's key is all that names
it: release id, disc, track, title, address.
"""

from __future__ import annotations

from collections.abc import Iterator

from fonoteca.sources import values
from fonoteca.sources.headed import Headed, HeadedSource, Layout, columns, read, recognise
from fonoteca.sources.records import (
    ClaimText,
    Credit,
    Dump,
    FieldLicence,
    Record,
    RecordingRecord,
    ReleaseRecord,
    Signal,
    SourceInfo,
    TrackRecord,
)
from fonoteca.sources.rows import Reading, Row
from fonoteca.sources.seen import Seen, joined_key

LICENCE = "CC-BY-SA-4.0"
INFO = SourceInfo(
    name="freemusi",
    kind="catalogue",
    title="freemusi.cc (Creative Commons netlabel releases at the Internet Archive)",
    licences=(FieldLicence("*", LICENCE, "freemusi.cc database, ojdo"),),
    where="github.com/ojdo/freemusi.cc-database",
    size="21,502 tracks of 2,289 releases",
    files="releases.csv and tracks.csv, gzipped or not, whatever their names",
)
RELEASES = Layout(
    "releases.csv", columns("id licenseurl totaltracks"), columns("id album artist licenseurl"),
    columns("activity album artist catalog duration genre id label licenseurl rating style totaldiscs totaltracks "
            "url year"), "release",
)  # fmt: skip
TRACKS = Layout(
    "tracks.csv", columns("id trackurl"), columns("id disc track title trackurl trackartist duration"),
    columns("activity disc duration id rating title track trackartist trackurl"),
)  # fmt: skip
_READING = Reading(format="csv", delimiter=",", encoding="utf-8-sig", quoting=True)


class Freemusi(HeadedSource):
    """Releases with licence claims; recordings with the curator's rating."""

    @property
    def info(self) -> SourceInfo:
        """CC BY-SA 4.0."""
        return INFO

    def files(self, dump: Dump) -> list[Headed]:
        """Those that are of this source. Raises Usage."""
        return recognise(dump, "freemusi", (RELEASES, TRACKS), _READING)

    def records(self, dump: Dump) -> Iterator[Record]:
        """Releases, then tracks; a release that only tracks name comes with the first of them."""
        reader = _Reader()
        yield from read(self.files(dump), {RELEASES: reader.release, TRACKS: reader.track})


class _Reader:
    """One pass over a dump."""

    def __init__(self) -> None:
        self._releases = Seen("release")
        self._tracks = Seen()
        self._named: set[str] = set()

    def release(self, row: Row) -> Iterator[Record]:
        """The record of one row of releases.csv."""
        key = values.key(row.values["id"])
        if not key:
            yield row.refuse("no-key", "id is empty", kind="release")
            return
        again = self._releases.second(key, row)
        self._named.add(key)
        yield again if again is not None else _release(row, key)

    def track(self, row: Row) -> Iterator[Record]:
        """The records of one row of tracks.csv."""
        flags: set[str] = set()
        release = values.key(row.values["id"])
        if not release:
            yield row.refuse("no-key", "id is empty")
            return
        key = joined_key([values.key(row.values[name]) for name in ("id", "disc", "track", "title", "trackurl")])
        again = self._tracks.second(key, row)
        if again is not None:
            yield again
            return
        disc, number = (values.count(row.values[name], flags) for name in ("disc", "track"))
        yield _recording(row, key, flags)
        if release not in self._named:
            self._named.add(release)
            yield ReleaseRecord(release, row.position)
        yield TrackRecord(release, key, row.position, disc, number)


def _recording(row: Row, key: str, flags: set[str]) -> RecordingRecord:
    name = values.text(row.values["trackartist"], flags)
    url = values.text(row.values["trackurl"], flags)
    title = values.text(row.values["title"], flags)
    duration = values.duration(row.values["duration"], flags)
    signals = tuple(_rating(row, flags))
    return RecordingRecord(
        key, row.position, title, duration,
        credits=(Credit(name),) if name else (),
        identifiers=(("url", url),) if url else (),
        signals=signals,
        flags=tuple(sorted(flags)),
    )  # fmt: skip


def _rating(row: Row, flags: set[str]) -> Iterator[Signal]:
    """The curator's rating, 1 to 5; 0 means that there is none."""
    rating = values.number(row.values.get("rating"), flags, "bad-rating")
    if rating:
        yield Signal("rating", rating, LICENCE)


def _release(row: Row, key: str) -> ReleaseRecord:
    get = row.values.get
    flags: set[str] = set()
    artist = values.text(row.values["artist"], flags)
    licence = values.text(row.values["licenseurl"], flags)
    date = values.date(get("year"), flags)
    named = [("url", values.text(get("url"), flags)), ("catalogue_number", values.text(get("catalog"), flags))]
    genres = [values.text(get(name), flags) for name in ("genre", "style")]
    return ReleaseRecord(
        key, row.position, values.text(row.values["album"], flags), int(date[:4]) if date else None, date,
        label=values.text(get("label"), flags),
        credits=(Credit(artist),) if artist else (),
        identifiers=tuple((scheme, value) for scheme, value in named if value and not values.is_nothing(value)),
        genres=tuple(dict.fromkeys(g for g in genres if g and not values.is_nothing(g))),
        claims=(ClaimText("", licence, "licenseurl in freemusi.cc's releases.csv"),) if licence else (),
        flags=tuple(sorted(flags)),
    )  # fmt: skip
