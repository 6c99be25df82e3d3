"""Promise R12, short form: two writers never meet, and a dead writer's lock is no lock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fonoteca.core.lock import one_writer

pytestmark = [pytest.mark.core, pytest.mark.skipif(os.name == "nt", reason="POSIX processes")]
TRIALS = 200
RACER = """
import os, sys
from pathlib import Path
from fonoteca.core.errors import Locked
from fonoteca.core.lock import one_writer
lock, inside = Path(sys.argv[1]), Path(sys.argv[2])
met = entered = 0
for line in sys.stdin:
    try:
        with one_writer(lock, "race"):
            entered += 1
            try:
                os.close(os.open(inside, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                met += 1
            inside.unlink(missing_ok=True)
    except Locked:
        pass
    print("done", flush=True)
print(met, entered, flush=True)
"""
DYING = """
import sys, time
from pathlib import Path
from fonoteca.core.lock import one_writer
with one_writer(Path(sys.argv[1]), "dying"):
    print("in", flush=True)
    time.sleep(60)
"""


def racer(folder: Path) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", RACER, str(folder / ".lock"), str(folder / "inside")]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_of_200_races_none_lets_two_in(tmp_path: Path) -> None:
    racers = [racer(tmp_path), racer(tmp_path)]
    for _ in range(TRIALS):
        for one in racers:
            assert one.stdin is not None
            one.stdin.write("go\n")
            one.stdin.flush()
        for one in racers:
            assert one.stdout is not None
            assert one.stdout.readline() == "done\n"
    told = [tuple(map(int, one.communicate()[0].split())) for one in racers]
    assert [met for met, _ in told] == [0, 0]
    assert sum(entered for _, entered in told) >= TRIALS, "in every trial somebody got in"


def test_the_lock_of_a_writer_that_was_killed_clears_itself(tmp_path: Path) -> None:
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", DYING, str(tmp_path / ".lock")], stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"in\n"
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        with one_writer(tmp_path / ".lock", "next"):
            pass
