"""The elements of a release that are read, by where they stand, and each release's columns of them."""

from __future__ import annotations

import enum

import numpy as np

from fonoteca.sources.discogs_scan import Bools, Elements, Ints, Kinds, Names


class At(enum.IntEnum):
    """A place in a release; 0 is any other."""

    OTHER = 0
    RELEASE = enum.auto()
    TITLE = enum.auto()
    COUNTRY = enum.auto()
    RELEASED = enum.auto()
    MASTER = enum.auto()
    ARTISTS = enum.auto()
    EXTRA = enum.auto()
    LABELS = enum.auto()
    LABEL = enum.auto()
    FORMATS = enum.auto()
    FORMAT = enum.auto()
    DESCRIPTIONS = enum.auto()
    DESCRIPTION = enum.auto()
    GENRES = enum.auto()
    GENRE = enum.auto()
    STYLES = enum.auto()
    STYLE = enum.auto()
    IDENTIFIERS = enum.auto()
    IDENTIFIER = enum.auto()
    TRACKLIST = enum.auto()
    TRACK = enum.auto()
    PARTS = enum.auto()
    PART = enum.auto()
    POSITION = enum.auto()
    TRACK_TITLE = enum.auto()
    DURATION = enum.auto()
    TRACK_ARTISTS = enum.auto()
    TRACK_EXTRA = enum.auto()
    ARTIST = enum.auto()
    EXTRA_ARTIST = enum.auto()
    TRACK_ARTIST = enum.auto()
    TRACK_EXTRA_ARTIST = enum.auto()
    ARTIST_ID = enum.auto()
    ARTIST_NAME = enum.auto()
    ANV = enum.auto()
    JOIN = enum.auto()
    ROLE = enum.auto()


_OF_TRACK = [
    ("position", At.POSITION), ("title", At.TRACK_TITLE), ("duration", At.DURATION), ("artists", At.TRACK_ARTISTS),
    ("extraartists", At.TRACK_EXTRA),
]  # fmt: skip
_OF_ARTIST = [
    ("id", At.ARTIST_ID), ("name", At.ARTIST_NAME), ("anv", At.ANV), ("join", At.JOIN), ("role", At.ROLE),
]  # fmt: skip
_TREE: dict[At, list[tuple[str, At]]] = {
    At.RELEASE: [
        ("title", At.TITLE), ("country", At.COUNTRY), ("released", At.RELEASED), ("master_id", At.MASTER),
        ("artists", At.ARTISTS), ("extraartists", At.EXTRA), ("labels", At.LABELS), ("formats", At.FORMATS),
        ("genres", At.GENRES), ("styles", At.STYLES), ("identifiers", At.IDENTIFIERS), ("tracklist", At.TRACKLIST),
    ],
    At.LABELS: [("label", At.LABEL)],
    At.FORMATS: [("format", At.FORMAT)],
    At.FORMAT: [("descriptions", At.DESCRIPTIONS)],
    At.DESCRIPTIONS: [("description", At.DESCRIPTION)],
    At.GENRES: [("genre", At.GENRE)],
    At.STYLES: [("style", At.STYLE)],
    At.IDENTIFIERS: [("identifier", At.IDENTIFIER)],
    At.TRACKLIST: [("track", At.TRACK)],
    At.TRACK: [*_OF_TRACK, ("sub_tracks", At.PARTS)],
    At.PARTS: [("track", At.PART)],
    At.PART: _OF_TRACK,
    At.ARTISTS: [("artist", At.ARTIST)],
    At.EXTRA: [("artist", At.EXTRA_ARTIST)],
    At.TRACK_ARTISTS: [("artist", At.TRACK_ARTIST)],
    At.TRACK_EXTRA: [("artist", At.TRACK_EXTRA_ARTIST)],
    At.ARTIST: _OF_ARTIST,
    At.EXTRA_ARTIST: _OF_ARTIST,
    At.TRACK_ARTIST: _OF_ARTIST,
    At.TRACK_EXTRA_ARTIST: _OF_ARTIST,
}  # fmt: skip
NAMES = sorted({"release", *(name for children in _TREE.values() for name, _ in children)})


class Releases:
    """The elements of plain releases by their place.

    Attributes:
        elements: all of them.
        count: number of releases.
        odd: releases that must be left to the parser after all.
    """

    def __init__(self, elements: Elements, names: Names) -> None:
        self.elements = elements
        self.count = len(elements.ends)
        self.odd: Bools = np.zeros(self.count, np.bool_)
        self._place = _places(elements, names)
        order = np.argsort(self._place, kind="stable")
        bounds = np.searchsorted(self._place[order], np.arange(len(At) + 1))
        self._at = [order[bounds[at] : bounds[at + 1]] for at in At]
        positions = np.flatnonzero(elements.name == names.code("position"))
        read = np.bincount(elements.record[self.at(At.POSITION)], minlength=self.count)
        self.odd |= np.bincount(elements.record[positions], minlength=self.count) != read

    def at(self, place: At) -> Ints:
        """The elements at a place, in order."""
        return self._at[place]

    def mark(self, elements: Ints) -> None:
        """The releases of these elements are odd."""
        self.odd[self.elements.record[elements]] = True

    def only(self, place: At, owner: Ints, owners: int) -> Ints:
        """For each owner the slice of the text of its only element at a place; releases with two of them are odd.

        Args:
            owner: number of the owner of each element at the place; -1: of none that is asked for.
            owners: how many there are.
        """
        found = self.at(place)
        text = self.elements.text[found]
        slots = np.full(owners + 1, self.elements.slices.empty)
        # Of two elements of one owner the later one stands here, and the check below finds the earlier one.
        which = np.full(owners + 1, -1)
        which[owner] = found
        slots[owner] = text
        self.mark(found[(which[owner] != found) & (owner >= 0)])
        return slots[:owners]

    def of_release(self, place: At) -> Ints:
        """The slice of each release's text at a place below the release."""
        return self.only(place, self.elements.record[self.at(place)], self.count)

    def once(self, *places: At) -> None:
        """Releases where an element at one of these places has a sister there are odd."""
        for place in places:
            parent = np.sort(self.elements.parent[self.at(place)])
            self.mark(parent[1:][parent[1:] == parent[:-1]])


def _places(elements: Elements, names: Names) -> Kinds:
    table: Kinds = np.zeros((len(At), names.known + 2), np.int8)
    for parent, children in _TREE.items():
        for child, place in children:
            table[parent, names.code(child)] = place
    name = np.minimum(elements.name, names.known + 1)
    found: Kinds = np.zeros(len(name), np.int8)
    found[elements.levels[0]] = At.RELEASE
    for here in elements.levels[1 : _DEEPEST + 1]:
        found[here] = table[found[elements.parent[here]], name[here]]
    return found


_DEEPEST = 7
"""Level of the deepest element that is read: release/tracklist/track/sub_tracks/track/artists/artist/name."""
