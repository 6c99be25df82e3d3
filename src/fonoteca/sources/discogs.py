"""``discogs``: the monthly dumps of Discogs (artists, labels, masters, releases; CC0), any of the four.

A track has no id of its own: its key is the release's id and the position as written, ``249504:B2``. That survives
when a heading or another track is put in, which a running number would not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from fonoteca.sources import discogs_fields as fields
from fonoteca.sources import values
from fonoteca.sources.discogs_shapes import SHAPES
from fonoteca.sources.discogs_tracks import releases_tracks
from fonoteca.sources.documents import Document, DocumentSource, recognise
from fonoteca.sources.records import (
    ArtistRecord,
    Dump,
    Duplicate,
    FieldLicence,
    Record,
    Refused,
    ReleaseRecord,
    SourceInfo,
)
from fonoteca.sources.seen_numbers import SeenNumbers
from fonoteca.sources.xmlrecords import Fragment, records, root_of

LICENCE = "CC0-1.0"
INFO = SourceInfo(
    name="discogs",
    kind="catalogue",
    title="Discogs (monthly dumps of releases, masters, artists and labels)",
    licences=(FieldLicence("*", LICENCE, "Discogs"),),
    where="data.discogs.com, once a month",
    size="11.7 GB packed, September 2026; about 18 million releases with 161 million tracks",
    files="artists, labels, masters and releases as XML, gzipped or not, any of them, whatever their names",
)
_DIGITS = 18
"""Digits of the longest id that is taken for one."""


class Discogs(DocumentSource):
    """Releases with their tracks as recordings; masters as releases of the kind ``master``; artists."""

    @property
    def info(self) -> SourceInfo:
        """CC0 1.0."""
        return INFO

    def documents(self, dump: Dump) -> list[Document]:
        """Those that are of this source. Raises Usage for files that are none of the four dumps."""
        return _files(dump)

    def warnings(self, dump: Dump) -> Sequence[str]:
        """Dumps that are not here, and what that means; labels, which have no table."""
        kinds = {document.kind for document in _files(dump)}
        return [sentence for kind, sentence in _LACKING.items() if kind not in kinds] + (
            ["labels: only looked through for damage; names of labels stand on the releases"]
            if "labels" in kinds else []
        )  # fmt: skip

    def records(self, dump: Dump) -> Iterator[Record]:
        """Artists, labels, masters, then releases, each with its tracks."""
        seen = {kind: SeenNumbers() for kind in SHAPES}
        for document in _files(dump):
            reader = _READERS[document.kind]
            kind = SHAPES[document.kind].kind
            for found in records(document.path, SHAPES[document.kind]):
                if isinstance(found, Refused):
                    yield found
                else:
                    yield from _numbered(found, kind, seen[document.kind], reader)


_LACKING = {
    "artists": "there is no dump of artists: they have the names that the releases credit, and no others",
    "masters": "there is no dump of masters: releases name theirs by number only",
    "releases": "there is no dump of releases: no recordings come",
}


def _files(dump: Dump) -> list[Document]:
    return recognise(dump, "discogs", tuple(SHAPES), _kind_of)


def _kind_of(path: Path) -> str | None:
    if not path.exists():
        raise FileNotFoundError(2, "No such file or directory", str(path))
    root = root_of(path)
    name = root[0].decode() if root else ""
    return name if name in SHAPES else None


def _numbered(
    found: Fragment, kind: str, seen: SeenNumbers, reader: Callable[[Fragment, str], Iterator[Record]]
) -> Iterator[Record]:
    """The records of one element, if its number is one and comes for the first time."""
    key = (found.element.get("id") or found.element.findtext("id") or "").strip()
    if not (key.isascii() and key.isdigit() and len(key) <= _DIGITS and int(key)):
        yield found.refuse("no-key", f"the id {key[:40]!r} is no number", kind)
        return
    key = str(int(key))
    again = seen.second(int(key), found.raw)
    if again is None:
        yield from reader(found, key)
    elif again:
        yield Duplicate(found.position, key, kind)
    else:
        yield found.refuse("key-conflict", f"the id {key} came before with other content", kind)


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


_READERS: dict[str, Callable[[Fragment, str], Iterator[Record]]] = {
    "artists": _artist, "labels": _label, "masters": _master, "releases": _release,
}  # fmt: skip
