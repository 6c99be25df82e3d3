"""Promise R12 for each way of ingest: of two writers one waits outside, and a dead writer keeps nobody out."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from faults.ingesting import WAYS, Case, Way, books, case, runner

pytestmark = [pytest.mark.core, pytest.mark.skipif(os.name == "nt", reason="POSIX processes")]
ROWS = 2_000


def started(folder: Path, words: tuple[str, ...]) -> subprocess.Popen[str]:
    """The real program, as two people would start it."""
    line = [sys.executable, "-m", "fonoteca", "--archive", str(folder), *words]
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def inside(folder: Path, process: subprocess.Popen[str]) -> None:
    """Wait until a process has the lock and has begun to write."""
    lock, deadline = folder / ".lock", time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if lock.exists() and f'"pid": {process.pid},' in lock.read_text() and (folder / "catalogue/spool").exists():
            return
        time.sleep(0.001)


def clean(made: Case) -> dict[str, str]:
    """What one writer alone makes."""
    folder = made.home / "clean"
    shutil.copytree(made.archive, folder)
    with runner() as run:
        run.done(folder, made.words)
    return books(folder)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_two_ingests_at_once_end_as_one(way: Way, tmp_path: Path) -> None:
    made, dice = case(way, tmp_path, ROWS), random.Random(4)
    whole = clean(made)
    met = 0
    for trial in range(3):
        folder = tmp_path / f"trial{trial}"
        shutil.copytree(made.archive, folder)
        racers = [started(folder, made.words)]
        time.sleep(dice.uniform(0, 0.2))
        racers.append(started(folder, made.words))
        told = [(*one.communicate(timeout=120), one.returncode) for one in racers]
        codes = sorted(code for _, _, code in told)
        assert set(codes) <= {0, 3, 11}, told
        assert codes[0] != 11, "one of them got in"
        for out, err, code in told:
            assert "Traceback" not in err
            if code == 11:
                met += 1
                assert json.loads(out.splitlines()[-1])["code"] == "locked"
        assert books(folder) == whole
    assert met, "they met at least once"


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_while_one_is_inside_the_next_stays_out_and_changes_nothing(way: Way, tmp_path: Path) -> None:
    made = case(way, tmp_path, ROWS)
    whole = clean(made)
    holder = started(made.archive, made.words)
    inside(made.archive, holder)
    holder.send_signal(signal.SIGSTOP)
    try:
        before = books(made.archive)
        with runner() as run:
            ran = run.run(made.archive, made.words)
            assert (ran.code, ran.json["code"]) == (11, "locked")
            assert str(holder.pid) in ran.json["why"], "it says who is inside"
            plan = run.done(made.archive, (*made.words, "--plan"))
            assert plan.json["action"] == "add", "a plan needs no lock"
        assert books(made.archive) == before
    finally:
        holder.send_signal(signal.SIGCONT)
        holder.communicate()
    assert holder.returncode in {0, 3}
    assert books(made.archive) == whole


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_the_lock_of_a_killed_ingest_is_free_also_where_its_process_id_lives_on(way: Way, tmp_path: Path) -> None:
    made = case(way, tmp_path, ROWS)
    whole = clean(made)
    holder = started(made.archive, made.words)
    inside(made.archive, holder)
    holder.kill()
    holder.communicate()
    told = json.loads((made.archive / ".lock").read_text())
    # Another process has that number by now: ours stands for it, for it lives.
    (made.archive / ".lock").write_text(json.dumps(told | {"pid": os.getpid()}))
    with runner() as run:
        run.done(made.archive, made.words)
    assert books(made.archive) == whole


@pytest.mark.parametrize("text", [b"", b"\0" * 100, b'{"pid": "x"}', b"[1]", b"\xff" * 5_000])
def test_a_lock_file_of_noise_keeps_nobody_out(text: bytes, tmp_path: Path) -> None:
    made = case(WAYS[0], tmp_path, 10)
    (made.archive / ".lock").write_bytes(text)
    with runner() as run:
        run.done(made.archive, made.words)


@pytest.mark.long
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_200_races(way: Way, tmp_path: Path) -> None:
    made, dice = case(way, tmp_path, 50), random.Random(5)
    whole = clean(made)
    for _ in range(200):
        folder = tmp_path / "trial"
        shutil.copytree(made.archive, folder)
        racers = [started(folder, made.words)]
        time.sleep(dice.uniform(0, 0.3))
        racers.append(started(folder, made.words))
        if dice.random() < 0.3:
            time.sleep(dice.uniform(0.3, 1))
            racers[dice.randrange(2)].kill()
        for one in racers:
            one.communicate(timeout=120)
        with runner() as run:
            run.done(folder, made.words)
        assert books(folder) == whole
        shutil.rmtree(folder)
