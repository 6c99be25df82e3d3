"""Promise R1 for whole commands: killed at 25 seeded points, the same command again ends in the same bytes.

Ingest is killed so in tests/catalogue/test_kill.py, by time; intake by time in tests/archive/test_intake.py; publish at
each point in tests/publish/test_execute.py. Here every command is killed at calls that change the disk.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.wrong_inputs.world import Scene, mirrored, scene, tree
from harness import ok

pytestmark = [pytest.mark.core, pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")]
POINTS = 25
DRIVER = Path(__file__).with_name("killed.py")
BOOKS = ("jobs/", "state/", "search/")
"""The log of jobs tells of the kill; a mirror's journal and an index are a courtesy (docs/formats)."""


@dataclass(frozen=True)
class Work:
    """A command, in the folder in which it works."""

    words: tuple[str, ...]
    where: str


WORKS = {
    "ingest": Work(("ingest", "table", "{home}/songs.csv"), "archive"),
    "intake": Work(("intake", "{more}", "--claims", "{more}/claims.csv"), "archive"),
    "publish": Work(("publish",), "archive"),
    "mirror": Work(("mirror", "run", "--once", "--disk", "50MB", "--transport", "http"), "fresh"),
}


@pytest.fixture(name="here")
def _here(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path / "scene") as made:
        ok("--archive", made.home / "fresh", "mirror", "add", made.url, "--root", made.home / "root.json",
           cwd=made.home)  # fmt: skip
        yield made


def killed(folder: Path, at: int, words: list[str]) -> tuple[int, str]:
    path = os.pathsep.join([str(DRIVER.parent.parent), *sys.path])
    ran = subprocess.run([sys.executable, str(DRIVER), str(folder), str(at), *words], capture_output=True, text=True,
                         env=os.environ | {"PYTHONPATH": path}, timeout=120)  # fmt: skip
    assert "Traceback" not in ran.stderr, ran.stderr[-2000:]
    return ran.returncode, ran.stdout


def books(folder: Path) -> dict[str, str]:
    return {name: digest for name, digest in tree(folder).items() if not f"{name}/".startswith(BOOKS)}


def compare(here: Scene, work: Work, points: int, seed: int) -> None:
    words = [here.fill(word) for word in work.words]
    start = here.home / work.where
    folder = here.home / "work"
    shutil.copytree(start, folder)
    code, told = killed(folder, 0, words)
    assert code == 0
    clean = books(folder)
    assert clean != books(start)
    for at in sorted(random.Random(seed).sample(range(1, int(told) + 1), min(points, int(told)))):
        shutil.rmtree(folder)
        shutil.copytree(start, folder)
        code, _ = killed(folder, at, words)
        assert code in {-signal.SIGKILL, 0}
        ok("--archive", folder, *words, "--json", cwd=here.home)
        found = books(folder)
        assert found == clean, f"killed at call {at}: {sorted(found.items() ^ clean.items())[:6]}"


# With the kills by time named above, each command is killed at 25 points or more in every run.
@pytest.mark.parametrize(("name", "points"), [("ingest", 10), ("publish", 15), ("mirror", 25)])
def test_killed_at_seeded_points_the_same_command_ends_in_the_same_bytes(here: Scene, name: str, points: int) -> None:
    compare(here, WORKS[name], points, seed=7)


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(WORKS))
@pytest.mark.parametrize("seed", range(4))
def test_killed_at_many_seeded_points(here: Scene, name: str, seed: int) -> None:
    compare(here, WORKS[name], POINTS, seed)


def test_the_mirror_of_the_scene_is_whole() -> None:
    assert list((mirrored() / "publication/packs").rglob("*.tar"))
