"""Values as people write them; every reader is total."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fonoteca.sources import values

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("written", "unit", "expected", "flags"),
    [
        ("305.8333333", "s", 305_833, set()), ("03:45", "s", 225_000, set()), ("1:02:03", "s", 3_723_000, set()),
        ("1:02:03.5", "s", 3_723_500, set()), ("305.83", "s", 305_830, set()), (305, "s", 305_000, set()),
        (237_133, "ms", 237_133, set()), ("2.5", "min", 150_000, set()), ("PT3M45S", "s", 225_000, set()),
        ("n/a", "s", None, set()), ("", "s", None, set()), (None, "s", None, set()), ("-", "s", None, set()),
        ("0", "s", 0, {"zero-duration"}), ("36000", "s", 36_000_000, {"ten-hours"}),
        ("3:75", "s", None, {"bad-duration"}), ("-5", "s", None, {"bad-duration"}),
        ("three", "s", None, {"bad-duration"}), ("１２", "s", None, {"bad-duration"}),
        ("1e99", "s", None, {"bad-duration"}), ("9" * 5000, "s", None, {"bad-duration"}),
        (float("nan"), "s", None, {"bad-duration"}), (True, "s", None, set()), ("PT", "s", None, {"bad-duration"}),
    ],
)  # fmt: skip
def test_durations(written: Any, unit: str, expected: int | None, flags: set[str]) -> None:
    found: set[str] = set()
    assert values.duration(written, found, unit) == expected
    assert found == flags


@pytest.mark.parametrize(
    ("written", "expected", "flags"),
    [
        ("2008", "2008", set()), (2008, "2008", set()), ("2008.0", "2008", set()), ("2008-03", "2008-03", set()),
        ("2008-03-09", "2008-03-09", set()), ("2008-3-9", "2008-03-09", set()), ("2008-00-00", "2008", set()),
        ("2008-05-00", "2008-05", set()), ("2008-13-01", "2008", {"bad-date"}),
        ("2008-02-31", "2008-02", {"bad-date"}), ("0000", None, {"year-0000"}), ("0", None, {"bad-date"}),
        ("0000-00-00", None, {"year-0000"}), ("9999", None, {"bad-date"}), ("198", None, {"bad-date"}),
        ("11/26/2008 01:43:26 AM", "2008-11-26", set()), ("1/01/06", None, {"bad-date"}),
        ("2008-03-09T10:00:00Z", "2008-03-09", set()), ("", None, set()), ("unknown", None, set()),
        ("٢٠٠٨", None, {"bad-date"}), ("next year", None, {"bad-date"}),
    ],
)  # fmt: skip
def test_dates(written: Any, expected: str | None, flags: set[str]) -> None:
    found: set[str] = set()
    assert values.date(written, found) == expected
    assert found == flags
    assert values.year(written, set()) == (int(expected[:4]) if expected else None)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("IT-J04-01-00240", "ITJ040100240"), ("itj040100240", "ITJ040100240"),
        ("ISRC IT J04 01 00240", "ITJ040100240"), ("1TJ040100240", None),
        ("ITJ04010024", None), ("ITJ04010024O", None), ("ITJ0401002４0", None), ("ıTJ040100240", None),
    ],
)  # fmt: skip
def test_isrcs_are_normalised_or_flagged(written: str, expected: str | None) -> None:
    flags: set[str] = set()
    assert values.isrc(written, flags) == expected
    assert flags == (set() if expected else {"bad-isrc"})


def test_barcodes_and_mbids_are_checked() -> None:
    flags: set[str] = set()
    assert values.upc("0 36000 29145 2", flags) == "036000291452"
    assert values.upc("4006381333931", flags) == "4006381333931"
    mbid = "8f3471b5-7e6a-48da-86a9-c1c07a0f47ae"
    assert values.mbid(f"https://musicbrainz.org/recording/{mbid.upper()}", flags) == mbid
    assert not flags
    assert values.upc("036000291453", flags) is None
    assert values.mbid("8f3471b5", flags) is None
    assert flags == {"bad-upc", "bad-mbid"}


@pytest.mark.parametrize(
    ("written", "expected", "flags"),
    [
        ("  a \t b\r\nc ", "a b c", set()), ("", None, set()), (" \n", None, set()), (7, "7", set()),
        ("a\x00\x1b[31mb", "a[31mb", {"control-characters"}), ("a\udc80b", "a\ufffdb", {"bad-encoding"}),
        ("\ud800", "\ufffd", {"bad-encoding"}), ("x\u202egpj", "x\u202egpj", {"bidi-control"}),
        ("Jenifer Ã\x81vila", "Jenifer Ávila", {"mended-encoding"}), (["a", "b"], "a; b", set()),
    ],
)  # fmt: skip
def test_text(written: Any, expected: str | None, flags: set[str]) -> None:
    found: set[str] = set()
    assert values.text(written, found) == expected
    assert found == flags


def test_counts_and_lists() -> None:
    flags: set[str] = set()
    assert [values.count(v, flags) for v in ("3/12", "0", "", None, 4.0)] == [3, None, None, None, 4]
    assert values.items(" a; b ;;c", ";", flags) == ["a", "b", "c"]
    assert values.items(["a;b", None, 1], ";", flags) == ["a;b", "1"]
    assert [values.number(v, flags) for v in ("1,293", "12,345,678.5", " 7 ", "1e3")] == [1293, 12345678.5, 7, 1000]
    assert not flags
    for bad in ("4,5", "1,23", "1_000", "1,2345", ",", "1,,000", "nan", "1e999"):
        flags.clear()
        assert values.number(bad, flags) is None
        assert flags == {"bad-number"}
    for bad in ("A1", "-1", "3.5", 2**40, "٣"):
        flags.clear()
        assert values.count(bad, flags) is None
        assert flags == {"bad-number"}


def test_none_as_an_item_of_a_list_is_left_out() -> None:
    assert values.items([None, "a"], ";", set()) == ["a"]


ANYTHING = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5)


@given(ANYTHING)
def test_every_reader_is_total(value: Any) -> None:
    for read in (values.text, values.duration, values.number, values.count, values.date, values.year, values.isrc,
                 values.upc, values.mbid):  # fmt: skip
        read(value, set())
    values.items(value, ";", set())
    values.short_year(value, 2008, set())
