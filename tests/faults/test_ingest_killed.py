"""Promise R1 for each way of ingest: killed after so many bytes or so much time, a rerun ends in the same bytes."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from faults.ingesting import RECORDS, WAYS, Case, Runner, Way, books, case, runner
from fonoteca.catalogue.query import Catalogue
from fonoteca.core.layout import ArchiveLayout

pytestmark = [
    pytest.mark.core,
    pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="bytes written are counted in /proc"),
]
POINTS = {RECORDS.name: 8}
"""Records are killed at 25 moments in tests/catalogue/test_kill.py too, and at calls in test_killed.py."""
EVERY = 25


def counted(folder: Path) -> int:
    with Catalogue.open(ArchiveLayout(folder)) as catalogue:
        return int(catalogue.select("SELECT count(*) AS n FROM recordings")[0]["n"])


def kill(made: Case, run: Runner, points: int, seed: int) -> None:
    clean, folder, dice = made.home / "clean", made.home / "killed", random.Random(seed)
    shutil.copytree(made.archive, clean)
    ran = run.done(clean, made.words)
    whole, before, after = books(clean), counted(made.archive), counted(clean)
    assert before < after
    died = 0
    for point in range(points):
        if point % 2:
            fault: dict[str, float] = {"kill_after": dice.uniform(0, ran.seconds)}
        else:
            fault = {"kill_byte": dice.randrange(1, ran.bytes)}
        shutil.copytree(made.archive, folder)
        died += run.run(folder, made.words, **fault).status < 0
        assert counted(folder) in {before, after}, fault
        run.done(folder, made.words)
        found = books(folder)
        assert found == whole, (fault, sorted(found.items() ^ whole.items())[:6])
        shutil.rmtree(folder)
    assert died > points // 2, "most were killed before they had ended"


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_killed_by_byte_count_and_by_time_the_same_command_ends_in_the_same_bytes(way: Way, tmp_path: Path) -> None:
    with runner() as run:
        kill(case(way, tmp_path), run, POINTS.get(way.name, EVERY), seed=1)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_killed_again_and_again_before_it_ends(way: Way, tmp_path: Path) -> None:
    """Each kill finds what the one before left: leftovers must not pile up, nor be taken for whole."""
    made, dice = case(way, tmp_path), random.Random(2)
    clean, folder = made.home / "clean", made.home / "killed"
    shutil.copytree(made.archive, clean)
    shutil.copytree(made.archive, folder)
    with runner() as run:
        ran = run.done(clean, made.words)
        for _ in range(8):
            run.run(folder, made.words, kill_byte=dice.randrange(1, ran.bytes))
        run.done(folder, made.words)
    assert books(folder) == books(clean)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_thousand_kills(way: Way, seed: int, tmp_path: Path) -> None:
    with runner() as run:
        kill(case(way, tmp_path, 2_000), run, int(os.environ.get("FONOTECA_KILLS", "100")), seed=seed)
