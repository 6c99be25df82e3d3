"""The tracklist of a Discogs release as recordings: headings left out, index tracks as their parts."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from fonoteca.sources import discogs_fields as fields
from fonoteca.sources import values
from fonoteca.sources.records import Credit, Record, RecordingRecord, TrackRecord
from fonoteca.sources.xmlrecords import Fragment

_PLACE = re.compile(r"(?:[A-Za-z]{1,4}[ -]?)?(\d{1,3})[-.](\d{1,4})(?:[A-Za-z]|\.\d{1,3})?", re.ASCII)
_NUMBER = re.compile(r"\d{1,4}", re.ASCII)
_NAMED = re.compile(r"(?:track|side)?\s*", re.IGNORECASE)

Isrcs = tuple[tuple[str, str], ...]


def entries(tracklist: Element | None) -> list[tuple[Element, str]]:
    """The tracks that are recordings, each with its position.

    Where any track has a position, one without is a heading (its duration, if any, is that of what follows). Where
    none has, all that have a title are tracks. An index track is its parts, or itself where none has a position.
    """
    if tracklist is None:
        return []
    known = any((e.text or "").strip() for e in tracklist.iter("position"))
    found: list[tuple[Element, str]] = []
    for track in tracklist.iterfind("track"):
        parts = [(part, _position(part)) for part in track.iterfind("sub_tracks/track") if _position(part)]
        position = _position(track)
        if parts:
            found += parts
        elif position or (not known and (track.findtext("title") or "").strip()):
            found.append((track, position))
    return found


def _position(track: Element) -> str:
    return values.key(track.findtext("position"))


def keys(release: str, positions: list[str]) -> list[str]:
    """``release:position``; the second track of a position is ``release:position:2``, and so on.

    A track without position has the empty one: ``release:``, ``release::2``.
    """
    taken: set[str] = set()
    found = []
    for position in positions:
        key, again = f"{release}:{position}", 1
        while key in taken:
            again += 1
            key = f"{release}:{position}:{again}"
        taken.add(key)
        found.append(key)
    return found


def place(position: str, ordinal: int) -> tuple[int | None, int]:
    """Disc and number of ``1-05``, ``CD2-3``, ``7``; sides of vinyl have no disc, and are numbered through."""
    parts = _PLACE.fullmatch(position)
    if parts and int(parts[1]) and int(parts[2]):
        return int(parts[1]), int(parts[2])
    if _NUMBER.fullmatch(position) and int(position):
        return None, int(position)
    return None, ordinal


def releases_tracks(
    found: Fragment, release: str, artists: tuple[Credit, ...], genres: tuple[str, ...], flags: set[str]
) -> tuple[list[Record], Isrcs]:
    """Recordings and tracks of a release, and the ISRCs that name none of its tracks. ``flags`` are the release's.

    Each recording has its track's artists, or else the release's, then its own extra artists with their roles.
    """
    listed = entries(found.element.find("tracklist"))
    positions = [position for _, position in listed]
    isrcs, rest = _isrcs(found.element, positions, flags)
    records: list[Record] = []
    for at, ((track, position), key) in enumerate(zip(listed, keys(release, positions), strict=True)):
        where = f"{found.position}#{at + 1}"
        records.append(_recording(track, key, where, artists, genres, isrcs.get(at, ()), found.flags))
        disc, number = place(position, at + 1)
        records.append(TrackRecord(release, key, where, disc, number))
    return records, rest


def _recording(
    track: Element, key: str, where: str, artists: tuple[Credit, ...], genres: tuple[str, ...], isrcs: Isrcs,
    damage: frozenset[str],
) -> RecordingRecord:  # fmt: skip
    flags = set(damage)
    own = fields.credited(track.find("artists"), flags)
    return RecordingRecord(
        key, where, values.text(track.findtext("title"), flags), values.duration(track.findtext("duration"), flags),
        credits=(own or artists) + fields.credited(track.find("extraartists"), flags, extra=True),
        identifiers=isrcs,
        genres=genres,
        flags=tuple(sorted(flags)),
    )  # fmt: skip


def _isrcs(release: Element, positions: list[str], flags: set[str]) -> tuple[dict[int, Isrcs], Isrcs]:
    written = [(e.get("value") or "", e.get("description") or "")
               for e in release.iterfind("identifiers/identifier") if e.get("type") == "ISRC"]  # fmt: skip
    return assigned(written, positions, flags)


def assigned(written: list[tuple[str, str]], positions: list[str], flags: set[str]) -> tuple[dict[int, Isrcs], Isrcs]:
    """ISRCs by the track that their description names ("Track A1"); a release's only track needs no naming.

    Args:
        written: value and description of each identifier that is called an ISRC.
        positions: of the release's tracks.
        flags: the release's.

    Returns:
        Number of a track, from 0 → its ISRCs; and those that name none.
    """
    if not written:
        return {}, ()
    at = {position.lower(): number for number, position in enumerate(positions) if positions.count(position) == 1}
    given: dict[int, Isrcs] = {}
    rest: Isrcs = ()
    for value, words in written:
        isrc = values.isrc(value, flags)
        if isrc is None:
            continue
        number = 0 if len(positions) == 1 else at.get(_NAMED.sub("", words.strip(), count=1).lower())
        if number is None:
            rest += () if ("isrc", isrc) in rest else (("isrc", isrc),)
        elif ("isrc", isrc) not in given.get(number, ()):
            given[number] = (*given.get(number, ()), ("isrc", isrc))
    return given, rest
