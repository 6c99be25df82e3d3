"""Promise R13 for each way of ingest: what a clock says never decides what the catalogue holds."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from faults.ingesting import WAYS, Way, books, case, runner

pytestmark = pytest.mark.core
YEAR = 365.25 * 86_400
CLOCKS: dict[str, Any] = {
    "ten years early": -10 * YEAR,
    "ten years late": 10 * YEAR,
    "jumps back in mid-run": [0, 3_600, -7_200, 10, -10 * YEAR],
    "before 1970": -60 * YEAR,
    # POSIX clocks repeat a second, or smear it: 23:59:60 is not to be told apart from either.
    "repeats the last second of a year": [3_239_999, 3_239_999, 3_239_998, 3_240_000],
}
"""Name → seconds off, or those that it jumps between."""


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_the_clock_does_not_change_a_byte(way: Way, tmp_path: Path) -> None:
    made, found = case(way, tmp_path), {}
    with runner() as run:
        for name, clock in {"right": 0, **CLOCKS}.items():
            shutil.copytree(made.archive, tmp_path / name)
            run.done(tmp_path / name, made.words, clock=clock)
            found[name] = books(tmp_path / name)
            assert not run.done(tmp_path / name, made.words, clock=-YEAR).json["changed"], name
            assert books(tmp_path / name) == found[name]
    assert all(tree == found["right"] for tree in found.values())


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
@pytest.mark.parametrize("years", [-10, 10])
def test_times_of_files_do_not_matter(way: Way, years: int, tmp_path: Path) -> None:
    """Dumps and archives copied from a machine with a wrong clock; also what a killed run left."""
    made = case(way, tmp_path)
    clean, folder = tmp_path / "clean", tmp_path / "wrong"
    shutil.copytree(made.archive, clean)
    shutil.copytree(made.archive, folder)
    with runner() as run:
        ran = run.done(clean, made.words)
        run.run(folder, made.words, kill_byte=ran.bytes // 2)
        for path in [*folder.rglob("*"), *(tmp_path / "dump").rglob("*")]:
            moment = path.stat().st_mtime + years * YEAR
            os.utime(path, (moment, moment))
        # Newer manifests with older times: the number decides.
        for number, path in enumerate(sorted((folder / "catalogue/generations").iterdir())):
            os.utime(path, (2e9 - number * 1e6,) * 2)
        run.done(folder, made.words)
    assert books(folder) == books(clean)
