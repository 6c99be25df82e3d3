"""Tables of a dump as staged files: unpacked and parsed side by side, each once, whatever comes between."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fonoteca.core import durable
from fonoteca.core.progress import Progress, Unit
from fonoteca.sources import musicbrainz_pieces as pieces
from fonoteca.sources.ahead import ahead
from fonoteca.sources.bulk import Sql, literal
from fonoteca.sources.musicbrainz_files import Files, lacking, no_recordings
from fonoteca.sources.musicbrainz_tables import Table

_DONE = "musicbrainz.json"
_STAGED_SHARE = 0.45
"""Bytes of staged tables, and of what is made of them, for one byte of the dump's tables; measured: 0.26 to 0.31."""
Work = tuple[Table, tuple[str, ...], pieces.Piece | None]


@dataclass
class Staged:
    """Pieces of one table: name of the staged file, lines, and how many of them are broken."""

    table: Table
    pieces: list[tuple[str, int, int]] = field(default_factory=list)

    @property
    def broken(self) -> int:
        """Lines that could not be read."""
        return sum(broken for _, _, broken in self.pieces)


class Staging:
    """The wanted tables of a dump: afterwards the views ``raw_<table>`` are there, empty where a table is not.

    Attributes:
        tables: by name, those that the dump has.
    """

    def __init__(self, files: Files, wanted: Mapping[str, Table], piece: int = pieces.PIECE) -> None:
        self._files = files
        self._wanted = wanted
        self._piece = piece
        self.tables: dict[str, Staged] = {}

    def space(self) -> int:
        """Pieces, the staged tables, and what joins spill."""
        return int(self._files.unpacked * _STAGED_SHARE) + 3 * min(self._piece, self._files.unpacked)

    def result(self, share: float) -> int:
        """Such a share of the dump's tables."""
        return int(self._files.unpacked * share)

    def run(self, sql: Sql, progress: Progress) -> None:
        """Stage and name.

        Raises:
            Usage: ``missing-table``, ``unknown-columns``; TornDump.
        """
        if (sql.work / _DONE).exists():
            self._restore(sql)
        else:
            self._stage(sql, progress)
        if "recording" not in self.tables:
            raise no_recordings(self._files)
        if self._files.archives:
            for sentence in lacking(set(self.tables), derived=self._files.derived):
                progress.warn(sentence)
        for table in self._wanted.values():
            sql.view(f"raw_{table.name}", self._raw(sql.work, table))

    def refusals(self, work: Path) -> list[str]:
        """Queries of broken lines: name, line, code, reason, raw, kind."""
        return [self._broken(work, staged) for staged in self.tables.values() if staged.broken]

    @property
    def broken(self) -> dict[str, int]:
        """Broken lines by table."""
        return {name: staged.broken for name, staged in self.tables.items()}

    def _restore(self, sql: Sql) -> None:
        for table, found in json.loads((sql.work / _DONE).read_text("utf-8")).items():
            self.tables[table] = Staged(self._wanted[table], [(name, lines, broken) for name, lines, broken in found])
            for name, _, _ in found:
                sql.stage(name, f"FROM read_parquet({literal(sql.work / f'{name}.parquet')})")

    def _stage(self, sql: Sql, progress: Progress) -> None:
        """Unpack and parse; the note that all is there comes last."""
        progress.stage("unpacking", None if self._files.archives else self._files.size, Unit.BYTES)
        for table, form, piece in ahead(self._cut(sql.work, progress)):
            staged = self.tables.setdefault(table.name, Staged(table))
            if piece is None:
                continue
            name = f"mb_{table.name}_{len(staged.pieces):05d}"
            broken = pieces.stage(sql, name, piece, table, form)
            staged.pieces.append((name, piece.lines, broken))
            progress.advance(piece.size)
            if piece.path.is_relative_to(sql.work):
                durable.remove(piece.path)
        listed = {name: staged.pieces for name, staged in self.tables.items()}
        durable.write_bytes(sql.work / _DONE, json.dumps(listed, sort_keys=True).encode())

    def _cut(self, work: Path, progress: Progress) -> Iterator[Work]:
        """Each table with nothing, so that an empty one is one, then with its pieces."""
        for file in self._files.open(progress):
            table = self._wanted.get(file.name)
            if table is None:
                continue
            yield table, (), None
            if file.path is not None:
                found: Iterator[pieces.Piece] = pieces.whole(file.path)
            else:
                found = pieces.cut(file.stream(), work, f"mb_{table.name}", self._piece)
            form: tuple[str, ...] | None = None
            for piece in found:
                form = form or self._files.form(table, pieces.widths(piece.path))
                yield table, form, piece

    def _raw(self, work: Path, table: Table) -> str:
        staged = self.tables.get(table.name)
        if staged is None or not any(lines for _, lines, _ in staged.pieces):
            listed = ", ".join(f"NULL::{kind} AS {name}" for name, kind in table.kept.items())
            return f"SELECT {listed}, NULL::BIGINT AS line WHERE false"
        return " UNION ALL ".join(
            f"SELECT * EXCLUDE (file_row_number), file_row_number + {base} AS line FROM "
            f"read_parquet({literal(work / f'{name}.parquet')}, file_row_number=true)" + _where(table, broken)
            for name, base, broken in _numbered(staged)
        )

    def _broken(self, work: Path, staged: Staged) -> str:
        table = staged.table.name
        return " UNION ALL ".join(
            f"SELECT '{table}' AS name, line + {base} AS line, code, reason, raw, '{table}' AS kind FROM "
            f"read_csv({literal(pieces.refusals_path(work, name))}, auto_detect=false, header=false, delim=',', "
            f"quote='\"', escape='\"', nullstr='\\N', max_line_size=1048576, columns={{'line': 'BIGINT', "
            f"'code': 'VARCHAR', 'reason': 'VARCHAR', 'raw': 'VARCHAR'}})"
            for name, base, broken in _numbered(staged)
            if broken
        )


def _where(table: Table, broken: int) -> str:
    conditions = [f"{name} IS NOT NULL" for name in (*table.needed[:1] * bool(broken), *table.says)]
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _numbered(staged: Staged) -> Iterator[tuple[str, int, int]]:
    """Each piece's name, the number of its first line, and its broken lines."""
    first = 1
    for name, lines, broken in staged.pieces:
        if lines:
            yield name, first, broken
        first += lines
