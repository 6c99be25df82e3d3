"""A table file as rows: what it is, is found from its content; each row knows where it stood.

:func:`describe` looks at a file's first bytes, :meth:`TableFile.rows` reads it, from its start, each time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fonoteca.core import canonical
from fonoteca.core.errors import FonotecaError, Usage
from fonoteca.sources.limits import LIMITS, Limits
from fonoteca.sources.records import Refused

SAMPLE = 64 << 10
"""Bytes of a file that are looked at to find out what it is."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: column → value. Values of delimited files are text, those of JSON and Parquet have their type."""

    position: str
    values: Mapping[str, Any]
    raw: str | None = None

    def digest(self) -> str:
        """Hex SHA-256 of the row's columns that hold something, in canonical JSON: equal rows, equal digest."""
        return canonical.digest({k: v for k, v in self.values.items() if v not in ("", None)})

    def refuse(self, code: str, reason: str, limits: Limits = LIMITS, kind: str = "recording") -> Refused:
        """This row, refused."""
        raw = self.raw if self.raw is not None else canonical.encode(dict(self.values)).decode("utf-8", "replace")
        return refused(self.position, code, reason, raw, limits, kind)


def refused(
    position: str, code: str, reason: str, raw: str, limits: Limits = LIMITS, kind: str = "recording"
) -> Refused:
    """A refusal whose raw text is short, and printable as JSON whatever bytes were in it."""
    shown = raw[: limits.raw].rstrip("\r\n").encode("utf-8", "backslashreplace").decode("utf-8")
    return Refused(position, code, reason, shown, kind)


@dataclass(frozen=True)
class Reading:
    """How a file is to be read where its content does not say it well enough. None: find out."""

    format: str | None = None
    """``csv``, ``jsonl`` or ``parquet``."""
    delimiter: str | None = None
    encoding: str | None = None
    quoting: bool | None = None


AS_IT_IS = Reading()
"""Find out everything from the content."""


@dataclass(frozen=True)
class TableFile:
    """A file that was looked at: what it is, its columns, and how to read it."""

    path: Path
    format: str
    columns: Sequence[str]
    """Empty for JSON lines, whose rows name their own."""
    encoding: str = "utf-8"
    delimiter: str = ","
    quoting: bool = True
    limits: Limits = field(default=LIMITS)
    shown: str = ""
    """How positions name it, where that is not the file's name."""

    @property
    def name(self) -> str:
        """The file's name, as positions give it."""
        return self.shown or self.path.name

    def rows(self) -> Iterator[Row | Refused]:
        """All rows in order. A bad row comes as :class:`Refused`, and so does the torn end of a file."""
        if self.format == "parquet":
            from fonoteca.sources import parquet

            return parquet.rows(self)
        if self.format == "jsonl":
            from fonoteca.sources import jsonlines

            return jsonlines.rows(self)
        from fonoteca.sources import delimited

        return delimited.rows(self)


def not_a_dump(path: Path, expected: str, found: str) -> Usage:
    """The error for a file that is not what was asked for."""
    return Usage("not-a-dump", f"{path.name} could not be read as {expected}", found,
                 "check the path and the source; 'fonoteca sources' says what each source reads",
                 str(path))  # fmt: skip


def describe(path: Path, reading: Reading = AS_IT_IS, limits: Limits = LIMITS) -> TableFile:
    """Find out what a table file is.

    Raises:
        Usage: no file, empty, no table, a header with a column twice or with too many columns.
    """
    from fonoteca.sources import sniff

    try:
        return sniff.describe(path, reading, limits)
    except FonotecaError:
        raise
    except OSError as error:
        raise Usage("unreadable-dump", f"{path.name} could not be read", error.strerror or str(error),
                    "check the path and its permissions", str(path)) from error  # fmt: skip
