from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fonoteca.search.query import (
    MAX_PHRASE,
    MAX_TERMS,
    Field,
    Query,
    Term,
    identifier_key,
    licence_key,
    parse,
    years,
)

pytestmark = pytest.mark.core


def terms(written: str) -> list[tuple[str, object]]:
    shown: list[tuple[str, object]] = []
    for t in parse(written).terms:
        value: object = t.tokens or t.value or (t.years if t.field is Field.YEAR else t.yes)
        shown.append(("-" * t.negated + t.field.value, value))
    return shown


@pytest.mark.parametrize(("written", "found"), [
    ("river song", [("any", ("river",)), ("any", ("song",))]),
    ('"river song" x', [("any", ("river", "song")), ("any", ("x",))]),
    ("“river song”", [("any", ("river", "song"))]),
    ("track:river title:song album:x release:y artist:z", [
        ("title", ("river",)), ("title", ("song",)), ("release", ("x",)), ("release", ("y",)), ("artist", ("z",))]),
    ('artist:"two words" -live -"so so" -artist:x', [
        ("artist", ("two", "words")), ("-any", ("live",)), ("-any", ("so", "so")), ("-artist", ("x",))]),
    ("year:1990..1999 year:..5 year:7.. year:1", [
        ("year", (1990, 1999)), ("year", (0, 5)), ("year", (7, 9999)), ("year", (1, 1))]),
    ("licence:CC-BY-SA-4.0 license:cc0", [("licence", "by-sa-4.0"), ("licence", "cc0")]),
    ("isrc:de-a12-34-56789 upc:00123 mbid:A-B", [("isrc", "dea123456789"), ("upc", "123"), ("mbid", "ab")]),
    ("playable:yes playable:NO", [("playable", True), ("playable", False)]),
    ("year:zero playable:maybe upc:--", [
        ("any", ("year", "zero")), ("any", ("playable", "maybe")), ("any", ("upc",))]),
    ("http://x.y/z foo:bar Symphony: No", [
        ("any", ("http", "x", "y", "z")), ("any", ("foo", "bar")), ("any", ("symphony",)), ("any", ("no",))]),
    ("AND OR NOT", [("any", ("and",)), ("any", ("or",)), ("any", ("not",))]),
    ('"open', [("any", ("open",))]),
    ("東京", [("any", ("東", "京"))]),
    ("track：river", [("title", ("river",))]),
])  # fmt: skip
def test_language(written: str, found: list[tuple[str, object]]) -> None:
    assert terms(written) == found


@pytest.mark.parametrize("written", ["", " ", "\t", "\u200b"])
def test_nothing_asked(written: str) -> None:
    assert parse(written).empty


def test_only_the_last_word_is_open() -> None:
    assert [t.open_end for t in parse("a b c").terms] == [False, False, True]
    assert [t.open_end for t in parse('a "b"').terms] == [False, False]
    assert [t.open_end for t in parse("a -b").terms] == [False, False]


def test_the_whole_query_may_be_a_title_unless_it_has_fields() -> None:
    assert parse("Für Elise!").whole == "fur elise"
    assert parse('"Für Elise"').whole == "fur elise"
    assert parse("elise year:1810").whole == ""
    assert parse("elise -live").whole == ""
    assert parse("!!!").whole == "!!!"


def test_limits() -> None:
    assert len(parse("a " * 1000).terms) == MAX_TERMS
    assert len(parse('"' + "a " * 400 + '"').terms[0].tokens) == MAX_PHRASE
    assert parse("x" * 10**6).terms[0].tokens == ("x" * 100,)


@given(st.text())
def test_never_raises_and_stays_small(written: str) -> None:
    found = parse(written)
    assert isinstance(found, Query)
    assert len(found.terms) <= MAX_TERMS
    assert all(isinstance(t, Term) and (t.tokens or t.value or t.field in {Field.YEAR, Field.PLAYABLE})
               for t in found.terms)  # fmt: skip


def test_keys() -> None:
    assert licence_key("CC BY 4.0") == licence_key("by-4.0") == "by-4.0"
    assert identifier_key(Field.UPC, "00 12-3") == "123"
    assert [years(y) for y in ("..", "x", "19900", "1..2..3", "")] == [None] * 5
