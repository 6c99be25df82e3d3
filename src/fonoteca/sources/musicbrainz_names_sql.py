"""What the names in MusicBrainz's canonical dump mean, in SQL. Python says the same in ``musicbrainz_names``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fonoteca.sources import musicbrainz_clean as clean
from fonoteca.sources.bulk import columns, literal
from fonoteca.sources.limits import LIMITS
from fonoteca.sources.musicbrainz_canonical import BLOCK
from fonoteca.sources.musicbrainz_names import CONFLICT

_NAMES = "STRUCT(scheme VARCHAR, value VARCHAR)[]"
_CLAIMS = "[]::STRUCT(licence VARCHAR, url VARCHAR, evidence VARCHAR)[]"
_SIGNALS = "[]::STRUCT(kind VARCHAR, value DOUBLE, licence VARCHAR, synthetic BOOLEAN)[]"
_CREDITS = "STRUCT(artist_id BIGINT, name VARCHAR, role VARCHAR, joined_by VARCHAR)[]"
_KEPT = {
    "recording_mbid": ("UUID", "key"), "recording_name": ("VARCHAR", "title"), "release_mbid": ("UUID", "release"),
    "release_name": ("VARCHAR", "release_title"), "artist_mbids": ("VARCHAR", "artists"),
    "artist_credit_name": ("VARCHAR", "credit"),
}  # fmt: skip
_BROKEN = (("seq", "BIGINT"), *((name, "VARCHAR") for name in ("position", "code", "reason", "raw", "kind")))
NOTHING = """
    SELECT NULL::UUID AS key, '' AS title, NULL::UUID AS release, '' AS release_title, []::UUID[] AS artists,
        '' AS credit, 0 AS seq, '' AS member, 0 AS line WHERE false"""


def _id(kind: str, key: str) -> str:
    return f"entity_id('{kind}', 'musicbrainz', {key}::VARCHAR)"


def reading(path: Path, listed: Sequence[str]) -> str:
    """The query of a piece's rows, one for each line. Names of columns that are not kept do not matter.

    No line is longer than a few limits of cells. The engine's own buffers would be 32 times as long as a line may be.
    """
    types = columns([(_KEPT[name][1] if name in _KEPT else f"c{n}", _KEPT.get(name, ("VARCHAR",))[0])
                     for n, name in enumerate(listed)])  # fmt: skip
    return f"""
    SELECT key, coalesce(title, '') AS title, release, coalesce(release_title, '') AS release_title,
        string_split(lower(replace(replace(artists, '{{', ''), '}}', '')), ',')::UUID[] AS artists,
        coalesce(credit, '') AS credit
    FROM read_csv({literal(path)}, auto_detect=false, header=false, delim=',', quote='"', escape='"', comment='',
        nullstr='', new_line='\\n', max_line_size={BLOCK}, buffer_size={BLOCK}, columns={types})"""


def refused(path: Path) -> str:
    """Where rows stand that were refused while they were read."""
    return (
        f"read_csv({literal(path)}, auto_detect=false, header=false, delim=',', quote='\"', escape='\"', nullstr='', "
        f"new_line='\\n', max_line_size=1048576, parallel=false, columns={columns(_BROKEN)})"
    )


# --- recordings that come again ---------------------------------------------------------------------------------------

_CONTENT = "title, release, release_title, artists, credit"
AGAIN = f"""
    SELECT seq, key, member, line, {_CONTENT}, content = first AS exact FROM (
        SELECT *, first_value(content) OVER w AS first, row_number() OVER w AS n
        FROM (SELECT *, struct_pack({", ".join(f"{c} := {c}" for c in _CONTENT.split(", "))}) AS content
            FROM names_raw SEMI JOIN (SELECT key FROM names_raw GROUP BY key HAVING count(*) > 1) USING (key))
        WINDOW w AS (PARTITION BY key ORDER BY seq)) WHERE n > 1"""
AGAIN_COUNTED = "SELECT count(*) FILTER (exact), count(*) FILTER (NOT exact) FROM names_again"
FIRST = "ANTI JOIN names_again USING (seq)"
CONFLICTS = f"""
    SELECT seq, member || ':' || line AS position, {literal(CONFLICT[0])} AS code, {literal(CONFLICT[1])} AS reason,
        substr(concat(key, ',', title, ',', release, ',', release_title, ',', array_to_string(artists, ' '), ',',
            credit), 1, {LIMITS.raw}) AS raw, 'recording' AS kind
    FROM names_again WHERE NOT exact"""

# --- releases and artists ---------------------------------------------------------------------------------------------

RELEASES = f"""
    SELECT key, {_id("release", "key")} AS id, {clean.text("title")} AS title, title AS written, member, line, tracks,
        row_number() OVER (ORDER BY seq) - 1 AS n
    FROM (SELECT release AS key, min(seq) AS seq, arg_min(release_title, seq) AS title, arg_min(member, seq) AS member,
            arg_min(line, seq) AS line, count(*)::INTEGER AS tracks FROM names GROUP BY release)
    ORDER BY n"""
"""Releases, each where it comes first."""
ARTISTS = f"""
    SELECT key, arg_min(name, seq) AS name, arg_min(member, seq) AS member, arg_min(line, seq) AS line,
        row_number() OVER (ORDER BY min(seq)) - 1 AS n
    FROM (SELECT key, {clean.text("credit")} AS name, seq, member, line
        FROM (SELECT artists[1] AS key, credit, min(seq) AS seq, arg_min(member, seq) AS member,
                arg_min(line, seq) AS line
            FROM names WHERE len(artists) = 1 GROUP BY artists[1], credit))
    WHERE name IS NOT NULL GROUP BY key ORDER BY n"""
"""Artists that are credited alone, by the name that they first have. What is written is grouped first: it repeats."""


def releases(first: int, last: int) -> str:
    """Wide rows of the releases with these numbers."""
    return f"""
    SELECT id, key, 'mbid' AS key_scheme, title, NULL::VARCHAR AS artist, tracks AS track_count,
        {clean.flags([clean.text_flags("written")], when=clean.odd("written"))} AS flags, []::{_CREDITS} AS credits,
        []::{_NAMES} AS identifiers, []::VARCHAR[] AS genres, {_CLAIMS} AS claims, member, line
    FROM names_release WHERE n >= {first} AND n < {last} ORDER BY n"""


def artists(first: int, last: int) -> str:
    """Wide rows of the artists with these numbers."""
    return f"""
    SELECT {_id("artist", "key")} AS id, key, 'mbid' AS key_scheme, name, []::{_NAMES} AS identifiers, member, line
    FROM names_artist WHERE n >= {first} AND n < {last} ORDER BY n"""


def _credit(artist: str, name: str, joined_by: str) -> str:
    return (f"struct_pack(artist_id := {_id('artist', artist)}, name := {name}, role := 'artist', "
            f"joined_by := {joined_by})")  # fmt: skip


def recordings(source: str) -> str:
    """Wide rows of recordings, each with its place on its release."""
    several = _credit("a", "''", "CASE WHEN i = 1 THEN credited ELSE '' END")
    return f"""
    SELECT {_id("recording", "r.key")} AS id, r.key, 'mbid' AS key_scheme, {clean.text("r.title")} AS title,
        nullif(credited, '') AS artist, l.title AS release, l.id AS release_id,
        {clean.flags([clean.text_flags("r.title")], when=clean.odd("r.title"))} AS flags,
        CASE WHEN len(artists) = 1 THEN [{_credit("artists[1]", "credited", "''")}]
            ELSE list_transform(artists, lambda a, i: {several}) END AS credits,
        [struct_pack(release_id := l.id, disc := NULL::INTEGER, number := NULL::INTEGER, title := NULL::VARCHAR)]
            AS tracks,
        []::{_NAMES} AS identifiers, []::VARCHAR[] AS genres, {_SIGNALS} AS signals, {_CLAIMS} AS claims, r.member,
        r.line
    FROM (SELECT *, coalesce({clean.text("credit")}, '') AS credited FROM {source}) r
    JOIN names_release l ON l.key = r.release ORDER BY r.seq"""
