"""The artist credits of plain releases as columns: as :func:`discogs_fields.credited`, for a whole block at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fonoteca.sources import discogs_fields as fields
from fonoteca.sources import discogs_texts as texts
from fonoteca.sources.discogs_ids import ids
from fonoteca.sources.discogs_paths import At, Releases
from fonoteca.sources.discogs_scan import Bools, Ints
from fonoteca.sources.discogs_wide import CREDIT, TABLES, name_key

_TEXT = texts.Memory(texts.text)
_ARTISTS = {At.ARTIST: 0, At.TRACK_ARTIST: 0, At.EXTRA_ARTIST: 1, At.TRACK_EXTRA_ARTIST: 1}
"""Places of credits; 1: extra artists, who have roles."""
_DIGITS = 18


class Credits:
    """All credits of a block, in groups: a release's or a track's artists, and its extra artists.

    Owners are releases, from 0, then tracks and parts; group ``2 owner`` are the artists, ``2 owner + 1`` the extra
    ones.
    """

    def __init__(self, releases: Releases, rows: Ints, at: Ints, record: Ints, ordinal: Ints) -> None:
        """``rows``: the elements of tracks and parts. Of those that are recordings: number in ``rows``, release, place
        on it."""
        self._releases, self._elements = releases, releases.elements
        self._at, self._record, self._ordinal = at, record, ordinal
        self._owners = releases.count + len(rows)
        releases.once(At.ARTISTS, At.EXTRA, At.TRACK_ARTISTS, At.TRACK_EXTRA)
        self._gather(rows)
        self._count = np.bincount(self._group, minlength=2 * self._owners)
        self._start = np.cumsum(self._count) - self._count
        name = self._names()
        self._key, self._id = self._artists(name)
        self._name = name
        self._flat = pa.StructArray.from_arrays(
            [pa.array(self._id), name, self._roles(), self._joined()], fields=list(CREDIT)
        )
        self._line = self._lines_of_artists()
        self._track_groups()

    def _gather(self, rows: Ints) -> None:
        """The credits' elements in the order of their groups."""
        found = np.concatenate([self._releases.at(place) for place in _ARTISTS])
        extra = np.concatenate([np.full(len(self._releases.at(place)), kind) for place, kind in _ARTISTS.items()])
        count = len(self._releases.at(At.ARTIST)), len(self._releases.at(At.EXTRA_ARTIST))
        of_release = np.zeros(len(found), np.bool_)
        first = len(self._releases.at(At.TRACK_ARTIST)) + count[0]
        of_release[: count[0]] = True
        of_release[first : first + count[1]] = True
        holder = self._elements.parent[self._elements.parent[found]]
        owner = np.where(of_release, self._elements.record[found],
                         self._releases.count + np.searchsorted(rows, holder))  # fmt: skip
        group = 2 * owner + extra
        by_element = np.argsort(found, kind="stable")
        order = by_element[np.argsort(group[by_element], kind="stable")]
        self._found, self._group = found[order], group[order]
        self._place = np.empty(len(self._elements.name) + 1, np.int64)
        self._place[self._found] = np.arange(len(self._found))

    def _slots(self, place: At) -> Ints:
        """The slice of each credit's text at a place below it."""
        found = self._releases.at(place)
        return self._releases.only(place, self._place[self._elements.parent[found]], len(self._found))

    def _text(self, slots: Ints, at: Ints) -> pa.Array:
        found = texts.clean(self._elements.slices.take(slots), _TEXT)
        self._releases.mark(self._found[at[found.flagged]])
        return found.column

    def _names(self) -> pa.Array:
        every = np.arange(len(self._found))
        written = self._text(self._slots(At.ARTIST_NAME), every)
        numbered = pc.fill_null(pc.ends_with(written, ")"), False)
        if pc.any(numbered).as_py():
            bare = [fields.bare_name(name) for name in written.filter(numbered).to_pylist()]
            written = pc.replace_with_mask(written, numbered, pa.array(bare, pa.string()))
        name = pc.coalesce(self._text(self._slots(At.ANV), every), written)
        if name.null_count:
            # Such a credit is left out, and what follows it moves up: seldom, so not worth columns.
            self._releases.mark(self._found[name.is_null().to_numpy(zero_copy_only=False)])
            name = name.fill_null("")
        return name

    def _artists(self, name: pa.Array) -> tuple[pa.Array, Ints]:
        """The key and the id of each credit's artist."""
        written = self._elements.slices.take(self._slots(At.ARTIST_ID))
        encoded = written.dictionary_encode()
        keys = [_number(raw) for raw in encoded.dictionary.to_pylist()]
        known = pa.array(keys, pa.string())
        given = ids(b"artist", [key.encode() for key in keys if key is not None])
        number = np.zeros(len(keys), np.int64)
        number[[key is not None for key in keys]] = given
        codes = encoded.indices
        key, found = known.take(codes), number[codes.to_numpy()]
        if key.null_count:
            unlinked = key.is_null()
            at = unlinked.to_numpy(zero_copy_only=False)
            named = [name_key(n) for n in name.filter(unlinked).to_pylist()]
            found[at] = ids(b"artist", [n.encode() for n in named])
            key = pc.replace_with_mask(key, unlinked, pa.array(named, pa.string()))
        return key, found

    def _is_extra(self) -> Bools:
        found: Bools = (self._group & 1).astype(np.bool_)
        return found

    def _roles(self) -> pa.Array:
        extra = np.flatnonzero(self._is_extra())
        role = self._text(self._slots(At.ROLE)[extra], extra).fill_null("artist")
        as_artist = pc.equal(role, "artist").to_numpy(zero_copy_only=False)
        # An extra artist without a role is one of the artists: the line of artists is not the group's then.
        self._releases.mark(self._found[extra[as_artist]])
        every = pa.array(np.full(len(self._found), 0)).cast(pa.string())
        return pc.replace_with_mask(
            pc.replace_with_mask(every, pa.array(~self._is_extra()), "artist"), pa.array(self._is_extra()), role
        )

    def _joined(self) -> pa.Array:
        main = np.flatnonzero(~self._is_extra())
        encoded = self._text(self._slots(At.JOIN)[main], main).dictionary_encode()
        words = pa.array([fields.join(word) for word in encoded.dictionary.to_pylist()], pa.string())
        joined = words.take(encoded.indices).fill_null("")
        joined = pc.if_else(pa.array(self._is_last()[main]), "", joined)
        every = pa.array(np.full(len(self._found), 0)).cast(pa.string())
        every = pc.replace_with_mask(every, pa.array(self._is_extra()), "")
        return pc.replace_with_mask(every, pa.array(~self._is_extra()), joined)

    def _is_last(self) -> Bools:
        found = np.ones(len(self._group), np.bool_)
        found[:-1] = self._group[1:] != self._group[:-1]
        return found

    def _lines_of_artists(self) -> pa.Array:
        """The artists of each owner as one text; null where it has none."""
        main = np.flatnonzero(~self._is_extra())
        name, joined = self._name.take(pa.array(main)), self._flat.field("joined_by").take(pa.array(main))
        bare = pa.array(~self._is_last()[main])
        joined = pc.if_else(pc.and_(bare, pc.equal(joined, "")), ", ", joined)
        parts = pc.binary_join_element_wise(name, joined, "")
        count = self._count[0::2]
        listed = pc.binary_join(pa.ListArray.from_arrays(texts.offsets_of(count), parts), "")
        return pc.if_else(pa.array(count > 0), listed, pa.scalar(None, pa.string()))

    def _track_groups(self) -> None:
        """For each recording the owner of its artists: itself, or else its release."""
        own = self._releases.count + self._at
        self._own = own
        self._main = np.where(self._count[2 * own] > 0, own, self._record)

    def _lists(self, main: Ints, extra: Ints) -> pa.Array:
        groups = np.stack((2 * main, 2 * extra + 1), axis=1).reshape(-1)
        count = self._count[groups]
        values = self._flat.take(pa.array(texts.ranges(self._start[groups], count)))
        return pa.ListArray.from_arrays(texts.offsets_of(count[0::2] + count[1::2]), values)

    def of_releases(self) -> pa.Array:
        """Each release's credits."""
        every = np.arange(self._releases.count)
        return self._lists(every, every)

    def of_tracks(self) -> pa.Array:
        """Each recording's credits."""
        return self._lists(self._main, self._own)

    def release_artists(self) -> pa.Array:
        """Each release's artists as one text."""
        return self._line.slice(0, self._releases.count)

    def track_artists(self) -> pa.Array:
        """Each recording's artists as one text."""
        return self._line.take(pa.array(self._main))

    def credited(self, lines: Ints) -> pa.Table:
        """The first name of each artist, in the order of positions as text, shorter ones first; no odd releases.

        Args:
            lines: number of each release in its file.
        """
        place = np.full(self._owners, -1, np.int64)
        fine = ~self._releases.odd
        every = np.flatnonzero(fine)
        place[every] = _as_number(lines[every])
        mine = fine[self._record]
        place[self._own[mine]] = _as_number(lines[self._record[mine]], self._ordinal[mine])
        line, track = np.zeros(self._owners, np.int64), np.zeros(self._owners, np.int64)
        line[every] = lines[every]
        line[self._own], track[self._own] = lines[self._record], self._ordinal
        owner = self._group // 2
        order = np.flatnonzero(place[owner] >= 0)
        # Groups are in order within an owner, so a stable sort leaves the first credit of a position first.
        order = order[np.argsort(place[owner[order]], kind="stable")]
        # An id stands for its key here: were two keys of one block to share one, 63 bits would have met.
        _, first = np.unique(self._id[order], return_index=True)
        chosen = order[np.sort(first)]
        at = pa.array(chosen)
        columns: list[Any] = [
            pa.array(self._id[chosen]), self._key.take(at), self._name.take(at), pa.array(line[owner[chosen]]),
            pa.array(track[owner[chosen]].astype(np.int32)),
        ]  # fmt: skip
        return pa.table(columns, TABLES["credited"])


def _number(raw: bytes) -> str | None:
    """The key of an artist's number; None: not linked."""
    if raw.isdigit() and len(raw) <= _DIGITS and not raw.startswith(b"0"):
        return raw.decode()
    written = texts.unescape(raw).strip()
    return str(int(written)) if fields.is_id(written) else None


def _as_number(line: Ints, track: Ints | None = None) -> Ints:
    """A number in the order of positions ``12`` and ``12#3``, shorter ones first, then as text.

    In base 11 with ``#`` as 0 and the digits as 1 to 10, a text is a number, and a longer one is larger.
    """
    found = _digits(line)
    return found if track is None else found * 11 ** (_length(track) + 1) + _digits(track)


def _length(number: Ints) -> Ints:
    return np.searchsorted(10 ** np.arange(1, 19), number, side="right") + 1


def _digits(number: Ints) -> Ints:
    found = np.zeros(len(number), np.int64)
    rest, scale = number.copy(), np.ones(len(number), np.int64)
    while (some := rest > 0).any():
        found[some] += (rest[some] % 10 + 1) * scale[some]
        rest, scale = rest // 10, scale * 11
    return found
