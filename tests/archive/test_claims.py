"""Claims out of tags, rows and words; and whose recording a file is."""

from __future__ import annotations

import pytest

from fonoteca.archive.claim_sheet import ClaimRow
from fonoteca.archive.claims import Statement, of_rows, of_statement, of_tags, recording_of
from fonoteca.core.ids import Kind, make_id, show_id

pytestmark = pytest.mark.core
BLOB = "ab" * 32
_BY = "http://creativecommons.org/licenses/by/3.0/"


@pytest.mark.parametrize(
    ("name", "value", "licence", "url"),
    [
        ("license", "http://creativecommons.org/licenses/by/4.0/", "http://creativecommons.org/licenses/by/4.0/",
         "http://creativecommons.org/licenses/by/4.0/"),
        ("copyright", "CC BY-SA 4.0", "CC BY-SA 4.0", ""),
        ("copyright message", "Public Domain: http://creativecommons.org/licenses/publicdomain/",
         "Public Domain: http://creativecommons.org/licenses/publicdomain/",
         "http://creativecommons.org/licenses/publicdomain/"),
        ("copyright", f"2022 Somebody. Licensed to the public under {_BY} verify at http://example.org/1", "", _BY),
        ("copyright", "All rights reserved, not licensed", "All rights reserved, not licensed", ""),
        ("license", "Licensed to the public under http://a/ but CC BY-NC: really",
         "Licensed to the public under http://a/ but CC BY-NC: really", "http://a/"),
    ],
)  # fmt: skip
def test_tags_that_look_like_a_licence_are_claims(name: str, value: str, licence: str, url: str) -> None:
    (claim,) = of_tags([(name, value), ("title", "CC BY 4.0")], BLOB)
    assert (claim.kind, claim.subject, claim.licence, claim.url) == ("blob", BLOB, licence, url)
    assert (claim.source, claim.position) == ("tags", f"tag:{name}")


@pytest.mark.parametrize("value", ["2004 Somebody", "© Label", "(c) 1999", "accident", "www.example.org"])
def test_a_mere_copyright_line_claims_nothing(value: str) -> None:
    assert of_tags([("copyright", value)], BLOB) == []


def test_several_rows_are_several_claims_and_silent_rows_are_none() -> None:
    rows = [
        ClaimRow("x.csv:2", "a.flac", licence="CC0-1.0", evidence="README", source="git"),
        ClaimRow("x.csv:3", "a.flac", title="No licence here"),
        ClaimRow("x.csv:4", "a.flac", licence_url="https://creativecommons.org/licenses/by/4.0/"),
    ]
    claims = of_rows(rows, BLOB, "x.csv")
    assert [(c.licence, c.source, c.position) for c in claims] == [("CC0-1.0", "git", "x.csv:2"),
                                                                   ("", "claims", "x.csv:4")]  # fmt: skip


def test_the_operators_word_is_a_claim() -> None:
    (claim,) = of_statement(Statement("CC0-1.0", "letter"), BLOB)
    assert (claim.licence, claim.evidence, claim.source) == ("CC0-1.0", "letter", "operator")
    assert of_statement(None, BLOB) == []


def test_whose_recording_it_is() -> None:
    def named(recording: str) -> tuple[int, str]:
        return recording_of([ClaimRow("x:2", "a"), ClaimRow("x:3", "a", recording=recording)], BLOB)

    shown = show_id(Kind.RECORDING, 12345)
    assert named(shown) == (12345, shown)
    assert named(shown.upper()) == (12345, shown)
    assert named("fma:141") == (make_id(Kind.RECORDING, "fma", "141"), "fma:141")
    assert named("Bach: Air") == (make_id(Kind.RECORDING, "folder", "Bach: Air"), "folder:Bach: Air")
    assert named("my piece") == (make_id(Kind.RECORDING, "folder", "my piece"), "folder:my piece")
    assert named("") == (make_id(Kind.RECORDING, "folder", BLOB), f"folder:{BLOB}")
    artist = show_id(Kind.ARTIST, 12345)
    assert named(artist)[1] == f"folder:{artist}"
