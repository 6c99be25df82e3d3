"""Tables of a small dump in memory, checked as :mod:`fonoteca.sources.musicbrainz_checks` does with large ones."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fonoteca.sources import values
from fonoteca.sources.musicbrainz_checks import ODD, REFERENCES, kind, order
from fonoteca.sources.musicbrainz_files import Files
from fonoteca.sources.musicbrainz_pieces import Broken, mended, widths_of
from fonoteca.sources.musicbrainz_tables import FOLDER, Table
from fonoteca.sources.musicbrainz_text import NULL, unescaped, uuid
from fonoteca.sources.records import Duplicate, Refused

Wrong = tuple[str, str]
"""Code and reason; the code is empty for an exact repetition."""


@dataclass(frozen=True)
class Row:
    """One line's values that are kept."""

    table: str
    line: int
    cells: Mapping[str, Any]

    def __getitem__(self, column: str) -> Any:
        return self.cells[column]

    @property
    def position(self) -> str:
        """``mbdump/recording:17``."""
        return f"{FOLDER}/{self.table}:{self.line}"

    @property
    def raw(self) -> str:
        """The kept values, as a line."""
        return "\t".join(NULL if value is None else str(value) for value in self.cells.values())


@dataclass
class Tables:
    """Rows by table. ``present`` are tables that the dump has, even empty ones."""

    present: set[str] = field(default_factory=set)
    kept: dict[str, list[Row]] = field(default_factory=dict)

    def rows(self, table: str) -> Sequence[Row]:
        """The good rows of a table in the order of the file."""
        return self.kept.get(table, [])


def load(files: Files, wanted: Mapping[str, Table]) -> tuple[Tables, list[Refused | Duplicate]]:
    """Read and check all tables. Raises Usage ``unknown-columns``, TornDump."""
    tables = Tables()
    rejected: dict[str, list[tuple[int, Refused | Duplicate]]] = {name: [] for name in wanted}
    for file in files.open():
        table = wanted.get(file.name)
        if table is not None:
            tables.present.add(table.name)
            _read(table, files, file.path.read_bytes() if file.path else file.stream().read(), tables, rejected)
    for name in order(wanted):
        _check(wanted[name], tables, rejected[name])
    return tables, [record for found in rejected.values() for _, record in sorted(found, key=lambda f: f[0])]


def _read(table: Table, files: Files, data: bytes, tables: Tables, rejected: Mapping[str, list[Any]]) -> None:
    rows = tables.kept.setdefault(table.name, [])
    if not data:
        return
    form = files.form(table, widths_of(io.BytesIO(data)))
    for number, line in enumerate(mended(io.BytesIO(data), table, form), 1):
        if isinstance(line, Broken):
            position = f"{table.member}:{number}"
            refused = Refused(position, line.code, line.reason, line.raw, kind(table.name))
            rejected[table.name].append((number, refused))
        else:
            cells = dict(zip(form, line.decode()[:-1].split("\t"), strict=True))
            kept = {name: _value(cells[name], type_) for name, type_ in table.kept.items()}
            if all(kept[name] is not None for name in table.says):
                rows.append(Row(table.name, number, kept))


def _value(written: str, type_: str) -> Any:
    if written == NULL:
        return None
    if type_ == "BIGINT":
        return int(written)
    return uuid(written) if type_ == "UUID" else unescaped(written)


def _check(table: Table, tables: Tables, rejected: list[tuple[int, Refused | Duplicate]]) -> None:
    rows = tables.rows(table.name)
    wrong: dict[int, Wrong] = {}
    for part in (
        *(_repeated(rows, key) for key in table.unique),
        _lost(table, tables),
        _own(table, tables),
        _odd(rows),
    ):
        for line, why in part:
            wrong.setdefault(line, why)
    rejected += [(row.line, _rejected(row, *wrong[row.line])) for row in rows if row.line in wrong]
    tables.kept[table.name] = [row for row in rows if row.line not in wrong]


def _rejected(row: Row, code: str, reason: str) -> Refused | Duplicate:
    if not code:
        return Duplicate(row.position, str(row.cells.get("gid") or row.line), kind(row.table))
    return Refused(row.position, code, reason, row.raw, kind(row.table))


def _repeated(rows: Sequence[Row], key: tuple[str, ...]) -> Iterator[tuple[int, Wrong]]:
    first: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        value = tuple(row[column] for column in key)
        if first.setdefault(value, row) is not row:
            shown = ", ".join("nothing" if part is None else str(part) for part in value)
            reason = f"the {' and '.join(key)} {shown} came before with other content"
            yield row.line, ("" if first[value].cells == row.cells else "key-conflict", reason)


def _lost(table: Table, tables: Tables) -> Iterator[tuple[int, Wrong]]:
    for column, target in REFERENCES.get(table.name, ()):
        if target in tables.present:
            known = {row["id"] for row in tables.rows(target)}
            for row in tables.rows(table.name):
                if row[column] not in known:
                    reason = f"{column} {row[column]} is no row of {FOLDER}/{target}"
                    yield row.line, ("dangling-reference", reason)


def _own(table: Table, tables: Tables) -> Iterator[tuple[int, Wrong]]:
    entity = table.name.removesuffix("_gid_redirect")
    if entity == table.name:
        return
    known = {row["gid"] for row in tables.rows(entity)}
    for row in tables.rows(table.name):
        if row["gid"] in known:
            yield row.line, ("key-conflict", f"the {entity} {row['gid']} is there, and is said to be merged")


def _odd(rows: Sequence[Row]) -> Iterator[tuple[int, Wrong]]:
    for row in rows:
        if row.table in ODD and not _SOUND[row.table](row):
            yield row.line, ("no-content", ODD[row.table][1])


_SOUND: Mapping[str, Callable[[Row], bool]] = {
    "isrc": lambda row: values.isrc(row["isrc"], set()) is not None,
    "recording_meta": lambda row: 0 <= row["rating"] <= 100,
}
