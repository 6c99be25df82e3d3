"""The demo, end to end as a newcomer runs it, and once more in the same folder."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fonoteca.core.layout import ArchiveLayout, MirrorLayout
from harness import fonoteca, ok

pytestmark = pytest.mark.core
PIECES = 30


@dataclass(frozen=True)
class Show:
    """What two runs of the demo in one folder left and said."""

    folder: Path
    first: list[dict[str, Any]]
    again: list[dict[str, Any]]
    public: dict[str, bytes]
    """The publication between the two runs."""


def public(folder: Path) -> dict[str, bytes]:
    root = ArchiveLayout(folder).publication.root
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def run(home: Path) -> list[dict[str, Any]]:
    words = [sys.executable, "-m", "fonoteca", "demo", "show", "--no-serve", "--json"]
    ran = subprocess.run(words, cwd=home, capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    assert "Traceback" not in ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Show:
    home = tmp_path_factory.mktemp("demo")
    first = run(home)
    between = public(home / "show")
    return Show(home / "show", first, run(home), between)


def test_the_summary_tells_of_everything(show: Show) -> None:
    summary = show.first[-1]
    assert summary["message_type"] == "summary"
    assert summary["recordings"] == PIECES
    assert summary["synthetic_listens"] is True
    assert summary["url"].startswith("http://127.0.0.1:")
    assert (summary["archive"], summary["mirror"]) == (str(show.folder), str(show.folder / "mirror"))
    assert summary["packs"] == {"kept": 0, "added": summary["packs"]["added"], "superseded": 0}
    assert summary["torrents"] > 0
    assert summary["bytes"]["audio"] > 10_000_000
    assert {"held", "published"} <= set(summary["coverage"])
    assert summary["seconds"] > 0


def test_the_mirror_came_over_bittorrent_and_is_whole(show: Show) -> None:
    mirrored = show.first[-1]["mirrored"]
    assert mirrored["over"] == "BitTorrent"
    assert mirrored["packs"] == mirrored["verified"] == show.first[-1]["packs"]["added"] > 0
    assert mirrored["bytes"]["fetched"] == mirrored["bytes"]["held"] == show.first[-1]["bytes"]["new"] > 0
    journal = (MirrorLayout(show.folder / "mirror").state / "journal.jsonl").read_text().splitlines()
    assert {json.loads(line)["how"] for line in journal} == {"torrent"}


def test_both_copies_verify_clean(show: Show) -> None:
    for summary in (show.first[-1], show.again[-1]):
        for place in ("archive", "mirror"):
            checked = summary["verified"][place]
            assert (checked["damaged"], checked["checked"] > 0, checked["bytes"] > 0) == (0, True, True), place


def test_a_second_run_finds_everything_done(show: Show) -> None:
    summary = show.again[-1]
    assert (summary["recordings"], summary["bytes"]["new"], summary["packs"]["added"]) == (PIECES, 0, 0)
    assert summary["packs"]["kept"] == show.first[-1]["packs"]["added"]
    assert summary["mirrored"]["bytes"]["fetched"] == 0
    assert summary["mirrored"]["bytes"]["reused"] == show.first[-1]["bytes"]["new"]
    assert public(show.folder) == show.public, "an edition that stands is not made anew"


def test_the_mirror_follows_the_site_to_its_new_port(show: Show) -> None:
    value = tomllib.loads(MirrorLayout(show.folder / "mirror").settings.read_text())
    assert value["publisher"]["url"] == show.again[-1]["url"].rstrip("/")


def test_what_was_built_can_be_searched_and_asked(show: Show) -> None:
    hits = ok("--archive", show.folder, "search", "playable:yes", "--limit", "100", "--json", cwd=show.folder).json
    assert hits["total"] == PIECES
    titles = "".join(hit["title"] for hit in hits["hits"])
    assert not titles.isascii(), "titles in several scripts"
    listens = ok("--archive", show.folder, "sql", "SELECT count(*) AS n FROM signals WHERE synthetic", "--json",
                 cwd=show.folder).json  # fmt: skip
    assert 20 <= listens["rows"][0]["n"] <= PIECES, "made-up listens are marked so"
    licences = ok("--archive", show.folder, "rights", "report", "--json", cwd=show.folder).json
    assert (licences["cleared"], licences["withheld"], set(licences["licences"])) == (PIECES, 0, {"CC0-1.0"})


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "letter.txt").write_text("dear")
    ran = fonoteca("demo", "mine", "--no-serve", "--json", cwd=tmp_path)
    assert (ran.code, ran.json["code"], ran.json["exit"]) == (2, "demo-folder", 2)
    assert [p.name for p in folder.iterdir()] == ["letter.txt"]
