"""AcoustID's daily files by columns: flat identifiers of MusicBrainz' recordings, nothing wide.

What is held in memory is what the engine may hold: rows of tracks and of pairs are staged, and sorted out by queries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fonoteca.core.progress import Progress, Unit
from fonoteca.sources import acoustid_pieces as pieces
from fonoteca.sources.acoustid_pieces import Piece, Reading
from fonoteca.sources.acoustid_rows import DISABLED, NAME, OF, File, dangling, loop
from fonoteca.sources.bulk import Flat, Sql, literal

PIECE = 256 << 20
_SPACE, _RESULT = 6, 2
_GOOD, _DISABLED, _DANGLING, _LOOP = range(4)


@dataclass
class AcoustIdBulk(Flat):
    """The bulk way of AcoustID's files, tracks first, each table by day."""

    files: Sequence[File]
    piece: int = PIECE
    _read: Reading = field(default_factory=Reading)
    _counts: dict[str, int] = field(default_factory=dict)
    _work: Path = field(default_factory=Path)

    def space(self) -> int:
        """What is staged (two and a half times the packed files, measured), what sorting spills, and two pieces."""
        return _SPACE * self._size() + 2 * self.piece

    def result(self) -> int:
        """An identifier for each pair, by the size of the packed files."""
        return _RESULT * self._size()

    def _size(self) -> int:
        return sum(file.path.stat().st_size for file in self.files)

    def prepare(self, sql: Sql, progress: Progress) -> None:
        """Stage; keep the last row of each track and pair; follow merges; judge pairs; say each identifier once."""
        self._work = sql.work
        progress.stage("reading", sum(file.path.stat().st_size for file in self.files), Unit.BYTES)
        self._read = pieces.stage(sql, self.files, self.piece, progress)
        progress.stage("sorting", None, Unit.ROWS)
        sql.view("acoustid_file", _starts(self._read.starts.get("track_mbid", [])))
        sql.view("acoustid_tracks", self._rows("track"))
        sql.view("acoustid_pairs", self._rows("track_mbid"))
        _last(sql, "acoustid_track", ("id",), "id, gid, coalesce(new_id, 0) AS goal", "acoustid_tracks")
        _follow(sql)
        kept = "track_id AS track, mbid, coalesce(disabled, false) AS disabled"
        _last(sql, "acoustid_pair", ("track", "mbid"), kept, "acoustid_pairs")
        sql.stage("acoustid_judged", f"""
            SELECT p.track, p.mbid, p.seq, e.survivor,
                CASE WHEN p.disabled THEN {_DISABLED} WHEN e.id IS NULL THEN {_DANGLING}
                    WHEN e.survivor IS NULL THEN {_LOOP} ELSE {_GOOD} END AS said
            FROM acoustid_pair p LEFT JOIN acoustid_end e ON e.id = p.track""")  # fmt: skip
        sql.stage("acoustid_all", f"""
            SELECT e.gid, j.mbid, j.seq FROM acoustid_judged j JOIN acoustid_end e ON e.survivor = j.survivor
            WHERE j.said = {_GOOD} ORDER BY ALL""")  # fmt: skip
        sql.view("acoustid_told", _first("acoustid_all", ("gid", "mbid")))
        self._count(sql)

    def flat(self) -> Mapping[str, str]:
        """One identifier for each gid of each recording, where it is first told."""
        query = f"""
            SELECT {literal(NAME)} AS scheme, t.gid::VARCHAR AS value, 'recording' AS kind, {_POSITION} AS position,
                entity_id('recording', {literal(OF)}, t.mbid::VARCHAR) AS entity_id
            FROM acoustid_told t ASOF JOIN acoustid_file f ON t.seq >= f.start"""  # fmt: skip
        return {"identifier": query}

    def refusals(self) -> str:
        """Broken lines as they came, then pairs in the order of their last rows."""
        said = {_DISABLED: tuple(map(literal, DISABLED)), _DANGLING: _in_sql(dangling), _LOOP: _in_sql(loop)}
        code, reason = (" ".join(f"WHEN {n} THEN {told[i]}" for n, told in said.items()) for i in range(2))
        return f"""
            SELECT position, code, reason, raw, kind FROM (
                SELECT 0 AS part, number, position, code, reason, raw, kind
                FROM ({pieces.refusals(self._work / pieces.REFUSED)})
                UNION ALL
                SELECT 1, t.seq, {_POSITION}, CASE t.said {code} END, CASE t.said {reason} END,
                    '{{"mbid":"' || t.mbid || '","track_id":' || t.track || '}}', 'recording'
                FROM (FROM acoustid_judged WHERE said <> {_GOOD}) t ASOF JOIN acoustid_file f ON t.seq >= f.start)
            ORDER BY part, number"""

    def counts(self) -> Mapping[str, int]:
        """Rows are those of pairs; refused rows of tracks are counted as those of releases."""
        return self._counts

    def _rows(self, kind: str) -> str:
        staged = [self._scan(piece) for piece in self._read.pieces if piece.kind == kind]
        return " UNION ALL ".join(staged) or _NONE[kind]

    def _scan(self, piece: Piece) -> str:
        path = literal(self._work / f"{piece.name}.parquet")
        return (
            f"SELECT * EXCLUDE (file_row_number), file_row_number + {piece.first} AS seq "
            f"FROM read_parquet({path}, file_row_number=true)"
        )

    def _count(self, sql: Sql) -> None:
        rows = int(sql.value("SELECT count(track_id) FROM acoustid_pairs"))
        said = dict(sql.rows("SELECT said, count(*) FROM acoustid_judged GROUP BY said"))
        references = int(sql.value("SELECT count(*) FROM (SELECT DISTINCT seq FROM acoustid_told)"))
        wrong = sum(n for told, n in said.items() if told != _GOOD)
        broken = self._read.refused
        refused = wrong + broken.get("recording", 0)
        self._counts = {
            "rows": rows + broken.get("recording", 0), "recordings": 0, "references": references,
            "duplicates": rows - wrong - references, "refused": refused, "releases": 0, "release_duplicates": 0,
            "release_refused": broken.get("release", 0), "records": references,
            "tracks": 0, "artists": 0, "synthetic": 0,
        }  # fmt: skip


_POSITION = "f.shown || ':' || (t.seq - f.start + 1)"
_NONE = {
    "track": "SELECT 0::BIGINT AS id, NULL::UUID AS gid, 0::BIGINT AS new_id, 0::BIGINT AS seq WHERE false",
    "track_mbid": "SELECT 0::BIGINT AS track_id, NULL::UUID AS mbid, false AS disabled, 0::BIGINT AS seq WHERE false",
}


def _starts(listed: Sequence[tuple[int, str]]) -> str:
    """Number of the first line of each file that has lines → how positions name it."""
    rows = ", ".join(f"({start}::BIGINT, {literal(shown)})" for start, shown in listed)
    return f"FROM (VALUES {rows}) AS v(start, shown)" if rows else "SELECT 0::BIGINT AS start, '' AS shown WHERE false"


def _in_sql(said: Callable[[str], tuple[str, str]]) -> tuple[str, str]:
    """Code and reason of a pair, with its track's number put in."""
    code, reason = said("\0")
    return literal(code), literal(reason).replace("\0", "' || t.track || '")


def _last(sql: Sql, name: str, key: Sequence[str], kept: str, rows: str) -> None:
    """The last row of each key. Sorting takes room on the disk where an aggregate would take memory."""
    order = ", ".join([*key, "seq DESC"])
    sql.stage(f"{name}_all", f"SELECT {kept}, seq FROM {rows} WHERE {key[0]} IS NOT NULL ORDER BY {order}")
    sql.view(name, _first(f"{name}_all", key))


def _first(rows: str, key: Sequence[str]) -> str:
    """The first of neighbours with one key: staged rows come in their order, and such a window keeps to it."""
    listed = ", ".join(key)
    return (
        f"SELECT * EXCLUDE (before) FROM (SELECT *, lag(struct_pack({listed})) OVER () AS before FROM {rows}) "
        f"WHERE before IS DISTINCT FROM struct_pack({listed})"
    )


def _follow(sql: Sql) -> None:
    """``acoustid_end``: each track with its gid and the one that is left after all merges, NULL where none is.

    Steps are doubled until no track leads to one that leads on; after as many steps as there are merges, those that
    still do are on a loop or lead to one.
    """
    sql.table("acoustid_lead", "SELECT id, goal FROM acoustid_track WHERE goal <> 0")
    most, steps = int(sql.value("SELECT count(*) FROM acoustid_lead")), 1
    on = "SELECT count(*) FROM acoustid_lead a SEMI JOIN acoustid_lead b ON b.id = a.goal"
    while steps < most and sql.value(on):
        steps *= 2
        sql.table("acoustid_next", """
            SELECT a.id, coalesce(b.goal, a.goal) AS goal FROM acoustid_lead a
            LEFT JOIN acoustid_lead b ON b.id = a.goal""")  # fmt: skip
        sql.table("acoustid_lead", "FROM acoustid_next")
    sql.stage("acoustid_end", """
        SELECT id, gid, id AS survivor FROM acoustid_track WHERE goal = 0
        UNION ALL
        SELECT t.id, t.gid, e.id FROM acoustid_track t JOIN acoustid_lead l ON l.id = t.id
        LEFT JOIN (SELECT id FROM acoustid_track WHERE goal = 0) e ON e.id = l.goal""")  # fmt: skip
    sql.table("acoustid_next", "SELECT 0")
    sql.drop("acoustid_next")
    sql.drop("acoustid_lead")
