"""COPY's text format: how PostgreSQL writes one value of a table into a tab-separated file.

Source: PostgreSQL manual, COPY, "Text Format".
"""

from __future__ import annotations

import re

NULL = "\\N"
_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPE = re.compile(r"\\(.?)", re.DOTALL)
_UUID = re.compile(r"[0-9a-f]{32}")


def unescaped(written: str) -> str:
    r"""The value of a cell that is not ``\N``: ``\t``, ``\n``, ``\\`` and their like read; any other is its letter.

    Numbers of bytes (``\x41``, ``\101``) are never written by PostgreSQL: they are left as their letters.
    """
    return _ESCAPE.sub(lambda m: _LETTERS.get(m[1], m[1]), written) if "\\" in written else written


def uuid(written: str) -> str | None:
    """A UUID in small letters with its hyphens, whatever hyphens and braces it was written with; None for none."""
    bare = written.removeprefix("{").removesuffix("}").replace("-", "").lower()
    if not _UUID.fullmatch(bare):
        return None
    return "-".join((bare[:8], bare[8:12], bare[12:16], bare[16:20], bare[20:]))


def unescaped_sql(column: str) -> str:
    r"""The same in SQL. Doubled backslashes are cut out first, so that ``\\n`` is a backslash and an n."""
    part = "p"
    for letter, value in _LETTERS.items():
        part = f"replace({part}, '\\{letter}', chr({ord(value)}))"
    part = f"replace({part}, '\\', '')"
    decoded = f"array_to_string(list_transform(string_split({column}, '\\\\'), lambda p: {part}), '\\')"
    return f"CASE WHEN contains({column}, '\\') THEN {decoded} ELSE {column} END"
