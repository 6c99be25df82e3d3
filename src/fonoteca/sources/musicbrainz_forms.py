"""The forms that a dump of MusicBrainz has: tables, what votes derive, lines of JSON, canonical MBIDs, their names.

A form is told by the files. A new one is a class with the methods of :class:`Form`, and an entry in ``_FORMS``.
Imports wait until a form is used: to list the sources needs none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from fonoteca.sources import musicbrainz_canonical as canonical
from fonoteca.sources import musicbrainz_files as tables
from fonoteca.sources import musicbrainz_json as json_lines
from fonoteca.sources import musicbrainz_names as names
from fonoteca.sources.records import Dump, Record

if TYPE_CHECKING:
    from fonoteca.sources.bulk import Bulk

DERIVED = "derived"
"""The dataset of what is not CC0: genres and ratings."""
CANONICAL = "canonical"
"""The dataset of the MBIDs of more usual twins."""
CANONICAL_DATA = "canonical-data"
"""The dataset of the names beside them; it also chooses them in a dump that has both."""


class Form(Protocol):
    """A dump whose form is known."""

    @property
    def derived(self) -> bool:
        """Whether its facts are CC BY-NC-SA, not CC0."""
        ...

    def resolve(self, dump: Dump) -> Dump:
        """The dump with plain files as paths, and its dataset."""
        ...

    def warnings(self) -> Sequence[str]:
        """What is odd and does not stop the work."""
        ...

    def bulk(self) -> Bulk | None:
        """The way by columns."""
        ...

    def records(self) -> Iterator[Record]:
        """The way record by record."""
        ...


@dataclass(frozen=True)
class TablesForm:
    """mbdump, or mbdump-derived with it."""

    files: tables.Files

    @property
    def derived(self) -> bool:
        """Told by the tables, or by the name of the dataset."""
        return self.files.derived

    def resolve(self, dump: Dump) -> Dump:
        """A folder becomes its table files; derived facts have a dataset of their own."""
        paths = [*self.files.archives, *self.files.plain, *tables.beside(dump)]
        return replace(dump, paths=tuple(paths), dataset=dump.dataset or (DERIVED if self.derived else ""))

    def warnings(self) -> Sequence[str]:
        """An unknown schema; tables that are not there."""
        return list(self.files.warnings())

    def bulk(self) -> Bulk:
        """Tables go by columns."""
        from fonoteca.sources.musicbrainz_bulk import TablesBulk
        from fonoteca.sources.musicbrainz_derived import DerivedBulk

        return DerivedBulk(self.files) if self.derived else TablesBulk(self.files)

    def records(self) -> Iterator[Record]:
        """All tables in memory."""
        from fonoteca.sources import musicbrainz_derived, musicbrainz_rows

        if self.derived:
            return musicbrainz_derived.records(self.files)
        return musicbrainz_rows.records(self.files)


@dataclass(frozen=True)
class JsonForm:
    """The JSON dumps."""

    files: Sequence[json_lines.Lines]
    derived: bool = False

    def resolve(self, dump: Dump) -> Dump:
        """A folder becomes its files."""
        return json_lines.resolve(dump, self.files)

    def warnings(self) -> Sequence[str]:
        """Nothing is odd."""
        return ()

    def bulk(self) -> Bulk:
        """By columns."""
        from fonoteca.sources.musicbrainz_json_bulk import JsonBulk

        return JsonBulk(self.files)

    def records(self) -> Iterator[Record]:
        """Line by line."""
        from fonoteca.sources.musicbrainz_json_rows import records

        return records(self.files)


@dataclass(frozen=True)
class CanonicalForm:
    """The canonical dump: identifiers only."""

    files: Sequence[canonical.File]
    derived: bool = False

    def resolve(self, dump: Dump) -> Dump:
        """A folder becomes its files; a dataset beside the recordings and releases themselves."""
        paths = tuple(file.path for file in self.files)
        return replace(dump, paths=paths, dataset=dump.dataset or CANONICAL)

    def warnings(self) -> Sequence[str]:
        """Columns that are not known; tables that are not there."""
        return list(canonical.warnings(self.files))

    def bulk(self) -> Bulk:
        """By columns."""
        from fonoteca.sources.musicbrainz_canonical_bulk import CanonicalBulk

        return CanonicalBulk(self.files)

    def records(self) -> Iterator[Record]:
        """Line by line."""
        return canonical.records(self.files)


@dataclass(frozen=True)
class NamesForm:
    """The names in the canonical dump."""

    files: Sequence[canonical.File]
    derived: bool = False

    def resolve(self, dump: Dump) -> Dump:
        """A folder becomes the files with names; a dataset of their own."""
        paths = tuple(file.path for file in self.files)
        return replace(dump, paths=paths, dataset=dump.dataset or CANONICAL_DATA)

    def warnings(self) -> Sequence[str]:
        """Columns that are not known."""
        return list(names.warnings(self.files))

    def bulk(self) -> Bulk:
        """By columns."""
        from fonoteca.sources.musicbrainz_names_bulk import NamesBulk

        return NamesBulk(self.files)

    def records(self) -> Iterator[Record]:
        """Row by row."""
        return names.records(self.files)


def _tables(dump: Dump) -> Form | None:
    files = tables.find(dump)
    return None if files is None else TablesForm(files)


def _json(dump: Dump) -> Form | None:
    files = json_lines.find(dump)
    return None if files is None else JsonForm(files)


def _canonical(dump: Dump) -> Form | None:
    files = canonical.find(dump)
    if files is None:
        return None
    alone = all(file.kind == canonical.NAMES for file in files)
    if dump.dataset == CANONICAL_DATA or (alone and dump.dataset != CANONICAL):
        return NamesForm(names.find(files))
    return CanonicalForm(files)


_FORMS: tuple[Callable[[Dump], Form | None], ...] = (_json, _tables, _canonical)
"""Lines of JSON first: their archives have files of the names of tables."""


def form(dump: Dump) -> Form | None:
    """The form of a dump whose paths exist; None where it is none of MusicBrainz. Raises Usage for unreadable files."""
    return next((found for find in _FORMS if (found := find(dump)) is not None), None)
