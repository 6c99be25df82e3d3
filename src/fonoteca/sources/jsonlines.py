"""Rows of JSON lines: strict JSON (RFC 8259), one object a line, nesting and numbers under a limit."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from fonoteca.sources.delimited import Lines, TooLong
from fonoteca.sources.limits import Limits
from fonoteca.sources.records import Refused
from fonoteca.sources.rows import Row, TableFile, refused
from fonoteca.sources.stream import Torn, open_text, torn

_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]')
"""A string, or a bracket. Nothing is remembered to be tried otherwise: that took 120 bytes a character."""


def rows(file: TableFile) -> Iterator[Row | Refused]:
    """The objects in order; nested ones as ``outer.inner``."""
    text, stream = open_text(file.path, file.encoding, file.limits)
    return _rows(text, lambda: torn(stream), file.name, file.limits)


def rows_of(stream: BinaryIO, name: str, limits: Limits) -> Iterator[Row | Refused]:
    """The objects of a stream of UTF-8, which is read to its end and closed."""
    text = io.TextIOWrapper(stream, "utf-8", errors="surrogateescape", newline="")
    return _rows(text, lambda: None, name, limits)


def _rows(
    text: io.TextIOWrapper, damage: Callable[[], Torn | None], name: str, limits: Limits
) -> Iterator[Row | Refused]:
    with text:
        lines = Lines(text, limits)
        while (found := _next(lines)) is not None:
            where = f"{name}:{lines.first}"
            if lines.unended() is not None and damage() is not None:
                break
            if found == "":
                yield refused(where, "long-row", "the line is longer than a line may be", lines.taken[0], limits)
            elif found.strip("\ufeff \t\r\n"):
                yield _row(where, found, limits)
        if (wrong := damage()) is not None:
            yield refused(f"{name}:{lines.first}", wrong.code, wrong.reason, lines.unended() or "", limits)


def _next(lines: Lines) -> str | None:
    """The next line; '' for one that is too long, None at the end."""
    lines.begin()
    try:
        return next(lines)
    except TooLong:
        return ""
    except StopIteration:
        return None


def _row(position: str, line: str, limits: Limits) -> Row | Refused:
    try:
        value = parse(line.strip("\ufeff \t\r\n"), limits)
    except ValueError as error:
        return refused(position, "bad-json", f"the line is not JSON: {error}", line, limits)
    if not isinstance(value, dict):
        return refused(position, "bad-json", "the line is not a JSON object", line, limits)
    return Row(position, flat(value), line)


def parse(text: str, limits: Limits) -> Any:
    """Strict JSON under limits.

    Raises:
        ValueError: not JSON, a key twice in one object, NaN or infinity, nested too deep, a number too long.
    """
    if depth(text, limits.json_depth) > limits.json_depth:
        raise ValueError(f"it is nested deeper than {limits.json_depth}")

    def number(digits: str) -> int:
        if len(digits) > limits.json_digits:
            raise ValueError(f"a number has {len(digits)} digits")
        return int(digits)

    return json.loads(text, object_pairs_hook=_unique, parse_constant=_constant, parse_int=number, parse_float=_float)


def depth(text: str, enough: int) -> int:
    """How deep brackets nest outside strings; counting stops one beyond ``enough``."""
    if text.count("{") + text.count("[") <= enough:
        return 0
    level = deepest = 0
    for found in _TOKEN.finditer(text):
        if (char := text[found.start()]) == '"':
            continue
        level += 1 if char in "[{" else -1
        deepest = max(deepest, level)
        if deepest > enough:
            break
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return found


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _float(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"the number {digits[:40]} is too large")
    return value


def flat(value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested objects as columns with dotted names; lists stay lists."""
    found: dict[str, Any] = {}
    for name, inner in value.items():
        if isinstance(inner, dict):
            found |= flat(inner, f"{prefix}{name}.")
        else:
            found[prefix + name] = inner
    return found
