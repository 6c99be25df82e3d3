"""Structs of Thrift's compact protocol (apache/thrift, doc/specs/thrift-compact-protocol.md), read strictly.

What a generated reader would let pass or cut short is refused here: a field twice, a number that its type does not
hold, another type than the field has, elements of another type than the list has. So two readers of the same bytes
cannot come to differ about them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)
_BITS = {BYTE: 8, I16: 16, I32: 32, I64: 64}
_DEPTH = 16


class Malformed(ValueError):
    """These bytes are no such struct."""


@dataclass(frozen=True)
class Shape:
    """A kind of struct: what is kept of it, and which fields have a struct or list that must be known to be read."""

    keep: Mapping[int, int] = field(default_factory=dict)
    """Number of a field → its type."""
    inner: Mapping[int, Shape] = field(default_factory=dict)
    """Number of a field → the shape of its struct, or of the structs of its list."""
    lists: Mapping[int, int] = field(default_factory=dict)
    """Number of a field that is a list → the type of its elements."""
    make: Callable[[dict[int, Any]], Any] = dict
    """What becomes of the fields that were kept."""


UNKNOWN = Shape()


def read(data: bytes, at: int, shape: Shape, depth: int = 0) -> tuple[Any, int]:
    """The struct that begins at ``at``, and where it ends. Raises Malformed, or IndexError: it goes on after the end.

    Every value takes a byte at least, so the time is bounded by the bytes, whatever they say.
    """
    if depth > _DEPTH:
        raise Malformed("its values are nested too deep")
    kept: dict[int, Any] = {}
    seen: set[int] = set()
    number = 0
    while head := data[at]:
        kind, step = head & 15, head >> 4
        at += 1
        if step:
            number += step
        else:
            number, at = _number(data, at, 16)
        if number in seen or not 0 < number < 1 << 15:
            raise Malformed(f"a field {number} is there twice, or must not be there")
        seen.add(number)
        if number in shape.inner or number in shape.lists:
            value, at = _known(data, at, kind, number, shape, depth)
            kept[number] = value
        elif number in shape.keep:
            value, at = _kept(data, at, kind, shape.keep[number], number)
            kept[number] = value
        else:
            at = _skip(data, at, kind, depth)
    return shape.make(kept), at + 1


def _kept(data: bytes, at: int, kind: int, due: int, number: int) -> tuple[Any, int]:
    if due == TRUE and kind in (TRUE, FALSE):
        return kind == TRUE, at
    if kind != due:
        raise Malformed(f"field {number} has another type")
    if kind in _BITS:
        return _number(data, at, _BITS[kind])
    end = _skip(data, at, kind, 0)
    size = _varint(data, at)[0] if kind == BINARY else 0
    return data[end - size : end], end


def _known(data: bytes, at: int, kind: int, number: int, shape: Shape, depth: int) -> tuple[Any, int]:
    due = shape.lists.get(number)
    if kind != (STRUCT if due is None else LIST):
        raise Malformed(f"field {number} has another type")
    inner = shape.inner.get(number, UNKNOWN)
    if due is None:
        return read(data, at, inner, depth + 1)
    size, element, at = _list(data, at)
    if size and element != due:
        raise Malformed(f"the list of field {number} has elements of another type")
    values = []
    for _ in range(size):
        if element == STRUCT:
            value, at = read(data, at, inner, depth + 1)
            values.append(value)
        else:
            at = _skip(data, at, element, depth, listed=True)
    return values, at


def _list(data: bytes, at: int) -> tuple[int, int, int]:
    """How many elements, their type, and where they begin."""
    head = data[at]
    if head >> 4 < 15:
        return head >> 4, head & 15, at + 1
    size, at = _varint(data, at + 1)
    return size, head & 15, at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = data[at]
    if value < 128:
        return value, at + 1
    value, shift = value & 127, 7
    while True:
        at += 1
        byte = data[at]
        value |= (byte & 127) << shift
        if byte < 128:
            break
        shift += 7
        if shift > 63:
            raise Malformed("a number has more than ten bytes")
    if value >= 1 << 64:
        raise Malformed("a number has more than 64 bits")
    return value, at + 1


def _number(data: bytes, at: int, bits: int) -> tuple[int, int]:
    if bits == 8:
        return (data[at] ^ 128) - 128, at + 1
    raw, at = _varint(data, at)
    if raw >> bits:
        raise Malformed(f"a number has more than {bits} bits")
    return (raw >> 1) ^ -(raw & 1), at


def _skip(data: bytes, at: int, kind: int, depth: int, *, listed: bool = False) -> int:
    """Where the value ends."""
    if kind in (TRUE, FALSE):
        return at + listed
    if kind in (I16, I32, I64):
        return _number(data, at, _BITS[kind])[1]
    if kind == BINARY:
        size, at = _varint(data, at)
        return _within(data, at + size)
    if kind == STRUCT:
        return read(data, at, UNKNOWN, depth + 1)[1]
    if kind in (BYTE, DOUBLE):
        return _within(data, at + (1 if kind == BYTE else 8))
    return _skip_many(data, at, kind, depth)


def _within(data: bytes, at: int) -> int:
    if at > len(data):
        raise IndexError(at)
    return at


def _skip_many(data: bytes, at: int, kind: int, depth: int) -> int:
    if depth > _DEPTH:
        raise Malformed("its values are nested too deep")
    if kind in (LIST, SET):
        size, element, at = _list(data, at)
        elements: tuple[int, ...] = (element,)
    elif kind == MAP:
        size, at = _varint(data, at)
        both = data[at] if size else 0
        at, elements = at + bool(size), (both >> 4, both & 15)
    else:
        raise Malformed(f"it has a value of the unknown type {kind}")
    for _ in range(size):
        for element in elements:
            at = _skip(data, _within(data, at), element, depth + 1, listed=True)
    return _within(data, at)
