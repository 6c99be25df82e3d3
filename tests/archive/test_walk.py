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


def test_a_folder_that_cannot_be_listed_is_refused_and_the_rest_is_found(tmp_path: Path) -> None:
    (tmp_path / "heard.flac").touch()
    at, name = os.open(tmp_path, os.O_RDONLY), "d" * 250
    for _ in range(18):  # a path that is longer than any system takes
        os.mkdir(name, dir_fd=at)
        below = os.open(name, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(at)
    deep, heard = find([tmp_path])
    assert heard.label == "heard.flac"
    with pytest.raises(AudioRefused, match="too long") as refused, opened(deep.path):
        pass
    assert refused.value.code == "unreadable"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may read everything")
def test_a_folder_without_permission_is_refused_by_its_name(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o000)
    try:
        assert find([tmp_path]) == find([closed]) == [Found("closed", closed)]
        with pytest.raises(AudioRefused, match="denied"), opened(closed):
            pass
    finally:
        closed.chmod(0o700)


def test_a_tree_deeper_than_the_stack_is_walked(tmp_path: Path) -> None:
    folder = tmp_path
    for _ in range(1500):
        folder /= "d"
        folder.mkdir()
    (folder / "x").touch()
    try:
        assert [f.path for f in find([tmp_path])] == [folder / "x"]
    finally:  # what clears up behind the tests is recursive
        (folder / "x").unlink()
        for each in [folder, *folder.parents[:1499]]:
            each.rmdir()


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
