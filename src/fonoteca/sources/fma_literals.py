"""FMA's genre lists, which are written as Python literals: read without running anything, under a size limit."""

from __future__ import annotations

import ast
import re
from typing import Any

from fonoteca.sources import values
from fonoteca.sources.limits import LIMITS, Limits

_DEEPEST = 8
_STRING = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")


def genre_titles(written: Any, flags: set[str], limits: Limits = LIMITS) -> tuple[str, ...]:
    """The ``genre_title`` of each entry; ``bad-genres`` in the flags, and nothing, where it is no such list."""
    if values.is_nothing(written):
        return ()
    try:
        entries = literal_list(str(written), limits)
        titles = [values.text(entry["genre_title"], flags) for entry in entries]
    except (ValueError, TypeError, KeyError):
        flags.add("bad-genres")
        return ()
    return tuple(dict.fromkeys(title for title in titles if title))


def literal_list(written: str, limits: Limits = LIMITS) -> list[Any]:
    """A Python literal that is a list.

    Raises:
        ValueError: too long, nested too deep, no literal, no list.
    """
    if len(written) > limits.literal:
        raise ValueError(f"it is longer than {limits.literal} characters")
    level = 0
    for char in re.findall(r"[\[\](){}]", _STRING.sub("", written)):
        level += 1 if char in "[({" else -1
        if level > _DEEPEST:
            raise ValueError(f"it is nested deeper than {_DEEPEST}")
    try:
        found = ast.literal_eval(written)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError(f"it is no literal: {type(error).__name__}") from None
    if not isinstance(found, list):
        raise ValueError("it is no list")
    return found
