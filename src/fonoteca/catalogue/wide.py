"""Wide partitions: facts nested below their entity, in the dump's order (docs/formats/generation.md).

A wide table is files of at most 2^22 rows. Views give its rows the columns of the flat fact tables and of the merged
tables, so that a query sees no difference. Ids that somebody else describes too (``overlaps``) are left to the merged
tables: their views leave those rows out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fonoteca.catalogue.engine import parquet
from fonoteca.catalogue.generation import Generation
from fonoteca.catalogue.places import Places
from fonoteca.core.ids import Kind

if TYPE_CHECKING:
    import duckdb

ROW_GROUP = 4_096
"""Rows that are read to look one up: small, and no larger on the disk than larger ones. With 2,048 a look-up takes a
sixth less time, but what goes through all rows a quarter more time and half more memory (measured)."""

_CREDITS = "STRUCT(artist_id BIGINT, name VARCHAR, role VARCHAR, joined_by VARCHAR)[]"
_NAMES = "STRUCT(scheme VARCHAR, value VARCHAR)[]"
_CLAIMS = "STRUCT(licence VARCHAR, url VARCHAR, evidence VARCHAR)[]"
_KEY = {"id": "BIGINT", "key": "VARCHAR", "key_scheme": "VARCHAR"}
_END = {"source": "VARCHAR", "dataset": "VARCHAR", "dump": "VARCHAR", "member": "VARCHAR", "line": "BIGINT"}

WIDE: dict[str, dict[str, str]] = {
    "recording": {
        **_KEY, "title": "VARCHAR", "artist": "VARCHAR", "release": "VARCHAR", "release_id": "BIGINT",
        "release_year": "INTEGER", "year": "INTEGER", "duration_ms": "BIGINT", "language": "VARCHAR",
        "flags": "VARCHAR[]", "credits": _CREDITS,
        "tracks": "STRUCT(release_id BIGINT, disc INTEGER, number INTEGER, title VARCHAR)[]", "identifiers": _NAMES,
        "genres": "VARCHAR[]", "listens": "BIGINT", "listens_licence": "VARCHAR", "listens_synthetic": "BOOLEAN",
        "signals": "STRUCT(kind VARCHAR, value DOUBLE, licence VARCHAR, synthetic BOOLEAN)[]", "claims": _CLAIMS,
        **_END,
    },
    "release": {
        **_KEY, "title": "VARCHAR", "artist": "VARCHAR", "year": "INTEGER", "date": "VARCHAR", "kind": "VARCHAR",
        "label": "VARCHAR", "country": "VARCHAR", "track_count": "INTEGER", "flags": "VARCHAR[]", "credits": _CREDITS,
        "identifiers": _NAMES, "genres": "VARCHAR[]", "claims": _CLAIMS, **_END,
    },
    "artist": {**_KEY, "name": "VARCHAR", "sort_name": "VARCHAR", "identifiers": _NAMES, **_END},
}  # fmt: skip
"""Wide table → column → type in SQL. ``key`` may also be a UUID."""

KINDS = ("recording", "release", "artist")
HIDDEN = {
    **{kind: ("id", (kind,)) for kind in KINDS},
    "track": ("recording_id", ("recording",)),
    **dict.fromkeys(("credit", "identifier", "genre"), ("entity_id", KINDS)),
}
"""Flat fact table, and the merged table of its name in the plural → its column of an id that may overlap, and of which
kinds; signals and claims just stand together."""
_ROW = "source, dump, position"
_PROVENANCE = "source, dataset, dump, member || ':' || line AS position"
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


@dataclass(frozen=True)
class _Part:
    """A view's query over one wide table; ``{t}`` is the table. Where the column holds nothing it gives no rows."""

    table: str
    query: str
    column: str = "id"


def _nested(kind: str, column: str, alias: str, fields: str) -> _Part:
    """One row for each element of a list."""
    return _Part(kind, f"""
        SELECT {fields} FROM (SELECT id, unnest({column}) AS {alias}, source, dataset, dump,
            member || ':' || line AS position FROM {{t}} WHERE len({column}) > 0)""", column)  # fmt: skip


def _credit(kind: str) -> _Part:
    return _Part(kind, f"""
        SELECT id AS entity_id, '{kind}' AS kind, ordinal, c.artist_id AS artist_id, c.name AS name, c.role AS role,
            c.joined_by AS joined_by, source, dataset, dump, position
        FROM (SELECT id, unnest(credits) AS c, unnest(range(len(credits)))::INTEGER AS ordinal,
            {_PROVENANCE} FROM {{t}} WHERE len(credits) > 0)""", "credits")  # fmt: skip


def _identifier(kind: str) -> list[_Part]:
    own = f"SELECT key_scheme AS scheme, key::VARCHAR AS value, id AS entity_id, '{kind}' AS kind, {_PROVENANCE} "
    rest = f"i.scheme AS scheme, i.value AS value, id AS entity_id, '{kind}' AS kind, source, dataset, dump, position"
    return [
        _Part(kind, own + "FROM {t} WHERE key_scheme IS NOT NULL", "key_scheme"),
        _nested(kind, "identifiers", "i", rest),
    ]


def _genre(kind: str) -> _Part:
    return _nested(
        kind, "genres", "genre", f"id AS entity_id, '{kind}' AS kind, genre, source, dataset, dump, position"
    )


def _claim(kind: str) -> _Part:
    return _nested(kind, "claims", "c", f"id AS entity_id, '{kind}' AS kind, c.licence AS licence, c.url AS url, "
                   "c.evidence AS evidence, NULL::VARCHAR AS of_source, NULL::VARCHAR AS of_key, source, dataset, "
                   "dump, position")  # fmt: skip


FACTS: dict[str, list[_Part]] = {
    "recording": [_Part("recording", f"SELECT id, key::VARCHAR AS key, title, duration_ms, year, language, flags, "
                        f"{_PROVENANCE} FROM {{t}}")],
    "release": [_Part("release", f"SELECT id, key::VARCHAR AS key, title, year, date, kind, label, country, flags, "
                      f"{_PROVENANCE} FROM {{t}}")],
    "artist": [_Part("artist", f"SELECT id, key::VARCHAR AS key, name, sort_name, {_PROVENANCE} FROM {{t}}")],
    "track": [_nested("recording", "tracks", "t", "t.release_id AS release_id, t.disc AS disc, t.number AS number, "
                      "id AS recording_id, t.title AS title, source, dataset, dump, position")],
    "credit": [_credit("recording"), _credit("release")],
    "identifier": [*_identifier("recording"), *_identifier("release"), *_identifier("artist")],
    "genre": [_genre("recording"), _genre("release")],
    "signal": [
        _Part("recording", f"SELECT id AS recording_id, 'listens' AS kind, listens::DOUBLE AS value, "
              f"listens_licence AS licence, coalesce(listens_synthetic, false) AS synthetic, "
              f"NULL::VARCHAR AS of_source, NULL::VARCHAR AS of_key, {_PROVENANCE} FROM {{t}} "
              "WHERE listens IS NOT NULL", "listens"),
        _nested("recording", "signals", "s", "id AS recording_id, s.kind AS kind, s.value AS value, "
                "s.licence AS licence, coalesce(s.synthetic, false) AS synthetic, NULL::VARCHAR AS of_source, "
                "NULL::VARCHAR AS of_key, source, dataset, dump, position"),
    ],
    "claim": [_claim("recording"), _claim("release")],
}  # fmt: skip
"""Fact table → the queries that give a wide table's rows its columns."""


def shown(kind: str, value: str) -> str:
    """SQL of a shown id (docs/formats/id.md): the letter of the kind, and 13 base32 characters."""
    letter = " ".join(f"WHEN '{k.word}' THEN '{k.value}'" for k in Kind)
    digits = " || ".join(f"'{_ALPHABET}'[(({value} >> {5 * i}) & 31) + 1]" for i in reversed(range(13)))
    return f"(CASE {kind} {letter} END || {digits})"


def _over(fact: str, chosen: str) -> list[_Part]:
    return [_Part(part.table, f"{chosen} FROM ({part.query})", part.column) for part in FACTS[fact]]


_FACT_OF = {"tracks": "track", "credits": "credit", "identifiers": "identifier", "genres": "genre"}
_MERGED: dict[str, list[_Part]] = {
    "recordings": [_Part("recording", "SELECT id, title, artist, release, release_id, coalesce(year, release_year) "
                         "AS year, duration_ms, language, flags, source, dump, "
                         "member || ':' || line AS position FROM {t}")],
    "releases": [_Part("release", "SELECT id, title, artist, year, date, kind, label, country, "
                       "track_count AS tracks, flags, source, dump, member || ':' || line AS position FROM {t}")],
    "artists": [_Part("artist", "SELECT id, name, sort_name, source, dump, member || ':' || line AS position "
                      "FROM {t}")],
    "signals": _over("signal", f"SELECT recording_id, kind, value, licence, synthetic, {_ROW}"),
    "claims": _over("claim", f"SELECT kind, {shown('kind', 'entity_id')} AS subject, licence, url, evidence, {_ROW}"),
    **{name: _over(fact, "SELECT * EXCLUDE (dataset)")
       for name, fact in _FACT_OF.items()},
}  # fmt: skip
"""Merged table → the queries that give a wide table's rows its columns."""


_ASKED = {kind: sorted({part.column for parts in FACTS.values() for part in parts if part.table == kind})
          for kind in KINDS}  # fmt: skip
"""Wide table → the columns that queries ask for."""
Given = Mapping[tuple[str, str], str]
"""Wide table, and a column of it → SQL of the rows in which the column may hold something (``id``: of all rows)."""


def scans(places: Places, generation: Generation) -> dict[tuple[str, str], str]:
    """The rows of all wide partitions (:data:`Given`); no entry where there are none."""
    found: dict[tuple[str, str], list[str]] = {}
    for part in generation.wide:
        for table, chunks in part.wide.items():
            for column in _ASKED[table]:
                some = [chunk.rows for chunk in chunks if column not in chunk.empty]
                if some:
                    found.setdefault((table, column), []).append(_scan(places.paths(some)))
    return {key: f"({' UNION ALL '.join(queries)})" for key, queries in found.items()}


def _scan(paths: Sequence[Path]) -> str:
    # A key is a UUID in one partition and a text in another: every scan gives it as text.
    return f"SELECT * REPLACE (key::VARCHAR AS key) FROM {parquet(paths)}"


def union(parts: Iterable[_Part], given: Given) -> list[str]:
    """The queries of those parts that have rows."""
    keyed = [(part, (part.table, part.column)) for part in parts]
    return [part.query.replace("{t}", given[key]) for part, key in keyed if key in given]


def facts(given: Given, table: str) -> list[str]:
    """Queries with the columns of a flat fact table."""
    return union(FACTS[table], given)


def merged(given: Given, table: str) -> list[str]:
    """Queries with the columns of a merged table."""
    return union(_MERGED[table], given)


def without_overlaps(given: Given, kinds: Iterable[str]) -> dict[tuple[str, str], str]:
    """The same rows, but for those that the merged tables have: tables ``overlap_<kind>`` hold their ids."""
    hidden = set(kinds)
    return {key: _joined(scan, "ANTI", key[0]) if key[0] in hidden else scan for key, scan in given.items()}


def only_overlaps(given: Given, kinds: Iterable[str]) -> dict[tuple[str, str], str]:
    """Only the rows that the merged tables take over."""
    shown_kinds = set(kinds)
    return {key: _joined(scan, "SEMI", key[0]) for key, scan in given.items() if key[0] in shown_kinds}


def _joined(scan: str, how: str, table: str) -> str:
    return f"(SELECT w.* FROM {scan} w {how} JOIN overlap_{table} o ON w.id = o.id)"


def name_overlaps(connection: duckdb.DuckDBPyConnection, places: Places, generation: Generation) -> list[str]:
    """Make the views ``overlap_<kind>``; returns the kinds that have any."""
    for kind in generation.overlapping:
        paths = places.paths(generation.overlaps[kind])
        connection.execute(f"CREATE OR REPLACE VIEW overlap_{kind} AS FROM {parquet(paths)}")
    return list(generation.overlapping)
