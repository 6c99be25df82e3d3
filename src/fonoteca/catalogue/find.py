"""Rows of wide partitions by id, by identifier and by release, and rows of sorted tables: without a database.

A key file leads to a row's number, its file to the row (docs/formats/keys.md). What was opened stays open, within
bounds; nothing grows with the size of the catalogue but the number of files.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from fonoteca.catalogue.files import FileRef
from fonoteca.catalogue.generation import Generation, KeyFiles, WideFile
from fonoteca.catalogue.keyed import ABOUT
from fonoteca.catalogue.keys import CHUNKS, RELEASE, ROW_BITS, ROWS, name_hash
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.probe import Keys, Sorted
from fonoteca.catalogue.rowgroups import RowGroups
from fonoteca.catalogue.tables import FACTS, Partition
from fonoteca.catalogue.wide import WIDE
from fonoteca.core.ids import Kind

_GIVEN = ("source", "dataset", "dump")
_RUN = 256
_RECENT = 64


@dataclass(frozen=True)
class Found:
    """One wide row: its table's columns, but for those of its partition."""

    part: Partition
    row: dict[str, Any]
    chunk: int = 0
    """Number of its file in the partition's table."""
    number: int = 0
    """Of the row in that file."""

    @property
    def id(self) -> int:
        """Of the entity."""
        return int(self.row["id"])

    @property
    def provenance(self) -> dict[str, str | None]:
        """Source, dump and position."""
        member, line = self.row["member"], self.row["line"]
        position = None if member is None or line is None else f"{member}:{line}"
        return {"source": self.part.source, "dump": self.part.dump, "position": position}

    def names(self) -> Iterator[tuple[str, str]]:
        """Scheme and value of each identifier, the own key first where it is one."""
        if self.row.get("key_scheme") is not None:
            yield self.row["key_scheme"], str(self.row["key"])
        for told in self.row["identifiers"] or ():
            yield told["scheme"], told["value"]


@dataclass(frozen=True)
class _Table:
    """A wide table of a partition."""

    part: Partition
    chunks: Sequence[WideFile]
    keys: KeyFiles

    def names(self, scheme: str) -> bool:
        """True where a row may have an identifier of this scheme, besides its own key."""
        return any(chunk.schemes is None or scheme in chunk.schemes for chunk in self.chunks)


@functools.cache
def columns(table: str) -> tuple[str, ...]:
    """The columns of a wide table that differ from row to row."""
    return tuple(name for name in WIDE[table] if name not in _GIVEN)


class Finder:
    """The files of one generation, opened when they are asked for. Close it."""

    def __init__(self, places: Places, generation: Generation) -> None:
        self._places = places
        self._generation = generation
        self._stack = contextlib.ExitStack()
        self._keys: dict[str, Keys] = {}
        self._rows: dict[str, RowGroups] = {}
        self._sorted: dict[tuple[str, str], Sorted] = {}
        self._recent: dict[tuple[str, int, tuple[str, ...]], dict[str, Any]] = {}
        self._tables = {
            kind: [_Table(Partition(p.source, p.dataset, p.dump.id), p.wide[kind.word], p.keys[kind.word])
                   for p in generation.wide if p.wide.get(kind.word)]
            for kind in Kind
        }  # fmt: skip

    def close(self) -> None:
        """Let go of all files."""
        self._stack.close()
        self._keys.clear()
        self._rows.clear()
        self._sorted.clear()

    def by_id(
        self, kind: Kind, entity: int, wanted: Sequence[str] | None = None, first: Partition | None = None
    ) -> list[Found]:
        """All wide rows with this id, partition by partition; a likely one is asked ``first``."""
        asked = tuple(wanted or columns(kind.word))
        found = []
        for table in sorted(self._tables[kind], key=lambda table: table.part != first):
            for place, number in self._places_of(table.keys.ids, entity):
                row = self._kept(table.chunks[place], number, asked, kind)
                if row["id"] == entity:
                    found.append(Found(table.part, row, place, number))
                    if not self.overlaps(kind, entity):
                        # Nobody else describes it.
                        return found
        order = [table.part for table in self._tables[kind]]
        return sorted(found, key=lambda one: order.index(one.part))

    def _places_of(self, refs: Sequence[FileRef], hashed: int) -> Iterator[tuple[int, int]]:
        """Number of a chunk and of a row in it, of each row that may have this hash, ascending."""
        for group, ref in enumerate(refs):
            for place in self._key(ref).rows(hashed):
                yield group * CHUNKS + (place >> ROW_BITS), place & ROWS

    def _kept(self, chunk: WideFile, number: int, asked: tuple[str, ...], kind: Kind) -> dict[str, Any]:
        """A row, or what is still known of it: an answer asks for the same few rows several times."""
        for known in (asked, columns(kind.word)):
            if (chunk.rows.sha256, number, known) in self._recent:
                return self._recent[chunk.rows.sha256, number, known]
        row = self._row(chunk).row(number, asked)
        if len(self._recent) >= _RECENT:
            self._recent.clear()
        self._recent[chunk.rows.sha256, number, asked] = row
        return row

    def has(self, kind: Kind, entity: int) -> bool:
        """True where a wide row has this id."""
        return bool(self.by_id(kind, entity, ("id",)))

    def by_name(self, kind: Kind, scheme: str, value: str) -> list[int]:
        """Ids of the wide rows with this identifier, as it is stored; own keys are found by id, not here."""
        found: list[int] = []
        hashed = name_hash(scheme, value)
        for table in self._tables[kind]:
            for place, number in self._places_of(table.keys.names, hashed) if table.names(scheme) else ():
                # Whoever asks by name asks for the whole next; of many rows, only a few columns.
                wanted = ("id", "identifiers") if found else columns(kind.word)
                row = self._kept(table.chunks[place], number, wanted, kind)
                if {"scheme": scheme, "value": value} in (row["identifiers"] or ()):
                    found.append(int(row["id"]))
        return found

    def may_hold(self, kind: Kind, column: str) -> bool:
        """True where any wide row may have something in a column."""
        return any(column not in chunk.empty for table in self._tables[kind] for chunk in table.chunks)

    def keyed(self, kind: Kind, scheme: str) -> set[str]:
        """Sources whose keys of this kind may be identifiers of the scheme."""
        return {table.part.source for table in self._tables[kind] if scheme in table.keys.key_schemes}

    def of_release(self, release: int) -> list[Found]:
        """All wide recordings with a track on this release."""
        hashed, found = name_hash(RELEASE, str(release)), []
        for table in self._tables[Kind.RECORDING]:
            rows: dict[tuple[int, int], dict[str, Any]] = {}
            for place, number in self._places_of(table.keys.names, hashed):
                if (place, number) not in rows:
                    on = self._run(table.chunks[place], number, release)
                    rows |= {(place, n): row for n, row in on.items()}
            found += [Found(table.part, row, place, number) for (place, number), row in sorted(rows.items())]
        return found

    def _run(self, chunk: WideFile, number: int, release: int) -> dict[int, dict[str, Any]]:
        """The row, and those after it as long as their first track is on the release."""
        found: dict[int, dict[str, Any]] = {}
        asked = ("id", "title", "tracks", "member", "line")
        while number < chunk.rows.rows:
            rows = self._row(chunk).run(number, _RUN, asked)
            for row in rows:
                on = [track["release_id"] for track in row["tracks"] or ()]
                if release in on and (not found or on[0] == release):
                    found[number] = row
                    number += 1
                else:
                    return found
        return found

    def heard(self, one: Found) -> dict[str, Any] | None:
        """The row with the sum of a recording's listens, where others than its source tell some, too."""
        told = self._generation.popularity
        name = f"{one.part.source} {one.part.dataset} {one.part.dump}"
        for known in told.heard if told else ():
            if known.name == name and known.files:
                ref = known.files[one.chunk]
                return self._opened(ref, "recording_id").row(one.number, ("listens",))
        return None

    def sorted_rows(self, sha256: str, column: str, value: Any) -> list[dict[str, Any]]:
        """Rows of a sorted file of ours by the value of a column."""
        return self._table(sha256, column).rows(value)

    def all_rows(self, sha256: str) -> list[dict[str, Any]]:
        """A whole file of ours that is small."""
        found: list[dict[str, Any]] = pq.read_table(self._places.file(sha256)).to_pylist()
        return found

    def merged(self, table: str, column: str, value: Any) -> list[dict[str, Any]]:
        """Rows of a merged table by the value of a column."""
        refs = [f for f in self._generation.all_merged(table) if f.rows]
        return [row for ref in refs for row in self.sorted_rows(ref.sha256, column, value)]

    def in_merged(self, table: str, column: str, value: Any) -> bool:
        """True where a merged table has such a row."""
        refs = [f for f in self._generation.all_merged(table) if f.rows]
        return any(self._table(ref.sha256, column).has(value) for ref in refs)

    def direct(self, table: str, value: int) -> list[dict[str, Any]]:
        """Rows about an entity in a fact table that stands beside the merged ones."""
        return [row for row in self._flat(table, "ids", value) if row[ABOUT[table]] == value]

    def direct_names(self, scheme: str, value: str) -> list[dict[str, Any]]:
        """Rows of identifiers in such a table."""
        rows = self._flat("identifier", "names", name_hash(scheme, value))
        return [row for row in rows if (row["scheme"], row["value"]) == (scheme, value)]

    def _flat(self, table: str, which: str, hashed: int) -> Iterator[dict[str, Any]]:
        """Rows that may have this hash."""
        names = FACTS[table].names
        for part in self._generation.partitions:
            if table in part.direct:
                for ref, key in zip(part.tables[table], getattr(part.keys[table], which), strict=True):
                    for number in self._key(key).rows(hashed):
                        yield self._opened(ref, names[0]).row(number, names)

    def overlaps(self, kind: Kind, entity: int) -> bool:
        """True where somebody else describes this id of a wide row, too."""
        refs = [f for f in self._generation.overlaps.get(kind.word, []) if f.rows]
        return any(self._table(ref.sha256, "id").has(entity) for ref in refs)

    def _key(self, ref: FileRef) -> Keys:
        if ref.sha256 not in self._keys:
            opened = Keys(self._places.path(ref), ref.rows)
            self._stack.callback(opened.close)
            self._keys[ref.sha256] = opened
        return self._keys[ref.sha256]

    def _row(self, chunk: WideFile) -> RowGroups:
        return self._opened(chunk.rows, "id")

    def _opened(self, ref: FileRef, first: str) -> RowGroups:
        if ref.sha256 not in self._rows:
            opened = RowGroups(self._places.path(ref), ref.rows, first, ("flags",))
            self._stack.callback(opened.close)
            self._rows[ref.sha256] = opened
        return self._rows[ref.sha256]

    def _table(self, sha256: str, column: str) -> Sorted:
        if (sha256, column) not in self._sorted:
            opened = Sorted(self._places.file(sha256), column)
            self._stack.callback(opened.close)
            self._sorted[sha256, column] = opened
        return self._sorted[sha256, column]
