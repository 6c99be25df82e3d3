"""Dumps of several files of known layouts, each recognised by the columns of its header, never by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fonoteca.core.errors import Usage
from fonoteca.sources import delimited
from fonoteca.sources.limits import LIMITS, Limits
from fonoteca.sources.records import Dump, Record, Refused, Source
from fonoteca.sources.rows import AS_IT_IS, Reading, Row, TableFile, describe


@dataclass(frozen=True)
class Layout:
    """One kind of file of a dump.

    Attributes:
        name: what a person calls it.
        marks: columns that together say "this is such a file".
        needed: columns without which it cannot be read.
        known: all columns that the layout has; others are left out with a warning.
        kind: what a row is: ``recording`` or ``release``.
    """

    name: str
    marks: frozenset[str]
    needed: frozenset[str]
    known: frozenset[str]
    kind: str = "recording"


Reader = Callable[[Row], Iterable[Record]]
"""What one row says, as records."""


def columns(names: str) -> frozenset[str]:
    """A set of column names, given as one text with blanks between them."""
    return frozenset(names.split())


@dataclass(frozen=True)
class Headed:
    """A file and its layout."""

    file: TableFile
    layout: Layout

    @property
    def extra(self) -> list[str]:
        """Columns that the layout does not have."""
        return [c for c in self.file.columns if c not in self.layout.known]


def recognise(
    dump: Dump, source: str, layouts: Sequence[Layout], reading: Reading = AS_IT_IS, limits: Limits = LIMITS
) -> list[Headed]:
    """The files of a dump with their layouts, in the order of ``layouts``, then of the dump.

    A folder stands for those of its files (not of its folders) that have one of the layouts.

    Raises:
        Usage: ``not-a-dump`` for a file that has none of them, ``missing-columns`` for drift.
    """
    found: list[Headed] = []
    for path in dump.paths:
        found += (
            _in_folder(path, source, layouts, reading, limits)
            if path.is_dir()
            else [_one(path, source, layouts, reading, limits)]
        )
    if not found:
        where = ", ".join(str(p) for p in dump.paths) or "no file was named"
        raise Usage("not-a-dump", f"There is no dump of {source} here", f"{where}: none of {_names(layouts)} is there",
                    f"'fonoteca sources {source}' says which files it reads and where they come from",
                    str(dump.paths[0]) if dump.paths else None)  # fmt: skip
    return sorted(found, key=lambda h: layouts.index(h.layout))


def resolve(dump: Dump, files: Sequence[Headed]) -> Dump:
    """The dump with its recognised files as paths."""
    return replace(dump, paths=tuple(headed.file.path for headed in files))


def rows(headed: Headed, *, ragged: bool = False) -> Iterator[Row | Refused]:
    """The file's rows; refusals say what their row would have been. ``ragged``: see :mod:`delimited`."""
    kind = headed.layout.kind
    for row in delimited.rows(headed.file, ragged=ragged):
        yield replace(row, kind=kind) if isinstance(row, Refused) and kind != "recording" else row


def read(files: Sequence[Headed], readers: Mapping[Layout, Reader]) -> Iterator[Record]:
    """The records of all files: each row goes to its layout's reader, refused rows stay as they are."""
    for headed in files:
        reader = readers[headed.layout]
        for row in rows(headed):
            if isinstance(row, Refused):
                yield row
            else:
                yield from reader(row)


def warnings(files: Sequence[Headed]) -> list[str]:
    """Columns that the layouts do not have, a sentence a file."""
    return [warning for headed in files for warning in left_out(headed.file.path, headed.extra)]


def left_out(path: Path, extra: Sequence[str]) -> list[str]:
    """The one warning about columns that nobody reads, or none."""
    if not extra:
        return []
    shown = ", ".join(extra[:20]) + (", ..." if len(extra) > 20 else "")
    word = "column is" if len(extra) == 1 else "columns are"
    return [f"{path.name}: {len(extra)} {word} not known and left out: {shown}"]


def _names(layouts: Sequence[Layout]) -> str:
    return ", ".join(layout.name for layout in layouts)


def _in_folder(
    folder: Path, source: str, layouts: Sequence[Layout], reading: Reading, limits: Limits
) -> Iterator[Headed]:
    for path in sorted(folder.iterdir()):
        try:
            if path.is_file():
                yield _one(path, source, layouts, reading, limits)
        except Usage as error:
            if error.code == "missing-columns":
                raise


def _one(path: Path, source: str, layouts: Sequence[Layout], reading: Reading, limits: Limits) -> Headed:
    file = describe(path, reading, limits)
    found = frozenset(file.columns)
    for layout in layouts:
        if layout.marks <= found:
            _check_needed(file, layout)
            return Headed(file, layout)
    raise Usage("not-a-dump", f"{path.name} is no file of {source}",
                f"its columns are those of none of {_names(layouts)}: {', '.join(file.columns[:12]) or 'JSON'}",
                f"'fonoteca sources {source}' says which files it reads; 'table' reads any table",
                str(path))  # fmt: skip


def _check_needed(file: TableFile, layout: Layout) -> None:
    missing = sorted(layout.needed - frozenset(file.columns))
    if missing:
        raise Usage("missing-columns", f"{file.name} could not be read as {layout.name}",
                    f"it has no column {', '.join(missing)}: its layout has changed",
                    "get a dump with these columns, or read it with 'table' and a mapping", str(file.path))  # fmt: skip


class HeadedSource(Source):
    """A source whose dumps are files of known layouts: the checks that all such sources make."""

    def files(self, dump: Dump) -> list[Headed]:
        """The files of a dump with their layouts. Raises Usage."""
        raise NotImplementedError

    def check(self, dump: Dump) -> None:
        """Raises Usage for files of none of the layouts, or that lack columns."""
        self.files(dump)

    def resolve(self, dump: Dump) -> Dump:
        """Folders become the files in them that are of one of the layouts."""
        return resolve(dump, self.files(dump))

    def warnings(self, dump: Dump) -> Sequence[str]:
        """Columns that the layouts do not have."""
        return warnings(self.files(dump))
