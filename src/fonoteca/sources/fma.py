"""``fma``: the Free Music Archive's metadata as published for research (raw_tracks.csv, raw_albums.csv).

Source of the layout: Defferrard, Benzi, Vandergheynst, Bresson, "FMA: A Dataset for Music Analysis", ISMIR 2017.
Tracks are read first, so that an album is credited to the artist whose address it shares.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fonoteca.sources import values
from fonoteca.sources.fma_literals import genre_titles
from fonoteca.sources.headed import Headed, HeadedSource, Layout, columns, read, recognise
from fonoteca.sources.records import (
    ArtistRecord,
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
from fonoteca.sources.seen import Seen

LICENCE = "CC-BY-4.0"
INFO = SourceInfo(
    name="fma",
    kind="catalogue",
    title="Free Music Archive (metadata published for research)",
    licences=(FieldLicence("*", LICENCE, "FMA dataset: Defferrard, Benzi, Vandergheynst, Bresson, ISMIR 2017"),),
    where="github.com/mdeff/fma: fma_metadata.zip",
    size="106,574 tracks, 14,854 albums",
    files="raw_tracks.csv and raw_albums.csv, gzipped or not, whatever their names",
)
_TRACK_KNOWN = columns(
    "track_id album_id album_title album_url artist_id artist_name artist_url artist_website license_image_file "
    "license_image_file_large license_parent_id license_title license_url tags track_bit_rate track_comments "
    "track_composer track_copyright_c track_copyright_p track_date_created track_date_recorded track_disc_number "
    "track_duration track_explicit track_explicit_notes track_favorites track_file track_genres track_image_file "
    "track_information track_instrumental track_interest track_language_code track_listens track_lyricist "
    "track_number track_publisher track_title track_url"
)
_ALBUM_KNOWN = columns(
    "album_id album_comments album_date_created album_date_released album_year_released album_engineer "
    "album_favorites album_handle album_image_file album_images album_information album_listens album_producer "
    "album_title album_tracks album_type album_url artist_name artist_url tags"
)
TRACKS = Layout(
    "raw_tracks.csv", frozenset({"track_id", "track_title"}),
    columns("track_id track_title artist_name license_title license_url track_duration track_listens"),
    _TRACK_KNOWN,
)  # fmt: skip
ALBUMS = Layout(
    "raw_albums.csv", frozenset({"album_id", "album_title", "album_listens"}),
    frozenset({"album_id", "album_title", "artist_name"}), _ALBUM_KNOWN, "release",
)  # fmt: skip
_SIGNALS = (("listens", "track_listens"), ("favourites", "track_favorites"), ("interest", "track_interest"))
_READING = Reading(format="csv", delimiter=",", encoding="utf-8-sig", quoting=True)


class Fma(HeadedSource):
    """Recordings with licence claims and signals; releases; artists by FMA's own ids."""

    @property
    def info(self) -> SourceInfo:
        """CC BY 4.0, from the dataset's makers."""
        return INFO

    def files(self, dump: Dump) -> list[Headed]:
        """Those that are of this source. Raises Usage."""
        return recognise(dump, "fma", (TRACKS, ALBUMS), _READING)

    def records(self, dump: Dump) -> Iterator[Record]:
        """Tracks, then albums, then the albums that only tracks name."""
        reader = _Reader()
        yield from read(self.files(dump), {TRACKS: reader.track, ALBUMS: reader.album})
        yield from reader.albums_of_tracks()


def _id(value: Any) -> str:
    """One of FMA's ids: digits, also where a tool wrote it as a decimal. '' for anything else."""
    written = str(value or "").strip().removesuffix(".0")
    return written if written.isascii() and written.isdigit() and len(written) <= 18 else ""


class _Reader:
    """One pass over a dump."""

    def __init__(self) -> None:
        self._tracks = Seen()
        self._albums = Seen("release")
        self._artists: dict[str, str] = {}
        """Address → id."""
        self._named: set[str] = set()
        self._orphans: dict[str, ReleaseRecord] = {}
        """Albums that tracks name and no album row has described yet."""

    def track(self, row: Row) -> Iterator[Record]:
        """The records of one row of raw_tracks.csv."""
        key = _id(row.values["track_id"])
        if not key:
            yield row.refuse("no-key", f"track_id is {str(row.values['track_id'])[:40]!r}, not a number")
            return
        again = self._tracks.second(key, row)
        if again is not None:
            yield again
            return
        recording = _recording(row, key)
        yield recording
        yield from self._artist(row)
        yield from self._place(row, key)

    def _artist(self, row: Row) -> Iterator[Record]:
        key = _id(row.values.get("artist_id"))
        name = values.text(row.values["artist_name"], set())
        if not key or not name or key in self._named:
            return
        self._named.add(key)
        if row.values.get("artist_url"):
            self._artists[row.values["artist_url"]] = key
        yield ArtistRecord(key, row.position, name)

    def _place(self, row: Row, key: str) -> Iterator[Record]:
        album = _id(row.values.get("album_id"))
        if not album:
            return
        flags: set[str] = set()
        title = values.text(row.values.get("album_title"), flags)
        if album not in self._orphans:
            self._orphans[album] = ReleaseRecord(album, row.position, title, credits=_artist_credit(row, flags)[:1],
                                                 flags=tuple(sorted(flags)))  # fmt: skip
        disc, number = (values.count(row.values.get(c), flags) for c in ("track_disc_number", "track_number"))
        yield TrackRecord(album, key, row.position, disc, number)

    def album(self, row: Row) -> Iterator[Record]:
        """The records of one row of raw_albums.csv."""
        key = _id(row.values["album_id"])
        if not key:
            reason = f"album_id is {str(row.values['album_id'])[:40]!r}, not a number"
            yield row.refuse("no-key", reason, kind="release")
            return
        again = self._albums.second(key, row)
        if again is not None:
            yield again
            return
        self._orphans.pop(key, None)
        yield _release(row, key, self._artists.get(row.values.get("artist_url", "")))

    def albums_of_tracks(self) -> Iterator[Record]:
        """Albums that only rows of tracks name."""
        yield from self._orphans.values()
        self._orphans.clear()


def _artist_credit(row: Row, flags: set[str]) -> tuple[Credit, ...]:
    name = values.text(row.values["artist_name"], flags)
    credited = [Credit(name, _id(row.values.get("artist_id")) or None)] if name else []
    for role in ("composer", "lyricist"):
        named = values.text(row.values.get(f"track_{role}"), flags)
        if named and not values.is_nothing(named):
            credited.append(Credit(named, None, role))
    return tuple(credited)


def _recording(row: Row, key: str) -> RecordingRecord:
    get = row.values.get
    flags: set[str] = set()
    if values.is_damaged(row.values):
        flags.add("bad-encoding")
    url = values.text(get("track_url"), flags)
    fields: dict[str, Any] = {
        "title": values.text(row.values["track_title"], flags),
        "duration_ms": values.duration(row.values["track_duration"], flags),
        "year": _year(row, flags),
        "language": values.text(get("track_language_code"), flags),
        "credits": _artist_credit(row, flags),
        "identifiers": (("url", url),) if url else (),
        "genres": genre_titles(get("track_genres"), flags),
        "signals": tuple(_signals(row, flags)),
        "claims": tuple(_claims(row, flags)),
    }
    return RecordingRecord(key, row.position, **fields, flags=tuple(sorted(flags)))


def _year(row: Row, flags: set[str]) -> int | None:
    """The year of recording. Two-digit years are those before the upload."""
    written = row.values.get("track_date_recorded")
    uploaded = values.year(row.values.get("track_date_created"), set())
    return values.short_year(written, uploaded, flags) or values.year(written, flags)


def _signals(row: Row, flags: set[str]) -> Iterator[Signal]:
    for kind, column in _SIGNALS:
        value = values.number(row.values.get(column), flags, f"bad-{kind}")
        if value is not None:
            yield Signal(kind, value, LICENCE)


def _claims(row: Row, flags: set[str]) -> Iterator[ClaimText]:
    """The licence of the page, and the one that the copyright line names by address, if any."""
    licence = values.text(row.values["license_title"], flags) or ""
    url = values.text(row.values["license_url"], flags) or ""
    if licence or url:
        yield ClaimText(licence, url, "license_title, license_url in FMA's raw_tracks.csv")
    line = values.text(row.values.get("track_copyright_c"), flags) or ""
    address = values.licence_address(line)
    if address:
        yield ClaimText("", address, f"track_copyright_c in FMA's raw_tracks.csv: {line[:200]}")


def _release(row: Row, key: str, artist: str | None) -> ReleaseRecord:
    get = row.values.get
    flags: set[str] = set()
    name = values.text(row.values["artist_name"], flags)
    date = values.date(get("album_date_released"), flags) or values.date(get("album_year_released"), flags)
    url = values.text(get("album_url"), flags)
    if values.is_damaged(row.values):
        flags.add("bad-encoding")
    return ReleaseRecord(
        key, row.position, values.text(row.values["album_title"], flags), int(date[:4]) if date else None, date,
        kind=values.text(get("album_type"), flags),
        credits=(Credit(name, artist),) if name else (),
        identifiers=(("url", url),) if url else (),
        flags=tuple(sorted(flags)),
    )  # fmt: skip
