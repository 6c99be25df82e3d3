"""Rows of a dump's tables that repeat a key or lead nowhere: found, told, and left out.

Makes the views ``mb_<table>`` of the views ``raw_<table>``. Where everything is in order, as in a dump as published,
this counts, and the views are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fonoteca.sources import musicbrainz_clean as clean
from fonoteca.sources.bulk import Sql
from fonoteca.sources.musicbrainz_tables import FOLDER, Table

REFERENCES: dict[str, tuple[tuple[str, str], ...]] = {
    "medium": (("release", "release"),),
    "track": (("recording", "recording"), ("medium", "medium")),
    "isrc": (("recording", "recording"),),
    "release_country": (("release", "release"),),
    "release_unknown_country": (("release", "release"),),
    "release_label": (("release", "release"),),
    "artist_isni": (("artist", "artist"),),
    "artist_ipi": (("artist", "artist"),),
    "l_recording_work": (("entity0", "recording"), ("entity1", "work")),
    "iswc": (("work", "work"),),
    "l_recording_url": (("entity0", "recording"), ("entity1", "url")),
    "l_release_url": (("entity0", "release"), ("entity1", "url")),
    "l_artist_url": (("entity0", "artist"), ("entity1", "url")),
    "recording_gid_redirect": (("new_id", "recording"),),
    "release_gid_redirect": (("new_id", "release"),),
    "artist_gid_redirect": (("new_id", "artist"),),
    "recording_tag": (("recording", "recording"), ("tag", "tag")),
    "recording_meta": (("id", "recording"),),
}
"""Table → columns that hold the id of a row of another table. What they refer to is checked before them."""
ODD = {
    "isrc": (f"({clean.isrc('isrc')}) IS NULL", "it is no ISRC"),
    "recording_meta": ("rating NOT BETWEEN 0 AND 100", "it is no rating"),
}
"""Table → condition of rows whose value says nothing, and what is said of them."""


@dataclass
class Found:
    """What was left out: queries of refusals, and numbers by table."""

    refusals: list[str] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    duplicates: int = 0
    release_duplicates: int = 0


def kind(table: str) -> str:
    """What a refused row of the table would have been, as :attr:`records.Refused.kind`."""
    return table


def order(tables: Mapping[str, Table]) -> list[str]:
    """Names of tables, those first that others refer to."""
    return sorted(
        tables, key=lambda name: (name in REFERENCES, list(REFERENCES).index(name) if name in REFERENCES else 0)
    )


def run(sql: Sql, tables: Mapping[str, Table], present: set[str]) -> Found:
    """Check every table; afterwards all views ``mb_<table>`` are there."""
    found = Found()
    if "track" in tables:
        sql.stage("mb_medium_tracks", MEDIUM_TRACKS)
    for name in order(tables):
        table = tables[name]
        parts = [
            *(_repeated(sql, table, key) for key in table.unique),
            *_lost(sql, table, present),
            *_own(sql, table),
            *_odd(sql, table),
        ]
        _leave_out(sql, table, [part for part in parts if part], found)
    return found


def ordered(queries: Iterable[str], tables: Iterable[str]) -> str:
    """Refusals in the order of tables and lines."""
    listed = ", ".join(f"'{name}'" for name in tables)
    return f"""
        SELECT '{FOLDER}/' || name || ':' || line AS position, code, reason, raw, kind
        FROM ({" UNION ALL ".join(queries)}) ORDER BY list_position([{listed}], name), line"""


def _raw(table: Table) -> str:
    cells = ", ".join(f"coalesce({column}::VARCHAR, '\\N')" for column in table.kept)
    return f"concat_ws(chr(9), {cells})"


def _repeated(sql: Sql, table: Table, key: tuple[str, ...]) -> str | None:
    """The query of rows whose key came on an earlier line; ``code`` is null for an exact repetition."""
    raw, listed = f"raw_{table.name}", ", ".join(key)
    if _is_unique(sql, table, key):
        return None
    among = f"{key[0]} IN (SELECT {key[0]} FROM {raw} GROUP BY {listed} HAVING count(*) > 1)"
    if table.name == "track":
        among = "medium IN (SELECT medium FROM mb_medium_tracks WHERE odd)"
    row = "struct_pack(" + ", ".join(table.kept) + ")"
    shown = " || ', ' || ".join(f"coalesce({column}::VARCHAR, 'nothing')" for column in key)
    return f"""
        SELECT line, CASE WHEN NOT exact THEN 'key-conflict' END AS code,
            'the {" and ".join(key)} ' || {shown} || ' came before with other content' AS reason, {_raw(table)} AS raw
        FROM (SELECT *, row_number() OVER w AS n, first_value({row}) OVER w IS NOT DISTINCT FROM {row} AS exact
            FROM {raw} WHERE {among} WINDOW w AS (PARTITION BY {listed} ORDER BY line)) WHERE n > 1"""


def _is_unique(sql: Sql, table: Table, key: tuple[str, ...]) -> bool:
    if table.name == "track":
        return not sql.value("SELECT count(*) FROM mb_medium_tracks WHERE odd")
    one = key[0] if len(key) == 1 else f"({', '.join(key)})"
    return bool(sql.value(f"SELECT count(*) = count(DISTINCT {one}) FROM raw_{table.name}"))


MEDIUM_TRACKS = """
    SELECT medium, count(*) AS tracks, coalesce(bit_count(bit_or(CASE WHEN position BETWEEN 0 AND 125
        THEN 1::HUGEINT << position END)), 0) <> count(*) AS odd
    FROM raw_track GROUP BY medium"""
"""Tracks of each medium. ``odd``: a number comes twice, or it is none of 0 to 125, so that one has to look."""


def _lost(sql: Sql, table: Table, present: set[str]) -> Iterable[str]:
    """Queries of rows that refer to a row that is not there; none where the whole table is not there."""
    for column, target in REFERENCES.get(table.name, ()):
        lost = f"FROM raw_{table.name} r ANTI JOIN mb_{target} t ON t.id = r.{column}"
        if target in present and sql.value(f"SELECT count(*) {lost}"):
            yield f"""
                SELECT line, 'dangling-reference' AS code, '{column} ' || {column} || ' is no row of {FOLDER}/{target}'
                    AS reason, {_raw(table)} AS raw {lost}"""


def _own(sql: Sql, table: Table) -> Iterable[str]:
    """Redirects from an MBID that something has: followed, they could lead round in a ring."""
    if not table.name.endswith("_gid_redirect"):
        return
    entity = table.name.removesuffix("_gid_redirect")
    ring = f"FROM raw_{table.name} r SEMI JOIN mb_{entity} t ON t.gid = r.gid"
    if sql.value(f"SELECT count(*) {ring}"):
        yield f"""
            SELECT line, 'key-conflict' AS code, 'the {entity} ' || gid || ' is there, and is said to be merged'
                AS reason, {_raw(table)} AS raw {ring}"""


def _odd(sql: Sql, table: Table) -> Iterable[str]:
    if table.name not in ODD:
        return
    condition, reason = ODD[table.name]
    bad = f"FROM raw_{table.name} WHERE {condition}"
    if sql.value(f"SELECT count(*) {bad}"):
        yield f"SELECT line, 'no-content' AS code, '{reason}' AS reason, {_raw(table)} AS raw {bad}"


def _leave_out(sql: Sql, table: Table, parts: list[str], found: Found) -> None:
    name = table.name
    if not parts:
        sql.view(f"mb_{name}", f"FROM raw_{name}")
        return
    # A line that is wrong in several ways is refused for the first of them.
    numbered = " UNION ALL ".join(f"SELECT {n} AS n, * FROM ({part})" for n, part in enumerate(parts))
    sql.table(f"out_{name}", f"SELECT * EXCLUDE (n) FROM ({numbered}) "
              "QUALIFY row_number() OVER (PARTITION BY line ORDER BY n) = 1")  # fmt: skip
    sql.view(f"mb_{name}", f"FROM raw_{name} ANTI JOIN out_{name} USING (line)")
    found.refused[name], again = sql.rows(f"SELECT count(code), count(*) - count(code) FROM out_{name}")[0]
    found.duplicates += again
    if name == "release":
        found.release_duplicates = again
    found.refusals.append(f"SELECT '{name}' AS name, line, code, reason, raw, '{kind(name)}' AS kind FROM out_{name} "
                          "WHERE code IS NOT NULL")  # fmt: skip
