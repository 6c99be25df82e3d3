"""Elements of many records at once: a scanner over bytes that reads only what it can prove to be plain XML.

A block's records are cut into tags and texts with array operations. A record that holds anything but elements,
attributes in double quotes, text and the references of XML (no comment, CDATA section, declaration, control
character, byte that is no UTF-8), or whose tags do not nest, is *odd*: it is left to the parser, which refuses it or
reads it. So whatever this scanner says of a record that is not odd, expat says too. XML 1.0 (fifth edition).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Kinds = npt.NDArray[np.int8]
Codes = npt.NDArray[np.int32]

_DEPTH = 24
"""Deepest level of a plain record: below what a record may have at all."""
_TAGS = 100_000
"""Tags of a plain record."""
_SHORT = 20
"""Bytes of a tag up to which it is looked up whole; longer ones have attributes, and are looked up without values."""
_REMEMBERED = 20_000
# References to characters that XML has, by their digits; the few others are odd.
_DECIMAL = (rb"9|10|13|3[2-9]|[4-9]\d|[1-9]\d{2,3}|[1-4]\d{4}|5[0-4]\d{3}|55[01]\d{2}|6[0-4]\d{3}|65[0-4]\d{2}|"
            rb"655[0-2]\d|6553[0-3]|6[6-9]\d{3}|[7-9]\d{4}|[1-9]\d{5}")  # fmt: skip
_HEX = (rb"[9ADad]|[2-9A-Fa-f][\dA-Fa-f]|[1-9A-Fa-f][\dA-Fa-f]{2}|[1-9A-Ca-cEe][\dA-Fa-f]{3}|[Dd][0-7][\dA-Fa-f]{2}|"
        rb"[Ff][\dA-Ea-e][\dA-Fa-f]{2}|[Ff]{2}[\dA-Ea-e][\dA-Fa-f]|[Ff]{3}[\dA-Da-d]|[1-9A-Fa-f][\dA-Fa-f]{4}"
        )  # fmt: skip
_BAD_REFERENCE = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#(?:" + _DECIMAL + rb")|#x(?:" + _HEX + rb"));)")
_TAG = re.compile(rb'(/?)([A-Za-z_][A-Za-z0-9_.-]*)((?: [A-Za-z_][A-Za-z0-9_.-]*="[^"\x00-\x1f]*")*)( ?/?)')
_ATTRIBUTE = re.compile(rb' ([A-Za-z_][A-Za-z0-9_.-]*)="')
_NON_CHARACTER = re.compile(rb"\xef\xbf[\xbe\xbf]")


@dataclass(frozen=True)
class Slices:
    """Where tags and texts stand in a block: value ``4 i`` is tag i, value ``4 i + 2`` the text behind it."""

    values: pa.Array
    empty: int
    """A value without bytes."""

    def take(self, slots: Ints) -> pa.Array:
        """Some of them, as binary."""
        return self.values.take(pa.array(slots))


@dataclass(frozen=True)
class Elements:
    """The elements of plain records, in document order.

    Attributes:
        slices: their tags and texts.
        name: code of each element's name (:class:`Names`).
        levels: of each level the elements in it, in order; level 0 are the records themselves.
        record: number of the record, from 0.
        parent: number of the element around it; of a record its own.
        tag: the slice of its start tag.
        text: the slice of its text before any child.
        ends: offset of each record's end in the bytes.
    """

    slices: Slices
    name: Codes
    levels: list[Ints]
    record: Ints
    parent: Ints
    tag: Ints
    text: Ints
    ends: Ints


class Names:
    """Codes of element names: those that are given from 1 on, in order; others as they come."""

    def __init__(self, known: list[str]) -> None:
        self.known = len(known)
        self._given = {name.encode(): code for code, name in enumerate(known, 1)}
        self._codes = dict(self._given)
        self._tags: dict[bytes, tuple[int, int]] = {}

    def code(self, name: str) -> int:
        """The code of a name that was given."""
        return self._given[name.encode()]

    def tags(self, written: list[bytes]) -> tuple[Kinds, Codes]:
        """Kind (1 start, -1 end, 0 empty element, 9 odd) and name of tags as they are written."""
        if len(self._tags) > _REMEMBERED:
            self._tags.clear()
        if len(self._codes) > _REMEMBERED:
            self._tags.clear()
            self._codes = dict(self._given)
        found = self._tags
        for tag in written:
            if tag not in found:
                found[tag] = self._read(tag)
        read = [found[tag] for tag in written]
        return np.array([kind for kind, _ in read], np.int8), np.array([name for _, name in read], np.int32)

    def _read(self, tag: bytes) -> tuple[int, int]:
        parts = _TAG.fullmatch(tag)
        if parts is None:
            return _ODD
        end, name, attributes, empty = parts.groups()
        names = _ATTRIBUTE.findall(attributes)
        strange = any(n[:3].lower() == b"xml" for n in (name, *names)) or len(set(names)) != len(names)
        if strange or (end and (attributes or empty)):
            return _ODD
        code = self._codes.setdefault(name, len(self._codes) + 1)
        return (-1 if end else 0 if empty.endswith(b"/") else 1), code


_ODD = (9, 0)


def scan(data: bytes, starts: Ints, names: Names, root: int) -> tuple[Elements | None, Bools]:
    """The elements of a block's records.

    Args:
        data: records one after the other, each beginning with ``<``.
        starts: where each begins; the first at 0.
        names: codes; it remembers.
        root: code of the name that the records have.

    Returns:
        Elements, or None where any record is odd; and which are.
    """
    bounds = np.append(starts, len(data))
    odd = _unlike_text(data, bounds)
    if odd.any():
        return None, odd
    marks = np.frombuffer(data, np.uint8)
    opened, closed = np.flatnonzero(marks == 0x3C), np.flatnonzero(marks == 0x3E)
    first = np.searchsorted(opened, bounds)
    odd = np.diff(first) != np.diff(np.searchsorted(closed, bounds))
    if odd.any():
        return None, odd
    counts = np.diff(first)
    record = np.repeat(np.arange(len(starts)), counts)
    odd = counts > _TAGS
    wrong = opened > closed
    wrong[:-1] |= closed[:-1] > opened[1:]
    odd[record[wrong]] = True
    if odd.any():
        return None, odd
    slices = _sliced(data, opened, closed)
    kind, name, odd = _tags(slices, closed - opened - 1, record, len(starts), names)
    if odd.any():
        return None, odd
    return _nested(_Tags(data, bounds, closed, first, record, kind, name, slices), root)


def _unlike_text(data: bytes, bounds: Ints) -> Bools:
    """Which records hold bytes that the scanner does not read; looked for in the whole block first."""
    odd = np.zeros(len(bounds) - 1, np.bool_)
    if not _is_plain(data):
        for at, (start, end) in enumerate(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)):
            odd[at] = not _is_plain(data[start:end])
    return odd


def _is_plain(data: bytes) -> bool:
    marks = np.frombuffer(data, np.uint8)
    controls = marks[np.flatnonzero(marks < 0x20)]
    if np.count_nonzero(controls == 0x0A) + np.count_nonzero(controls == 0x09) < len(controls):
        return False
    if _BAD_REFERENCE.search(data) is not None:
        return False
    # Looking for one byte is so quick, and it is so seldom there, that it is looked for first.
    return data.isascii() or (_is_utf_8(data) and not (b"\xef" in data and _NON_CHARACTER.search(data)))


def _is_utf_8(data: bytes) -> bool:
    offsets = pa.py_buffer(np.array([0, len(data)], np.int32))
    try:
        pa.StringArray.from_buffers(1, offsets, pa.py_buffer(data)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _sliced(data: bytes, opened: Ints, closed: Ints) -> Slices:
    count = len(opened)
    offsets = np.empty(4 * count + 2, np.int32)
    offsets[0 : 4 * count : 4] = opened + 1
    offsets[1 : 4 * count : 4] = closed
    offsets[2 : 4 * count : 4] = closed + 1
    offsets[3 : 4 * count - 1 : 4] = opened[1:]
    offsets[4 * count - 1 :] = len(data)
    values = pa.Array.from_buffers(pa.binary(), 4 * count + 1, [None, pa.py_buffer(offsets), pa.py_buffer(data)])
    return Slices(values, 4 * count)


def _tags(slices: Slices, length: Ints, record: Ints, records: int, names: Names) -> tuple[Kinds, Codes, Bools]:
    """Kind and name of each tag, and which records have an odd one."""
    kind: Kinds = np.empty(len(length), np.int8)
    name: Codes = np.empty(len(length), np.int32)
    odd: Bools = np.zeros(records, np.bool_)
    short = np.flatnonzero(length <= _SHORT)
    long = np.flatnonzero(length > _SHORT)
    bare, uneven = _without_values(slices.take(4 * long)) if len(long) else (None, None)
    if uneven is not None and uneven.any():
        odd[record[long[uneven]]] = True
        return kind, name, odd
    for at, written in ((short, slices.take(4 * short)), (long, bare)):
        if written is not None and len(at):
            encoded = written.dictionary_encode()
            kinds, codes = names.tags(encoded.dictionary.to_pylist())
            which = encoded.indices.to_numpy()
            kind[at], name[at] = kinds[which], codes[which]
    odd[record[kind == _ODD[0]]] = True
    return kind, name, odd


def buffers_of(array: pa.Array) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Offsets and bytes of an array of text or binary that begins at its buffers' beginning."""
    _, offsets, data = array.buffers()
    found = np.frombuffer(offsets, np.int32, len(array) + 1)
    return found, np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)


def _without_values(tags: pa.Array) -> tuple[pa.Array | None, Bools]:
    """Tags with nothing between the quotes; or which of them have a control character or an odd number of quotes."""
    offsets, marks = buffers_of(tags)
    marks = marks[: offsets[-1]]
    quote = np.flatnonzero(marks == 0x22)
    until = np.searchsorted(quote, offsets)
    uneven = (np.diff(until) & 1).astype(np.bool_)
    control = np.flatnonzero(marks < 0x20)
    uneven[np.searchsorted(offsets, control, side="right") - 1] = True
    if uneven.any():
        return None, uneven
    dropped = np.concatenate(([0], np.cumsum(quote[1::2] - quote[0::2] - 1)))
    cuts = np.concatenate((quote, [len(marks)]))
    cuts[0:-1:2] += 1
    cuts = np.concatenate(([0], cuts)).astype(np.int32)
    parts = pa.Array.from_buffers(pa.binary(), len(cuts) - 1, [None, pa.py_buffer(cuts), pa.py_buffer(marks)])
    kept = parts.take(pa.array(np.arange(0, len(parts), 2)))
    bare = [None, pa.py_buffer((offsets - dropped[until // 2]).astype(np.int32)), kept.buffers()[2]]
    return pa.Array.from_buffers(pa.binary(), len(tags), bare), uneven


@dataclass(frozen=True)
class _Tags:
    """What is known of the tags of a block whose records have as many ``<`` as ``>``."""

    data: bytes
    bounds: Ints
    closed: Ints
    first: Ints
    record: Ints
    kind: Kinds
    name: Codes
    slices: Slices


def _nested(tags: _Tags, root: int) -> tuple[Elements | None, Bools]:
    depth = np.cumsum(tags.kind, dtype=np.int32)
    last = tags.first[1:] - 1
    odd = np.diff(np.concatenate(([0], depth[last]))) != 0
    if odd.any():
        return None, odd
    level = np.where(tags.kind == 1, depth - 1, depth)
    odd |= (tags.kind[tags.first[:-1]] != 1) | (tags.name[tags.first[:-1]] != root)
    odd[tags.record[(level < 0) | (level > _DEPTH)]] = True
    odd |= np.bincount(tags.record[(level == 0) & (tags.kind >= 0)], minlength=len(odd)) != 1
    ends = tags.closed[last] + 1
    behind = tags.bounds[1:] - ends
    for at in np.flatnonzero(behind > 1).tolist():
        odd[at] |= bool(tags.data[ends[at] : tags.bounds[at + 1]].strip())
    single = np.flatnonzero(behind == 1)
    odd[single] |= ~np.isin(np.frombuffer(tags.data, np.uint8)[ends[single]], (0x0A, 0x20, 0x09))
    if odd.any():
        return None, odd
    # At one level start and end tags take turns, so each end tag stands behind its start tag.
    paired = np.flatnonzero(tags.kind)
    order = paired[np.argsort(level[paired].astype(np.int8), kind="stable")]
    wrong = tags.name[order[0::2]] != tags.name[order[1::2]]
    odd[tags.record[order[0::2][wrong]]] = True
    return (None if odd.any() else _elements(tags, level, ends)), odd


def _elements(tags: _Tags, level: Any, ends: Ints) -> Elements:
    at = np.flatnonzero(tags.kind >= 0)
    of = level[at].astype(np.int8)
    by_level = np.argsort(of, kind="stable")
    bounds = np.searchsorted(of[by_level], np.arange(int(of.max()) + 2))
    levels = [by_level[first:end] for first, end in pairwise(bounds.tolist())]
    parent = np.empty(len(at), np.int64)
    parent[levels[0]] = levels[0]
    for above, here in pairwise(levels):
        parent[here] = above[np.searchsorted(above, here) - 1]
    text = np.where(tags.kind[at] == 1, 4 * at + 2, tags.slices.empty)
    return Elements(tags.slices, tags.name[at], levels, tags.record[at], parent, 4 * at, text, ends)
