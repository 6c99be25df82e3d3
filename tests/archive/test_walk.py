"""Which files are found: sorted, each once, no links followed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fonoteca.archive.reading import opened
from fonoteca.archive.walk import Found, find, label_of
from fonoteca.audio.facts import AudioRefused
from fonoteca.core.errors import Usage

pytestmark = pytest.mark.core


def test_files_come_sorted_by_label_whatever_the_order_of_the_arguments(tmp_path: Path) -> None:
    for name in ("b/2.flac", "b/10.flac", "a/x/y.flac", "c.flac"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    forward = find([tmp_path / "a", tmp_path / "b", tmp_path / "c.flac"])
    assert [f.label for f in forward] == ["10.flac", "2.flac", "c.flac", "x/y.flac"]
    assert find([tmp_path / "c.flac", tmp_path / "b", tmp_path / "b", tmp_path / "a"]) == forward


def test_links_are_listed_but_not_followed_and_what_is_skipped_is_not_listed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "x").touch()
    (tmp_path / "in" / "skipped").mkdir(parents=True)
    (tmp_path / "in" / "skipped" / "y").touch()
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "real")
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "file").symlink_to(tmp_path / "real" / "x")
    os.mkfifo(tmp_path / "in" / "pipe")
    found = find([tmp_path / "in"], {tmp_path / "in" / "skipped"})
    assert [f.label for f in found] == ["file", "folder", "loop", "pipe"]
    for item in found:
        with pytest.raises(AudioRefused) as refused, opened(item.path):
            pass
        assert refused.value.code == "not-a-file"


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Usage) as error:
        find([tmp_path / "nothing"])
    assert error.value.code == "no-such-path"


def test_a_name_that_is_no_text_becomes_one(tmp_path: Path) -> None:
    raw = os.fsdecode(b"caf\xe9.flac")
    (tmp_path / raw).touch()
    assert find([tmp_path]) == [Found("caf\\xe9.flac", tmp_path / raw)]
    assert label_of(Path("a") / "é") == "a/é"


def test_a_file_that_went_away_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(AudioRefused) as refused, opened(tmp_path / "gone"):
        pass
    assert refused.value.code == "unreadable"
