"""P16: how soon a command answers, beside Python itself; how soon the site answers."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

from benchmarks.figure import Figure, Target
from benchmarks.harness import Job, Result, Side, compare
from benchmarks.workbench import PYTHON, Setup, fonoteca, make_archive

BARE, HELP, ONE = "python -c pass", "fonoteca --help", "fonoteca verify --help"
RUNS = 7
"""Rounds for each repeat that was asked for: one start is short and uneven."""


def measure(setup: Setup) -> list[Figure]:
    """Many starts in turn; then the site of a small archive, started anew each time."""
    program = str(Path(PYTHON).with_name("fonoteca"))
    words = (program,) if Path(program).is_file() else (PYTHON, "-m", "fonoteca")
    sides = [
        Side(BARE, (Job((PYTHON, "-c", "pass")),)),
        Side(HELP, (Job((*words, "--help")),)),
        Side(ONE, (Job((*words, "verify", "--help")),)),
    ]
    results = compare(sides, setup.repeats * RUNS, setup.seed, lambda _: None)
    figures = [_figure(results[name], results[BARE], by_cpu) for name in (HELP, ONE) for by_cpu in (False, True)]
    return [*figures, _site(setup)]


def _figure(own: Result, bare: Result, by_cpu: bool) -> Figure:
    times = (own.cpu, bare.cpu) if by_cpu else (own.seconds, bare.seconds)
    what = f"{own.name}, {'processor' if by_cpu else 'wall'} time"
    return Figure("P16", what, BARE, *times, Target(8, at_least=False, unit="×"), 0, own.cpu, bare.cpu, own.memory,
                  bare.memory, 0, own.spread)  # fmt: skip


def _site(setup: Setup) -> Figure:
    """From the start of ``serve`` to the first whole front page."""
    root = make_archive(setup, publish=True)
    fonoteca("--archive", root, "--quiet", "index")
    times = [_ready(root, port) for port in _ports(setup.repeats)]
    seconds = statistics.median(times)
    return Figure("P16", "serve, to the first page", "", seconds, 0, Target(1, at_least=False, unit=" s"),
                  spread=(max(times) - min(times)) / seconds)  # fmt: skip


def _ports(count: int) -> list[int]:
    import socket

    found = []
    for _ in range(count):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            found.append(free.getsockname()[1])
    return found


def _ready(root: Path, port: int) -> float:
    words = [PYTHON, "-m", "fonoteca", "--archive", str(root), "--quiet", "serve", "--port", str(port)]
    os.sync()
    started = time.perf_counter()
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while process.poll() is None:
                with suppress(urllib.error.URLError, ConnectionError):
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10).read()
                    return time.perf_counter() - started
                time.sleep(0.01)
            raise RuntimeError("serve ended")
        finally:
            process.terminate()
