"""Bencoding, strict: one value has exactly one form, so that an infohash can be taken of what was decoded.

Source of the rules: BEP 3, section "bencoding". Values are ``int``, ``bytes``, ``list`` and ``dict`` with
``bytes`` keys. :func:`encode` takes ``str`` too and writes it as UTF-8.
"""

from __future__ import annotations

import operator
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

Value = int | bytes | list[Any] | dict[bytes, Any]
"""What decoding gives."""

_TOKEN: Final = re.compile(rb"(0|[1-9][0-9]{0,9}):|i(0|-?[1-9][0-9]{0,17})e|[lde]")
_STRING, _INTEGER = 1, 2
_LIST, _CLOSE = b"le"
_WITHOUT_END: Final = sys.maxsize


@dataclass(frozen=True)
class Limits:
    """What decoding gives up at.

    Attributes:
        bytes: length of the input.
        depth: lists and dictionaries inside one another.
        tokens: integers, strings, lists and dictionaries together, and the ends of the latter two.
    """

    bytes: int = 10_000_000
    depth: int = 100
    tokens: int = 3_000_000


DEFAULT = Limits()


def encode(value: object) -> bytes:
    """The one form of a value; dictionary keys are sorted as raw bytes.

    Raises:
        TypeError: a type that bencoding does not have (``bool`` and ``None`` among them).
    """
    parts: list[bytes] = []
    _encode_into(value, parts)
    return b"".join(parts)


def _encode_into(value: object, parts: list[bytes]) -> None:
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        parts += (b"%d:" % len(value), value)
    elif isinstance(value, int) and not isinstance(value, bool):
        parts.append(b"i%de" % value)
    elif isinstance(value, list | tuple):
        parts.append(b"l")
        for item in value:
            _encode_into(item, parts)
        parts.append(b"e")
    elif isinstance(value, Mapping):
        _encode_mapping(value, parts)
    else:
        raise TypeError(f"{type(value).__name__} cannot be bencoded")


def _encode_mapping(value: Mapping[Any, object], parts: list[bytes]) -> None:
    raw = {key.encode() if isinstance(key, str) else key: item for key, item in value.items()}
    if len(raw) != len(value) or not all(isinstance(key, bytes) for key in raw):
        raise TypeError("the keys of a dictionary are strings, each there once")
    parts.append(b"d")
    for key in sorted(raw):
        _encode_into(key, parts)
        _encode_into(raw[key], parts)
    parts.append(b"e")


def decode(data: bytes, limits: Limits = DEFAULT) -> Value:
    """The value of a whole input.

    Raises:
        ValueError: with reason and byte offset: not bencoding; trailing bytes; leading zeros or ``-0``; an integer of
            more than 18 digits; keys that are not strings, not ascending or not unique; more than a limit allows.
    """
    if len(data) > limits.bytes:
        raise ValueError(f"{len(data)} bytes are more than the limit of {limits.bytes}")
    decoder = _Decoder(data, limits)
    value, end = decoder.value(0)
    if end != len(data):
        raise ValueError(f"bytes follow the value at offset {end}")
    return value


class _Decoder:
    """One input and what is left of its limits. Recursion is bounded by ``limits.depth``.

    Lists are read in one loop without a call per item: millions of tokens must not take seconds.
    """

    def __init__(self, data: bytes, limits: Limits) -> None:
        self._data = data
        self._tokens = limits.tokens
        self._limits = limits
        self._depth = 0

    def value(self, offset: int) -> tuple[Value, int]:
        """The value that begins at ``offset``, and the offset behind it."""
        items, end = self._items(offset, 1)
        if not items:
            raise ValueError(f"an end without a beginning at offset {offset}")
        return items[0], end

    def _items(self, offset: int, most: int) -> tuple[list[Any], int]:
        """Values up to the closing ``e`` or up to ``most`` of them; the offset behind the last token."""
        match, data, items, left = _TOKEN.match, self._data, list[Any](), self._tokens
        while len(items) < most and (found := match(data, offset)):
            left -= 1
            if left < 0:
                raise ValueError(f"more than {self._limits.tokens} tokens at offset {offset}")
            kind, end = found.lastindex, found.end()
            if kind == _INTEGER:
                items.append(int(found[2]))
            elif kind == _STRING:
                end, start = end + int(found[1]), end
                items.append(data[start:end])
            elif data[offset] == _CLOSE:
                self._tokens = left
                return items, end
            else:
                self._tokens = left
                value, end = self._list(end) if data[offset] == _LIST else self._dictionary(end)
                left = self._tokens
                items.append(value)
            offset = end
        self._tokens = left
        if len(items) < most or offset > len(data):
            raise ValueError(f"no whole value at offset {offset}")
        return items, offset

    def _enter(self, offset: int) -> None:
        self._depth += 1
        if self._depth > self._limits.depth:
            raise ValueError(f"nested deeper than {self._limits.depth} at offset {offset}")

    def _list(self, offset: int) -> tuple[Value, int]:
        self._enter(offset)
        items, end = self._items(offset, _WITHOUT_END)
        self._depth -= 1
        return items, end

    def _dictionary(self, offset: int) -> tuple[Value, int]:
        self._enter(offset)
        items, end = self._items(offset, _WITHOUT_END)
        keys = items[::2]
        if len(items) % 2:
            raise ValueError(f"the dictionary before offset {end} has a key without a value")
        if not all(isinstance(key, bytes) for key in keys):
            raise ValueError(f"the dictionary before offset {end} has a key that is not a string")
        if any(map(operator.ge, keys, keys[1:])):
            raise ValueError(f"the keys of the dictionary before offset {end} are not ascending")
        self._depth -= 1
        return dict(zip(keys, items[1::2], strict=True)), end
