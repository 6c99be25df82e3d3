from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fonoteca.formats.tables import CREDIT_LINES
from fonoteca.rights.attribution import Work, credit_line, credits_markdown, escape, rows
from fonoteca.rights.policy import Verdict, decide
from rights.making import BLOB, SONG, claim

pytestmark = pytest.mark.core

WORK = Work(SONG, "Spring", "A. Composer", "Seasons", "https://example.org/spring")


def verdict(*licences: str) -> Verdict:
    return decide(SONG, BLOB, [claim(text, source=text) for text in licences])


def test_title_author_source_licence() -> None:
    assert credit_line(WORK, verdict("CC BY 3.0").licences) == (
        "“Spring” by A. Composer (on “Seasons”), from https://example.org/spring: Creative Commons Attribution 3.0 "
        "Unported (https://creativecommons.org/licenses/by/3.0/); published unchanged"
    )


def test_a_version_that_nobody_stated_is_not_made_up() -> None:
    line = credit_line(Work(SONG), verdict("CC BY").licences)
    assert line == (
        "“untitled” by unknown artist: Creative Commons Attribution (version not stated); published unchanged"
    )


def test_two_licences_are_both_credited() -> None:
    found = rows([(WORK, verdict("CC BY 3.0", "CC BY 4.0"))])
    assert [row["licence"] for row in found] == ["CC-BY-3.0", "CC-BY-4.0"]
    assert all("by/3.0/" in row["credit"] and "by/4.0/" in row["credit"] for row in found)


def test_rows_have_the_published_columns_and_order() -> None:
    other = Work(SONG - 1, "", "", "", "")
    found = rows([(WORK, verdict("CC BY 3.0")), (other, verdict("CC0")), (WORK, verdict("CC BY 3.0"))])
    table = pa.Table.from_pylist(found, schema=CREDIT_LINES)
    assert table["recording_id"].to_pylist() == [SONG - 1, SONG]
    assert set(found[0]) == set(CREDIT_LINES.names)


def test_the_withheld_are_not_credited() -> None:
    assert rows([(WORK, verdict("Giftware"))]) == []
    assert "Spring" not in credits_markdown([(WORK, verdict("Giftware"))])


def test_credits_markdown_lists_each_once_whatever_the_order() -> None:
    works = [
        (Work(3, "b", "Zed"), verdict("CC0")), (Work(2, "a", "zed"), verdict("CC BY-SA")),
        (Work(1, "c", "Ann", "", "a folder"), verdict("CC0")),
    ]  # fmt: skip
    text = credits_markdown(works, "My *archive*")
    assert text == credits_markdown(works[::-1] + works, "My *archive*")
    assert text.splitlines()[0] == "# Credits of My \\*archive\\*"
    assert text.splitlines()[4:] == [
        "- “c” by Ann, from a folder: [Creative Commons Zero 1.0](https://creativecommons.org/publicdomain/zero/1.0/)",
        "- “a” by zed: Creative Commons Attribution-ShareAlike \\(version not stated\\)",
        "- “b” by Zed: [Creative Commons Zero 1.0](https://creativecommons.org/publicdomain/zero/1.0/)",
    ]


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("<script>alert(1)</script>", "\\<script\\>alert\\(1\\)\\</script\\>"),
        ("[x](javascript:alert)", "\\[x\\]\\(javascript\\:alert\\)"),
        ("line\nbreak\r\n# heading", "line break \\# heading"),
        ("\u202egnirts\u202c", "gnirts"),
        ("\x1b[31mred\x07", "\\[31mred"),
        ("a\\*b", "a\\\\\\*b"),
        ("&lt;b&gt;", "\\&lt;b\\&gt;"),
        ("WWW.evil.example", "WWW\\.evil.example"),
        ("http://evil.example a@b.example", "http\\://evil.example a\\@b.example"),
        ("ünïcödé 音楽", "ünïcödé 音楽"),
    ],
)
def test_titles_cannot_write_markup(title: str, shown: str) -> None:
    assert escape(title) == shown


@pytest.mark.parametrize(
    "source", ["javascript:alert(1)", "https://x/) [y](https://z", "https://x/ y", "https://x/(a)"]
)
def test_a_source_becomes_a_link_only_if_it_is_a_plain_address(source: str) -> None:
    text = credits_markdown([(Work(1, "t", "a", "", source), verdict("CC0"))])
    assert "](javascript" not in text
    assert "](https://x" not in text
    assert "](https://z" not in text


@given(st.text(), st.text(), st.text())
def test_any_text_stays_on_its_line(title: str, artist: str, source: str) -> None:
    text = credits_markdown([(Work(1, title, artist, "", source), verdict("CC0"))])
    assert len(text.splitlines()) == 5
    assert text.count("](") <= 2
    assert len(credit_line(Work(1, title, artist, "", source), verdict("CC0").licences).splitlines()) == 1
