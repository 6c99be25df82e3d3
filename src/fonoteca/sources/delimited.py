"""Rows of CSV and TSV (RFC 4180, leniently): a bad row is refused, and the next line is read afresh."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from typing import Protocol

from fonoteca.sources.limits import Limits
from fonoteca.sources.records import Refused
from fonoteca.sources.rows import Row, TableFile, refused
from fonoteca.sources.stream import open_text, torn


class TooLong(Exception):
    """A line or row beyond its limit."""


class Text(Protocol):
    """What lines are read from."""

    def readline(self, size: int, /) -> str:
        """A line with its end, or so many characters of it; nothing at the end."""
        ...


class Lines(Iterator[str]):
    """Lines of a text, counted, in bounded memory; the lines of the row at hand can be read again."""

    def __init__(self, text: Text, limits: Limits) -> None:
        self._text = text
        self._limits = limits
        self._again: deque[str] = deque()
        self._allowance = limits.row
        self._chars = 0
        self.taken: list[str] = []
        self.first = 1
        """Number of the first line of the row at hand."""
        self.ended = False

    def begin(self) -> None:
        """A new row begins."""
        self.first += len(self.taken)
        self.taken = []
        self._chars = 0

    @property
    def waiting(self) -> bool:
        """Whether lines are to be read again."""
        return bool(self._again)

    def skip(self, count: int) -> int:
        """Lines that somebody else has taken from the text: the number of the first of them."""
        self.begin()
        self.first += count
        return self.first - count

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._read()
        if not line:
            self.ended = True
            raise StopIteration
        self._chars += len(line)
        self.taken.append(line)
        if len(line) > self._limits.line or self._chars > self._limits.row:
            raise TooLong
        return line

    def _read(self) -> str:
        limit = self._limits.line
        line = self._text.readline(limit + 1)
        self._allowance += len(line)
        if len(line) > limit and not line.endswith(("\n", "\r")):
            while (rest := self._text.readline(limit)) and not rest.endswith(("\n", "\r")):
                pass
        return line

    def retry(self) -> bool:
        """Keep only the first line in the row at hand; the others will be read again, as rows of their own.

        False, and nothing changes, where that would read more again than was read at all: an input made to
        be read over and over is not.
        """
        rest = self.taken[1:]
        cost = sum(map(len, rest))
        if not rest or cost > self._allowance:
            return False
        self._allowance -= cost
        self._again.extendleft(reversed(rest))
        self.taken = self.taken[:1]
        self.ended = False
        return True

    def unended(self) -> str | None:
        """The row at hand, if its last line has no end."""
        whole = "".join(self.taken)
        return whole if whole and not whole.endswith(("\n", "\r")) else None


class Rows:
    """One pass over one file."""

    def __init__(self, file: TableFile, text: Text, *, ragged: bool = False) -> None:
        self._file = file
        self._ragged = ragged
        self.lines = Lines(text, file.limits)
        self._reader = self._fresh()

    def _fresh(self) -> Iterator[list[str]]:
        delimiter = self._file.delimiter
        if self._file.quoting:
            return csv.reader(self.lines, delimiter=delimiter)
        return csv.reader(self.lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)

    def cells(self) -> tuple[list[str], tuple[str, str] | None] | None:
        """The next row's cells, or (code, reason) why there are none; None at the end."""
        self.lines.begin()
        try:
            cells = next(self._reader)
        except StopIteration:
            return None
        except TooLong:
            trouble = "long-row", "the row is longer than a row may be"
        except csv.Error as error:
            trouble = "bad-row", f"the row cannot be read ({error})"
        else:
            return cells, (("open-quote", "a quote is opened and never closed") if self.lines.ended else None)
        self._reader = self._fresh()
        return [], trouble

    @property
    def position(self) -> str:
        """Where the row at hand begins."""
        return f"{self._file.name}:{self.lines.first}"

    def row(self, cells: list[str], trouble: tuple[str, str] | None) -> Row | Refused:
        """The row at hand, or its refusal; after a refusal the next line is read as a row of its own."""
        columns = self._file.columns
        if self._ragged and len(cells) > len(columns):
            last = len(columns) - 1
            cells = [*cells[:last], self._file.delimiter.join(cells[last:])]
        if trouble is None and len(cells) != len(columns):
            trouble = "column-count", f"the row has {len(cells)} columns, the header {len(columns)}"
        if trouble is None:
            return Row(self.position, dict(zip(columns, cells, strict=True)), "".join(self.lines.taken))
        code, reason = trouble
        count = len(self.lines.taken)
        if count > 1 and not self.lines.retry():
            reason += f"; lines {self.lines.first} to {self.lines.first + count - 1} were left out with it"
        elif count > 1:
            self._reader = self._fresh()
        return refused(self.position, code, reason, "".join(self.lines.taken), self._file.limits)

    def header(self) -> list[str]:
        """The first row that holds anything; empty at the end of the file. ValueError: it cannot be read."""
        while (found := self.cells()) is not None:
            cells, trouble = found
            if trouble:
                raise ValueError(trouble[1])
            if any(cell.strip("\ufeff \t") for cell in cells):
                return cells
        return []


def header(file: TableFile) -> list[str]:
    """The cells of the file's header. ValueError with the reason where it cannot be read."""
    text, _ = open_text(file.path, file.encoding, file.limits)
    with text:
        return Rows(file, text).header()


def rows(file: TableFile, *, ragged: bool = False) -> Iterator[Row | Refused]:
    """The rows below the header.

    Args:
        ragged: the last column takes all further cells, joined by the delimiter (tables of tags).
    """
    text, stream = open_text(file.path, file.encoding, file.limits)
    with text:
        table = Rows(file, text, ragged=ragged)
        table.header()
        while (found := table.cells()) is not None:
            if not found[0] and found[1] is None:
                continue  # a blank line
            rest = table.lines.unended()
            if rest is not None and torn(stream) is not None:
                break  # cut in the middle: what is there may look like a whole row
            yield table.row(*found)
        damage = torn(stream)
        if damage is not None:
            rest = table.lines.unended() or ""
            yield refused(table.position, damage.code, damage.reason, rest, file.limits)
