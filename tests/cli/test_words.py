"""Counts with their noun, and the next command to type."""

from __future__ import annotations

from pathlib import Path

import pytest

from fonoteca.cli.words import counted
from harness import fonoteca, ok
from simulators.sounds import sound, write

pytestmark = pytest.mark.core


def test_one_is_singular_and_all_else_plural() -> None:
    assert [counted(n, "pack") for n in (0, 1, 2)] == ["0 packs", "1 pack", "2 packs"]
    assert counted(1000, "entry", "entries") == "1,000 entries"
    assert counted(1, "file is", "files are") == "1 file is"


def test_each_step_of_a_first_archive_names_the_next_one_as_it_is_to_be_typed_here(tmp_path: Path) -> None:
    write(tmp_path / "music", "a.flac", sound("flac", 0.3, 300, "Alpha"))
    ok("init", "archive", cwd=tmp_path)
    words = ["intake", tmp_path / "music", "--licence", "CC0-1.0", "--evidence", "letter"]
    taken = ok("--archive", "archive", *words, cwd=tmp_path).stdout
    assert "1 of 1 file taken in" in taken
    assert f"Next: fonoteca --archive {tmp_path / 'archive'} publish" in taken
    published = ok("publish", cwd=tmp_path / "archive").stdout
    assert "1 recording published" in published
    assert "Next: fonoteca serve" in published


def test_a_table_of_claims_inside_the_folder_is_not_taken_for_audio_however_it_is_named(tmp_path: Path) -> None:
    write(tmp_path / "music", "a.flac", sound("flac", 0.3, 300, "Alpha"))
    (tmp_path / "music" / "claims.csv").write_text("file,licence\na.flac,CC0-1.0\n")
    ok("init", "archive", cwd=tmp_path)
    ran = fonoteca("intake", "../music", "--claims", "../archive/../music/claims.csv", cwd=tmp_path / "archive")
    assert (ran.code, "0 refused" in ran.stdout) == (0, True), ran.stderr
