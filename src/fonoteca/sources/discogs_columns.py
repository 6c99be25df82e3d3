"""Plain releases as columns: the same rows as :mod:`discogs_wide` makes, without a record between."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from blake3 import blake3

from fonoteca.sources import discogs_fields as fields
from fonoteca.sources import discogs_texts as texts
from fonoteca.sources import values
from fonoteca.sources.discogs_credits import Credits
from fonoteca.sources.discogs_identifiers import Identifiers
from fonoteca.sources.discogs_ids import ids
from fonoteca.sources.discogs_paths import NAMES, At, Releases
from fonoteca.sources.discogs_scan import Bools, Ints, Names, scan
from fonoteca.sources.discogs_tracks import keys, place
from fonoteca.sources.discogs_wide import TABLES, TRACK

_ROUNDS = 4
_ROOT = re.compile(rb'release id="(\d{1,18})"')
_REMEMBERED = 50_000
_TEXT = texts.Memory(texts.text)
_KEY = texts.Memory(texts.key)
_names = Names(NAMES)


def columns(data: bytes, starts: Sequence[int], lines: Sequence[int]) -> tuple[dict[str, pa.Table], list[int]]:
    """The rows of releases.

    Args:
        data: bytes of a block.
        starts: where releases begin in it; each goes to where the next begins, or the data's end.
        lines: number of each in its file.

    Returns:
        The tables, rows in order; and which of the releases are odd, so have none here.
    """
    left = np.arange(len(starts))
    bounds = [*starts, len(data)]
    odd: list[int] = []
    for _ in range(_ROUNDS):
        if not len(left):
            return {}, sorted(odd)
        whole = len(left) == len(starts) and not starts[0]
        pieces = [data] if whole else [data[bounds[at] : bounds[at + 1]] for at in left.tolist()]
        sizes = np.diff(bounds) if whole else np.array([len(piece) for piece in pieces])
        joined = b"".join(pieces)
        at = np.concatenate(([0], np.cumsum(sizes)[:-1]))
        elements, wrong = scan(joined, at, _names, _names.code("release"))
        if elements is not None:
            tables, late = _tables(joined, at, np.asarray(lines)[left], Releases(elements, _names))
            return tables, sorted(odd + left[late].tolist())
        odd += left[wrong].tolist()
        left = left[~wrong]
    return {}, list(range(len(starts)))


def _tables(data: bytes, starts: Ints, lines: Ints, releases: Releases) -> tuple[dict[str, pa.Table], Bools]:
    numbers = _numbers(releases)
    release = _Columns(releases, numbers, lines)
    found = {"release": release.releases(), "recording": release.recordings()}
    ends = releases.elements.ends.tolist()
    marks = b"".join([blake3(data[start:end]).digest(8) for start, end in zip(starts.tolist(), ends, strict=True)])
    found["element"] = pa.table([numbers, np.frombuffer(marks, "<i8"), lines], TABLES["element"])
    if releases.odd.any():
        keep = pa.array(lines[~releases.odd])
        found = {name: table.filter(pc.is_in(table["line"], keep)) for name, table in found.items()}
    found["credited"] = release.credits.credited(lines)
    return found, releases.odd


def _numbers(releases: Releases) -> Ints:
    """The number of each release."""
    roots = releases.at(At.RELEASE)
    tags = releases.elements.slices.take(releases.elements.tag[roots]).to_pylist()
    found = [int(written[1]) if (written := _ROOT.match(tag)) else 0 for tag in tags]
    numbers = np.array(found, np.int64)
    releases.odd |= numbers == 0
    return numbers


@dataclass(frozen=True)
class _Tracks:
    """The tracks that are recordings: their elements' numbers among tracks and parts, release, key, position."""

    at: Ints
    record: Ints
    ordinal: Ints
    position: pa.Array
    key: pa.Array


class _Columns:
    """The columns of one block's plain releases."""

    def __init__(self, releases: Releases, numbers: Ints, lines: Ints) -> None:
        self._releases, self._lines = releases, lines
        self._elements = releases.elements
        self._keys = pc.cast(pa.array(numbers), pa.string())
        self._ids = ids(b"release", [key.encode() for key in self._keys.to_pylist()])
        self._rows = np.sort(np.concatenate((releases.at(At.TRACK), releases.at(At.PART))))
        releases.once(At.TRACKLIST)
        self._tracks = self._listed()
        self.credits = Credits(releases, self._rows, self._tracks.at, self._tracks.record, self._tracks.ordinal)
        self._title = self._text(releases.of_release(At.TITLE), np.arange(releases.count))
        self._dates()
        self._genres = self._all_genres()
        self.identifiers = Identifiers(releases, self._first, self._tracks.position)

    def _text(self, slots: Ints, record: Ints, memory: texts.Memory = _TEXT) -> pa.Array:
        """A column of texts; releases with a flagged one are odd."""
        found = texts.clean(self._elements.slices.take(slots), memory)
        self._releases.odd[record[found.flagged]] = True
        return found.column

    def _of_track(self, place_: At) -> Ints:
        """The slice of each track's or part's text at a place below it."""
        found = self._releases.at(place_)
        owner = np.searchsorted(self._rows, self._elements.parent[found])
        return self._releases.only(place_, owner, len(self._rows))

    def _listed(self) -> _Tracks:
        """As :func:`discogs_tracks.entries`."""
        rows, elements = self._rows, self._elements
        record = elements.record[rows]
        position = self._text(self._of_track(At.POSITION), record, _KEY)
        self._titles = self._text(self._of_track(At.TRACK_TITLE), record)
        placed = ~position.is_null().to_numpy(zero_copy_only=False)
        known = np.zeros(self._releases.count, np.bool_)
        known[record[placed]] = True
        part = np.isin(rows, self._releases.at(At.PART), assume_unique=True)
        whole = np.zeros(len(rows), np.bool_)
        parts = np.flatnonzero(part & placed)
        whole[np.searchsorted(rows, elements.parent[elements.parent[rows[parts]]])] = True
        titled = self._titles.is_valid().to_numpy(zero_copy_only=False)
        at = np.flatnonzero(np.where(part, placed, ~whole & (placed | (~known[record] & titled))))
        record = record[at]
        first = np.searchsorted(record, np.arange(self._releases.count + 1))
        position = position.take(pa.array(at)).fill_null("")
        self._first = first
        return _Tracks(at, record, np.arange(len(at)) - first[record] + 1, position, self._track_keys(record, position))

    def _track_keys(self, record: Ints, position: pa.Array) -> pa.Array:
        """As :func:`discogs_tracks.keys`: only where a position comes twice is there more to do than to join."""
        found = pc.binary_join_element_wise(self._keys.take(pa.array(record)), position, ":")
        encoded = position.dictionary_encode()
        pair = record * (len(encoded.dictionary) + 1) + encoded.indices.to_numpy()
        ordered = np.sort(pair)
        twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]] // (len(encoded.dictionary) + 1))
        if not len(twice):
            return found
        at = np.flatnonzero(np.isin(record, twice))
        given: list[str] = []
        for release in twice.tolist():
            mine = position.slice(np.searchsorted(record, release), np.count_nonzero(record == release))
            given += keys(self._keys[release].as_py(), mine.to_pylist())
        mask = np.zeros(len(record), np.bool_)
        mask[at] = True
        return pc.replace_with_mask(found, pa.array(mask), pa.array(given, pa.string()))

    def _dates(self) -> None:
        encoded = self._elements.slices.take(self._releases.of_release(At.RELEASED)).dictionary_encode()
        read = [_date(raw) for raw in encoded.dictionary.to_pylist()]
        codes = encoded.indices
        self._date = pa.array([date for date, _ in read], pa.string()).take(codes)
        self._year = pa.array([int(date[:4]) if date else None for date, _ in read], pa.int32()).take(codes)
        flagged = np.array([bool(flags) for _, flags in read], np.bool_)[codes.to_numpy()]
        self._date_flags = {of: read[codes[of].as_py()][1] for of in np.flatnonzero(flagged).tolist()}

    def _all_genres(self) -> pa.Array:
        """As :func:`discogs_fields.genres`."""
        found = np.concatenate((self._releases.at(At.GENRE), self._releases.at(At.STYLE)))
        order = np.argsort(self._elements.record[found], kind="stable")
        found = found[order]
        record = self._elements.record[found]
        column = self._text(self._elements.text[found], record)
        given = column.is_valid().to_numpy(zero_copy_only=False)
        column, record = column.filter(pa.array(given)), record[given]
        column, record = texts.distinct(column, record)
        return pa.ListArray.from_arrays(texts.offsets_of(np.bincount(record, minlength=self._releases.count)), column)

    def recordings(self) -> pa.Table:
        """The rows of recordings."""
        tracks = self._tracks
        of = pa.array(tracks.record)
        slots = self._of_track(At.DURATION)[tracks.at]
        encoded = self._elements.slices.take(slots).dictionary_encode()
        read = [_duration(raw) for raw in encoded.dictionary.to_pylist()]
        places = tracks.position.dictionary_encode()
        where = [place(position, 0) for position in places.dictionary.to_pylist()]
        number = np.array([n for _, n in where], np.int32)[places.indices.to_numpy()]
        release_id = pa.array(self._ids[tracks.record])
        count = len(tracks.at)
        track = pa.StructArray.from_arrays([
            release_id, pa.array([d for d, _ in where], pa.int32()).take(places.indices),
            pa.array(np.where(number == 0, tracks.ordinal, number).astype(np.int32)), pa.nulls(count, pa.string()),
        ], fields=list(TRACK))  # fmt: skip
        one = texts.offsets_of(np.ones(count, np.int64))
        found = {
            "id": pa.array(ids(b"recording", tracks.key.cast(pa.binary()).to_pylist())),
            "key": tracks.key,
            "title": self._titles.take(pa.array(tracks.at)),
            "artist": self.credits.track_artists(),
            "release": self._title.take(of),
            "release_id": release_id,
            "release_year": self._year.take(of),
            "duration_ms": pa.array([ms for ms, _ in read], pa.int64()).take(encoded.indices),
            "flags": pa.array([flags for _, flags in read], TABLES["recording"].field("flags").type).take(
                encoded.indices),
            "credits": self.credits.of_tracks(),
            "tracks": pa.ListArray.from_arrays(one, track),
            "identifiers": self.identifiers.of_tracks(),
            "genres": self._genres.take(of),
            "line": pa.array(self._lines[tracks.record]),
        }  # fmt: skip
        return pa.table([found[name] for name in TABLES["recording"].names], TABLES["recording"])

    def releases(self) -> pa.Table:
        """The rows of releases."""
        count = self._releases.count
        flags = {of: set(found) for of, found in self.identifiers.flags.items()}
        for of, found in self._date_flags.items():
            flags.setdefault(of, set()).update(found)
        every = np.arange(count)
        country = self._text(self._releases.of_release(At.COUNTRY), every)
        found = {
            "id": pa.array(self._ids),
            "key": self._keys,
            "title": self._title,
            "artist": self.credits.release_artists(),
            "year": self._year,
            "date": self._date,
            "kind": self._kinds(),
            "label": self.identifiers.labels,
            "country": country,
            "track_count": pa.array(np.bincount(self._tracks.record, minlength=count).astype(np.int32)),
            "flags": texts.listed(count, flags),
            "credits": self.credits.of_releases(),
            "identifiers": self.identifiers.of_releases(),
            "genres": self._genres,
            "line": pa.array(self._lines),
        }  # fmt: skip
        return pa.table([found[name] for name in TABLES["release"].names], TABLES["release"])

    def _kinds(self) -> pa.Array:
        """As :func:`discogs_fields.kind`."""
        found = self._releases.at(At.DESCRIPTION)
        encoded = self._elements.slices.take(self._elements.text[found]).dictionary_encode()
        read = [texts.unescape(raw) for raw in encoded.dictionary.to_pylist()]
        is_kind = np.array([word in fields.KINDS for word in read], np.bool_)
        codes = encoded.indices.to_numpy()
        hit = np.flatnonzero(is_kind[codes]) if len(codes) else np.zeros(0, np.int64)
        kinds: list[str | None] = [None] * self._releases.count
        for record, code in zip(self._elements.record[found[hit]][::-1].tolist(), codes[hit][::-1].tolist(),
                                strict=True):  # fmt: skip
            kinds[record] = read[code]
        return pa.array(kinds, pa.string())


@lru_cache(_REMEMBERED)
def _date(raw: bytes) -> tuple[str | None, tuple[str, ...]]:
    flags: set[str] = set()
    return values.date(fields.year(texts.unescape(raw)), flags), tuple(flags)


@lru_cache(_REMEMBERED)
def _duration(raw: bytes) -> tuple[int | None, list[str]]:
    flags: set[str] = set()
    return values.duration(texts.unescape(raw), flags), sorted(flags)
