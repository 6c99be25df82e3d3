"""Values as dumps write them → values as the catalogue keeps them, with a flag where one is suspicious.

Each function is total: whatever comes in, it returns a value (or None) and never raises. The flags are
listed in docs/reference/sources.md.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Mapping as MappingOf
from typing import Any

HOURS_10 = 36_000_000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_HIGH_CONTROL = re.compile(r"[\x80-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_BIDI = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
_BLANKS = re.compile(r"[\t\n\r ]+")
_NOTHING = frozenset({"", "n/a", "na", "null", "none", "nil", "-", "?", "unknown", "\\n"})
_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,4}):(\d{1,2}(?:\.\d{1,12})?)", re.ASCII)
_NUMBER = re.compile(r"\d{1,18}(?:\.\d{1,18})?(?:[eE][+]?\d{1,2})?", re.ASCII)
_MARKS = frozenset(",_")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d*)?", re.ASCII)
_ISO_DURATION = re.compile(r"PT(?:(\d{1,4})H)?(?:(\d{1,6})M)?(?:(\d{1,8}(?:\.\d{1,9})?)S)?", re.ASCII)
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
_MBID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_ISO_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?(?:[T ].*)?", re.ASCII)
_US_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: .*)?", re.ASCII)
_UNITS = {"s": 1000, "ms": 1, "min": 60_000}

Flags = set[str]


def text(value: Any, flags: Flags) -> str | None:
    """One line of text, or None for an empty one. Numbers come as they are written.

    Bytes that were not in the file's encoding and lone surrogates become U+FFFD (``bad-encoding``); UTF-8 that
    was once read as Latin-1 is mended where it shows by control characters that nobody types (``mended-encoding``);
    other control characters go (``control-characters``); overrides of the writing direction stay (``bidi-control``).
    """
    if value is None:
        return None
    if isinstance(value, list):
        return text("; ".join(str(v) for v in value), flags)
    return phrase(value if isinstance(value, str) else str(value), flags).strip() or None


def phrase(found: str, flags: Flags) -> str:
    """What stands between two names: as :func:`text`, but blanks at its ends stay, one at each."""
    if _SURROGATE.search(found):
        flags.add("bad-encoding")
        found = _SURROGATE.sub("\ufffd", found)
    elif "\ufffd" in found:
        flags.add("bad-encoding")
    if _HIGH_CONTROL.search(found):
        found = _mended(found, flags)
    if _CONTROL.search(found):
        flags.add("control-characters")
        found = _CONTROL.sub("", found)
    if _BIDI.search(found):
        flags.add("bidi-control")
    return _BLANKS.sub(" ", found)


def key(value: Any) -> str:
    """A part of a key: as written, without blanks at its ends; bytes that are no text are spelled out.

    Nothing is mended here, since ids are made from keys and must not change when mending gets better.
    """
    return "" if value is None else str(value).strip().encode("utf-8", "backslashreplace").decode("utf-8")


def _mended(written: str, flags: Flags) -> str:
    try:
        found = written.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return written
    flags.add("mended-encoding")
    return found


def is_nothing(value: Any) -> bool:
    """True for what dumps write where they know nothing: empty, ``n/a``, ``null``, ``-`` ..."""
    return value is None or (isinstance(value, str) and value.strip().lower() in _NOTHING)


def duration(value: Any, flags: Flags, unit: str = "s") -> int | None:
    """A length in milliseconds.

    Args:
        value: a number, or text: ``305.83``, ``03:45``, ``1:02:03``, ``PT3M45S``; ``n/a`` and the like are None.
        unit: ``s``, ``ms`` or ``min``, of plain numbers.
    """
    if is_nothing(value) or isinstance(value, bool):
        return None
    milliseconds = _milliseconds(str(value).strip(), unit)
    if milliseconds is None or milliseconds > 1e12:
        flags.add("bad-duration")
        return None
    whole = round(milliseconds)
    if whole == 0:
        flags.add("zero-duration")
    if whole >= HOURS_10:
        flags.add("ten-hours")
    return whole


def _milliseconds(written: str, unit: str) -> float | None:
    if _NUMBER.fullmatch(written):
        return float(written) * _UNITS[unit]
    if clock := _CLOCK.fullmatch(written):
        hours, minutes, seconds = clock.groups()
        if float(seconds) >= 60 or (hours and int(minutes) >= 60):
            return None
        return (int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds)) * 1000
    iso = _ISO_DURATION.fullmatch(written.upper())
    if iso and any(iso.groups()):
        hours, minutes, seconds = iso.groups()
        return (int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds or 0)) * 1000
    return None


def number(value: Any, flags: Flags, flag: str = "bad-number") -> float | None:
    """A finite number that is not negative: a count, a rating. None, with the flag, for anything else written.

    A comma stands between thousands (``1,293``): with a decimal one (``4,5``) it is not known what was meant.
    """
    if is_nothing(value) or isinstance(value, bool):
        return None
    written = value.strip() if isinstance(value, str) else value
    if isinstance(written, str) and not _MARKS.isdisjoint(written):
        written = written.replace(",", "") if _THOUSANDS.fullmatch(written) else "none"
    try:
        found = float(written)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not (isinstance(written, str) and not written.isascii()) and math.isfinite(found) and found >= 0:
        return found
    flags.add(flag)
    return None


def count(value: Any, flags: Flags, flag: str = "bad-number") -> int | None:
    """A whole number from 1 to 32 bits (a disc, a track): 0 means unknown, ``3/12`` is 3."""
    if isinstance(value, str):
        value = value.partition("/")[0]
    found = number(value, flags, flag)
    if not found:
        return None
    if found != int(found) or found >= 2**31:
        flags.add(flag)
        return None
    return int(found)


def year(value: Any, flags: Flags) -> int | None:
    """The year of a date as :func:`date` reads it."""
    written = date(value, flags)
    return int(written[:4]) if written else None


def date(value: Any, flags: Flags) -> str | None:
    """``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``: as much as is known and exists in the calendar.

    Reads ISO 8601 with ``00`` for unknown parts, and ``11/26/2008 01:43:26 AM``. ``year-0000`` and ``bad-date``
    (month 13, 31 February, two-digit years) say what was left out.
    """
    if is_nothing(value) or isinstance(value, bool):
        return None
    written = str(value).strip()
    if iso := _ISO_DATE.fullmatch(written.removesuffix(".0")):
        return _calendar(int(iso[1]), int(iso[2] or 0), int(iso[3] or 0), flags)
    if american := _US_DATE.fullmatch(written):
        return _calendar(int(american[3]), int(american[1]), int(american[2]), flags)
    flags.add("bad-date")
    return None


_SHORT_DATE = re.compile(r"\d{1,2}/\d{1,2}/(\d{2})", re.ASCII)


def short_year(value: Any, latest: int | None, flags: Flags) -> int | None:
    """The year of ``1/01/06``: the last one with these digits that is not after ``latest``; ``two-digit-year``.

    None where the value is not written so, or ``latest`` is not known.
    """
    short = _SHORT_DATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if short is None or latest is None:
        return None
    flags.add("two-digit-year")
    found = latest - latest % 100 + int(short[1])
    return found if found <= latest else found - 100


def _calendar(year_: int, month: int, day: int, flags: Flags) -> str | None:
    if year_ == 0:
        flags.add("year-0000")
        return None
    if year_ < 1000 or year_ > 2999:
        flags.add("bad-date")
        return None
    if not 0 <= month <= 12:
        flags.add("bad-date")
        return f"{year_:04d}"
    if month == 0:
        return f"{year_:04d}"
    if day == 0:
        return f"{year_:04d}-{month:02d}"
    try:
        return datetime.date(year_, month, day).isoformat()
    except ValueError:
        flags.add("bad-date")
        return f"{year_:04d}-{month:02d}"


def isrc(value: Any, flags: Flags) -> str | None:
    """An ISRC (ISO 3901) without hyphens, in capitals; None and ``bad-isrc`` for what is none."""
    if is_nothing(value):
        return None
    written = re.sub(r"[\s-]", "", str(value)).removeprefix("ISRC")
    found = written.upper() if written.isascii() else ""
    if _ISRC.fullmatch(found):
        return found
    flags.add("bad-isrc")
    return None


def upc(value: Any, flags: Flags) -> str | None:
    """A barcode (UPC, EAN) of 8, 12, 13 or 14 digits whose check digit is right; else None and ``bad-upc``."""
    if is_nothing(value):
        return None
    found = re.sub(r"[\s-]", "", str(value))
    digits = [int(c) for c in found] if found.isascii() and found.isdigit() else []
    total = sum(d * (3 if i % 2 else 1) for i, d in enumerate(reversed(digits)))
    if len(digits) in {8, 12, 13, 14} and total % 10 == 0:
        return found
    flags.add("bad-upc")
    return None


def mbid(value: Any, flags: Flags) -> str | None:
    """A MusicBrainz id (a UUID) in small letters, also out of its address; else None and ``bad-mbid``."""
    if is_nothing(value):
        return None
    found = str(value).strip().rstrip("/").rpartition("/")[2].lower()
    if _MBID.fullmatch(found):
        return found
    flags.add("bad-mbid")
    return None


def items(value: Any, separator: str, flags: Flags) -> list[str]:
    """A list's texts: of a real list, or of text cut at the separator ('' does not cut). Empty ones go."""
    if is_nothing(value):
        return []
    if not isinstance(value, list):
        value = str(value).split(separator) if separator else [value]
    return [found for part in value if (found := text(part, flags)) is not None]


_CC_ADDRESS = re.compile(r"https?://(?:www\.)?creativecommons\.org/(?:licenses|publicdomain)/[A-Za-z0-9./+-]+")


def licence_address(written: str) -> str:
    """The first Creative Commons address in a text, or ''."""
    found = _CC_ADDRESS.search(written[:10_000])
    return found[0].rstrip(".") if found else ""


def is_damaged(row: MappingOf[str, Any]) -> bool:
    """True where a cell of the row, kept or not, holds bytes that are not in the file's encoding."""
    return any(isinstance(v, str) and not v.isascii() and _SURROGATE.search(v) for v in row.values())
