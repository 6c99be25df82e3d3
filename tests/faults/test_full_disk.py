"""Promise R8, small: on a disk that is full, or fills up, no half file is visible, and a rerun with room completes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.wrong_inputs import unshared
from cli.wrong_inputs.world import Scene, scene
from harness import ok

pytestmark = pytest.mark.core
WORKS = {
    "ingest": ("archive", "ingest", "table", "{home}/songs.csv"),
    "intake": ("archive", "intake", "{more}", "--claims", "{more}/claims.csv"),
    "rank": ("archive", "rank", "--licences", "CC0-1.0,CC-BY-4.0"),
    "withdraw": ("archive", "rights", "withdraw", "{id}", "--reason", "asked"),
    "publish": ("archive", "publish"),
    "rotate": ("archive", "keys", "rotate", "timestamp"),
    "mirror": ("fresh", "mirror", "run", "--once", "--disk", "50MB", "--transport", "http"),
}
UNSTEADY = {"rotate"}
"""Makes a new key at each run: no two runs end in the same bytes."""
NOTES = ("jobs/", "state/", "search/")
MAY_GROW = (".jsonl",)
TEMPORARY = (".partial", "partial/", "spool/", "incoming/")


@pytest.fixture(name="here")
def _here(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path / "scene") as made:
        ok("--archive", made.home / "fresh", "mirror", "add", made.url, "--root", made.home / "root.json",
           cwd=made.home)  # fmt: skip
        yield made


def books(found: dict[str, str]) -> dict[str, str]:
    return {n: d for n, d in found.items() if d != "folder" and not f"{n}/".startswith(NOTES)}


def half(level: dict[str, dict[str, str]], told: dict[str, dict[str, str]]) -> list[str]:
    """Files under names that count whose bytes are neither those of before nor those of a clean run."""
    good = {(n, d) for tree in (told["before"], told["clean"]) for n, d in tree.items()}
    return [n for n, d in books(level["left"]).items()
            if (n, d) not in good and not n.endswith(MAY_GROW) and not any(t in n for t in TEMPORARY)]  # fmt: skip


def check(here: Scene, tmp_path: Path, name: str, levels: int) -> None:
    where, *words = WORKS[name]
    place = tmp_path / "small"
    place.mkdir()
    script = str(Path(__file__).with_name("full_disk.py"))
    told = unshared.run(script, here.home / where, place, str(levels), task=[here.fill(word) for word in words])
    codes = []
    for number, level in enumerate(told["levels"]):
        code, stdout, stderr = level["first"]
        codes.append(code)
        assert "Traceback" not in stderr, number
        assert code in {0, 13}, (number, stdout[-400:], stderr[-400:])
        if code == 13:
            error = json.loads(stdout.splitlines()[-1])
            assert (error["code"], error["exit"]) == ("no-space", 13)
            assert error["remedy"]
        if name not in UNSTEADY:
            assert half(level, told) == [], number
        assert level["again"][0] == 0, (number, level["again"][1][-400:])
        if name not in UNSTEADY:
            assert books(level["after"]) == books(told["clean"]), number
    # What fits into a block that is begun needs no room.
    assert codes[0] == 13 or told["growth"] == 0, "on a full disk nothing is done"


@pytest.mark.parametrize("name", sorted(WORKS))
def test_a_full_disk_is_exit_13_and_a_rerun_completes(here: Scene, tmp_path: Path, name: str) -> None:
    check(here, tmp_path, name, 3)


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(WORKS))
def test_ten_fill_levels(here: Scene, tmp_path: Path, name: str) -> None:
    check(here, tmp_path, name, 10)
