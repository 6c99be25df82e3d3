"""Discogs on the bulk way: processes parse blocks of XML into columns, and the engine puts these together.

The files of a dump are cut into pieces of about 8 MB where elements begin. Each piece is read by itself and leaves
Parquet files in the work folder, so a piece that is finished is not read again. Elements whose number came before are
known only when all pieces are read: the pieces that hold any are then read a second time, without them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from fonoteca.core import durable
from fonoteca.core.progress import Progress, Unit
from fonoteca.sources.bulk import CHUNK_ROWS, Bulk, Sql, literal
from fonoteca.sources.discogs_pieces import Piece
from fonoteca.sources.discogs_shapes import SHAPES
from fonoteca.sources.discogs_wide import CONFLICT, DUPLICATE
from fonoteca.sources.discogs_workers import Rows, read_all
from fonoteca.sources.documents import Document, shown_name
from fonoteca.sources.tally import Tally
from fonoteca.sources.xmlrecords import Block, blocks

SIZE = 8 << 20
"""Bytes of XML in a piece."""
_MOST_WORKERS = 4
_SMALL = 4 << 20
"""Bytes of a dump, packed, that are read before a process has started."""
_FILES = 500
"""Most pieces of a chunk: so many files are read at once."""
_SPACE, _RESULT = 3, 2
"""Bytes of disk for one of the packed dump, on the way and of the result; measured of generated ones: 2.6 and 1.8."""
"""Bytes of the work folder for each byte of packed XML, at most."""
Drops = Mapping[int, Mapping[int, str]]


class DiscogsBulk(Bulk):
    """One dump, any of its four files."""

    def __init__(self, documents: Sequence[Document], workers: int | None = None, size: int = SIZE) -> None:
        """``workers``: processes that parse, 0: this one; if not given one for each core, none for a small dump."""
        self._documents = documents
        self._workers = _workers(documents) if workers is None else workers
        self._size = size
        self._folder = Path()
        self._pieces: list[tuple[Piece, str]] = []
        self._rows: Rows = {}
        self._dropped: list[str] = []
        self._names = 0

    def space(self) -> int:
        """The work folder's pieces."""
        return _SPACE * self._packed()

    def result(self) -> int:
        """By the size of the dump."""
        return _RESULT * self._packed()

    def _packed(self) -> int:
        return sum(document.path.stat().st_size for document in self._documents)

    def prepare(self, sql: Sql, progress: Progress) -> None:
        """Read all pieces.

        Raises:
            Failed: ``reader-ended``: a process was killed; no space, a damaged disk.
        """
        self._folder = sql.work / "pieces"
        durable.make_folder(self._folder)
        progress.stage("reading", sum(d.path.stat().st_size for d in self._documents), Unit.BYTES)
        self._read({}, progress)
        drops = self._repeated(sql)
        if drops:
            progress.stage("reading again", len(drops), Unit.ROWS)
            self._read(drops, progress)
        self._name_credited(sql)

    def _read(self, drops: Drops, progress: Progress) -> None:
        """Read all pieces, or those with repeated numbers again."""
        told: Callable[[Piece], None] = (lambda _: progress.advance(1)) if drops else (lambda _: None)
        found = read_all(self._blocks(drops, progress), self._workers, told)
        self._rows |= found

    def _blocks(self, drops: Drops, progress: Progress) -> Iterator[tuple[Piece, bytes]]:
        """Every piece with its bytes, in order; of a second round, only those with repeated numbers."""
        number = 0
        self._pieces = []
        for document in self._documents:
            for block in blocks(document.path, SHAPES[document.kind], size=self._size):
                piece = self._piece(number, document, block, drops.get(number, {}))
                self._pieces.append((piece, shown_name(document.path)))
                number += 1
                if not drops or piece.drop:
                    yield piece, block.data
            if not drops:
                progress.advance(document.path.stat().st_size)

    def _piece(self, number: int, document: Document, block: Block, drop: Mapping[int, str]) -> Piece:
        damage = (block.damage.code, block.damage.reason) if block.damage else None
        return Piece(str(self._folder), number, document.kind, block.first, len(block.data), block.over, block.last,
                     damage, dict(drop))  # fmt: skip

    def _repeated(self, sql: Sql) -> Drops:
        """Piece → line → how, of elements whose number came before in a file of the same kind."""
        found: dict[int, dict[int, str]] = {}
        self._dropped = []
        for kind, pieces in groupby(self._pieces, key=lambda pair: pair[0].kind):
            scan = self._scan("element", [piece for piece, _ in pieces])
            if scan is None:
                continue
            numbers = f"SELECT number FROM ({scan}) GROUP BY number HAVING count(*) > 1"
            rows = sql.rows(f"""
                SELECT piece, line, mark = first_value(mark) OVER w, row_number() OVER w
                FROM (SELECT * FROM ({scan}) WHERE number IN ({numbers}))
                WINDOW w AS (PARTITION BY number ORDER BY piece, line) ORDER BY piece, line""")
            for piece, line, is_same, place in rows:
                if place > 1:
                    found.setdefault(piece, {})[line] = DUPLICATE if is_same else CONFLICT
                    self._dropped += [SHAPES[kind].kind] if is_same else []
        return found

    def _scan(self, table: str, pieces: Sequence[Piece], columns: str = "*") -> str | None:
        """The rows of a table in some pieces, in order of pieces; with the number of the piece."""
        some = [piece for piece in pieces if self._rows[piece.number].get(table)]
        if not some:
            return None
        paths = ", ".join(literal(piece.path(table)) for piece in some)
        number = f"regexp_extract(filename, '([0-9]+)-{table}[.]parquet$', 1)::INTEGER AS piece"
        return f"SELECT {columns}, {number} FROM read_parquet([{paths}], filename = true, file_row_number = true)"

    def _name_credited(self, sql: Sql) -> None:
        """Artists that have no record of their own, by the name of their first credit."""
        parts = [
            f"SELECT *, {literal(name)} || ':' || line || CASE WHEN track > 0 THEN '#' || track ELSE '' END "
            f"AS position, {literal(name)} AS member FROM ({scan})"
            for _, name, scan in self._by_file("credited")
        ]
        self._names = 0
        if not parts:
            return
        own = [f"SELECT key FROM ({scan})" for _, _, scan in self._by_file("artist")]
        known = f"WHERE key NOT IN ({' UNION ALL '.join(own)})" if own else ""
        sql.stage("credited", f"""
            SELECT row_number() OVER (ORDER BY length(key), key) - 1 AS n, id, key, best.name AS name,
                best.member AS member, best.line AS line
            FROM (SELECT key, min(id) AS id,
                    min({{'length': length(position), 'position': position, 'name': name, 'member': member,
                         'line': line}}) AS best
                  FROM ({' UNION ALL '.join(parts)}) {known} GROUP BY key)
            ORDER BY n""")  # fmt: skip
        self._names = sql.value("SELECT count(*) FROM credited")

    def _by_file(self, table: str) -> Iterator[tuple[str, str, str]]:
        """Kind, name and scan of each file that has rows of a table."""
        for (kind, name), pieces in groupby(self._pieces, key=lambda pair: (pair[0].kind, pair[1])):
            scan = self._scan(table, [piece for piece, _ in pieces])
            if scan is not None:
                yield kind, name, scan

    def tables(self) -> dict[str, int]:
        """Chunks of each wide table."""
        return {table: len(self._chunks(table)) for table in ("artist", "release", "recording")}

    def rows(self, table: str, chunk: int) -> str:
        """The rows of some pieces of one file, or of some artists that are only credited."""
        return self._chunks(table)[chunk]

    def _chunks(self, table: str) -> list[str]:
        """The query of each chunk."""
        found = []
        for (_, name), pairs in groupby(self._pieces, key=lambda pair: (pair[0].kind, pair[1])):
            for pieces in self._fitting(table, [piece for piece, _ in pairs]):
                scan = self._scan(table, pieces)
                if scan is not None:
                    # Without an order of its own the engine cuts row groups where its threads happen to meet.
                    found.append(f"SELECT * EXCLUDE (piece, filename, file_row_number), {literal(name)} AS member "
                                 f"FROM ({scan}) ORDER BY piece, file_row_number")  # fmt: skip
        if table == "artist":
            found += [
                f"SELECT id, key, name, []::STRUCT(scheme VARCHAR, value VARCHAR)[] AS identifiers, member, line "
                f"FROM credited WHERE n >= {first} AND n < {first + CHUNK_ROWS} ORDER BY n"
                for first in range(0, self._names, CHUNK_ROWS)
            ]
        return found

    def _fitting(self, table: str, pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
        """Pieces in groups whose rows one chunk can have."""
        group: list[Piece] = []
        rows = 0
        for piece in pieces:
            more = self._rows[piece.number].get(table, 0)
            if group and (rows + more > CHUNK_ROWS or len(group) == _FILES):
                yield group
                group, rows = [], 0
            group.append(piece)
            rows += more
        if group:
            yield group

    def flat(self) -> dict[str, str]:
        """Everything nests."""
        return {}

    def refusals(self) -> str | None:
        """What could not be read, with its bytes' beginning."""
        found = [
            f"SELECT piece, line, {literal(name)} || ':' || line AS position, code, reason, raw, kind FROM ({scan})"
            for _, name, scan in self._by_file("refusal")
        ]
        if not found:
            return None
        return f"SELECT position, code, reason, raw, kind FROM ({' UNION ALL '.join(found)}) ORDER BY piece, line"

    def counts(self) -> dict[str, int]:
        """As :class:`fonoteca.sources.tally.Tally` and the record way count."""
        rows = {table: sum(found.get(table, 0) for found in self._rows.values()) for table in _COUNTED}
        tally = Tally()
        tally.recordings, tally.releases = rows["recording"], rows["release"]
        tally.duplicates = self._dropped.count("recording")
        tally.release_duplicates = self._dropped.count("release")
        refused = {"recording": 0, "release": 0}
        for piece, _ in self._pieces:
            refused[SHAPES[piece.kind].kind] += self._rows[piece.number].get("refusal", 0)
        tally.refused, tally.release_refused = refused["recording"], refused["release"]
        tally.rows = tally.recordings + tally.duplicates + tally.refused
        tally.records = 2 * rows["recording"] + rows["release"] + rows["artist"]
        return tally.told() | {"tracks": rows["recording"], "artists": rows["artist"], "synthetic": 0}


_COUNTED = ("recording", "release", "artist")


def _workers(documents: Sequence[Document]) -> int:
    small = sum(document.path.stat().st_size for document in documents) < _SMALL
    return 0 if small else min(os.cpu_count() or 1, _MOST_WORKERS)
