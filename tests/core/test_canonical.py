"""Canonical JSON: one value, one form; strict reading."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fonoteca.core import canonical

pytestmark = pytest.mark.core

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4), max_leaves=20
)


@given(values)
def test_what_is_written_is_read_again_and_written_the_same(value: object) -> None:
    data = canonical.encode(value)
    assert canonical.decode(data) == value
    assert canonical.encode(canonical.decode(data)) == data
    assert canonical.digest(value) == hashlib.sha256(data).hexdigest()


def test_the_form() -> None:
    value = {"b": [1, 2.5, None, True], "a": {"é": "作曲家\n"}, "A": ""}
    assert canonical.encode(value) == '{"A":"","a":{"é":"作曲家\\n"},"b":[1,2.5,null,true]}\n'.encode()


def test_the_order_in_which_keys_were_put_does_not_matter() -> None:
    assert canonical.encode({"x": 1, "a": 2}) == canonical.encode({"a": 2, "x": 1})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("-inf")]])
def test_numbers_that_json_does_not_have(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical.encode(value)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b'{"a":1}x', b'{"a":1,"a":1}', b'{"x":{"a":1,"a":2}}', b"NaN", b"[Infinity]", b"-Infinity",
        b"1e400", b"[-1e400]", b"\xff", b'"\xc0\x80"', b"\xef\xbb\xbf{}", b"[" * 100_000, b"9" * 5000, b"01", b"'a'",
        b"{}\0",
    ],
    ids=lambda data: repr(data[:20]),
)  # fmt: skip
def test_what_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical.decode(data)


def test_blanks_and_order_of_others_are_read() -> None:
    assert canonical.decode(b' {"b": 1,\n "a": [] } ') == {"a": [], "b": 1}
