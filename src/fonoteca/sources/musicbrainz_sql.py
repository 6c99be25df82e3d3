"""What the tables of a MusicBrainz dump mean, in SQL: views and queries over the staged tables ``mb_<table>``.

Wide rows are made for one range of ids at a time, so that no list is ever gathered over the whole dump.
"""

from __future__ import annotations

from fonoteca.sources import musicbrainz_clean as clean
from fonoteca.sources.musicbrainz_tables import CORE, KINDS, STATUS_FLAGS

SOURCE = "musicbrainz"
_COUNT = "CASE WHEN {0} BETWEEN 1 AND 2147483647 THEN {0}::INTEGER END"
_NO_NAMES = "[]::STRUCT(scheme VARCHAR, value VARCHAR)[]"
_NO_TRACKS = "[]::STRUCT(release_id BIGINT, disc INTEGER, number INTEGER, title VARCHAR)[]"
_NO_CREDITS = "[]::STRUCT(artist_id BIGINT, name VARCHAR, role VARCHAR, joined_by VARCHAR)[]"
_NO_CLAIMS = "[]::STRUCT(licence VARCHAR, url VARCHAR, evidence VARCHAR)[]"
_NO_SIGNALS = "[]::STRUCT(kind VARCHAR, value DOUBLE, licence VARCHAR, synthetic BOOLEAN)[]"
_NO_YEAR = 32767
_TRUE = "('t', 'true', '1')"


def _count(column: str) -> str:
    return _COUNT.format(column)


def _id(kind: str, key: str) -> str:
    return f"entity_id('{kind}', '{SOURCE}', {key})"


# --- names of artists -------------------------------------------------------------------------------------------------

ARTIST_IDS = f"SELECT id, {_id('artist', 'gid::VARCHAR')} AS entity FROM mb_artist"
_NAME = clean.text("n.name")
_NAME_KEY = "'name:' || trim(nfc_normalize(n.name))"
CREDIT_NAMES = f"""
    SELECT artist_credit, position, coalesce(a.entity, {_id("artist", _NAME_KEY)}) AS artist_id, n.name AS name,
        joined_by, a.entity IS NULL AS nameless, {_NAME_KEY} AS key, line
    FROM (SELECT artist_credit, position, artist, coalesce({_NAME}, '') AS name,
            {clean.phrase("coalesce(n.join_phrase, '')")} AS joined_by, line FROM mb_artist_credit_name n) n
    LEFT JOIN mb_artist_ids a ON a.id = n.artist
    WHERE a.entity IS NOT NULL OR n.name <> ''"""
"""One row a name of a credit. An artist who is not in the dump has an id made from the name, as everywhere."""


def credit_lists(low: int, high: int) -> str:
    """The credits with these numbers: a list of names, and all of them as one text."""
    return f"""
    SELECT artist_credit,
        list_transform(c, lambda x: struct_pack(artist_id := x.artist_id, name := x.name, role := 'artist',
            joined_by := x.joined_by)) AS credits,
        array_to_string(list_transform(c, lambda x, i: x.name || CASE WHEN x.joined_by = '' AND x.name <> '' AND
            i < len(c) THEN ', ' ELSE x.joined_by END), '') AS artist
    FROM (SELECT artist_credit, list_sort(list(struct_pack(position, artist_id, name, joined_by))) AS c
        FROM mb_credit_names WHERE artist_credit >= {low} AND artist_credit < {high} GROUP BY artist_credit)"""


NAMED_ARTISTS = """
    SELECT artist_id AS id, any_value(key) AS key, min(name) AS name, min(line) AS line
    FROM mb_credit_names WHERE nameless GROUP BY artist_id"""
"""Artists who are known by a name in credits only."""

# --- releases ---------------------------------------------------------------------------------------------------------

_DATE_PARTS = ("date_year", "date_month", "date_day")
_YEAR_0000, _BAD_DATE = (condition for condition, _ in clean.date_flags(*_DATE_PARTS))
_EVENTS = f"""
    SELECT release, {clean.date(*_DATE_PARTS)} AS date, code, coalesce({_YEAR_0000}, false) AS year_0000,
        coalesce({_BAD_DATE}, false) AS bad_date
    FROM (SELECT release, {", ".join(_DATE_PARTS)}, code FROM mb_release_country
            LEFT JOIN (SELECT area, min(code) AS code FROM mb_iso_3166_1 GROUP BY area) ON area = country
        UNION ALL SELECT release, {", ".join(_DATE_PARTS)}, NULL FROM mb_release_unknown_country)"""
# '~' sorts behind all of '0' to '9', '-' and letters: of two dates the earlier one, of '1999' and '1999-05' the latter.
ISSUES = f"""
    SELECT r.id, {_id("release", "r.gid::VARCHAR")} AS entity, nullif(split_part(first, '~', 1), '9999') AS date,
        try_cast(substr(nullif(split_part(first, '~', 1), '9999'), 1, 4) AS INTEGER) AS year,
        nullif(split_part(first, '~', 2), '') AS country, coalesce(year_0000, false) AS year_0000,
        coalesce(bad_date, false) AS bad_date, {clean.text("r.name")} AS title
    FROM mb_release r LEFT JOIN (
        SELECT release, min(coalesce(date, '9999') || '~' || coalesce(code, '~~')) AS first,
            bool_or(year_0000) AS year_0000, bool_or(bad_date) AS bad_date
        FROM ({_EVENTS}) GROUP BY release) e ON e.release = r.id"""
"""Each release's id of ours, its first date, and the country of that date."""

PLACES = f"""
    SELECT m.id AS medium, i.entity AS release_id, i.year, {_count("m.position")} AS disc
    FROM mb_medium m JOIN mb_issues i ON i.id = m.release"""
"""Where each medium belongs."""
TRACK_COUNTS = """
    SELECT release_id, sum(tracks)::BIGINT AS tracks FROM {} t JOIN mb_places p ON p.medium = t.medium
    GROUP BY release_id"""
"""Tracks of each release, of those of each medium."""
_KIND = "CASE g.type " + " ".join(f"WHEN {number} THEN '{name}'" for number, name in KINDS.items()) + " END"
_UPC, _BAD_UPC = clean.upc("r.barcode")
_CATALOGUE_NUMBER = clean.text("catalog_number")


def _range(column: str, low: int, high: int) -> str:
    return f"{column} >= {low} AND {column} < {high}"


def _listed(source: str, key: str) -> str:
    """One sorted list of names a key, of rows (key, scheme, value)."""
    return f"""SELECT {key}, CASE WHEN count(*) = 1 THEN list(struct_pack(scheme, value))
            ELSE list_sort(list_distinct(list(struct_pack(scheme, value)))) END AS names
        FROM ({source}) GROUP BY {key}"""


def _release_names(low: int, high: int) -> str:
    group = "" if "release_group" not in CORE else f"""
        UNION ALL SELECT r.id, 'release_group_mbid', g.gid::VARCHAR FROM mb_release r
            JOIN mb_release_group g ON g.id = r.release_group WHERE {_range("r.id", low, high)}"""  # fmt: skip
    return f"""
        SELECT id AS release, 'upc' AS scheme, {_UPC} AS value FROM mb_release r
            WHERE {_range("id", low, high)} AND ({_UPC}) IS NOT NULL
        UNION ALL SELECT release, 'catalogue_number', {_CATALOGUE_NUMBER} FROM mb_release_label
            WHERE {_range("release", low, high)} AND lower(trim(catalog_number)) <> '[none]'
                AND ({_CATALOGUE_NUMBER}) IS NOT NULL
        UNION ALL SELECT new_id, 'mbid', gid::VARCHAR FROM mb_release_gid_redirect
            WHERE {_range("new_id", low, high)}
        UNION ALL FROM mb_release_links WHERE {_range("entity", low, high)}{group}"""


def _labels(low: int, high: int) -> str:
    return f"""
        SELECT release, array_to_string(list_transform(list_sort(list(struct_pack(first, name))), lambda x: x.name),
            '; ') AS label
        FROM (SELECT release, {clean.text("l.name")} AS name, min(rl.id) AS first FROM mb_release_label rl
            JOIN mb_label l ON l.id = rl.label WHERE {_range("release", low, high)} GROUP BY ALL)
        WHERE name IS NOT NULL GROUP BY release"""


_STATUSES = tuple((f"r.status = {number}", name) for number, name in STATUS_FLAGS.items())
_LOST_CREDIT = "c.artist_credit IS NULL AND r.artist_credit IS NOT NULL"


def releases(low: int, high: int, *, credited: bool) -> str:
    """Wide rows of the releases with these numbers."""
    conditions = (*_STATUSES, ("i.year_0000", "year-0000"), ("i.bad_date", "bad-date"), (_BAD_UPC, "bad-upc"),
                  *(((_LOST_CREDIT, "unresolved-credit"),) if credited else ()))  # fmt: skip
    flags = clean.flags([clean.text_flags("r.name")], *conditions, when=_any(conditions, "r.name"))
    return f"""
    SELECT i.entity AS id, r.gid AS key, 'mbid' AS key_scheme, i.title, c.artist, i.year, i.date, {_KIND} AS kind,
        l.label, i.country, coalesce(t.tracks, 0)::INTEGER AS track_count, {flags} AS flags,
        coalesce(c.credits, {_NO_CREDITS}) AS credits, coalesce(n.names, {_NO_NAMES}) AS identifiers,
        {clean.NO_FLAGS} AS genres, {_NO_CLAIMS} AS claims, '{CORE["release"].member}' AS member, r.line
    FROM mb_release r JOIN mb_issues i ON i.id = r.id
    LEFT JOIN mb_credits c ON c.artist_credit = r.artist_credit
    LEFT JOIN mb_release_group g ON g.id = r.release_group
    LEFT JOIN ({_labels(low, high)}) l ON l.release = r.id
    LEFT JOIN mb_track_counts t ON t.release_id = i.entity
    LEFT JOIN ({_listed(_release_names(low, high), "release")}) n ON n.release = r.id
    WHERE {_range("r.id", low, high)} ORDER BY r.id"""


def _any(conditions: tuple[tuple[str, str], ...], *texts: str) -> str:
    """Whether any flag is to be set, cheaply."""
    parts = [f"coalesce({condition}, false)" for condition, _ in conditions] + [
        f"coalesce({clean.odd(column)}, false)" for column in texts
    ]
    return " OR ".join(parts)


# --- recordings -------------------------------------------------------------------------------------------------------

RECORDING_NAMES = f"""
    SELECT recording, 'isrc' AS scheme, {clean.isrc("isrc")} AS value FROM mb_isrc
    UNION ALL SELECT new_id, 'mbid', gid::VARCHAR FROM mb_recording_gid_redirect
    UNION ALL SELECT entity0, 'work_mbid', w.gid::VARCHAR FROM mb_l_recording_work l JOIN mb_work w ON w.id = l.entity1
    UNION ALL SELECT entity0, 'iswc', upper(trim(i.iswc)) FROM mb_l_recording_work l JOIN mb_iswc i
        ON i.work = l.entity1
    UNION ALL FROM mb_recording_links"""
"""All identifiers of recordings but their own MBIDs."""


def _tracks(low: int, high: int) -> str:
    return f"""
        SELECT recording, CASE WHEN count(*) = 1 THEN list(track) ELSE list_sort(list_distinct(list(track))) END
            AS tracks, min(first) AS first, bool_or(data) AS data
        FROM (SELECT t.recording, struct_pack(release_id := p.release_id, disc := p.disc, number :=
                {_count("t.position")}, title := CASE WHEN t.name <> r.name THEN
                nullif({clean.text("t.name")}, coalesce({clean.text("r.name")}, '')) END) AS track,
                coalesce(p.year, {_NO_YEAR})::HUGEINT << 64 | p.release_id::HUGEINT AS first,
                coalesce(t.is_data_track IN {_TRUE}, false) AS data
            FROM mb_track t JOIN mb_recording r ON r.id = t.recording JOIN mb_places p ON p.medium = t.medium
            WHERE {_range("t.recording", low, high)} AND {_range("r.id", low, high)})
        GROUP BY recording"""


def recordings(low: int, high: int, *, credited: bool) -> str:
    """Wide rows of the recordings with these numbers."""
    conditions = (*clean.duration_flags("r.length"), (f"r.video IN {_TRUE}", "video"), ("t.data", "data-track"),
                  *(((_LOST_CREDIT, "unresolved-credit"),) if credited else ()))  # fmt: skip
    flags = clean.flags([clean.text_flags("r.name")], *conditions, when=_any(conditions, "r.name"))
    names = _listed(f"FROM mb_recording_names WHERE {_range('recording', low, high)} AND value IS NOT NULL",
                    "recording")  # fmt: skip
    # Sorted are only columns that differ; what can be made of them, and what is the same in every row, comes after.
    return f"""
    SELECT {_id("recording", "gid::VARCHAR")} AS id, gid AS key, 'mbid' AS key_scheme, title, artist, release,
        release_id, release_year, NULL::INTEGER AS year, {clean.duration("length")} AS duration_ms,
        NULL::VARCHAR AS language, flags,
        coalesce(credits, {_NO_CREDITS}) AS credits, coalesce(tracks, {_NO_TRACKS}) AS tracks,
        coalesce(names, {_NO_NAMES}) AS identifiers, {clean.NO_FLAGS} AS genres, NULL::BIGINT AS listens,
        NULL::VARCHAR AS listens_licence, NULL::BOOLEAN AS listens_synthetic, {_NO_SIGNALS} AS signals,
        {_NO_CLAIMS} AS claims, '{CORE["recording"].member}' AS member, line
    FROM (SELECT r.id, r.gid, {clean.text("r.name")} AS title, r.length, r.line, {flags} AS flags, c.artist, c.credits,
            t.tracks, i.title AS release, i.entity AS release_id, i.year AS release_year, n.names
        FROM mb_recording r
        LEFT JOIN mb_credits c ON c.artist_credit = r.artist_credit
        LEFT JOIN ({_tracks(low, high)}) t ON t.recording = r.id
        LEFT JOIN mb_issues i ON i.entity = (t.first & 9223372036854775807::HUGEINT)::BIGINT
        LEFT JOIN ({names}) n ON n.recording = r.id
        WHERE {_range("r.id", low, high)} ORDER BY r.id)"""


# --- artists ----------------------------------------------------------------------------------------------------------


def _artist_names(low: int, high: int) -> str:
    return f"""
        SELECT artist, 'isni' AS scheme, upper(trim(isni)) AS value FROM mb_artist_isni
            WHERE {_range("artist", low, high)}
        UNION ALL SELECT artist, 'ipi', trim(ipi) FROM mb_artist_ipi WHERE {_range("artist", low, high)}
        UNION ALL SELECT new_id, 'mbid', gid::VARCHAR FROM mb_artist_gid_redirect WHERE {_range("new_id", low, high)}
        UNION ALL FROM mb_artist_links WHERE {_range("entity", low, high)}"""


def artists(low: int, high: int) -> str:
    """Wide rows of the artists with these numbers."""
    return f"""
    SELECT i.entity AS id, a.gid AS key, 'mbid' AS key_scheme, coalesce({clean.text("a.name")}, '') AS name,
        {clean.text("a.sort_name")} AS sort_name, coalesce(n.names, {_NO_NAMES}) AS identifiers,
        '{CORE["artist"].member}' AS member, a.line
    FROM mb_artist a JOIN mb_artist_ids i ON i.id = a.id
    LEFT JOIN ({_listed(_artist_names(low, high), "artist")}) n ON n.artist = a.id
    WHERE {_range("a.id", low, high)} ORDER BY a.id"""


def named_artists(low: int, high: int) -> str:
    """Wide rows of artists who are known by their names only: from row ``low`` to before ``high``."""
    return f"""
    SELECT id, key, NULL::VARCHAR AS key_scheme, name, NULL::VARCHAR AS sort_name, {_NO_NAMES} AS identifiers,
        '{CORE["artist_credit_name"].member}' AS member, line
    FROM mb_named_artists ORDER BY line, id LIMIT {high - low} OFFSET {low}"""
