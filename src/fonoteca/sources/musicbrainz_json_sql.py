"""What MusicBrainz's JSON dumps mean, in SQL. Python says the same in :mod:`fonoteca.sources.musicbrainz_json_rows`."""

from __future__ import annotations

from fonoteca.sources import links
from fonoteca.sources import musicbrainz_clean as clean
from fonoteca.sources.musicbrainz_tables import STATUS_FLAGS

STATUSES = {"Bootleg": "bootleg", "Pseudo-Release": "pseudo-release"}
assert set(STATUSES.values()) == set(STATUS_FLAGS.values())
_NAMES = "STRUCT(scheme VARCHAR, value VARCHAR)[]"
_TRACK = "STRUCT(release_id BIGINT, disc INTEGER, number INTEGER, title VARCHAR)"
_CREDITS = "STRUCT(artist_id BIGINT, name VARCHAR, role VARCHAR, joined_by VARCHAR)[]"
_CLAIMS = "[]::STRUCT(licence VARCHAR, url VARCHAR, evidence VARCHAR)[]"
_SIGNALS = "[]::STRUCT(kind VARCHAR, value DOUBLE, licence VARCHAR, synthetic BOOLEAN)[]"
_NO_YEAR = 32767
_RANKS = 512
"""Places in one credit."""
_SORT_NAME = 'n.artist."sort-name"'
_CATALOGUE_NUMBER = 'l."catalog-number"'
_CREDIT = '"artist-credit"'
_GROUP = '"release-group".id'
_MBID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_USUAL_MBID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_USUAL_LENGTH = "[1-9][0-9]{0,6}"
"""Of milliseconds: nothing is to be said of it."""
_USUAL_PHRASES = "('', ' & ', ', ', ' feat. ', ' / ', ' x ', ' and ', ' with ')"
_ISRC = "[A-Z]{2}[A-Z0-9]{3}[0-9]{7}"


def _id(kind: str, key: str) -> str:
    return f"entity_id('{kind}', 'musicbrainz', {key})"


def mbid(text: str) -> str:
    """An id as it must be written, as text, else null."""
    return f"CASE WHEN regexp_full_match({text}, '{_MBID}') THEN lower({text}) END"


def key(text: str) -> str:
    """An id as UUID, else null."""
    return f"({mbid(text)})::UUID"


# --- credits ----------------------------------------------------------------------------------------------------------


def _name_key(name: str) -> str:
    """The key of an artist who is known by name only, as everywhere."""
    return f"'name:' || trim(nfc_normalize({name}))"


def _name(name: str) -> str:
    return f"coalesce({clean.text(name + '.name')}, '')"


def _usual_credit(credit: str, size: int) -> tuple[str, str]:
    """Whether a credit has so many names with nothing odd in any, and what it then is."""
    each = [f"{credit}[{place}]" for place in range(1, size + 1)]
    good = [f"""regexp_full_match({one}.artist.id, '{_USUAL_MBID}') AND {one}.name <> '' AND
        NOT {clean.odd(one + ".name")} AND {one}.joinphrase IN {_USUAL_PHRASES}""" for one in each]  # fmt: skip
    made = [f"""struct_pack(artist_id := {_id("artist", f"{one}.artist.id")}, name := {one}.name, role := 'artist',
        joined_by := {one}.joinphrase)""" for one in each]  # fmt: skip
    return " AND ".join([f"len({credit}) = {size}", *good]), f"[{', '.join(made)}]"


def credits_of(credit: str) -> str:
    """The list of credits of an ``artist-credit``.

    Usual ones go a way without functions over lists: the engine prepares the patterns in those anew for every vector.
    """
    usual = " ".join("WHEN {} THEN {}".format(*_usual_credit(credit, size)) for size in (1, 2, 3))
    told = f"""list_transform({credit}, lambda n: struct_pack(key := {mbid("n.artist.id")}, name := {_name("n")},
        joined_by := CASE WHEN n.joinphrase IN {_USUAL_PHRASES} THEN n.joinphrase ELSE
            {clean.phrase("coalesce(n.joinphrase, '')")} END))"""
    usable = f"list_filter({told}, lambda n: n.key IS NOT NULL OR n.name <> '')"
    return f"""CASE {usual} ELSE coalesce(list_transform({usable}, lambda n: struct_pack(
        artist_id := {_id("artist", f"coalesce(n.key, {_name_key('n.name')})")}, name := n.name, role := 'artist',
        joined_by := n.joined_by)), [])::{_CREDITS} END"""


def credit_text(credits_: str) -> str:
    """A list of credits as one text."""
    only = f"{credits_}[1]"
    return f"""nullif(CASE WHEN len({credits_}) = 1 THEN {only}.name || {only}.joined_by ELSE
        array_to_string(list_transform({credits_}, lambda x, i: x.name || CASE WHEN x.joined_by = '' AND
        x.name <> '' AND i < len({credits_}) THEN ', ' ELSE x.joined_by END), '') END, '')"""


def artists_of(source: str, credit: str) -> str:
    """Rows of the artists that credits name: key, name, sort_name, where they came first. ``pos`` orders rows.

    What is written is grouped first and cleaned then: most names come many times.
    """
    return f"""
    SELECT coalesce(mbid, {_name_key("credited")}) AS key, coalesce({clean.text("name")}, credited) AS name,
        {clean.text("sort_name")} AS sort_name, NULL::{_NAMES} AS identifiers, first, member, line,
        mbid IS NOT NULL AS known
    FROM (SELECT {mbid("artist")} AS mbid, coalesce({clean.text("credited")}, '') AS credited, * EXCLUDE (credited)
        FROM (SELECT n.artist.id AS artist, CASE WHEN length(n.artist.id) >= 36 THEN NULL ELSE n.name END AS nameless,
                arg_min(coalesce(n.name, ''), rank) AS credited, arg_min(n.artist.name, rank) AS name,
                arg_min({_SORT_NAME}, rank) AS sort_name, min(rank) AS first, arg_min(member, rank) AS member,
                arg_min(line, rank) AS line
            FROM (SELECT n, pos * {_RANKS} + least(place, {_RANKS - 1}) AS rank, member, line
                FROM (SELECT unnest({credit}) AS n, unnest(range(len({credit}))) AS place, pos, member, line
                    FROM {source}))
            GROUP BY artist, nameless))
    WHERE mbid IS NOT NULL OR credited <> ''"""


# --- recordings -------------------------------------------------------------------------------------------------------


def _number(text: str) -> str:
    return f"regexp_full_match({text}, '[0-9]{{1,18}}([.][0-9]{{1,18}})?')"


def _length(text: str) -> str:
    return f"CASE WHEN {_number(text)} AND {text}::DOUBLE <= 1e12 THEN floor({text}::DOUBLE + 0.5)::BIGINT END"


def _date_parts(text: str) -> tuple[str, str, str]:
    good = f"regexp_full_match({text}, '[0-9]{{4}}(-[0-9]{{2}}){{0,2}}')"
    return tuple(
        f"(CASE WHEN {good} THEN try_cast(substr({text}, {at}, {size}) AS INTEGER) END)"
        for at, size in ((1, 4), (6, 2), (9, 2))
    )  # type: ignore[return-value]


def _is_usual(text: str) -> str:
    """Whether it is a date that surely exists, or the year or month of one: most are."""
    return f"regexp_full_match({text}, '[12][0-9]{{3}}(-(0[1-9]|1[0-2])(-(0[1-9]|1[0-9]|2[0-8]))?)?')"


def date(text: str) -> str:
    """As much of a date as is known and exists."""
    return f"CASE WHEN {_is_usual(text)} THEN {text} ELSE {clean.date(*_date_parts(text))} END"


def _date_flags(text: str) -> tuple[tuple[str, str], ...]:
    year, month, day = _date_parts(text)
    written = f"({text} <> '' AND {year} IS NULL)"
    return tuple((f"({condition})" + (f" OR {written}" if flag == "bad-date" else ""), flag)
                 for condition, flag in clean.date_flags(year, f"coalesce({month}, 0)", f"coalesce({day}, 0)")
                 )  # fmt: skip


def _identifiers(recording: str) -> str:
    isrcs, works = f"{recording}.isrcs", f"{recording}.relations"
    isrc, work = f"{isrcs}[1]", f"{works}[1]"
    usual = f"""coalesce(len({isrcs}), 0) <= 1 AND coalesce(len({works}), 0) <= 1
        AND coalesce(regexp_full_match({isrc}, '{_ISRC}'), true)
        AND {work}."target-type" IS DISTINCT FROM 'url'
        AND ({work}."target-type" IS DISTINCT FROM 'work' OR (coalesce(len({work}.work.iswcs), 0) = 0
            AND coalesce(regexp_full_match({work}.work.id, '{_USUAL_MBID}'), false)))"""
    named, made = (f"struct_pack(scheme := 'isrc', value := {isrc})",
                   f"struct_pack(scheme := 'work_mbid', value := {work}.work.id)")  # fmt: skip
    return f"""CASE WHEN {usual} THEN
            CASE WHEN {work}."target-type" = 'work' AND {isrc} IS NULL THEN [{made}]
                WHEN {work}."target-type" = 'work' THEN [{named}, {made}]
                WHEN {isrc} IS NULL THEN [] ELSE [{named}] END
        ELSE {_all_identifiers(isrcs, works)} END::{_NAMES}"""


def _all_identifiers(isrcs: str, works: str) -> str:
    work = f"list_filter({works}, lambda w: w.\"target-type\" = 'work' AND {mbid('w.work.id')} IS NOT NULL)"
    return f"""list_sort(list_distinct(list_filter(list_concat(
        list_transform({isrcs}, lambda i: struct_pack(scheme := 'isrc', value := {clean.isrc("i")})),
        list_transform({work}, lambda w: struct_pack(scheme := 'work_mbid', value := {mbid("w.work.id")})),
        flatten(list_transform({work}, lambda w: list_transform(w.work.iswcs, lambda i:
            struct_pack(scheme := 'iswc', value := nullif(upper(trim(i)), ''))))),
        {_linked("recording", works)}), lambda x: x.value IS NOT NULL)))"""


def _linked(kind: str, relations: str) -> str:
    """What the addresses among relations identify; a relation that has ended still does. Nulls are in the list."""
    urls = f"list_transform(list_filter({relations}, lambda w: w.\"target-type\" = 'url'), lambda w: w.url.resource)"
    return f"list_transform({urls}, lambda u: {links.identifier_sql(kind, 'u')})"


def described(recording: str, *, data: str = "false") -> str:
    """Columns of a recording: ``recording`` is a row or a structure of the shape."""
    title, length, when = f"{recording}.title", f"{recording}.length", f'{recording}."first-release-date"'
    conditions = (
        (f"{_length(length)} = 0", "zero-duration"), (f"{_length(length)} >= 36000000", "ten-hours"),
        (f"{length} <> '' AND {_length(length)} IS NULL", "bad-duration"), *_date_flags(when),
        (f"{recording}.video = 'true'", "video"), (data, "data-track"),
        (f"len(list_filter({recording}.isrcs, lambda i: trim(i) <> '' AND {clean.isrc('i')} IS NULL)) > 0", "bad-isrc"),
    )  # fmt: skip
    isrcs = f"{recording}.isrcs"
    usual = " AND ".join(f"coalesce({part}, true)" for part in (
        f"NOT {clean.odd(title)}", f"{recording}.video <> 'true'", f"NOT {data}",
        f"({length} = '' OR regexp_full_match({length}, '{_USUAL_LENGTH}'))", f"({when} = '' OR {_is_usual(when)})",
        f"(len({isrcs}) = 0 OR (len({isrcs}) = 1 AND coalesce(regexp_full_match({isrcs}[1], '{_ISRC}'), true)))",
    ))  # fmt: skip
    flags = clean.flags([clean.text_flags(title)], *conditions, when=f"NOT ({usual})")
    return f"""
        {key(recording + ".id")} AS key, {clean.text(title)} AS title,
        try_cast(substr({date(when)}, 1, 4) AS INTEGER) AS year, {_length(length)} AS duration_ms,
        coalesce({flags}, {clean.NO_FLAGS}) AS flags,
        {credits_of(f'{recording}."artist-credit"')} AS credits, {_identifiers(recording)} AS identifiers"""


def tracks(source: str) -> str:
    """One row for each track of releases: its recording as described, and its place. ``pos`` orders all of a dump."""
    release = _id("release", f"({key('id')})::VARCHAR")
    disc = count("m.position")
    listed = f"""flatten(list_transform(media, lambda m: list_concat(
            list_filter([struct_pack(t := m.pregap, data := false, disc := {disc})], lambda x: x.t IS NOT NULL),
            list_transform(m.tracks, lambda t: struct_pack(t := t, data := false, disc := {disc})),
            list_transform(m."data-tracks", lambda t: struct_pack(t := t, data := true, disc := {disc})))))"""
    return f"""
    SELECT {described("u.t.recording", data="u.data")}, {clean.text("u.t.title")} AS written,
        {count("u.t.position")} AS number, u.disc AS disc, release, release_year,
        u.t.recording."artist-credit" AS named, pos + place AS pos, member, line
    FROM (SELECT unnest(list) AS u, unnest(range(len(list))) AS place, release, release_year, pos, member, line
        FROM (SELECT {listed} AS list, {release} AS release, pos, member, line,
                try_cast(substr({date("date")}, 1, 4) AS INTEGER) AS release_year FROM {source}))
    WHERE {mbid("u.t.recording.id")} IS NOT NULL"""


def count(text: str) -> str:
    """A disc's or track's number."""
    number = f"try_cast(CASE WHEN regexp_full_match(trim({text}), '[0-9]{{1,18}}') THEN {text} END AS BIGINT)"
    return f"CASE WHEN {number} BETWEEN 1 AND 2147483647 THEN {number}::INTEGER END"


_RECORDING_END = f"""
    []::VARCHAR[] AS genres, NULL::BIGINT AS listens, NULL::VARCHAR AS listens_licence,
    NULL::BOOLEAN AS listens_synthetic, {_SIGNALS} AS signals, {_CLAIMS} AS claims, member, line"""


def recordings_alone(source: str) -> str:
    """Wide rows of recordings in a dump without releases.

    Staged rows lie in their order, but only sorted ones are written in the same row groups each time.
    """
    return f"""
    SELECT {_id("recording", "key::VARCHAR")} AS id, key, 'mbid' AS key_scheme, title,
        {credit_text("credits")} AS artist, NULL::VARCHAR AS release, NULL::BIGINT AS release_id,
        NULL::INTEGER AS release_year, year, duration_ms,
        NULL::VARCHAR AS language, flags, credits, []::{_TRACK}[] AS tracks, identifiers, {_RECORDING_END}
    FROM {source} ORDER BY pos"""


_RELEASE = _id("release", f"({key('id')})::VARCHAR")
ISSUES = f"SELECT {_RELEASE} AS entity, {clean.text('title')} AS title FROM json_release"
"""Titles of releases by our ids."""
NUMBERED = """
    SELECT key, pos, title, row_number() OVER (ORDER BY pos) - 1 AS n
    FROM (SELECT key, min(pos) AS pos, arg_min(title, pos) AS title FROM json_told GROUP BY key) ORDER BY pos"""
"""Recordings, each where it is told of first, numbered in that order."""


def recordings(first: int, last: int) -> str:
    """Wide rows of the recordings with these numbers (view ``json_numbered``), where there are releases."""
    here = f"n >= {first} AND n < {last}"
    return f"""
    SELECT {_id("recording", "r.key::VARCHAR")} AS id, r.key, 'mbid' AS key_scheme, r.title,
        {credit_text("r.credits")} AS artist, i.title AS release, i.entity AS release_id,
        nullif((t.first >> 64)::INTEGER, {_NO_YEAR}) AS release_year, r.year, r.duration_ms, NULL::VARCHAR AS language,
        r.flags, r.credits, coalesce(t.tracks, [])::{_TRACK}[] AS tracks, r.identifiers, {_RECORDING_END}
    FROM (SELECT m.n, o.* FROM json_numbered m JOIN json_told o ON o.pos = m.pos WHERE {here}) r
    LEFT JOIN (SELECT n, list_sort(list_distinct(list(struct_pack(release_id := release, disc := disc,
                number := number, title := CASE WHEN p.written <> m.title OR m.title IS NULL THEN p.written END))))
                AS tracks,
            min(coalesce(release_year, {_NO_YEAR})::HUGEINT << 64 | release::HUGEINT) AS first
        FROM json_numbered m JOIN json_track p ON p.key = m.key WHERE {here} GROUP BY n) t ON t.n = r.n
    LEFT JOIN json_issues i ON i.entity = (t.first & 9223372036854775807::HUGEINT)::BIGINT
    ORDER BY r.n"""


# --- releases and artists ---------------------------------------------------------------------------------------------


def releases(source: str) -> str:
    """Wide rows of releases."""
    upc, bad_upc = clean.upc("barcode")
    conditions = (
        *((f"status = '{name}'", flag) for name, flag in STATUSES.items()), *_date_flags("date"), (bad_upc, "bad-upc"),
    )  # fmt: skip
    any_ = " OR ".join(f"coalesce({c}, false)" for c in (*(c for c, _ in conditions), clean.odd("title")))
    return f"""
    SELECT id, key, key_scheme, title, {credit_text("credits")} AS artist,
        try_cast(substr(date, 1, 4) AS INTEGER) AS year, date, kind,
        nullif(array_to_string(list_filter(labels, lambda l, i: list_position(labels, l) = i), '; '), '') AS label,
        country, track_count, flags, credits, identifiers, []::VARCHAR[] AS genres, {_CLAIMS} AS claims, member, line
    FROM (SELECT {_RELEASE} AS id, {key("id")} AS key, 'mbid' AS key_scheme, {clean.text("title")} AS title,
            {credits_of(_CREDIT)} AS credits, {date("date")} AS date,
            nullif("release-group"."primary-type", '') AS kind, coalesce({_LABELS}, []) AS labels,
            nullif(country, '') AS country, {_TRACK_COUNT} AS track_count,
            coalesce({clean.flags([clean.text_flags("title")], *conditions, when=any_)}, {clean.NO_FLAGS}) AS flags,
            list_sort(list_distinct(list_filter(list_concat(
                [struct_pack(scheme := 'upc', value := {upc}),
                 struct_pack(scheme := 'release_group_mbid', value := {mbid(_GROUP)})],
                list_transform("label-info", lambda l: struct_pack(scheme := 'catalogue_number', value :=
                    CASE WHEN lower(trim({_CATALOGUE_NUMBER})) <> '[none]' THEN {clean.text(_CATALOGUE_NUMBER)} END)),
                {_linked("release", "relations")}),
                lambda x: x.value IS NOT NULL)))::{_NAMES} AS identifiers, member, line, pos
        FROM {source}) ORDER BY pos"""


_LABELS = (f"list_filter(list_transform(\"label-info\", lambda l: {clean.text('l.label.name')}), "
           "lambda l: l IS NOT NULL)")  # fmt: skip
_TRACK_COUNT = f"""coalesce(list_sum(list_transform(media, lambda m:
    coalesce(len(list_filter(m.tracks, lambda t: {mbid("t.recording.id")} IS NOT NULL)), 0) +
    coalesce(len(list_filter(m."data-tracks", lambda t: {mbid("t.recording.id")} IS NOT NULL)), 0) +
    CASE WHEN {mbid("m.pregap.recording.id")} IS NULL THEN 0 ELSE 1 END)), 0)::INTEGER"""


def artists(source: str) -> str:
    """Rows of an artist file, as those of :func:`artists_of`, with identifiers."""
    sort_name = clean.text('"sort-name"')
    return f"""
    SELECT {mbid("id")} AS key, coalesce({clean.text("name")}, '') AS name, {sort_name} AS sort_name,
        list_sort(list_distinct(list_filter(list_concat(
            list_transform(isnis, lambda x: struct_pack(scheme := 'isni', value := nullif(upper(trim(x)), ''))),
            list_transform(ipis, lambda x: struct_pack(scheme := 'ipi', value := nullif(trim(x), ''))),
            {_linked("artist", "relations")}),
            lambda x: x.value IS NOT NULL)))::{_NAMES} AS identifiers, pos * {_RANKS} AS first, member, line,
        true AS known FROM {source}"""


ARTISTS = """
    SELECT key, arg_min(name, first) AS name, arg_min(sort_name, first) AS sort_name,
        arg_min(identifiers, first) AS identifiers, arg_min(member, first) AS member, arg_min(line, first) AS line,
        known, row_number() OVER (ORDER BY min(first)) - 1 AS n
    FROM json_artists_told GROUP BY key, known ORDER BY n"""
"""Artists in the order in which they are told of; a file of artists comes before all credits."""


def artist_rows(first: int, last: int) -> str:
    """Wide rows of the artists with these numbers (``json_artists``)."""
    return f"""
    SELECT {_id("artist", "key")} AS id, key, CASE WHEN known THEN 'mbid' END AS key_scheme, coalesce(name, '') AS name,
        sort_name, coalesce(identifiers, [])::{_NAMES} AS identifiers, member, line
    FROM json_artists WHERE n >= {first} AND n < {last} ORDER BY n"""
