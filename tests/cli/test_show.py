"""``fonoteca show`` as a user types it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fonoteca.archive.holdings import Holding, Holdings
from fonoteca.core.ids import Kind, make_id, show_id
from fonoteca.core.layout import ArchiveLayout
from fonoteca.sources.records import RecordingRecord
from harness import fonoteca, ok
from simulators.catalogue_archive import made
from simulators.tiny_catalogue import archive, ingest

pytestmark = pytest.mark.core
DAWN = make_id(Kind.RECORDING, "fma", "1")
BLOB = "ab" * 32


def hold(root: Path) -> None:
    """Say in the ledger that the recording is held."""
    holding = Holding(DAWN, "fma:1", BLOB, 10, "audio/ogg", "vorbis", "ogg", 96_000, 44_100, 2, 1_000, "ogg", "Dawn",
                      "Ana", "First Light", 1, 1, 2009, "dawn.ogg")  # fmt: skip
    Holdings.open(ArchiveLayout(root)).append([holding])


@pytest.mark.parametrize("words", ["isrc:PT-AAA-09-00001", "fma:1", show_id(Kind.RECORDING, DAWN), f"sha256:{BLOB}"])
def test_an_archive_joins_holdings_and_verdict(words: str, tmp_path: Path) -> None:
    hold(made(tmp_path))
    found = ok("show", words, "--json", cwd=tmp_path).json
    assert set(found) >= {"id", "kind", "fields", "identifiers", "credits", "claims", "verdict", "holdings", "locator"}
    assert found["id"] == show_id(Kind.RECORDING, DAWN)
    assert [h["blob"] for h in found["holdings"]] == [BLOB]
    assert found["verdict"]["state"] == "cleared"
    assert set(found["verdict"]["reasons"][0]) == {"code", "text", "evidence"}
    assert (
        found["fields"]["title"]["sources"][0] | {"dump": "d1", "position": "tracks.csv:2", "source": "fma"}
        == (found["fields"]["title"]["sources"][0])
    )


def test_what_is_not_held_has_no_verdict(tmp_path: Path) -> None:
    made(tmp_path)
    found = ok("show", "fma:2", "--json", cwd=tmp_path).json
    assert (found["verdict"], found["holdings"], found["locator"]) == (None, [], [])


def test_a_person_reads_fields_with_their_sources(tmp_path: Path) -> None:
    hold(made(tmp_path))
    text = ok("show", "fma:1", cwd=tmp_path).stdout
    assert "title: Dawn  [fma d1 tracks.csv:2]" in text
    assert "credit: Cy (composer)" in text
    assert "verdict: cleared" in text
    assert "duration" in text


def test_others_of_the_same_name_are_listed(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    ingest(layout, "fma", [RecordingRecord(k, f"t:{k}", k, identifiers=[("isrc", "QQAAA0000001")]) for k in "abc"])
    found = ok("show", "isrc:QQAAA0000001", "--json", cwd=tmp_path).json
    assert len({found["id"], *found["others"]}) == 3


def test_escape_codes_in_titles_do_not_reach_the_terminal(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    ingest(layout, "fma", [RecordingRecord("1", "t:1", "red \x1b[31m alarm\x07")])
    assert "\x1b" not in ok("show", "fma:1", cwd=tmp_path).stdout


@pytest.mark.parametrize(("words", "code", "exit_code"), [
    (("isrc:ZZZZZ0000000",), "unknown-id", 1),
    (("nonsense",), "bad-id", 2),
    (("fma:1", "--edition", "4"), "no-edition", 10),
    (("fma:1", "--edition", "x"), "bad-arguments", 2),
    ((), "bad-arguments", 2),
])  # fmt: skip
def test_wrong_words_give_a_sentence_and_a_remedy(
    words: tuple[str, ...], code: str, exit_code: int, tmp_path: Path
) -> None:
    made(tmp_path)
    ran = fonoteca("show", *words, "--json", cwd=tmp_path)
    assert (ran.code, ran.json["code"]) == (exit_code, code)
    assert ran.json["remedy"]


def test_no_archive_exits_10(tmp_path: Path) -> None:
    assert fonoteca("show", "fma:1", "--json", cwd=tmp_path).code == 10
