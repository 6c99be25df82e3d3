"""The bulk way: a dump that becomes a partition of the catalogue by columns, not record by record.

A source says in SQL what its tables mean; the catalogue's engine runs it. The source imports no engine: queries are
text, and :class:`Sql` is what the engine offers. Rows come out *wide*: what belongs to an entity is nested below it,
in the dump's own order (docs/formats/generation.md, section "Wide partitions").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from fonoteca.core.progress import Progress
from fonoteca.sources.records import Dump

CHUNK_ROWS = 1 << 22
"""The most rows of one chunk: a chunk is one file, and a row's number in it has 22 bits in the key files."""


class Sql(Protocol):
    """What the engine offers a source while a dump is read. Queries are SQL of DuckDB's dialect.

    The macro ``entity_id(kind, source, key)`` is there: the id of :func:`fonoteca.core.ids.make_id`, kinds in words.
    """

    @property
    def work(self) -> Path:
        """A folder for the source's own files. What is in it outlives an interruption of this very ingest."""
        ...

    def stage(self, name: str, query: str) -> None:
        """Write the rows of a query to the work folder, once, and name them as a view.

        Where an interrupted run has written them already, they are only named.
        """
        ...

    def view(self, name: str, query: str) -> None:
        """Name a query."""
        ...

    def table(self, name: str, query: str) -> None:
        """Keep the rows of a query in memory (it may spill); made anew in each run."""
        ...

    def drop(self, name: str) -> None:
        """Let a staged name, a view or a table go, its file included: it is not needed any more."""
        ...

    def value(self, query: str) -> Any:
        """The first value of the first row, or None."""
        ...

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """All rows of a small result."""
        ...


@runtime_checkable
class Bulk(Protocol):
    """One dump on the bulk way. Called in this order: prepare, tables, rows and flat, refusals, counts."""

    def space(self) -> int:
        """Bytes of disk that the reading needs at most besides the result: asked before anything is written."""
        ...

    def result(self) -> int:
        """Bytes of the files that come of it, keys and counts of listens too: rather too many. Asked with the space."""
        ...

    def prepare(self, sql: Sql, progress: Progress) -> None:
        """Unpack, read and refuse: afterwards the queries below can be run.

        Raises:
            Usage, Failed: the dump cannot be read; nothing of the catalogue has changed.
        """
        ...

    def tables(self) -> Mapping[str, int]:
        """Chunks of each wide table (``artist``, ``release``, ``recording``)."""
        ...

    def rows(self, table: str, chunk: int) -> str:
        """The query of one chunk's rows, in order, at most :data:`CHUNK_ROWS`, without source, dataset and dump."""
        ...

    def flat(self) -> Mapping[str, str]:
        """Fact table → query of its rows (without source, dataset, dump), for what does not nest."""
        ...

    def refusals(self) -> str | None:
        """The query of the refused rows: position, code, reason, raw, kind; None where there can be none."""
        ...

    def counts(self) -> Mapping[str, int]:
        """What :class:`fonoteca.sources.tally.Tally` counts, of the whole dump."""
        ...


@runtime_checkable
class BulkSource(Protocol):
    """A source that can be read by columns."""

    def bulk(self, dump: Dump) -> Bulk | None:
        """The bulk way of a resolved dump; None where this form of dump goes record by record."""
        ...


def columns(pairs: Sequence[tuple[str, str]]) -> str:
    """The columns argument of a reading function: ``{'id': 'BIGINT', …}``."""
    return "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in pairs) + "}"


def literal(value: object) -> str:
    """A text or a path as a literal of SQL."""
    return "'" + str(value).replace("'", "''") + "'"


class Flat:
    """A dump that has nothing wide: facts about what another dump describes. A :class:`Bulk` but for the rest."""

    def tables(self) -> Mapping[str, int]:
        """Nothing wide."""
        return {}

    def rows(self, table: str, chunk: int) -> str:
        """There are none. Raises KeyError."""
        raise KeyError(table, chunk)
