"""MusicBrainz's canonical dump by columns: flat identifiers, nothing wide.

Blocks of lines that match one pattern go to the engine as they are; in another block each line is read alone, and a
broken or blank one leaves a line without MBIDs, so that a row's number stays its line's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from fonoteca.core import durable
from fonoteca.core.progress import Progress, Unit
from fonoteca.sources import musicbrainz_canonical as canonical
from fonoteca.sources import staged_once
from fonoteca.sources.bulk import Flat, Sql, columns, literal
from fonoteca.sources.musicbrainz_canonical import KINDS, NAMES, NEEDED, File, Redirect, Table
from fonoteca.sources.musicbrainz_pieces import PIECE
from fonoteca.sources.records import Refused

_DONE = "musicbrainz-canonical.json"
_REFUSED = "canonical.refused.csv"
_RATIO = 6


@dataclass
class _Piece:
    """Lines of one table, staged: the number of the first in its file (``base``) and in the dump (``seq``)."""

    name: str
    kind: str
    shown: str
    lines: int
    base: int
    seq: int


@dataclass
class CanonicalBulk(Flat):
    """The bulk way of a canonical dump."""

    files: Sequence[File]
    piece: int = PIECE
    _pieces: list[_Piece] = field(default_factory=list)
    _broken: dict[str, int] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)
    _work: Path = field(default_factory=Path)

    def space(self) -> int:
        """The staged redirects and a piece unpacked."""
        return self._size() + 2 * self.piece

    def result(self) -> int:
        """Identifiers: of two MBIDs in a line, one."""
        return self._size() // 2

    def _size(self) -> int:
        """Bytes of all lines, about: what packed ones come to is a guess."""
        packed = any(file.kind is None for file in self.files)
        size = sum(file.path.stat().st_size for file in self.files if file.kind != NAMES)
        return size * (_RATIO if packed else 1)

    def prepare(self, sql: Sql, progress: Progress) -> None:
        """Stage; take out what repeats, contradicts or leads back to itself.

        Raises:
            Usage: ``missing-table``, ``unknown-columns``; TornDump.
        """
        self._work = sql.work
        self._stage(sql, progress)
        sql.view("canonical_raw", " UNION ALL ".join(self._scan(piece) for piece in self._pieces) or _NONE)
        sql.view("canonical_good", "FROM canonical_raw WHERE key <> target")
        _again(sql)
        sql.view("canonical_first", "FROM canonical_good ANTI JOIN canonical_again USING (seq)")
        _loops(sql)
        sql.view("canonical", "FROM canonical_first ANTI JOIN canonical_loop USING (kind, key)")
        sql.view("canonical_looped", "FROM canonical_first SEMI JOIN canonical_loop USING (kind, key)")
        self._count(sql)

    def flat(self) -> Mapping[str, str]:
        """One identifier for each redirect."""
        parts = [
            f"SELECT '{canonical.SCHEME}' AS scheme, target::VARCHAR AS value, "
            f"entity_id('{kind}', 'musicbrainz', key::VARCHAR) AS entity_id, kind, position "
            f"FROM canonical WHERE kind = '{kind}'"
            for kind in KINDS
        ]
        return {"identifier": " UNION ALL ".join(parts)}

    def refusals(self) -> str:
        """In the order of the dump."""
        pair = "position, {} AS code, {} AS reason, concat(key, ',', target) AS raw, kind"
        parts = [
            f"position, code, reason, raw, kind FROM {_broken(self._work / _REFUSED)}",
            f"{pair.format(*map(literal, canonical.ITSELF))} FROM canonical_raw WHERE key = target",
            f"{pair.format(*map(literal, canonical.CONFLICT))} FROM canonical_again WHERE NOT exact",
            f"{pair.format(*map(literal, canonical.LOOP))} FROM canonical_looped",
        ]
        union = " UNION ALL ".join(f"SELECT seq, {part}" for part in parts)
        return f"SELECT position, code, reason, raw, kind FROM ({union}) ORDER BY seq"

    def counts(self) -> Mapping[str, int]:
        """Each redirect of a recording is a reference; those of releases are counted apart."""
        return self._counts

    # --- staging ------------------------------------------------------------------------------------------------------

    def _stage(self, sql: Sql, progress: Progress) -> None:
        def read(broken: Any) -> dict[str, Any]:
            progress.stage("reading", sum(file.path.stat().st_size for file in self.files), Unit.BYTES)
            self._read(sql, progress, broken)
            return {"pieces": [vars(piece) for piece in self._pieces], "broken": self._broken}

        told = staged_once.told(sql.work / _DONE, sql.work / _REFUSED, read)
        self._pieces = [_Piece(**values) for values in told["pieces"]]
        self._broken = told["broken"]

    def _read(self, sql: Sql, progress: Progress, broken: Any) -> None:
        packed = any(file.kind is None for file in self.files)
        kinds = set()
        seq = 0
        for table in canonical.tables(self.files):
            if isinstance(table, Refused):
                self._refuse(broken, seq, table)
                seq += 1
                continue
            if not table.columns:
                progress.warn(canonical.passed(table.shown))
                continue
            kinds.add(table.kind)
            if packed:  # of plain files it is said before
                _warn(progress, canonical.drift(table.shown, table.kind, table.columns))
            seq = self._read_table(sql, table, seq, broken)
        if not kinds:
            raise canonical.no_table(self.files)
        if packed:
            _warn(progress, canonical.lacking(kinds))
        progress.advance(sum(file.path.stat().st_size for file in self.files))

    def _read_table(self, sql: Sql, table: Table, seq: int, broken: Any) -> int:
        blocks = canonical.blocks(table.stream)
        block = next(blocks, None)
        while block is not None:
            name = f"canonical_{len(self._pieces):05d}"
            piece = _Piece(name, table.kind, table.shown, 0, block[0], seq)
            path = sql.work / f"{name}.csv"
            with durable.scratch(path) as out:
                while block is not None and out.tell() < self.piece:
                    self._write(out, block, table, piece, broken)
                    block = next(blocks, None)
            sql.stage(name, _reading(path, table))
            durable.remove(path)
            self._pieces.append(piece)
            seq += piece.lines
        return seq

    def _write(self, out: IO[bytes], block: tuple[int, bytes], table: Table, piece: _Piece, broken: Any) -> None:
        first, data = block
        if canonical.pattern(table).fullmatch(data):
            out.write(data)
        else:
            for number, text in enumerate(data.split(b"\n")[:-1], first):
                found = canonical.line(text, number, table)
                if isinstance(found, Refused):
                    self._refuse(broken, piece.seq + number - piece.base, found)
                out.write(_written(found, table))
        piece.lines += data.count(b"\n")

    def _refuse(self, broken: Any, seq: int, one: Refused) -> None:
        self._broken[one.kind] = self._broken.get(one.kind, 0) + 1
        broken.writerow((seq, one.position, one.code, one.reason, one.raw, one.kind))

    def _scan(self, piece: _Piece) -> str:
        return (
            f"SELECT key, target, '{piece.kind}' AS kind, file_row_number + {piece.seq} AS seq, "
            f"{literal(piece.shown + ':')} || (file_row_number + {piece.base}) AS position "
            f"FROM read_parquet({literal(self._work / f'{piece.name}.parquet')}, file_row_number=true)"
        )

    def _count(self, sql: Sql) -> None:
        count: dict[str, dict[str, int]] = {}
        for name, query in _COUNTED.items():
            count[name] = dict(sql.rows(f"SELECT kind, count(*) FROM {query} GROUP BY kind"))
        duplicates = count["exact"]
        refused = {kind: self._broken.get(kind, 0) + sum(count[name].get(kind, 0) for name in _REFUSALS)
                   for kind in KINDS}  # fmt: skip
        good = {kind: count["good"].get(kind, 0) for kind in KINDS}
        again = duplicates.get("recording", 0)
        self._counts = {
            "rows": good["recording"] + again + refused["recording"], "recordings": 0, "references": good["recording"],
            "duplicates": again, "refused": refused["recording"], "releases": good["release"],
            "release_duplicates": duplicates.get("release", 0), "release_refused": refused["release"],
            "records": sum(good.values()), "tracks": 0, "artists": 0, "synthetic": 0,
        }  # fmt: skip


_BROKEN = (("seq", "BIGINT"), *((name, "VARCHAR") for name in ("position", "code", "reason", "raw", "kind")))
_NONE = "SELECT NULL::UUID AS key, NULL::UUID AS target, '' AS kind, 0 AS seq, '' AS position WHERE false"
_COUNTED = {
    "good": "canonical", "exact": "canonical_again WHERE exact", "conflict": "canonical_again WHERE NOT exact",
    "itself": "canonical_raw WHERE key = target", "loop": "canonical_loop",
}  # fmt: skip
_REFUSALS = ("conflict", "itself", "loop")


def _warn(progress: Progress, warnings: Iterable[str]) -> None:
    for warning in warnings:
        progress.warn(warning)


def _broken(path: Path) -> str:
    return (
        f"read_csv({literal(path)}, auto_detect=false, header=false, delim=',', quote='\"', escape='\"', nullstr='', "
        f"new_line='\\n', max_line_size=1048576, columns={columns(_BROKEN)})"
    )


def _reading(path: Path, table: Table) -> str:
    """The query of the staged columns. Names of those that are not kept do not matter."""
    listed = []
    for number, name in enumerate(table.columns):
        kept = NEEDED[table.kind].index(name) if name in NEEDED[table.kind] else None
        listed.append((f"c{number}", "VARCHAR") if kept is None else (("key", "target")[kept], "UUID"))
    return (
        f"SELECT key, target FROM read_csv({literal(path)}, auto_detect=false, header=false, delim=',', quote='', "
        f"escape='', comment='', nullstr='', new_line='\\n', max_line_size={2 * canonical.BLOCK}, "
        f"columns={columns(listed)})"
    )


def _written(found: Redirect | Refused | None, table: Table) -> bytes:
    """The line as the engine reads it."""
    cells = [""] * len(table.columns)
    if isinstance(found, Redirect):
        for name, value in zip(NEEDED[table.kind], (found.key, found.target), strict=True):
            cells[table.columns.index(name)] = value
    return ",".join(cells).encode() + b"\n"


def _again(sql: Sql) -> None:
    """Rows whose MBID came before; ``exact`` where with the same canonical one."""
    counted = """
        SELECT sum(rows - keys) FROM (SELECT count(*) AS rows, count(DISTINCT key) AS keys FROM canonical_good
            GROUP BY kind)"""
    ranked = f"""
        SELECT *, target = first_value(target) OVER w AS exact, row_number() OVER w AS n
        FROM canonical_good WHERE {"true" if sql.value(counted) else "false"}
        WINDOW w AS (PARTITION BY kind, key ORDER BY seq)"""
    sql.table("canonical_again", f"SELECT * EXCLUDE (n) FROM ({ranked}) WHERE n > 1")


def _loops(sql: Sql) -> None:
    """MBIDs on a loop: doubling the steps, all that is still under way after as many as there are redirects is on one.

    Only redirects that lead to another one take part, so an honest dump is done at once.
    """
    sql.table("canonical_hop", """
        SELECT f.kind, f.key, f.target AS goal FROM canonical_first f
        SEMI JOIN canonical_first g ON g.kind = f.kind AND g.key = f.target""")  # fmt: skip
    count = "SELECT count(*) FROM canonical_hop"
    most, steps = int(sql.value(count)), 1
    while steps < most and sql.value(count):
        steps *= 2
        sql.table("canonical_next", """
            SELECT a.kind, a.key, b.goal FROM canonical_hop a JOIN canonical_hop b ON b.kind = a.kind AND b.key = a.goal
            """)  # fmt: skip
        sql.table("canonical_hop", "FROM canonical_next")
    sql.table("canonical_loop", "SELECT DISTINCT kind, goal AS key FROM canonical_hop")
