"""Promise R7 for each way of ingest: whichever call for input or output fails, it is told, and nothing is lost."""

from __future__ import annotations

import errno
import random
import shutil
from collections.abc import Iterable
from itertools import product
from pathlib import Path

import pytest

from faults.ingesting import WAYS, Case, Runner, Way, books, case, runner

pytestmark = pytest.mark.core
NUMBERS = (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EINTR)
FAULTS = list(product(NUMBERS, (False, True)))
EXITS = {"no-space": 13, "io-error": 1, "unreadable-dump": 2, "bad-settings-file": 2, "generation-damaged": 4}
ROWS = 8


def inject(made: Case, run: Runner, points: Iterable[tuple[int, int, bool]]) -> set[str]:
    """Let each of these calls fail; returns the codes that were told."""
    before, clean = books(made.archive), made.home / "clean"
    shutil.copytree(made.archive, clean)
    run.done(clean, made.words)
    whole, told = books(clean), set()
    for at, number, forever in points:
        folder = made.home / "work"
        shutil.copytree(made.archive, folder)
        ran = run.run(folder, made.words, fail=[at, number, forever])
        what = (at, errno.errorcode[number], forever, ran.stdout[-500:])
        assert ran.status == 0, what
        assert "Traceback" not in ran.stderr, ran.stderr
        left = books(folder)
        assert left["catalogue/CURRENT"] in {before["catalogue/CURRENT"], whole["catalogue/CURRENT"]}, what
        if ran.code in {0, 3}:
            assert left == whole, what
        else:
            error = ran.json
            told.add(error["code"])
            assert error["exit"] == ran.code == EXITS[error["code"]], what
            assert error["remedy"], what
            if number in {errno.ENOSPC, errno.EDQUOT}:
                assert error["code"] in {"no-space", "unreadable-dump", "bad-settings-file"}, what
        run.done(folder, made.words)
        found = books(folder)
        assert found == whole, (what, sorted(found.items() ^ whole.items())[:6])
        shutil.rmtree(folder)
    return told


def calls(made: Case, run: Runner) -> int:
    """Calls of a run in which none fails."""
    folder = made.home / "counted"
    shutil.copytree(made.archive, folder)
    ran = run.done(folder, made.words, fail=[0, errno.EIO, False])
    shutil.rmtree(folder)
    assert ran.injected == 0
    return ran.calls


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_one_call_fails_once_or_for_ever(way: Way, tmp_path: Path) -> None:
    made, dice = case(way, tmp_path, ROWS), random.Random(7)
    with runner() as run:
        count = calls(made, run)
        # One point in each of as many stretches of the run as there are faults, and the last calls, which commit.
        stretches = [dice.randrange(count * n // 8, count * (n + 1) // 8) + 1 for n in range(8)]
        points = [(at, *FAULTS[n % len(FAULTS)]) for n, at in enumerate([*stretches, *range(count - 3, count + 1)])]
        told = inject(made, run, points)
    assert "no-space" in told
    assert "io-error" in told


@pytest.mark.long
@pytest.mark.parametrize("part", range(8))
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_every_call_fails(way: Way, part: int, tmp_path: Path) -> None:
    """Every N until the run has no such call any more; each of the eight faults takes its turn at each N in part."""
    made = case(way, tmp_path, ROWS)
    with runner() as run:
        count = calls(made, run)
        inject(made, run, [(at, *FAULTS[(at + part) % 8]) for at in range(1 + part, count + 1, 8)])


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_no_file_may_grow_beyond_a_limit(way: Way, tmp_path: Path) -> None:
    """The system's own limit meets the engine's writes too, not only Python's."""
    made, clean = case(way, tmp_path), tmp_path / "clean"
    shutil.copytree(made.archive, clean)
    refused = 0
    with runner() as run:
        run.done(clean, made.words)
        whole = books(clean)
        for limit in (0, 500, 3_000, 9_000):
            folder = tmp_path / f"limit{limit}"
            shutil.copytree(made.archive, folder)
            ran = run.run(folder, made.words, limits={"RLIMIT_FSIZE": limit})
            assert ran.status == 0, limit
            assert "Traceback" not in ran.stderr, ran.stderr
            refused += ran.code == 13
            assert ran.code == 13 or books(folder) == whole, (limit, ran.stdout[-500:])
            run.done(folder, made.words)
            assert books(folder) == whole, limit
    assert refused >= 2
