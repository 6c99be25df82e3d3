"""One piece of a dump of Discogs: a block of XML becomes Parquet files, one for each of its tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fonoteca.core import durable
from fonoteca.sources.discogs_shapes import SHAPES
from fonoteca.sources.discogs_wide import TABLES, WideRows
from fonoteca.sources.stream import Torn
from fonoteca.sources.xmlrecords import Block, records_of, starts_of

_FORM = 2
"""Of what a piece leaves: one that was read by other code before an interruption is read again."""
_REPEATED = [
    "artist",
    "release",
    "label",
    "country",
    "kind",
    "date",
    "genres.list.element",
    "tracks.list.element.title",
    "identifiers.list.element.scheme",
    *[f"credits.list.element.{name}" for name in ("name", "role", "joined_by")],
]
"""Columns whose texts come again and again in a piece: a dictionary of any other would only take time."""


@dataclass(frozen=True)
class Piece:
    """What is to be done with one block.

    Attributes:
        folder: where its files go.
        number: of the piece in the whole dump.
        kind: ``artists``, ``labels``, ``masters``, ``releases``.
        first, over, last, damage: as in :class:`fonoteca.sources.xmlrecords.Block`.
        length: bytes of the block.
        drop: lines of elements whose number came before → ``duplicate`` or ``conflict``.
        form: of the files.
    """

    folder: str
    number: int
    kind: str
    first: int
    length: int
    over: bool = False
    last: bool = False
    damage: tuple[str, str] | None = None
    drop: Mapping[int, str] = field(default_factory=dict)
    form: int = _FORM

    def as_json(self) -> bytes:
        """One line."""
        return json.dumps(asdict(self), sort_keys=True).encode() + b"\n"

    @classmethod
    def from_json(cls, line: bytes) -> Piece:
        """What :meth:`as_json` wrote."""
        found = json.loads(line)
        found["damage"] = tuple(found["damage"]) if found["damage"] else None
        found["drop"] = {int(line): how for line, how in found["drop"].items()}
        return cls(**found)

    def path(self, table: str) -> Path:
        """The file of one of its tables."""
        return Path(self.folder) / f"{self.number:06d}-{table}.parquet"

    @property
    def note(self) -> Path:
        """What says that it is finished, and how many rows each table has."""
        return Path(self.folder) / f"{self.number:06d}.json"

    def block(self, data: bytes) -> Block:
        """The block."""
        return Block(self.first, data, self.over, self.last, Torn(*self.damage) if self.damage else None)

    def done(self) -> dict[str, int] | None:
        """Rows by table, where this very piece was finished before; else None.

        A piece whose repeated numbers are not known yet may have been read without them before.
        """
        try:
            found = json.loads(self.note.read_bytes())
            rows: dict[str, int] = found["rows"]
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        mine, its = json.loads(self.as_json()), found.get("piece")
        if isinstance(its, dict) and not self.drop:
            mine["drop"] = its.get("drop")
        return rows if its == mine and all(self.path(table).exists() for table in rows) else None


def read(piece: Piece, data: bytes) -> dict[str, int]:
    """Parse a block and write its tables. Returns rows by table.

    Raises:
        NoSpace, Failed: a file cannot be written.
    """
    if piece.note.exists():
        durable.remove(piece.note)
    written = {}
    for table, rows in tables(piece, data).items():
        with durable.scratch(piece.path(table)) as stream:
            pq.write_table(rows, stream, compression="lz4", write_statistics=False, use_dictionary=_REPEATED)
        written[table] = rows.num_rows
    note = {"piece": json.loads(piece.as_json()), "rows": written}
    durable.write_bytes(piece.note, json.dumps(note, sort_keys=True).encode())
    return written


def tables(piece: Piece, data: bytes) -> dict[str, pa.Table]:
    """A block's rows, in order, by table: those of plain releases by columns, all others by the parser."""
    block = piece.block(data)
    starts = starts_of(data, SHAPES[piece.kind])
    plain = list(_plain(piece, starts))
    if not plain:
        return _parsed(piece, block, None, starts)
    from fonoteca.sources.discogs_columns import columns

    first, end = starts[plain[0]], [*starts, len(data)][plain[-1] + 1]
    found, odd = columns(data[first:end], [starts[at] - first for at in plain], [block.first + at for at in plain])
    others = [*range(plain[0]), *[plain[at] for at in odd], *range(plain[-1] + 1, len(starts))]
    return _joined(found, _parsed(piece, block, others, starts))


def _plain(piece: Piece, starts: list[int]) -> Iterator[int]:
    """The pieces of a block that the scanner may have: whole records. The file's first and last go to the parser."""
    if piece.kind == "releases" and not piece.drop and not piece.over:
        yield from range(1 if piece.first == 0 else 0, len(starts) - piece.last)


def _parsed(piece: Piece, block: Block, only: list[int] | None, starts: list[int]) -> dict[str, pa.Table]:
    rows = WideRows(piece.kind, dict(piece.drop))
    for found in records_of(block, SHAPES[piece.kind], "", only=only, starts=starts):
        rows.add(found)
    return rows.tables()


def _joined(plain: dict[str, pa.Table], others: dict[str, pa.Table]) -> dict[str, pa.Table]:
    found = {}
    for table in TABLES:
        parts = [tables_[table] for tables_ in (plain, others) if table in tables_]
        if len(parts) == 2:
            # Stable: rows of one element stay in their order, and no element is in both.
            joined = pa.concat_tables(parts).combine_chunks()
            found[table] = joined.take(pa.array(np.argsort(joined["line"].to_numpy(), kind="stable")))
        elif parts:
            found[table] = parts[0]
    return {table: rows for table, rows in found.items() if rows.num_rows}
