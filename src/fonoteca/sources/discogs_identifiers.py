"""Identifiers and labels of plain releases as columns: as the functions of :mod:`discogs_fields`, a block at once."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fonoteca.sources import discogs_fields as fields
from fonoteca.sources import discogs_texts as texts
from fonoteca.sources import values
from fonoteca.sources.discogs_paths import At, Releases
from fonoteca.sources.discogs_scan import Bools, Ints, buffers_of
from fonoteca.sources.discogs_tracks import Isrcs, assigned
from fonoteca.sources.discogs_wide import NAMES as PAIRS

_ATTRIBUTE = re.compile(rb' ([A-Za-z_][A-Za-z0-9_.-]*)="([^"]*)"')
_TEXT = texts.Memory(texts.text)
_SCHEMES = ("upc", "catalogue_number", "discogs_master", "isrc")
"""In the order in which a release has them."""
_LENGTHS = frozenset({8, 12, 13, 14})
_Found = tuple[str, Ints, pa.Array]
"""A scheme, and release and value of each identifier of it."""


class Identifiers:
    """What a block's releases are known by.

    Attributes:
        flags: number of a release → what its barcodes and ISRCs raised.
        labels: names of each release's labels as one text.
    """

    def __init__(self, releases: Releases, first: Ints, positions: pa.Array) -> None:
        """``positions`` of all tracks; ``first``: number of each release's first one, and at the end how many."""
        self._releases, self._elements = releases, releases.elements
        self._first, self._positions = first, positions
        self.flags: dict[int, set[str]] = {}
        self._of_track: dict[int, Isrcs] = {}
        self._found: list[_Found] = []
        self._codes()
        self.labels = self._labels()
        self._masters()

    def _keep(self, scheme: str, record: list[int], value: list[str]) -> None:
        self._found.append((scheme, np.array(record, np.int64), pa.array(value, pa.string())))

    def _codes(self) -> None:
        """Barcodes and ISRCs, of all identifiers that may be such."""
        at = self._releases.at(At.IDENTIFIER)
        tags = self._elements.slices.take(self._elements.tag[at])
        wanted = pc.match_substring_regex(tags, 'type="(Barcode"|ISRC"|[^"]*&)').to_numpy(zero_copy_only=False)
        tags, record = tags.filter(pa.array(wanted)), self._elements.record[at[wanted]].tolist()
        coded: list[int] = []
        upcs: list[str] = []
        isrcs: dict[int, list[tuple[str, str]]] = {}
        for of, tag in zip(record, tags.to_pylist(), strict=True):
            attributes = dict(_ATTRIBUTE.findall(tag))
            kind = texts.unescape(attributes.get(b"type", b""))
            if kind == "Barcode":
                upc = self._barcode(of, attributes.get(b"value", b""))
                if upc:
                    coded.append(of)
                    upcs.append(upc)
            elif kind == "ISRC":
                isrcs.setdefault(of, []).append((texts.unescape(attributes.get(b"value", b"")),
                                                 texts.unescape(attributes.get(b"description", b""))))  # fmt: skip
        self._keep("upc", coded, upcs)
        self._isrcs(isrcs)

    def _barcode(self, of: int, raw: bytes) -> str | None:
        if len(raw) in _LENGTHS and raw.isdigit() and not _check(raw):
            return raw.decode()
        return fields.barcode(texts.unescape(raw), self.flags.setdefault(of, set()))

    def _isrcs(self, written: Mapping[int, list[tuple[str, str]]]) -> None:
        record: list[int] = []
        value: list[str] = []
        for of, pairs in sorted(written.items()):
            first, end = self._first[of], self._first[of + 1]
            positions = self._positions.slice(first, end - first).to_pylist()
            given, rest = assigned(pairs, positions, self.flags.setdefault(of, set()))
            self._of_track |= {int(first) + number: isrcs for number, isrcs in given.items()}
            record += [of] * len(rest)
            value += [isrc for _, isrc in rest]
        self._keep("isrc", record, value)

    def _labels(self) -> pa.Array:
        at = self._releases.at(At.LABEL)
        record = self._elements.record[at]
        raw_names, raw_numbers = _attributes(self._elements.slices.take(self._elements.tag[at]))
        names, numbers = texts.clean(raw_names, _TEXT), texts.clean(raw_numbers, _TEXT)
        self._releases.mark(at[names.flagged | numbers.flagged])
        kept = _is_number(numbers.column)
        self._found.append(("catalogue_number", record[kept], numbers.column.filter(pa.array(kept))))
        encoded = names.column.dictionary_encode()
        bare = pa.array([fields.bare_name(name) for name in encoded.dictionary.to_pylist()], pa.string())
        given = encoded.indices.is_valid().to_numpy(zero_copy_only=False)
        column, record = bare.take(encoded.indices.filter(pa.array(given))), record[given]
        column, record = texts.distinct(column, record)
        count = np.bincount(record, minlength=self._releases.count)
        joined = pc.binary_join(pa.ListArray.from_arrays(texts.offsets_of(count), column), "; ")
        return pc.if_else(pa.array(count > 0), joined, pa.scalar(None, pa.string()))

    def _masters(self) -> None:
        written = self._elements.slices.take(self._releases.of_release(At.MASTER))
        at = np.flatnonzero(np.diff(buffers_of(written)[0]))
        found = [texts.unescape(raw).strip() for raw in written.take(pa.array(at)).to_pylist()]
        kept = [(of, master) for of, master in zip(at.tolist(), found, strict=True) if fields.is_id(master)]
        self._keep("discogs_master", [of for of, _ in kept], [master for _, master in kept])

    def of_releases(self) -> pa.Array:
        """Each release's identifiers, every one once."""
        found = sorted(self._found, key=lambda one: _SCHEMES.index(one[0]))
        record = np.concatenate([of for _, of, _ in found])
        scheme = np.repeat([_SCHEMES.index(name) for name, _, _ in found], [len(of) for _, of, _ in found])
        value = pa.concat_arrays([column for _, _, column in found])
        order = np.argsort(record, kind="stable")
        record, scheme, value = record[order], scheme[order], value.take(pa.array(order))
        encoded = value.dictionary_encode()
        each = (record * len(_SCHEMES) + scheme) * (len(encoded.dictionary) + 1) + encoded.indices.to_numpy()
        _, once = np.unique(each, return_index=True)
        if len(once) < len(each):
            once.sort()
            record, scheme, value = record[once], scheme[once], value.take(pa.array(once))
        listed = pa.StructArray.from_arrays([pa.array(_SCHEMES).take(pa.array(scheme)), value],
                                            fields=list(PAIRS.value_type))  # fmt: skip
        count = np.bincount(record, minlength=self._releases.count)
        return pa.ListArray.from_arrays(texts.offsets_of(count), listed)

    def of_tracks(self) -> pa.Array:
        """Each recording's identifiers: ISRCs, seldom any."""
        count = np.zeros(len(self._positions), np.int64)
        pairs: Isrcs = ()
        for at, isrcs in sorted(self._of_track.items()):
            count[at] = len(isrcs)
            pairs += isrcs
        listed = pa.StructArray.from_arrays(
            [pa.array([s for s, _ in pairs], pa.string()), pa.array([v for _, v in pairs], pa.string())],
            fields=list(PAIRS.value_type),
        )
        return pa.ListArray.from_arrays(texts.offsets_of(count), listed)


def _check(digits: bytes) -> int:
    """0 where the last one of digits is their check digit (GS1: from the end, every second one counts three times)."""
    ones, threes = digits[-1::-2], digits[-2::-2]
    return (sum(ones) + 3 * sum(threes) - 48 * (len(ones) + 3 * len(threes))) % 10


def _attributes(tags: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The attributes ``name`` and ``catno`` of tags as written; empty ones that are not there."""
    parts = pc.split_pattern(tags, '"')
    first = parts.offsets.to_numpy()
    flat = parts.values
    usual = np.diff(first) == 7
    at = np.where(usual, first[:-1], 0)
    for place, text in ((0, b"label name="), (2, b" catno=")):
        usual &= pc.equal(flat.take(pa.array(np.where(usual, at + place, 0))), text).to_numpy(zero_copy_only=False)
    name, number = (flat.take(pa.array(np.where(usual, at + place, 0))) for place in (1, 3))
    if not usual.all():
        others = [dict(_ATTRIBUTE.findall(tag)) for tag in tags.filter(pa.array(~usual)).to_pylist()]
        name, number = (
            pc.replace_with_mask(column, pa.array(~usual), pa.array([o.get(key, b"") for o in others], pa.binary()))
            for column, key in ((name, b"name"), (number, b"catno"))
        )
    return name, number


def _is_number(column: pa.Array) -> Bools:
    """Which texts stand for something: no word for nothing has a digit in it, so most need no second look."""
    has_digit = pc.fill_null(pc.match_substring_regex(column, "[0-9]"), False)
    sure: Bools = has_digit.to_numpy(zero_copy_only=False).copy()
    doubted = np.flatnonzero(~sure)
    if len(doubted):
        sure[doubted] = [not values.is_nothing(text) for text in column.take(pa.array(doubted)).to_pylist()]
    return sure
