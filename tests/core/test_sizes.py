"""Byte counts as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fonoteca.core.sizes import parse_size, show_size

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("text", "count"),
    [("0", 0), ("1", 1), ("7 B", 7), ("1kB", 1000), ("1KiB", 1024), ("2TB", 2 * 10**12), (" 500 MiB ", 500 << 20),
     ("1.5GB", 1_500_000_000), ("0.1TB", 10**11), ("1.5 KiB", 1536), ("1.9", 1), ("1p", 10**15), ("3PiB", 3 << 50),
     ("0.123456789012GB", 123_456_789), ("9007199254740993", 9_007_199_254_740_993)],
)  # fmt: skip
def test_parse(text: str, count: int) -> None:
    assert parse_size(text) == count


@pytest.mark.parametrize(
    "text", ["", " ", "TB", "-1", "-1GB", "1,5GB", "1e9", "1XB", "1 G B", "0x10", ".5GB", "1.GB", "inf", "nan", "1\0"]
)
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(text)


def test_huge_numbers_are_numbers_or_refused_but_nothing_else() -> None:
    assert parse_size("9" * 400 + ".5TB") > 10**400
    with pytest.raises(ValueError, match=r"."):
        parse_size("9" * 5000)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (1001, "1 kB"), (1250, "1.25 kB"), (999_499, "999 kB"),
     (999_999, "1 MB"), (10**6, "1 MB"), (1_250_000_000, "1.25 GB"), (2 * 10**12, "2 TB"), (3 * 10**15, "3 PB")],
)  # fmt: skip
def test_show(count: int, text: str) -> None:
    assert show_size(count) == text


@given(st.integers(0, 10**15))
def test_what_is_shown_is_close(count: int) -> None:
    assert abs(parse_size(show_size(count)) - count) <= count / 100
