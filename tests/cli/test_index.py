from __future__ import annotations

from pathlib import Path

import pytest

from fonoteca.core.layout import MirrorLayout
from fonoteca.mirror import state
from fonoteca.mirror.budget import allocated
from harness import fonoteca, ok
from simulators.tiny_edition import publish
from simulators.tiny_site import PIECES

pytestmark = pytest.mark.core


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    folder = tmp_path / "mirror"
    publish(folder / "publication", PIECES, withheld={"Secret": "conflicting-claims"})
    (folder / "mirror.toml").write_bytes(b"")
    return folder


def test_builds_once_and_says_what(mirror: Path) -> None:
    first = ok("index", "--json", cwd=mirror)
    assert first.json["message_type"] == "summary"
    assert {k: first.json[k] for k in ("what", "recordings", "built")} == {
        "what": "edition 1", "recordings": 5, "built": True}  # fmt: skip
    assert ok("index", "--json", cwd=mirror).json["built"] is False
    assert "up to date" in ok("index", "--edition", "1", cwd=mirror).stdout


def test_no_archive_and_no_edition(mirror: Path, tmp_path: Path) -> None:
    ran = fonoteca("index", "--json", cwd=tmp_path)
    assert (ran.code, ran.json["code"]) == (10, "no-archive")
    ran = fonoteca("index", "--edition", "9", "--json", cwd=mirror)
    assert (ran.code, ran.json["code"]) == (10, "no-edition")


def test_an_archive_that_was_never_filled(tmp_path: Path) -> None:
    ok("init", "archive", cwd=tmp_path)
    ran = fonoteca("index", "--json", cwd=tmp_path / "archive")
    assert (ran.code, ran.json["code"]) == (10, "no-catalogue")


def test_a_folder_that_cannot_be_written(mirror: Path) -> None:
    (mirror / "search").write_bytes(b"in the way")
    ran = fonoteca("index", "--json", cwd=mirror)
    assert (ran.code, ran.json["code"]) == (1, "unwritable")


def planned(mirror: Path, disk: int) -> Path:
    state.note(MirrorLayout(mirror), disk=disk)
    return mirror


def test_an_index_stays_within_the_budget_of_its_mirror(mirror: Path) -> None:
    used = allocated(planned(mirror, 1))
    planned(mirror, used + 10_000)
    ran = fonoteca("index", "--json", cwd=mirror)
    assert (ran.code, ran.json["code"]) == (13, "over-budget")
    assert "mirror plan --disk" in ran.json["remedy"]
    assert not list((mirror / "search").glob("*"))
    enough = int(ran.json["remedy"].split("--disk ")[1].split(";")[0])
    ok("index", cwd=planned(mirror, enough))
    assert allocated(mirror) <= enough
