"""SQL of :mod:`fonoteca.sources.values`: a dump's values as the catalogue keeps them, and the flags of odd ones.

Each function gives an expression. Nearly all values are in order, so each looks for anything odd first, with one
pattern, and does the rest only where there is. Tests hold both against each other.
"""

from __future__ import annotations

from fonoteca.sources import values

_CONTROL = r"[\x{0}-\x{8}\x{b}\x{c}\x{e}-\x{1f}\x{7f}-\x{9f}]"
_BIDI = r"[\x{202a}-\x{202e}\x{2066}-\x{2069}]"
_SPACES = r" \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
_ODD = (
    r"[\x{0}-\x{1f}\x{7f}-\x{9f}\x{fffd}\x{202a}-\x{202e}\x{2066}-\x{2069}]"
    rf"|^[{_SPACES}]|[{_SPACES}]$|  "
)
_BLANKS = r"[\t\n\r ]+"
_NOTHING = ("", "n/a", "na", "null", "none", "nil", "-", "?", "unknown", "\\n")
NO_FLAGS = "[]::VARCHAR[]"


def odd(column: str) -> str:
    """Whether a text needs a second look."""
    return f"regexp_matches({column}, '{_ODD}')"


def _mended(column: str) -> str:
    """UTF-8 that was once read as Latin-1, read again; the text itself where it is something else."""
    hexed = f"list_transform(range(1, length({column}) + 1), lambda i: printf('%02x', unicode({column}[i])))"
    again = f"TRY(decode(unhex(array_to_string({hexed}, ''))))"
    return (
        f"CASE WHEN regexp_matches({column}, '[\\x{{80}}-\\x{{9f}}]') AND NOT regexp_matches({column}, "
        f"'[^\\x{{0}}-\\x{{ff}}]') THEN coalesce({again}, {column}) ELSE {column} END"
    )


def _tidy(column: str) -> str:
    bare = f"regexp_replace({_mended(column)}, '{_CONTROL}', '', 'g')"
    return f"regexp_replace({bare}, '{_BLANKS}', ' ', 'g')"


def text(column: str) -> str:
    """:func:`values.text`."""
    cut = f"regexp_replace(regexp_replace({_tidy(column)}, '^[{_SPACES}]+', ''), '[{_SPACES}]+$', '')"
    return f"nullif(CASE WHEN {odd(column)} THEN {cut} ELSE {column} END, '')"


def phrase(column: str) -> str:
    """:func:`values.phrase`: blanks at the ends stay."""
    return f"CASE WHEN {odd(column)} THEN {_tidy(column)} ELSE {column} END"


def text_flags(column: str) -> str:
    """The flags of :func:`values.text`: a list with nulls in it."""
    mended = _mended(column)
    return (
        f"CASE WHEN {odd(column)} THEN [{flag(f'contains({column}, chr(65533))', 'bad-encoding')}, "
        f"{flag(f'{mended} <> {column}', 'mended-encoding')}, "
        f"{flag(f'regexp_matches({mended}, {chr(39)}{_CONTROL}{chr(39)})', 'control-characters')}, "
        f"{flag(f'regexp_matches({mended}, {chr(39)}{_BIDI}{chr(39)})', 'bidi-control')}] ELSE {NO_FLAGS} END"
    )


def flag(condition: str, name: str) -> str:
    """The flag where the condition holds."""
    return f"CASE WHEN {condition} THEN '{name}' END"


def flags(lists: list[str], *conditions: tuple[str, str], when: str) -> str:
    """Flags of one row, sorted, each once; looked at only where ``when`` holds."""
    named = ", ".join(flag(condition, name) for condition, name in conditions)
    all_ = f"list_concat([{named}]::VARCHAR[], {', '.join(lists)})" if lists else f"[{named}]::VARCHAR[]"
    found = f"list_sort(list_distinct(list_filter({all_}, lambda f: f IS NOT NULL)))"
    return f"CASE WHEN {when} THEN {found} ELSE {NO_FLAGS} END"


def duration(column: str) -> str:
    """:func:`values.duration` of whole milliseconds."""
    return f"CASE WHEN {column} BETWEEN 0 AND 1000000000000 THEN {column} END"


def duration_flags(column: str) -> tuple[tuple[str, str], ...]:
    """Its flags, each with its condition."""
    return (
        (f"{column} = 0", "zero-duration"),
        (f"{column} BETWEEN {values.HOURS_10} AND 1000000000000", "ten-hours"),
        (f"NOT {column} BETWEEN 0 AND 1000000000000", "bad-duration"),
    )


def isrc(column: str) -> str:
    """:func:`values.isrc`."""
    pattern = "[A-Z]{2}[A-Z0-9]{3}[0-9]{7}"
    bare = f"regexp_replace({column}, '[\\s{_SPACES}-]', '', 'g')"
    bare = f"upper(CASE WHEN starts_with({bare}, 'ISRC') THEN substr({bare}, 5) ELSE {bare} END)"
    mended = f"CASE WHEN regexp_full_match({bare}, '{pattern}') THEN {bare} END"
    return f"CASE WHEN regexp_full_match({column}, '{pattern}') THEN {column} ELSE {mended} END"


def _is_nothing(column: str) -> str:
    listed = ", ".join(f"'{word}'" for word in _NOTHING)
    return f"lower(trim({column})) IN ({listed})"


def upc(column: str) -> tuple[str, str]:
    """:func:`values.upc` of a text, and the condition of ``bad-upc``."""
    bare = f"regexp_replace({column}, '[\\s{_SPACES}-]', '', 'g')"
    padded = f"lpad({bare}, 14, '0')"
    total = " + ".join(f"{3 if i % 2 else 1} * (ascii({padded}[{i}]) - 48)" for i in range(1, 15))
    good = (
        f"regexp_full_match({bare}, '[0-9]{{8}}|[0-9]{{12,14}}') AND ({total}) % 10 = 0 AND NOT {_is_nothing(column)}"
    )
    return (
        f"CASE WHEN {good} THEN {bare} END",
        f"{column} IS NOT NULL AND NOT ({good}) AND NOT {_is_nothing(column)}",
    )


def date(year: str, month: str, day: str) -> str:
    """:func:`musicbrainz_fields.date` of three numbers, any of them null."""
    y, m, d = f"lpad({year}::VARCHAR, 4, '0')", f"lpad({month}::VARCHAR, 2, '0')", f"lpad({day}::VARCHAR, 2, '0')"
    return (
        f"CASE WHEN {year} IS NULL OR {year} NOT BETWEEN 1000 AND 2999 THEN NULL "
        f"WHEN {month} IS NULL OR {month} NOT BETWEEN 1 AND 12 THEN {y} "
        f"WHEN {day} IS NULL OR TRY_CAST({y} || '-' || {m} || '-' || {d} AS DATE) IS NULL THEN {y} || '-' || {m} "
        f"ELSE {y} || '-' || {m} || '-' || {d} END"
    )


def date_flags(year: str, month: str, day: str) -> tuple[tuple[str, str], ...]:
    """Its flags, each with its condition."""
    full = f"TRY_CAST({year} || '-' || {month} || '-' || {day} AS DATE)"
    in_month = f"({month} > 0 AND {day} <> 0 AND {full} IS NULL)"
    out = f"{year} NOT BETWEEN 1000 AND 2999 OR {month} NOT BETWEEN 0 AND 12 OR {in_month}"
    return (f"{year} = 0", "year-0000"), (f"{year} <> 0 AND ({out})", "bad-date")
