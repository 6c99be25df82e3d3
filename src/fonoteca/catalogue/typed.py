"""Rows of the catalogue's tables as typed values, streamed: what the iterators of :mod:`fonoteca.api` give.

Each class has the columns of its table (docs/reference/database-schema.md), in order. A filter is a column's name and
what it must be: a value, None (not known), a collection of values, or a ``range`` of whole numbers. A column of ids
also takes shown ids (``r…``); a list (``flags``) is asked for one thing that it holds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import pyarrow as pa

from fonoteca.catalogue.engine import text
from fonoteca.catalogue.rows import Rows
from fonoteca.core.ids import Kind, parse_id, show_id
from fonoteca.formats.claim import Claim

Plain = str | int | float | bool
Filter = Plain | range | Collection[Plain] | None
T = TypeVar("T")

AT_ONCE = 4_096
"""Rows that are Python values at the same time."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording. ``year`` is its own, else that of its first release, which is ``release``."""

    id: int
    title: str | None
    artist: str | None
    release: str | None
    release_id: int | None
    year: int | None
    duration_ms: int | None
    language: str | None
    flags: tuple[str, ...]
    source: str
    dump: str
    position: str

    @property
    def shown(self) -> str:
        """The id as people see it."""
        return show_id(Kind.RECORDING, self.id)


@dataclass(frozen=True, slots=True)
class Release:
    """One album issue. ``tracks`` is their number."""

    id: int
    title: str | None
    artist: str | None
    year: int | None
    date: str | None
    kind: str | None
    label: str | None
    country: str | None
    tracks: int
    flags: tuple[str, ...]
    source: str
    dump: str
    position: str

    @property
    def shown(self) -> str:
        """The id as people see it."""
        return show_id(Kind.RELEASE, self.id)


@dataclass(frozen=True, slots=True)
class Track:
    """A recording's place on a release; ``title`` only where it differs there."""

    release_id: int
    disc: int | None
    number: int | None
    recording_id: int
    title: str | None
    source: str
    dump: str
    position: str


@dataclass(frozen=True, slots=True)
class Artist:
    """A person or group."""

    id: int
    name: str | None
    sort_name: str | None
    source: str
    dump: str
    position: str

    @property
    def shown(self) -> str:
        """The id as people see it."""
        return show_id(Kind.ARTIST, self.id)


@dataclass(frozen=True, slots=True)
class Credit:
    """One name in the credit of a recording or release (``kind``), at its place ``ordinal``."""

    entity_id: int
    kind: str
    ordinal: int
    artist_id: int
    name: str | None
    role: str
    joined_by: str
    source: str
    dump: str
    position: str


@dataclass(frozen=True, slots=True)
class Identifier:
    """A name in another system."""

    scheme: str
    value: str
    entity_id: int
    kind: str
    source: str
    dump: str
    position: str


@dataclass(frozen=True, slots=True)
class Genre:
    """A genre as its source writes it."""

    entity_id: int
    kind: str
    genre: str
    source: str
    dump: str
    position: str


@dataclass(frozen=True, slots=True)
class Signal:
    """A count or rating of a recording."""

    recording_id: int
    kind: str
    value: float
    licence: str | None
    synthetic: bool
    source: str
    dump: str
    position: str


@dataclass(frozen=True, slots=True)
class Popularity:
    """Counted listens of a recording, 0–100 score and rank; None where they are not known."""

    recording_id: int
    listens: int | None
    score: float | None
    rank: int | None
    licence: str | None


CLASSES: Mapping[str, type[Any]] = {
    "recordings": Recording, "releases": Release, "tracks": Track, "artists": Artist, "credits": Credit,
    "identifiers": Identifier, "genres": Genre, "signals": Signal, "popularity": Popularity, "claims": Claim,
}  # fmt: skip
"""Table → the class of its rows."""


def select(table: str, schema: pa.Schema, filters: Mapping[str, Filter]) -> str:
    """The query of a table's rows that pass all filters, columns in the schema's order.

    Raises:
        TypeError: a filter that is no column, or of a type that its column has not.
        ValueError: a text that is no shown id, for a column of ids.
    """
    unknown = sorted(set(filters) - set(schema.names))
    if unknown:
        raise TypeError(f"{table} has no column {unknown[0]!r}; its columns are {', '.join(schema.names)}")
    conditions = [_condition(schema.field(name), wanted) for name, wanted in filters.items()]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {', '.join(_quoted(name) for name in schema.names)} FROM {table}{where}"


def stream(rows: Rows, make: Callable[..., T]) -> Iterator[T]:
    """The rows as values, a few at a time."""
    lists = [pa.types.is_list(field.type) for field in rows.schema]
    for batch in rows.batches():
        for start in range(0, batch.num_rows, AT_ONCE):
            part = batch.slice(start, AT_ONCE)
            columns = [
                [tuple(v or ()) for v in column.to_pylist()] if is_list else column.to_pylist()
                for column, is_list in zip(part.columns, lists, strict=True)
            ]
            for row in zip(*columns, strict=True):
                yield make(*row)


def claim(*row: str | None) -> Claim:
    """A claim from the columns of its table: what is not known is empty."""
    return Claim(*[value or "" for value in row])


def _condition(field: pa.Field, wanted: Filter) -> str:
    name = _quoted(field.name)
    if wanted is None:
        return f"{name} IS NULL"
    if pa.types.is_list(field.type):
        if not isinstance(wanted, str):
            raise TypeError(f"{field.name} is asked for one text that it holds, not for {wanted!r}")
        return f"list_contains({name}, {_literal(field, wanted)})"
    if isinstance(wanted, range):
        return _in_range(name, wanted)
    if isinstance(wanted, str | int | float | bool):
        return f"{name} = {_literal(field, wanted)}"
    listed = ", ".join(_literal(field, value) for value in wanted)
    return f"{name} IN ({listed})" if listed else "false"


def _in_range(name: str, wanted: range) -> str:
    if not wanted:
        return "false"
    least, most = min(wanted[0], wanted[-1]), max(wanted[0], wanted[-1])
    step = f" AND ({name} - {least}) % {abs(wanted.step)} = 0" if abs(wanted.step) != 1 else ""
    return f"({name} BETWEEN {least} AND {most}{step})"


def _literal(field: pa.Field, value: Plain) -> str:
    """A value as SQL. NUL stands in no literal, so it is put between two."""
    is_text = pa.types.is_string(field.type)
    if isinstance(value, str):
        if is_text or pa.types.is_list(field.type):
            return " || chr(0) || ".join(text(part) for part in value.split("\0"))
        if field.type == pa.int64() and field.name.endswith("id"):
            return str(parse_id(value)[1])
    elif not is_text:
        return str(value).lower() if isinstance(value, bool) else f"{value!r}"
    raise TypeError(f"{field.name} is {field.type}: {value!r} is no value of it")


def _quoted(name: str) -> str:
    return f'"{name}"'
