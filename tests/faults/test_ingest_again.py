"""Promise R10 for each way of ingest: the same command again writes no file, and hardly costs time."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from faults.ingesting import WAYS, Way, case, runner

pytestmark = pytest.mark.core


def marks(folder: Path) -> dict[str, tuple[int, int, int, int]]:
    """What changes when a file or folder is written, or replaced by an equal one."""
    found = {}
    for path in [folder, *folder.rglob("*")]:
        told = path.stat()
        found[path.relative_to(folder).as_posix()] = (told.st_mtime_ns, told.st_ctime_ns, told.st_ino, told.st_size)
    del found[".lock"]  # who holds the lock is told in it
    return found


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_second_run_writes_nothing(way: Way, tmp_path: Path) -> None:
    made = case(way, tmp_path)
    with runner() as run:
        first = run.done(made.archive, made.words)
        before = marks(made.archive)
        second = run.done(made.archive, made.words)
        plan = run.run(made.archive, (*made.words, "--plan"))
    assert marks(made.archive) == before
    assert second.calls == 0, "no call that changes the disk"
    assert (first.json["changed"], second.json["changed"], plan.json["action"]) == (True, False, "nothing")
    told = ("read", "records", "refused", "duplicates", "quarantine", "dump", "generation", "counts")
    assert {name: second.json[name] for name in told} == {name: first.json[name] for name in told}


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_the_same_bytes_elsewhere_are_the_same_dump(way: Way, tmp_path: Path) -> None:
    made = case(way, tmp_path)
    with runner() as run:
        run.done(made.archive, made.words)
        before = marks(made.archive)
        shutil.copytree(made.home / "dump", tmp_path / "moved" / "elsewhere")
        moved = tuple(w.replace(str(made.home / "dump"), str(tmp_path / "moved" / "elsewhere")) for w in made.words)
        assert not run.done(made.archive, moved).json["changed"]
    assert marks(made.archive) == before


@pytest.mark.long
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_the_second_run_takes_a_twentieth_of_the_first(way: Way, tmp_path: Path) -> None:
    made = case(way, tmp_path, 200_000)
    with runner() as run:
        first = run.done(made.archive, made.words)
        second = run.done(made.archive, made.words)
    assert second.seconds < first.seconds / 20
