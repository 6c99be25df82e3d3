"""MusicBrainz's JSON dumps line by line, their keys in memory: for small dumps, and to prove the bulk way right.

Says in Python what :mod:`fonoteca.sources.musicbrainz_json_sql` says in SQL.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

from fonoteca.core import canonical
from fonoteca.core.ids import Kind
from fonoteca.sources import links, values
from fonoteca.sources import musicbrainz_fields as fields
from fonoteca.sources import musicbrainz_json_shapes as shapes
from fonoteca.sources.musicbrainz_json import Lines, open_lines
from fonoteca.sources.musicbrainz_json_bulk import lines_of
from fonoteca.sources.musicbrainz_json_sql import STATUSES
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
from fonoteca.sources.rows import refused
from fonoteca.sources.unpack import TornDump

_NUMBER = re.compile(r"[0-9]{1,18}([.][0-9]{1,18})?")
_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?(?:-([0-9]{2}))?")
Object = dict[str, Any]


def records(files: Sequence[Lines]) -> Iterator[Record]:
    """Artists, recordings, releases with the recordings on them; each artist where a credit names it first."""
    told = _Told()
    for lines in files:
        number = 0
        try:
            for found in open_lines(lines):
                if isinstance(found, Refused):
                    yield found
                    continue
                for line in lines_of(cast(Any, found), lines.entity):
                    number += 1
                    if line is not None:
                        yield from told.line(line, lines.entity, f"{lines.shown}:{number}")
        except TornDump as error:
            yield refused(f"{lines.shown}:{number}", error.torn.code, error.torn.reason, "", kind=lines.entity)


class _Told:
    """What has come so far."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[str, str]] = {"artist": {}, "recording": {}, "release": {}}
        self._artists: set[str] = set()
        self._recordings: dict[str, str | None] = {}
        self._places: set[tuple[Any, ...]] = set()

    def line(self, line: Object | Refused, entity: str, position: str) -> Iterator[Record]:
        if isinstance(line, Refused):
            yield replace(line, position=position)
            return
        key = cast(str, shapes.mbid(line["id"]))
        digest = canonical.digest(line)
        first = self._seen[entity].setdefault(key, digest)
        if first is not digest:
            again = Duplicate(position, key, entity)
            other = f"{entity} {key} came before with other content"
            yield again if first == digest else refused(position, "key-conflict", other, key, kind=entity)
            return
        if entity == "artist":
            yield from self._artist(line, key, position)
        elif entity == "recording":
            yield from self._recording(line, key, position, data=False)
        else:
            yield from self._release(line, key, position)

    def _artist(self, line: Object, key: str, position: str) -> Iterator[Record]:
        self._artists.add(key)
        names = {("isni", text.strip(" ").upper()) for text in line["isnis"] or () if text and text.strip(" ")}
        names |= _linked(Kind.ARTIST, line["relations"])
        names |= {("ipi", text.strip(" ")) for text in line["ipis"] or () if text and text.strip(" ")}
        yield ArtistRecord(key, position, _text(line["name"]) or "", _text(line["sort-name"]), tuple(sorted(names)))

    def _credited(self, credit: list[Object] | None, position: str) -> Iterator[Record]:
        """Artists that are named for the first time; those without an MBID come of themselves."""
        for name in credit or ():
            artist = name["artist"] or {} if name else {}
            key = shapes.mbid(artist.get("id"))
            if key is not None and key not in self._artists:
                self._artists.add(key)
                shown = _text(artist["name"])
                yield ArtistRecord(key, position, (_text(name["name"]) or "") if shown is None else shown,
                                   _text(artist["sort-name"]))  # fmt: skip

    def _recording(self, found: Object, key: str, position: str, *, data: bool) -> Iterator[Record]:
        flags = {"data-track"} if data else set()
        title = values.text(found["title"], flags)
        self._recordings[key] = title
        yield from self._credited(found["artist-credit"], position)
        if found["video"] == "true":
            flags.add("video")
        when = _date(found["first-release-date"], flags)
        names = _identifiers(found, flags)
        yield RecordingRecord(
            key, position, title, _length(found["length"], flags), int(when[:4]) if when else None,
            credits=_credits(found["artist-credit"]), identifiers=names, flags=tuple(sorted(flags)),
        )  # fmt: skip

    def _release(self, line: Object, key: str, position: str) -> Iterator[Record]:
        flags: set[str] = set()
        yield from self._credited(line["artist-credit"], position)
        title, date = values.text(line["title"], flags), _date(line["date"], flags)
        if line["status"] in STATUSES:
            flags.add(STATUSES[line["status"]])
        group = line["release-group"] or {}
        labels = [_text((info["label"] or {}).get("name")) for info in line["label-info"] or () if info]
        names = {("upc", values.upc(line["barcode"], flags)),
                 ("release_group_mbid", shapes.mbid(group.get("id")))}  # fmt: skip
        names |= _linked(Kind.RELEASE, line["relations"])
        for info in line["label-info"] or ():
            number = info["catalog-number"] if info else None
            if number is not None and number.strip(" ").lower() != "[none]":
                names.add(("catalogue_number", _text(number)))
        yield ReleaseRecord(
            key, position, title, int(date[:4]) if date else None, date, group.get("primary-type") or None,
            "; ".join(dict.fromkeys(label for label in labels if label)) or None, line["country"] or None,
            credits=_credits(line["artist-credit"]), identifiers=_sorted(names), flags=tuple(sorted(flags)),
        )  # fmt: skip
        for disc, track, data in _tracks(line):
            yield from self._track(key, disc, track, position, data=data)

    def _track(self, release: str, disc: int | None, track: Object, position: str, *, data: bool) -> Iterator[Record]:
        found = track["recording"]
        key = shapes.mbid(found["id"]) if found else None
        if key is None:
            return
        if key not in self._recordings:
            yield from self._recording(found, key, position, data=data)
        else:
            yield from self._credited(found["artist-credit"], position)
        written = _text(track["title"])
        title = written if written != self._recordings[key] else None
        place = (release, key, disc, _count(track["position"]), title)
        if place not in self._places:
            self._places.add(place)
            yield TrackRecord(release, key, position, disc, place[3], title)


def _tracks(line: Object) -> Iterator[tuple[int | None, Object, bool]]:
    for medium in line["media"] or ():
        if medium:
            disc = _count(medium["position"])
            listed = [(medium["pregap"], False), *((track, False) for track in medium["tracks"] or ()),
                      *((track, True) for track in medium["data-tracks"] or ())]  # fmt: skip
            yield from ((disc, track, data) for track, data in listed if track)


def _text(value: str | None) -> str | None:
    return values.text(value, set())


def _sorted(names: set[tuple[str, str | None]]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((scheme, value) for scheme, value in names if value is not None))


def _credits(credit: list[Object] | None) -> tuple[Credit, ...]:
    found = []
    for name in credit or ():
        shown = _text(name["name"]) or "" if name else ""
        key = shapes.mbid((name["artist"] or {}).get("id")) if name else None
        if key is not None or shown:
            found.append(Credit(shown, key, joined_by=values.phrase(name["joinphrase"] or "", set())))
    return tuple(found)


def _identifiers(found: Object, flags: set[str]) -> tuple[tuple[str, str], ...]:
    names: set[tuple[str, str | None]] = {("isrc", values.isrc(isrc, flags)) for isrc in found["isrcs"] or ()}
    names |= _linked(Kind.RECORDING, found["relations"])
    for relation in found["relations"] or ():
        work = relation["work"] if relation and relation["target-type"] == "work" else None
        key = shapes.mbid(work["id"]) if work else None
        if work and key is not None:
            names.add(("work_mbid", key))
            names |= {("iswc", iswc.strip(" ").upper() or None) for iswc in work["iswcs"] or () if iswc}
    return _sorted(names)


def _linked(kind: Kind, relations: list[Object] | None) -> set[tuple[str, str]]:
    """What the addresses among relations identify; a relation that has ended still does."""
    urls = [(told["url"] or {}).get("resource") for told in relations or () if told and told["target-type"] == "url"]
    return {found for url in urls if url is not None and (found := links.identifier(kind, url)) is not None}


def _length(written: str | None, flags: set[str]) -> int | None:
    if written is None or written == "":
        return None
    if not _NUMBER.fullmatch(written) or float(written) > 1e12:
        flags.add("bad-duration")
        return None
    return values.duration(math.floor(float(written) + 0.5), flags, "ms")


def _date(written: str | None, flags: set[str]) -> str | None:
    if written is None or written == "":
        return None
    parts = _DATE.fullmatch(written)
    if parts is None:
        flags.add("bad-date")
        return None
    return fields.date(int(parts[1]), int(parts[2] or 0), int(parts[3] or 0), flags)


def _count(written: str | None) -> int | None:
    text = (written or "").strip(" ")
    return fields.count(int(text)) if re.fullmatch(r"[0-9]{1,18}", text) else None
