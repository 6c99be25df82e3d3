"""Promise R9 for each way of ingest: the memory setting is kept, or the work is refused cleanly and can go on."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from faults.ingesting import WAYS, Case, Way, books, case, runner

pytestmark = [pytest.mark.core, pytest.mark.skipif(sys.platform != "linux", reason="limits on memory are Linux's")]
GIB = 1 << 30
BASE = 256 << 20
"""What Python and its libraries take before any work is done, and may take besides the setting."""
ROWS, MANY = 12_000, 400_000
LEVELS = [(1 * GIB, 2 * GIB), (3 * GIB, 4 * GIB)]
"""(catalogue.memory, what the system gives): an operator with 2 and with 4 GiB, who leaves some for the rest."""


def kept(made: Case, memory: int, given: int) -> dict[str, str]:
    """One ingest under these limits; returns the archive's books."""
    folder = made.home / f"under{given}"
    shutil.copytree(made.archive, folder)
    variables = {"FONOTECA_CATALOGUE_MEMORY": str(memory)}
    with runner() as run:
        # Address space is more than memory: libraries reserve what they never touch, hence RLIMIT_DATA.
        ran = run.done(folder, made.words, variables=variables, limits={"RLIMIT_DATA": given})
    assert ran.rss < memory + BASE, f"{ran.rss >> 20} MiB were used"
    found = books(folder)
    shutil.rmtree(folder)
    return found


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_two_and_four_gib_give_the_same_bytes(way: Way, tmp_path: Path) -> None:
    made = case(way, tmp_path, ROWS)
    first, second = (kept(made, memory, given) for memory, given in LEVELS)
    assert first == second


@pytest.mark.long
@pytest.mark.parametrize("level", LEVELS, ids=["2 GiB", "4 GiB"])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_large_dump_in_two_and_four_gib(way: Way, level: tuple[int, int], tmp_path: Path) -> None:
    kept(case(way, tmp_path, MANY), *level)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_memory_does_not_grow_with_the_dump(way: Way, tmp_path: Path) -> None:
    """Ten times the rows, and not half as much memory again: what does not fit in the setting goes to the disk."""
    peaks = []
    for rows in (ROWS // 10, ROWS):
        made = case(way, tmp_path / str(rows), rows)
        with runner() as run:
            ran = run.done(made.archive, made.words, variables={"FONOTECA_CATALOGUE_MEMORY": "256MiB"})
        peaks.append(ran.rss)
    assert peaks[1] < peaks[0] * 1.5 + (64 << 20)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
@pytest.mark.parametrize("given", [80 << 20, 200 << 20], ids=["80 MiB", "200 MiB"])
def test_too_little_memory_is_told_and_a_rerun_with_more_completes(way: Way, given: int, tmp_path: Path) -> None:
    made = case(way, tmp_path, ROWS // 4)
    clean, folder = tmp_path / "clean", tmp_path / "poor"
    shutil.copytree(made.archive, clean)
    shutil.copytree(made.archive, folder)
    with runner() as run:
        run.done(clean, made.words)
        before, whole = books(made.archive), books(clean)
        ran = run.run(folder, made.words, limits={"RLIMIT_DATA": given})
        left = books(folder)
        assert left["catalogue/CURRENT"] in {before["catalogue/CURRENT"], whole["catalogue/CURRENT"]}
        # A thread that cannot be started may end the process from inside a library: then there is no sentence.
        if ran.status == 0:
            assert "Traceback" not in ran.stderr, ran.stderr[-1500:]
            assert ran.code in {0, 3} or ran.json["code"] == "too-little-memory"
        run.done(folder, made.words)
    assert books(folder) == whole
