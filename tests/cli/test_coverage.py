"""``fonoteca coverage`` as a user types it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fonoteca.archive.holdings import Holding, Holdings
from fonoteca.core.ids import Kind, make_id, show_id
from fonoteca.core.layout import ArchiveLayout
from harness import fonoteca, ok
from simulators.catalogue_archive import made
from simulators.tiny_catalogue import archive

pytestmark = pytest.mark.core


def hold(root: Path, key: str) -> None:
    """Say in the ledger that a recording is held."""
    recording = make_id(Kind.RECORDING, "fma", key)
    holding = Holding(recording, f"fma:{key}", "ab" * 32, 10, "audio/ogg", "vorbis", "ogg", 96_000, 44_100, 2, 1_000,
                      "ogg", "Dawn", "Ana", "First Light", 1, 1, 2009, "dawn.ogg")  # fmt: skip
    Holdings.open(ArchiveLayout(root)).append([holding])


def test_the_object_of_the_contract(tmp_path: Path) -> None:
    hold(made(tmp_path), "1")
    found = ok("coverage", "--json", cwd=tmp_path).json
    assert found["listens"] == {"known": 105, "held": 95, "published": 0}
    assert set(found["share"]) == {"held", "published"}
    assert found["share"]["held"]["value"] == pytest.approx(95 / 105, abs=1e-6)
    assert found["share"]["held"]["low"] <= found["share"]["held"]["value"] <= found["share"]["held"]["high"]
    assert found["unknown"] == 3
    assert found["by"] == []


@pytest.mark.parametrize(("by", "expected"), [
    ("tier", {"head": (1, 1), "tail": (1, 0), "unheard": (3, 0)}),
    ("country", {"PT": (2, 1), "unknown": (3, 0)}),
    ("decade", {"2000s": (3, 1), "unknown": (2, 0)}),
    ("genre", {"Folk": (2, 1), "Ambient": (1, 1), "unknown": (3, 0)}),
    ("licence", {"CC-BY-4.0": (2, 1), "CC0-1.0": (1, 0), "CC-BY-NC-3.0-DE": (1, 0), "unknown": (2, 0)}),
])  # fmt: skip
def test_every_breakdown(by: str, expected: dict[str, tuple[int, int]], tmp_path: Path) -> None:
    hold(made(tmp_path), "1")
    found = ok("coverage", "--by", by, "--json", cwd=tmp_path).json["by"]
    assert {g["key"]: (g["recordings"], g["held"]) for g in found} == expected


def test_a_person_reads_shares_and_what_is_unknown(tmp_path: Path) -> None:
    hold(made(tmp_path), "1")
    text = ok("coverage", "--by", "genre", cwd=tmp_path).stdout
    assert "90.5% (95 %:" in text
    assert "unknown: 3" in text
    assert "made-up" in text


def test_wrong_words_and_missing_archives(tmp_path: Path) -> None:
    assert fonoteca("coverage", "--by", "shoes", "--json", cwd=tmp_path).code == 2
    assert fonoteca("coverage", "--json", cwd=tmp_path).code == 10
    archive(tmp_path)
    assert fonoteca("coverage", "--json", cwd=tmp_path).json["code"] == "no-catalogue"


def test_licences_claimed_for_files_count_too(tmp_path: Path) -> None:
    """Claims made at intake stand in the ledger of holdings, not in the catalogue."""
    from simulators import sounds

    ok("init", tmp_path / "archive", cwd=tmp_path)
    sounds.write(tmp_path / "music", "tone.flac", sounds.sound("flac"))
    words = ("intake", tmp_path / "music", "--licence", "CC-BY-4.0", "--evidence", "this test")
    ok(*words, cwd=tmp_path / "archive")
    found = ok("coverage", "--by", "licence", "--json", cwd=tmp_path / "archive").json
    assert [(g["key"], g["recordings"], g["held"]) for g in found["by"]] == [("CC-BY-4.0", 1, 1)]


def test_thresholds_and_the_order_of_the_unheard(tmp_path: Path) -> None:
    made(tmp_path)
    found = ok("coverage", "--unheard", "2", "--json", cwd=tmp_path).json
    assert [(t["share"], t["recordings"], t["listens"]) for t in found["thresholds"]] == [
        (0.5, 1, 95), (0.9, 1, 95), (0.996, 2, 10),
    ]  # fmt: skip
    assert len(found["unheard"]) == 2
    assert found["unheard"][0]["recording"] == show_id(Kind.RECORDING, make_id(Kind.RECORDING, "jamendo", "j1"))
    assert set(found["unheard"][0]) == {
        "recording", "listeners", "downloads", "favourites", "artist_listens", "releases",
    }  # fmt: skip
    text = ok("coverage", "--unheard", "9", cwd=tmp_path).stdout
    assert "50.0% of known listens: 1 recording, down to 95 listens" in text
    assert "releases 1" in text
    assert fonoteca("coverage", "--unheard", "0", "--json", cwd=tmp_path).code == 2


def test_an_engine_that_is_none_is_refused(tmp_path: Path) -> None:
    made(tmp_path)
    ran = fonoteca("coverage", "--json", cwd=tmp_path, variables={"FONOTECA_CATALOGUE_ENGINE": "abacus"})
    assert (ran.code, ran.json["code"]) == (2, "bad-setting")
