"""Ids: the same from the same key, shown so that people can read and sort them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fonoteca.core.ids import MAX_ID, Kind, make_id, parse_id, show_id

pytestmark = pytest.mark.core

GOLDEN = [
    (Kind.RECORDING, "fma", "141", 0),
    (Kind.RECORDING, "fma", "141", 1),
    (Kind.RELEASE, "fma", "141", 0),
    (Kind.ARTIST, "fma", "141", 0),
    (Kind.RECORDING, "jamendo", "141", 0),
    (Kind.RECORDING, "table", "荒城の月", 0),
    (Kind.RECORDING, "folder", hashlib.sha256(b"").hexdigest(), 0),
    (Kind.RECORDING, "", "", 0),
]


def test_golden_ids(golden: Callable[[str, bytes], None]) -> None:
    lines = [
        f"{kind.word}\t{source}\t{key}\t{counter}\t{made}\t{show_id(kind, made)}\n"
        for kind, source, key, counter in GOLDEN
        for made in [make_id(kind, source, key, counter)]
    ]
    golden("id/ids.tsv", "".join(lines).encode())


def test_an_id_is_the_first_63_bits_of_the_digest_of_its_parts() -> None:
    digest = hashlib.sha256(b"recording\0fma\x00141").digest()
    assert make_id(Kind.RECORDING, "fma", "141") == int.from_bytes(digest, "big") >> (256 - 63)


@given(st.sampled_from(Kind), st.integers(0, MAX_ID))
def test_what_is_shown_is_read_again(kind: Kind, value: int) -> None:
    shown = show_id(kind, value)
    assert parse_id(shown) == parse_id(f" {shown.upper()} ") == (kind, value)
    assert len(shown) == 14


@given(st.integers(0, MAX_ID), st.integers(0, MAX_ID))
def test_shown_ids_sort_as_their_numbers_do(one: int, two: int) -> None:
    assert (show_id(Kind.RECORDING, one) < show_id(Kind.RECORDING, two)) == (one < two)


def test_letters_that_people_confuse_are_read_as_digits() -> None:
    assert parse_id("r0000000000oil") == parse_id("r0000000000011")


@pytest.mark.parametrize("value", [0, 1, 31, 32, MAX_ID - 1, MAX_ID])
def test_borders(value: int) -> None:
    assert parse_id(show_id(Kind.RELEASE, value)) == (Kind.RELEASE, value)


@pytest.mark.parametrize("value", [-1, MAX_ID + 1])
def test_values_beyond_63_bits_are_not_shown(value: int) -> None:
    with pytest.raises(ValueError, match="63-bit"):
        show_id(Kind.RECORDING, value)


@pytest.mark.parametrize(
    "text",
    ["", "r", "r000000000000", "r00000000000000", "x0000000000000", "r000000000000u", "r00000000000é0",
     "r8000000000000", "rzzzzzzzzzzzzz", "r-000000000000", "r0000000000\0000", "r٠٠٠٠٠٠٠٠٠٠٠٠٠"],
)  # fmt: skip
def test_what_is_no_id(text: str) -> None:
    with pytest.raises(ValueError, match="not an id"):
        parse_id(text)


def test_keys_with_half_a_character_still_have_an_id() -> None:
    assert 0 <= make_id(Kind.ARTIST, "table", "\ud800") <= MAX_ID
