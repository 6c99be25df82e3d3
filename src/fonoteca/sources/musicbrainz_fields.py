"""Fields of MusicBrainz tables that are made of several numbers or codes: dates, countries, places, truth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fonoteca.sources import values

if TYPE_CHECKING:
    from fonoteca.sources.musicbrainz_memory import Row, Tables

_LAST = "~"
"""Sorts behind digits, letters and hyphens."""
Event = tuple[str | None, str | None, set[str]]


def truth(written: str | None) -> bool:
    """A boolean as COPY writes it; also as numbers and words."""
    return written in ("t", "true", "1")


def count(number: int | None) -> int | None:
    """A disc's or track's number; None for what is none."""
    return number if number is not None and 1 <= number < 2**31 else None


def duration(number: int | None, flags: set[str]) -> int | None:
    """A length in milliseconds."""
    return values.duration(number, flags, "ms")


def date(year: int | None, month: int | None, day: int | None, flags: set[str]) -> str | None:
    """As much of a date as is known and exists: ``YYYY``, ``YYYY-MM``, ``YYYY-MM-DD``; as :func:`values.date`."""
    if year is None:
        return None
    if not 0 <= year <= 9999:
        flags.add("bad-date")
        return None
    # 99 is as wrong as any other number that has not two digits.
    parts = [number if 0 <= number <= 99 else 99 for number in (month or 0, day or 0)]
    return values.date(f"{year:04d}-{parts[0]:02d}-{parts[1]:02d}", flags)


def events(tables: Tables) -> dict[int, Event]:
    """Release → its first date, the country of that date, and flags.

    Of two dates the earlier one is first, of ``1999`` and ``1999-05`` the latter; of two countries the first by code.
    """
    firsts: dict[int, tuple[str, str]] = {}
    odd: dict[int, set[str]] = {}
    for release, when, country, flags in _all_events(tables):
        event = ((when or "9999") + _LAST, country or _LAST)
        firsts[release] = min(firsts.get(release, event), event)
        odd.setdefault(release, set()).update(flags)
    return {
        release: (when[:-1] if when != "9999~" else None, country if country != _LAST else None, odd[release])
        for release, (when, country) in firsts.items()
    }


def _all_events(tables: Tables) -> Iterator[tuple[int, str | None, str | None, set[str]]]:
    countries: dict[int, str] = {}
    for row in tables.rows("iso_3166_1"):
        countries[row["area"]] = min(row["code"], countries.get(row["area"], row["code"]))
    for row in tables.rows("release_country"):
        yield row["release"], *_dated(row, countries.get(row["country"]))
    for row in tables.rows("release_unknown_country"):
        yield row["release"], *_dated(row, None)


def _dated(row: Row, country: str | None) -> tuple[str | None, str | None, set[str]]:
    flags: set[str] = set()
    return date(row["date_year"], row["date_month"], row["date_day"], flags), country, flags
