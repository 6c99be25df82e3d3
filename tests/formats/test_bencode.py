"""Bencoding: one value, one form; everything else is refused, fast."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fonoteca.formats import bencode

pytestmark = pytest.mark.core

WIDEST = 10**18 - 1
values = st.recursive(
    st.integers(-WIDEST, WIDEST) | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.binary(max_size=8), inner, max_size=5),
    max_leaves=25,
)


@given(values)
def test_what_is_encoded_is_decoded_again(value: object) -> None:
    assert bencode.decode(bencode.encode(value)) == value


@given(st.binary(max_size=60) | st.text(alphabet="0123456789:-ilde", max_size=40).map(str.encode))
def test_whatever_is_accepted_has_only_this_form(data: bytes) -> None:
    try:
        value = bencode.decode(data)
    except ValueError:
        return
    assert bencode.encode(value) == data


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (0, b"i0e"),
        (-1, b"i-1e"),
        (b"", b"0:"),
        (b"spam", b"4:spam"),
        ("ä", b"2:\xc3\xa4"),
        ([], b"le"),
        ({}, b"de"),
        ({b"b": 1, b"a": [b"x"]}, b"d1:al1:xe1:bi1ee"),
        ({"": {b"length": 1}}, b"d0:d6:lengthi1eee"),
        ((1, 2), b"li1ei2ee"),
    ],
)
def test_encode_sorts_keys_and_takes_text_as_utf8(value: object, data: bytes) -> None:
    assert bencode.encode(value) == data


@pytest.mark.parametrize("value", [None, True, 1.5, {1: 2}, {"a": 1, b"a": 2}, [None]])
def test_encode_refuses_what_bencoding_does_not_have(value: object) -> None:
    with pytest.raises(TypeError):
        bencode.encode(value)


BROKEN = {
    "nothing": b"",
    "an end alone": b"e",
    "trailing bytes": b"i1ei1e",
    "trailing end": b"lee",
    "integer without digits": b"ie",
    "negative zero": b"i-0e",
    "leading zero": b"i01e",
    "leading zero of a negative": b"i-01e",
    "plus sign": b"i+1e",
    "blank in an integer": b"i 1e",
    "fraction": b"i1.5e",
    "huge integer": b"i" + b"9" * 400 + b"e",
    "integer without end": b"i1",
    "string length with a leading zero": b"03:abc",
    "negative string length": b"-1:a",
    "string beyond the input": b"5:abcd",
    "huge string length": b"99999999999:a",
    "ten-digit string length": b"9999999999:a",
    "string beyond the input in a list": b"l9:abce",
    "list without end": b"li1e",
    "dictionary without end": b"d1:ai1e",
    "key without value": b"d1:ae",
    "key that is an integer": b"di1ei1ee",
    "key that is a list": b"dlei1ee",
    "unsorted keys": b"d1:bi1e1:ai1ee",
    "duplicate keys": b"d1:ai1e1:ai2ee",
    "prefix key after the longer one": b"d2:aai1e1:ai2ee",
    "unknown letter": b"x",
    "digits of another script": "i١e".encode(),
}


@pytest.mark.parametrize("name", BROKEN)
def test_decode_refuses(name: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        bencode.decode(BROKEN[name])


@pytest.mark.parametrize("opening", [b"l", b"d0:"])
def test_depth_is_limited_on_the_border(opening: bytes) -> None:
    limits = bencode.Limits(depth=3)
    assert bencode.decode(b"l" * 3 + b"e" * 3, limits) == [[[]]]
    with pytest.raises(ValueError, match="deeper than 3"):
        bencode.decode(opening * 4 + b"e" * 4, limits)
    with pytest.raises(ValueError, match="deeper than 100"):
        bencode.decode(opening * 1_000_000)


def test_tokens_are_limited_on_the_border() -> None:
    limits = bencode.Limits(tokens=5)
    assert bencode.decode(b"li0ei0ei0ee", limits) == [0, 0, 0]
    with pytest.raises(ValueError, match="more than 5 tokens"):
        bencode.decode(b"li0ei0ei0ei0ee", limits)
    with pytest.raises(ValueError, match="more than 5 tokens"):
        bencode.decode(b"llelelee", limits)


def test_bytes_are_limited_on_the_border() -> None:
    limits = bencode.Limits(bytes=6)
    assert bencode.decode(b"4:spam", limits) == b"spam"
    with pytest.raises(ValueError, match="limit of 6"):
        bencode.decode(b"5:spams", limits)


def test_ten_million_nested_lists_cost_nothing() -> None:
    started = time.process_time()
    with pytest.raises(ValueError, match="deeper"):
        bencode.decode(b"l" * 10_000_000)
    assert time.process_time() - started < 1
