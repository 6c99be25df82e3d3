"""Questions in an address, and lists that are paged by their sort key: every page costs the same (PROMISES S4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from fonoteca.core.ids import Kind, parse_id
from fonoteca.site import errors

ROWS = 50
"""Rows of a paged list."""


@dataclass(frozen=True)
class Key:
    """Where a page starts: behind a recording, or behind one of its lines."""

    number: int = -1
    rest: str = ""


def key(told: str | None) -> Key:
    """``r…`` or ``r….rest`` from an address; none is the start.

    Raises:
        Refused: ``bad-offset``.
    """
    if not told:
        return Key()
    shown, _, rest = told.partition(".")
    try:
        kind, number = parse_id(shown)
    except ValueError:
        kind, number = Kind.ARTIST, 0
    if kind is not Kind.RECORDING:
        raise errors.bad_request("bad-offset", f"after is {told[:50]!r}", "follow the links to the next page", "after")
    return Key(number, rest)


def count(told: str | None, default: int, least: int, most: int, name: str) -> int:
    """A whole number from an address.

    Raises:
        Refused: ``bad-limit``, ``bad-offset``.
    """
    if told is None or told == "":
        return default
    if told.isascii() and told.isdigit() and len(told) < 10 and least <= int(told) <= most:
        return int(told)
    raise errors.bad_request(f"bad-{'offset' if name == 'after' else name}", f"{name} is {told[:50]!r}",
                             f"give a whole number from {least} to {most}", name)  # fmt: skip


def address(path: str, asked: Mapping[str, str | int | None]) -> str:
    """An address with its question; what is empty is left out."""
    kept = {name: told for name, told in asked.items() if told not in (None, "")}
    return f"{path}?{urlencode(kept, errors='replace')}" if kept else path
