"""The facts that files taken in tell of themselves, as records of the source ``folder`` for the catalogue.

A function of the set of holdings, not of their order: the same files give the same partition.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

from fonoteca.archive.records import Holding
from fonoteca.core import canonical
from fonoteca.sources.records import (
    ArtistRecord,
    Credit,
    FieldLicence,
    Record,
    RecordingRecord,
    ReleaseRecord,
    SourceInfo,
    TrackRecord,
)

DATASET = "intake"
_PREFIX = "folder:"
INFO = SourceInfo(
    name="folder",
    kind="audio files",
    title="Audio files taken in",
    licences=(FieldLicence("*", "CC0-1.0"),),
    where="a folder on this machine",
    size="as large as it is",
    files="FLAC, Ogg (Vorbis, Opus, FLAC), MP3, MP4 (AAC, ALAC), WAV, AIFF",
)
_IDENTIFIERS = {"isrc": "isrc", "musicbrainz_recordingid": "mbid", "musicbrainz_trackid": "mbid"}


def ours(holdings: Iterable[Holding]) -> list[Holding]:
    """One holding for each recording that no other source describes, by recording key."""
    first: dict[str, Holding] = {}
    for holding in sorted(holdings, key=lambda h: (h.recipe != "original", h.path, h.blob)):
        if holding.recording_key.startswith(_PREFIX):
            first.setdefault(holding.recording_key, holding)
    return [first[key] for key in sorted(first)]


def dump_name(holdings: Iterable[Holding]) -> str:
    """Names the state of the partition: the same holdings, the same name."""
    return canonical.digest([h.as_json() for h in ours(holdings)])[:16]


def _fold(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _release_key(holding: Holding) -> str:
    album_artist = next((v for n, v in holding.tags if n == "albumartist"), "")
    return f"{_fold(album_artist or holding.artist)} / {_fold(holding.release)}"


def _credits(name: str) -> tuple[Credit, ...]:
    return (Credit(name, _fold(name)),) if name else ()


def _recording(holding: Holding) -> RecordingRecord:
    identifiers = sorted(
        {(_IDENTIFIERS[n], v.strip()) for n, v in holding.tags if n in _IDENTIFIERS and n != "barcode"}
    )
    genres = dict.fromkeys(v for n, v in holding.tags if n == "genre")
    return RecordingRecord(
        key=holding.recording_key.removeprefix(_PREFIX), position=holding.path, title=holding.title or None,
        duration_ms=holding.duration_ms, year=holding.year, credits=_credits(holding.artist),
        identifiers=identifiers, genres=tuple(genres), flags=holding.flags,
    )  # fmt: skip


def records(holdings: Iterable[Holding]) -> Iterator[Record]:
    """Artists, releases, recordings and tracks, each once, in a fixed order."""
    chosen = ours(holdings)
    artists: dict[str, ArtistRecord] = {}
    releases: dict[str, ReleaseRecord] = {}
    for holding in sorted(chosen, key=lambda h: h.path):
        if holding.artist:
            artists.setdefault(_fold(holding.artist), ArtistRecord(_fold(holding.artist), holding.path, holding.artist))
        if holding.release:
            key = _release_key(holding)
            artist = next((v for n, v in holding.tags if n == "albumartist"), holding.artist)
            releases.setdefault(key, ReleaseRecord(key, holding.path, holding.release, holding.year,
                                                   credits=_credits(artist)))  # fmt: skip
    yield from (artists[key] for key in sorted(artists))
    yield from (releases[key] for key in sorted(releases))
    for holding in chosen:
        recording = _recording(holding)
        yield recording
        if holding.release:
            yield TrackRecord(_release_key(holding), recording.key, holding.path, holding.disc, holding.number,
                              holding.title or None)  # fmt: skip
