"""Columns of text out of slices of XML: plain ones as they are, others by the very functions that read records.

A text is plain where :func:`fonoteca.sources.values.text` would give it back unchanged and without a flag: printable
ASCII, no reference, no blank at an end or beside another. All others are unescaped and go through that function.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fonoteca.sources import values
from fonoteca.sources.discogs_scan import Bools, Ints, buffers_of

_REFERENCE = re.compile(r"&(?:#x([0-9A-Fa-f]+)|#(\d+)|(\w+));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_REMEMBERED = 50_000
_STRANGE = np.ones(256, np.bool_)
_STRANGE[0x20:0x7F] = False
_STRANGE[ord("&")] = True

Read = Callable[[str], tuple[Any, bool]]
"""From a text to its value, and whether a flag was raised."""


def unescape(written: bytes) -> str:
    """A text or an attribute's value with its references resolved; only those that a scanned record can have."""
    found = written.decode("utf-8")
    return _REFERENCE.sub(_character, found) if "&" in found else found


def _character(found: re.Match[str]) -> str:
    if found[1]:
        return chr(int(found[1], 16))
    return chr(int(found[2])) if found[2] else _NAMED[found[3]]


def text(written: str) -> tuple[str | None, bool]:
    """As :func:`values.text`."""
    flags: set[str] = set()
    return values.text(written, flags), bool(flags)


def key(written: str) -> tuple[str | None, bool]:
    """As :func:`values.key`."""
    return values.key(written) or None, False


class Memory:
    """What a function made of a text, remembered: texts come again and again."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._known: dict[bytes, tuple[Any, bool]] = {}

    def __call__(self, written: bytes) -> tuple[Any, bool]:
        """Value and whether it is flagged."""
        found = self._known.get(written)
        if found is None:
            if len(self._known) > _REMEMBERED:
                self._known.clear()
            found = self._known[written] = self._read(unescape(written))
        return found


@dataclass(frozen=True)
class Texts:
    """A column of text (null: empty), and which of its rows raised a flag."""

    column: pa.Array
    flagged: Bools


def clean(written: pa.Array, memory: Memory) -> Texts:
    """Slices as texts."""
    offsets, marks = buffers_of(written)
    odd = strange(offsets, marks)
    empty = np.diff(offsets) == 0
    flagged = np.zeros(len(written), np.bool_)
    column = _as_text(written, None)
    at = np.flatnonzero(odd)
    if len(at):
        found = [memory(raw) for raw in written.take(pa.array(at)).to_pylist()]
        empty[at] = [value is None for value, _ in found]
        flagged[at] = [flag for _, flag in found]
        column = pc.replace_with_mask(column, pa.array(odd), pa.array([value or "" for value, _ in found], pa.string()))
    return Texts(_as_text(column, empty) if empty.any() else column, flagged)


def _as_text(array: pa.Array, empty: Bools | None) -> pa.Array:
    _, offsets, data = array.buffers()
    bits = None if empty is None else pa.py_buffer(np.packbits(~empty, bitorder="little"))
    return pa.Array.from_buffers(pa.string(), len(array), [bits, offsets, data])


def strange(offsets: npt.NDArray[np.int32], marks: npt.NDArray[np.uint8]) -> Bools:
    """Which texts are not plain."""
    marks = marks[: offsets[-1]]
    if not len(marks):
        return np.zeros(len(offsets) - 1, np.bool_)
    odd = _STRANGE[marks]
    blank = marks == 0x20
    odd[1:] |= blank[1:] & blank[:-1]
    found = np.diff(np.searchsorted(np.flatnonzero(odd), offsets)) > 0
    some = np.flatnonzero(np.diff(offsets))
    found[some] |= blank[offsets[:-1][some]] | blank[offsets[1:][some] - 1]
    return found


def ranges(starts: Ints, counts: Ints) -> Ints:
    """``starts[0]``, ``starts[0] + 1`` … ``counts[0]`` of them, then those of the next."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(starts - (ends - counts), counts) + np.arange(total)


def offsets_of(counts: Ints) -> pa.Array:
    """Offsets of lists from their lengths."""
    return pa.array(np.concatenate(([0], np.cumsum(counts))).astype(np.int32))


def distinct(column: pa.Array, record: Ints) -> tuple[pa.Array, Ints]:
    """Texts without those that came before in the same record; ``record`` of each in order."""
    encoded = column.dictionary_encode()
    pair = record * (len(encoded.dictionary) + 1) + encoded.indices.to_numpy()
    _, first = np.unique(pair, return_index=True)
    if len(first) == len(pair):
        return column, record
    first.sort()
    return column.take(pa.array(first)), record[first]


def listed(count: int, found: Mapping[int, Iterable[str]]) -> pa.Array:
    """Lists of texts, most of them empty: row → its texts, sorted."""
    sizes = np.zeros(count, np.int64)
    flat: list[str] = []
    for row, some in sorted(found.items()):
        sizes[row] = len(set(some))
        flat += sorted(set(some))
    return pa.ListArray.from_arrays(offsets_of(sizes), pa.array(flat, pa.string()))
