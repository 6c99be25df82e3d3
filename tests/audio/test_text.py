"""What is taken out of titles, and what stays."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fonoteca.audio.text import clean_text

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("raw", "clean", "changed"),
    [
        ("  Plain  ", "Plain", False),
        ("a\tb\nc", "a b c", False),
        ("a\x00b\x1b[2J\x7f", "ab[2J", True),
        ("\u202eabc\u202c", "abc", True),
        ("\u2066abc\u2069\u200e\u200f\u061c", "abc", True),
        ("\ufeffBOM", "BOM", True),
        ("e\u0301", "é", False),
        ("\ud800x", "\ufffdx", True),
        ("נעימה 旋律 лад", "נעימה 旋律 лад", False),
        ("x" * 30, "x" * 20, True),
    ],
)
def test_cleaning(raw: str, clean: str, changed: bool) -> None:
    assert clean_text(raw, 20) == (clean, changed)


@given(st.text(st.characters(codec=None), max_size=60))
def test_any_text_becomes_printable_bounded_and_stays_so(raw: str) -> None:
    clean, _ = clean_text(raw, 20)
    assert len(clean) <= 20
    assert not any(unicodedata.category(c) in {"Cc", "Cs"} for c in clean)
    assert clean_text(clean, 20)[0] == clean
    clean.encode("utf-8")
