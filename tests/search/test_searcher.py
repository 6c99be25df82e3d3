from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fonoteca.core.errors import Damaged, Usage
from fonoteca.search import index
from fonoteca.search.searcher import COUNTED, Hits, Searcher, typos
from simulators.tiny_edition import Piece, inputs

pytestmark = pytest.mark.core

WORLD = [
    Piece("Für Elise", "Ludwig van Beethoven", "Bagatelles", 900, 1810, isrc="DEA123456789", upc="0012345678905"),
    Piece("Für Elise (live)", "Anna Müller", "Am Klavier", 10, 1999, "CC-BY-NC-ND-3.0-DE"),
    Piece("Elise", "The Band", "Names", 1, 2005, "CC0-1.0"),
    Piece("Høstvise", "Bjørn Ødegård", "Årstider", 40, 2011),
    Piece("Подмосковные вечера", "Владимир Трошин", "Песни", 80, 1956),
    Piece("Ёлка", "Хор", None, 3),
    Piece("Μισιρλού", "Τέτος Δημητριάδης", "Ρεμπέτικα", 70, 1927),
    Piece("שָׁלוֹם עֲלֵיכֶם", "מקהלה", None, 20),
    Piece("يا مسافر وحدك", "محمد عبد الوهاب", "أغاني", 30),
    Piece("月亮代表我的心", "邓丽君", "岛国之情歌", 95, 1977),
    Piece("上を向いて歩こう", "坂本九", "スキヤキ", 90, 1961),
    Piece("さくらさくら", "東京合唱団", None, 12),
    Piece("아리랑 고개", "나운규", "민요", 60, 1926),
    Piece("ลอยกระทง", "สุนทราภรณ์", None, 50),
    Piece("वन्दे मातरम्", "पन्नालाल घोष", None, 45),
    Piece("Back in Black", "AC/DC", "Back in Black", 500, 1980),
    Piece("Don't Stop", "R.E.M.", "Up", 100, 1998),
    Piece("♥", "Symbols", None, 2),
    Piece("!!!", "Loud", None, 2),
    Piece(None, "Untitled Artist", "Untitled", 4, licence=""),
]


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    folder = index.build(inputs(WORLD, [p for p in WORLD if p.licence]), tmp_path_factory.mktemp("search"))
    ticks = itertools.count()
    return Searcher(folder, lambda: float(next(ticks)))


def titles(hits: Hits) -> list[str | None]:
    return [hit.title for hit in hits.hits]


@pytest.mark.parametrize(("asked", "first"), [
    ("fur elise", "Für Elise"),
    ("FÜR ELISE", "Für Elise"),
    ("elise", "Elise"),  # the exact title, although it is the least heard
    ("elise live", "Für Elise (live)"),
    ("für elise müller", "Für Elise (live)"),
    ("hostvise odegard", "Høstvise"),
    ("подмосковные", "Подмосковные вечера"),
    ("ПОДМОСКОВНЫЕ ВЕЧЕРА", "Подмосковные вечера"),
    ("елка", "Ёлка"),
    ("μισιρλου", "Μισιρλού"),
    ("שלום עליכם", "שָׁלוֹם עֲלֵיכֶם"),
    ("اغاني", "يا مسافر وحدك"),
    ("محمد عبد", "يا مسافر وحدك"),
    ("月亮", "月亮代表我的心"),
    ("我的心", "月亮代表我的心"),
    ("邓丽君 月亮", "月亮代表我的心"),
    ("歩こう", "上を向いて歩こう"),
    ("ｽｷﾔｷ", "上を向いて歩こう"),
    ("すきやき", "上を向いて歩こう"),
    ("サクラ", "さくらさくら"),
    ("아리랑", "아리랑 고개"),
    ("리랑", "아리랑 고개"),
    ("กระทง", "ลอยกระทง"),
    ("मातरम्", "वन्दे मातरम्"),
    ("acdc", "Back in Black"),
    ("ac/dc", "Back in Black"),
    ("rem dont", "Don't Stop"),
    ("R.E.M.", "Don't Stop"),
    ("♥", "♥"),
    ("!!!", "!!!"),
    ("\u200bElise\u200d", "Elise"),
    ("el\u00adise", "Elise"),
])  # fmt: skip
def test_first_hit_in_every_script(searcher: Searcher, asked: str, first: str) -> None:
    assert titles(searcher.search(asked))[:1] == [first]


@pytest.mark.parametrize(("asked", "first"), [
    ("bethoven", "Für Elise"), ("beethovne", "Für Elise"), ("подмосковныи вечира", "Подмосковные вечера"),
    ("lduwig beetohven", "Für Elise"), ("心月亮", "月亮代表我的心"),
])  # fmt: skip
def test_typos_are_forgiven_when_little_is_found(searcher: Searcher, asked: str, first: str) -> None:
    hits = searcher.search(asked)
    assert titles(hits)[:1] == [first]
    assert hits.tolerant


def test_quoted_words_are_found_as_written_only(searcher: Searcher) -> None:
    assert titles(searcher.search('"bethoven"')) == []
    assert titles(searcher.search('"vecher"')) == []


def test_short_words_get_no_typos() -> None:
    assert [typos(w) for w in ("abc", "abcd", "abcdefg", "abcdefgh")] == [0, 1, 1, 2]


def test_the_last_word_may_be_unfinished_and_the_others_not(searcher: Searcher) -> None:
    assert titles(searcher.search("ludwig beeth")) == ["Für Elise"]
    assert titles(searcher.search("beeth ludwig")) == []


@pytest.mark.parametrize(("asked", "found"), [
    ("isrc:DE-A12-34-56789", ["Für Elise"]),
    ("upc:12345678905", ["Für Elise"]),
    ("year:1956", ["Подмосковные вечера"]),
    ("year:1960..1979", ["月亮代表我的心", "上を向いて歩こう"]),
    ("year:..1810", ["Für Elise"]),
    ("year:2005..", ["Høstvise", "Elise"]),
    ("licence:cc0-1.0", ["Elise"]),
    ("licence:CC-BY-NC-ND", ["Für Elise (live)"]),
    ("licence:cc-by-nc", []),
    ("playable:no", [None]),
    ("track:elise artist:muller", ["Für Elise (live)"]),
    ('album:"back in black"', ["Back in Black"]),
    ("elise -live -band", ["Für Elise"]),
    ('"in back"', []),
    ("elise year:1999..1980", []),
])  # fmt: skip
def test_fields(searcher: Searcher, asked: str, found: list[str | None]) -> None:
    assert titles(searcher.search(asked)) == found


def test_popularity_decides_between_equal_texts(tmp_path: Path) -> None:
    pieces = [Piece("Same", f"Artist {i}", listens=heard) for i, heard in enumerate([5, 500, None, 50])]
    hits = Searcher(index.build(inputs(pieces), tmp_path), lambda: 0.0).search("same")
    assert [h.artist for h in hits.hits] == ["Artist 1", "Artist 3", "Artist 0", "Artist 2"]
    assert [h.popularity for h in hits.hits] == [100.0, 10.0, 1.0, None]


def test_equal_recordings_come_by_id_and_pages_fit_together(tmp_path: Path) -> None:
    pieces = [Piece("Equal", "Same", key=str(i)) for i in range(1200)]
    searcher = Searcher(index.build(inputs(pieces), tmp_path), lambda: 0.0)
    first = searcher.search("equal", 1000)
    assert (first.total, first.total_is_exact) == (COUNTED, False)
    pages = [hit.id for start in range(0, 1200, 100) for hit in searcher.search("equal", 100, start).hits]
    assert pages == sorted(p.id for p in pieces)
    assert [h.id for h in first.hits] == pages[:1000]


def test_the_contract_of_a_hit(searcher: Searcher) -> None:
    value = searcher.search("isrc:DEA123456789").as_json()
    assert set(value) >= {"hits", "total", "total_is_exact", "seconds"}
    assert value["hits"][0] == {
        "id": WORLD[0].id, "title": "Für Elise", "artist": "Ludwig van Beethoven", "release": "Bagatelles",
        "year": 1810, "isrc": "DEA123456789", "licence": "CC-BY-4.0", "playable": True, "popularity": 100.0,
        "score": value["hits"][0]["score"],
    }  # fmt: skip
    assert (value["total"], value["total_is_exact"], value["seconds"]) == (1, True, 1.0)


@pytest.mark.parametrize(("limit", "offset"), [(0, 0), (-1, 0), (10**9, 0), (10, -1), (10, 10**12)])
def test_pages_that_nobody_can_ask_for(searcher: Searcher, limit: int, offset: int) -> None:
    with pytest.raises(Usage):
        searcher.search("elise", limit, offset)


HOSTILE = [
    "", " ", "*", "?*", "~", "\\", '"', '""', '"""', "-", "--", "-\"", "+a", "(", ")", "((((", "a AND", "OR", "NOT NOT",
    "title:[a TO z]", "field:", ":", "::", "year:", "year:..", "year:99999999999999", "year:-1..2", "playable:maybe",
    "isrc:", 'isrc:""', "isrc:%00", "\x00", "\ud800", "a\ud800b", "\u202eabc", "\u200b" * 50, "'; DROP TABLE x; --",
    "../../etc/passwd", "<script>", "{{7*7}}", "%s%s", "a" * 100_000, "a " * 50_000, '"' + "x " * 50_000 + '"',
    "-a " * 30_000, "year:1990 " * 9000, "東" * 100_000, "ä\u0301" * 1000,
    "\U0001f469\u200d\U0001f680", "e" + "\u0301" * 5000,
    "/.*/", "a^9", "a~2", 'a"b"c', "licence:" + "x" * 500, "\uffff", "\U0010ffff", "\t\n\r\v\f",
]  # fmt: skip


@pytest.mark.parametrize("asked", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_queries_are_answered(searcher: Searcher, asked: str) -> None:
    assert searcher.search(asked).total >= 0


@settings(max_examples=300, deadline=5000)
@given(st.one_of(
    st.text(max_size=200),
    st.lists(st.one_of(st.sampled_from([*HOSTILE[:40], "elise", "track:", "-", '"', "year:1..", "東京"]),
                       st.text(max_size=10)), max_size=40).map(" ".join),
))  # fmt: skip
def test_any_text_is_a_query(searcher: Searcher, asked: str) -> None:
    hits = searcher.search(asked, 5)
    assert len(hits.hits) <= 5 and hits.total <= COUNTED


def test_every_title_is_found_by_itself(searcher: Searcher) -> None:
    for piece in WORLD:
        if piece.title:
            assert piece.id in {h.id for h in searcher.search(piece.title).hits[:1]}, piece.title


def test_an_index_with_a_damaged_file_is_named(tmp_path: Path) -> None:
    folder = index.build(inputs(WORLD[:2]), tmp_path)
    (folder / "meta.json").write_bytes(b"{")
    with pytest.raises(Damaged) as told:
        Searcher(folder, lambda: 0.0)
    assert told.value.code == "bad-index"
