"""What one element of a dump of Discogs says, as records: artists, labels, masters, releases with their tracks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fonoteca.sources import discogs_fields as fields
from fonoteca.sources import values
from fonoteca.sources.discogs_tracks import releases_tracks
from fonoteca.sources.records import ArtistRecord, Record, Refused, ReleaseRecord
from fonoteca.sources.xmlrecords import Fragment

Reader = Callable[[Fragment, str], Iterator[Record]]
"""From an element and its key to its records."""
_DIGITS = 18
"""Digits of the longest id that is taken for one."""


def number_of(found: Fragment) -> int | None:
    """The element's number; None where what stands there is none."""
    key = _written(found)
    return int(key) or None if key.isascii() and key.isdigit() and len(key) <= _DIGITS else None


def _written(found: Fragment) -> str:
    return (found.element.get("id") or found.element.findtext("id") or "").strip()


def no_number(found: Fragment, kind: str) -> Refused:
    """The refusal of an element that :func:`number_of` knows no number of."""
    return found.refuse("no-key", f"the id {_written(found)[:40]!r} is no number", kind)


def key_conflict(found: Fragment, number: int, kind: str) -> Refused:
    """The refusal of an element whose number another one has, with other content."""
    return found.refuse("key-conflict", f"the id {number} came before with other content", kind)


def _artist(found: Fragment, key: str) -> Iterator[Record]:
    flags: set[str] = set()
    name = values.text(found.element.findtext("name"), flags)
    if name is None:
        yield found.refuse("no-content", f"the artist {key} has no name")
        return
    mbids = (values.mbid(url, flags) for url in fields.texts(found.element, "urls/url", flags) if _is_mb_artist(url))
    yield ArtistRecord(key, found.position, fields.bare_name(name),
                       identifiers=tuple(("mbid", mbid) for mbid in dict.fromkeys(mbids) if mbid))  # fmt: skip


def _is_mb_artist(url: str) -> bool:
    return "musicbrainz.org/artist/" in url


def _label(found: Fragment, key: str) -> Iterator[Record]:  # noqa: ARG001 a reader's shape
    """A label is none of the catalogue's entities."""
    yield from ()


def _master(found: Fragment, key: str) -> Iterator[Record]:
    """What Discogs calls a master release: the issues of one album together."""
    element, flags = found.element, set(found.flags)
    date = values.date(fields.year(element.findtext("year")), flags)
    yield ReleaseRecord(
        f"master:{key}", found.position, values.text(element.findtext("title"), flags),
        int(date[:4]) if date else None, date, "master",
        credits=fields.credited(element.find("artists"), flags),
        identifiers=(("discogs_master", key),),
        genres=fields.genres(element, flags),
        flags=tuple(sorted(flags)),
    )  # fmt: skip


def _release(found: Fragment, key: str) -> Iterator[Record]:
    element, flags = found.element, set(found.flags)
    artists = fields.credited(element.find("artists"), flags)
    genres = fields.genres(element, flags)
    tracks, isrcs = releases_tracks(found, key, artists, genres, flags)
    date = values.date(fields.year(element.findtext("released")), flags)
    numbers = fields.identifiers(element, flags)
    yield ReleaseRecord(
        key, found.position, values.text(element.findtext("title"), flags), int(date[:4]) if date else None, date,
        fields.kind(element), fields.labels(element, flags), values.text(element.findtext("country"), flags),
        credits=artists + fields.credited(element.find("extraartists"), flags, extra=True),
        identifiers=numbers + isrcs,
        genres=genres,
        flags=tuple(sorted(flags)),
    )  # fmt: skip
    yield from tracks


READERS: dict[str, Reader] = {
    "artists": _artist, "labels": _label, "masters": _master, "releases": _release,
}  # fmt: skip
