"""Typed identifiers: what an id is made from, how it is shown and read back.

An id is a 63-bit integer: the first 63 bits of ``SHA-256(kind NUL source NUL key)`` in UTF-8. It is shown as
the kind's letter and 13 characters of Crockford's base32 in lower case, so that text order is number order.
Ids depend on nothing but kind, source and key, hence are the same whatever the order of ingest.
Normative text: docs/formats/id.md.
"""

from __future__ import annotations

import enum
import hashlib

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES = {c: i for i, c in enumerate(_ALPHABET)}
_LENGTH = 13
MAX_ID = (1 << 63) - 1


class Kind(enum.Enum):
    """The kinds of entity that have an id; the value is the letter in front of the shown id."""

    RECORDING = "r"
    RELEASE = "l"
    ARTIST = "a"

    @property
    def word(self) -> str:
        """The name used in hashing, tables and JSON: ``recording``, ``release``, ``artist``."""
        return self.name.lower()


def make_id(kind: Kind, source: str, key: str, counter: int = 0) -> int:
    """The id of one entity of a source. ``counter`` is above 0 only for the later key of a collision."""
    parts = [kind.word, source, key] + ([str(counter)] if counter else [])
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def show_id(kind: Kind, value: int) -> str:
    """``r`` and 13 base32 characters.

    Raises:
        ValueError: the value is not a 63-bit unsigned integer.
    """
    if not 0 <= value <= MAX_ID:
        raise ValueError(f"id {value} is not a 63-bit unsigned integer")
    chars = [_ALPHABET[(value >> (5 * i)) & 31] for i in range(_LENGTH)]
    return kind.value + "".join(reversed(chars))


def parse_id(text: str) -> tuple[Kind, int]:
    """Kind and value of a shown id. Case does not matter; ``i l o`` are read as Crockford says.

    Raises:
        ValueError: not an id of ours.
    """
    lowered = text.strip().lower()
    if len(lowered) != _LENGTH + 1:
        raise ValueError(f"{text!r} is not an id: it needs a letter and {_LENGTH} characters")
    try:
        kind = Kind(lowered[0])
    except ValueError:
        raise ValueError(f"{text!r} is not an id: no kind has the letter {lowered[0]!r}") from None
    body = lowered[1:].translate(str.maketrans("ilo", "110"))
    value = 0
    for char in body:
        if char not in _VALUES:
            raise ValueError(f"{text!r} is not an id: {char!r} is no base32 character")
        value = value << 5 | _VALUES[char]
    if value > MAX_ID:
        raise ValueError(f"{text!r} is not an id: it is larger than 63 bits")
    return kind, value
