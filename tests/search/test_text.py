from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fonoteca.search import text

pytestmark = pytest.mark.core


@pytest.mark.parametrize(("written", "folded"), [
    ("ÉLÈVE", "eleve"), ("Straße", "strasse"), ("Łódź", "lodz"), ("Ærø", "aero"), ("ﬁn", "fin"), ("Ｆｕｌｌ", "full"),
    ("İstanbul ıh", "istanbul ih"), ("Ёлка", "елка"), ("Σίσυφος", "σισυφοσ"), ("קָדוֹשׁ", "קדוש"), ("أُمّ", "ام"),
    ("فارسی", "فارسي"), ("١٢٣ ४५", "123 45"), ("カタカナ", "かたかな"), ("ｶﾞ", "が"), ("が", "が"), ("नमस्ते", "नमस्ते"),
    ("a\u200bb\u00adc\ufeff", "abc"), ("a\u202eb", "ab"), ("a\tb\x00c\n", "a b c"), ("  a   b ", "a b"),
    ("한국", "한국"),
    ("ก\u0e47", "ก\u0e47"),
])  # fmt: skip
def test_fold(written: str, folded: str) -> None:
    assert text.fold(written) == folded


@pytest.mark.parametrize(("written", "found"), [
    ("Hello, World!", [["hello"], ["world"]]), ("AC/DC", [["ac", "dc"]]), ("東京 tower", [["東", "京"], ["tower"]]),
    ("東京tower", [["東", "京", "tower"]]), ("ที่นี่", [["ที่", "นี่"]]), ("♥ love", [["♥"], ["love"]]),
    ("C++", [["c", "+", "+"]]),
    ("!!!", []), ("", []), ("No. 5", [["no"], ["5"]]),
])  # fmt: skip
def test_chunks(written: str, found: list[list[str]]) -> None:
    assert text.chunks(written) == found


def test_words_with_punctuation_inside_are_indexed_joined_too() -> None:
    assert text.indexed("R.E.M. don't") == ["r", "e", "m", "don", "t", "rem", "dont"]
    assert text.indexed("東京-1") == ["東", "京", "1"]


def test_long_words_are_cut() -> None:
    assert [len(t) for t in text.tokens("a" * 5000)] == [text.MAX_TOKEN]
    assert len(text.whole("a b " * 5000)) == text.MAX_WHOLE


def test_a_title_of_punctuation_is_its_own_key() -> None:
    assert (text.whole("!!!"), text.whole("Für  Elise!")) == ("!!!", "fur elise")


@given(st.text(max_size=80))
def test_folding_settles(written: str) -> None:
    folded = text.fold(written)
    assert text.fold(folded) == folded
    assert not any(unicodedata.category(c) in {"Cc", "Cf", "Cs"} for c in folded)


@given(st.text(max_size=80))
def test_tokens_are_never_empty_and_have_no_blanks(written: str) -> None:
    assert all(t and not any(c.isspace() for c in t) for t in text.tokens(written))


@given(st.text(st.characters(max_codepoint=127), max_size=80))
def test_the_fast_way_for_ascii_is_the_same_as_the_slow_one(written: str) -> None:
    assert text.fold(written) == text._fold_once(written)
    assert text._tokens(text.fold(written)) == [t for c in text.fold(written).split(" ") for t in text._pieces(c)]


@given(st.text(max_size=40), st.text(max_size=10))
def test_case_and_composition_make_no_difference(written: str, more: str) -> None:
    both = written + more
    assert text.tokens(unicodedata.normalize("NFD", both)) == text.tokens(unicodedata.normalize("NFC", both))
