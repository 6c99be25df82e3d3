"""``table``: any CSV, TSV, JSON lines or Parquet file, through a mapping of its columns (docs/formats/mapping.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import replace
from itertools import islice
from pathlib import Path

from fonoteca.core.errors import Usage
from fonoteca.sources import mapping as mappings
from fonoteca.sources import table_bulk
from fonoteca.sources.bulk import Bulk
from fonoteca.sources.headed import left_out
from fonoteca.sources.mapping import Mapping
from fonoteca.sources.records import Dump, FieldLicence, Record, Refused, Source, SourceInfo
from fonoteca.sources.rows import Row, TableFile, describe
from fonoteca.sources.seen import Seen
from fonoteca.sources.table_pieces import Piece
from fonoteca.sources.table_row import RowReader

INFO = SourceInfo(
    name="table",
    kind="tables",
    title="Any table of recordings, signals or claims",
    licences=(FieldLicence("*", "as the mapping says", "as the mapping says"),),
    where="a file of your own; a mapping file says which column is what",
    size="what memory for its keys allows: about 200 bytes a row",
    files="CSV, TSV, JSON lines or Parquet, each gzipped or not",
)
_JSON_SAMPLE = 100
"""JSON rows whose names are looked at, where no mapping says what they are."""


class Table(Source):
    """Reads tables. Options: ``mapping``, the values of a mapping file (:func:`mapping.load`) or its path."""

    @property
    def info(self) -> SourceInfo:
        """Name and files; the licence is the mapping's."""
        return INFO

    def check(self, dump: Dump) -> None:
        """Raises Usage: not a table, a column that the mapping names is missing, a bad mapping."""
        self._files(dump)

    def resolve(self, dump: Dump) -> Dump:
        """The mapping as values; the dataset: that of the dump, else the mapping's, else the first file's name."""
        given = _given(dump)
        options = dict(dump.options)
        if isinstance(options.get("mapping"), str | Path):
            options["mapping"] = mappings.load(Path(str(options["mapping"])))
        stem = dump.paths[0].name.partition(".")[0] if dump.paths else ""
        named = dump.dataset or (given.dataset if given else "") or re.sub(r"[^A-Za-z0-9._-]", "-", stem)[:64]
        return replace(dump, dataset=named or "table", options=options)

    def describe(self, dump: Dump) -> SourceInfo:
        """The mapping's ``licence`` and ``credit``; an empty licence where it names none: not for publication."""
        given = _given(dump) or Mapping()
        return replace(INFO, licences=(FieldLicence("*", given.licence, given.credit),))

    def warnings(self, dump: Dump) -> Sequence[str]:
        """Columns that no field takes."""
        return [w for file, meaning in self._files(dump) for w in _left_out(file, meaning)]

    def records(self, dump: Dump) -> Iterator[Record]:
        """Recordings with their releases, tracks and artists; or signals and claims about another source's."""
        seen = Seen()
        for file, meaning in self._files(dump):
            reader = RowReader(meaning, seen)
            for row in file.rows():
                if isinstance(row, Refused):
                    yield row
                else:
                    yield from reader.records(row)

    def bulk(self, dump: Dump) -> Bulk | None:
        """Large Parquet tables of counts go by columns; None for all others."""
        return table_bulk.bulk(self._files(dump))

    def pieces(self, dump: Dump) -> Sequence[Piece]:
        """Each file; of a table that would go by columns, parts of it."""
        files = self._files(dump)
        found = [Piece(number, file, meaning) for number, (file, meaning) in enumerate(files)]
        if table_bulk.bulk(files) is not None:
            return replace(found[0], counts=True).parts()
        return found

    def _files(self, dump: Dump) -> list[tuple[TableFile, Mapping]]:
        """Each file with its mapping, checked."""
        if not dump.paths:
            raise Usage("not-a-dump", "There is nothing to read", "no file was named", "name a table file", None)
        given = _given(dump)
        found = []
        for path in dump.paths:
            file = describe(path, given.reading) if given is not None else describe(path)
            columns = file.columns or _json_columns(file)
            found.append((file, given if given is not None else mappings.guess(columns)))
            if file.columns or given is None:
                check_columns(file.path, columns, found[-1][1].needed)
        return found


def _given(dump: Dump) -> Mapping | None:
    option = dump.options.get("mapping")
    if option is None:
        return None
    if isinstance(option, str | Path):
        option = mappings.load(Path(option))
    if not isinstance(option, MappingOf):
        raise TypeError("the option 'mapping' is a path or the values of a mapping file")
    return mappings.parse(option)


def _json_columns(file: TableFile) -> list[str]:
    names: dict[str, None] = {}
    for row in islice(file.rows(), _JSON_SAMPLE):
        if isinstance(row, Row):
            names |= dict.fromkeys(row.values)
    return list(names)


def check_columns(path: Path, columns: Sequence[str], needed: Sequence[str]) -> None:
    """Raises Usage ``missing-columns``, naming the columns that are needed and not there."""
    missing = [c for c in needed if c not in columns]
    if missing:
        raise Usage("missing-columns", f"{path.name} could not be read",
                    f"it has no column {', '.join(map(repr, missing))}; it has {', '.join(columns[:40])}",
                    "correct the mapping, or get a dump with these columns", str(path))  # fmt: skip


def _left_out(file: TableFile, meaning: Mapping) -> list[str]:
    needed = set(meaning.needed)
    return left_out(file.path, [c for c in file.columns if c not in needed])
