"""The arithmetic of the benchmarks' harness, and that each benchmark runs at a tiny size. No timings are asserted."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from conftest import REPOSITORY

sys.path.insert(0, str(REPOSITORY))

from benchmarks import harness, machine, report
from benchmarks.__main__ import NAMES
from benchmarks.figure import Figure, Target
from benchmarks.harness import Job, Result, Sample, Side, SideFailed
from benchmarks.workbench import Setup, halves, side

pytestmark = pytest.mark.core


def _figure(own: float, peer: float, target: Target | None, size: int = 0) -> Figure:
    return Figure("P0", "work", "peer", own, peer, target, size)


def test_a_ratio_of_speeds_is_high_where_own_is_fast() -> None:
    assert _figure(2.0, 1.0, Target(0.5)).ratio == 0.5
    assert _figure(2.0, 1.0, Target(0.5)).verdict == "met"
    assert _figure(2.0, 1.0, Target(0.51)).verdict == "missed"


def test_a_ratio_of_times_is_high_where_own_is_slow() -> None:
    target = Target(8, at_least=False, unit="×")
    assert _figure(16.0, 2.0, target).ratio == 8.0
    assert _figure(16.0, 2.0, target).verdict == "met"
    assert _figure(16.1, 2.0, target).verdict == "missed"


def test_without_a_peer_the_seconds_count_and_without_a_target_nothing_is_judged() -> None:
    assert _figure(0.9, 0.0, Target(1, at_least=False)).verdict == "met"
    assert _figure(1.1, 0.0, Target(1, at_least=False)).verdict == "missed"
    assert _figure(1.0, 1.0, None).verdict == "context"


def test_the_median_is_reported_and_the_highest_peak() -> None:
    result = Result("x", [Sample(3.0, 1.0, 10), Sample(1.0, 9.0, 30), Sample(2.0, 2.0, 20)])
    assert (result.seconds, result.cpu, result.memory, result.spread) == (2.0, 2.0, 30, 1.0)


def test_a_row_has_rate_ratio_target_and_verdict() -> None:
    row = report.row(_figure(2.0, 1.0, Target(0.8), 3_000_000))
    assert "| 2 MB/s (2.00 s) | peer: 3 MB/s (1.00 s) | **0.50** | ≥ 0.8 | missed |" in row
    assert row.count("|") == report.HEAD.splitlines()[0].count("|")


def test_a_run_is_appended_to_what_is_there(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Before\n", "utf-8")
    report.record(page, "2026-01-01", machine.facts(), [_figure(1.0, 1.0, None)])
    text = page.read_text("utf-8")
    assert text.startswith("# Before\n\n### 2026-01-01\n")
    assert "load average" in text
    assert text.endswith(report.row(_figure(1.0, 1.0, None)) + "\n")


def test_every_side_runs_in_every_round_and_the_order_comes_from_the_seed() -> None:
    def told(seed: int) -> list[str]:
        heard: list[str] = []
        sides = [Side(name, (Job((sys.executable, "-c", "pass")),)) for name in "abc"]
        found = harness.compare(sides, 3, seed, heard.append)
        assert [len(found[name].samples) for name in "abc"] == [3, 3, 3]
        return [line.split(": ")[1] for line in heard]

    assert told(5) == told(5)
    assert {tuple(told(5)[:3]), tuple(told(6)[:3]), tuple(told(7)[:3])} != {("a", "b", "c")}


def test_memory_of_children_counts_and_getting_ready_does_not() -> None:
    program = (
        "import subprocess, sys, time; time.sleep(0.5); print('ready', flush=True); sys.stdin.readline();"
        "subprocess.run([sys.executable, '-c', 'import time; x = bytes(1) * (60 << 20); time.sleep(0.3)']);"
        "print('done', flush=True)"
    )
    sample = harness.run(Side("x", (Job((sys.executable, "-c", program), speaks=True),)))
    assert sample.memory > 60 << 20
    assert sample.seconds >= 0.3


def test_a_process_that_fails_stops_the_run_with_what_it_said() -> None:
    for speaks in (False, True):
        job = Job((sys.executable, "-c", "import sys; sys.exit('it broke')"), speaks)
        with pytest.raises(SideFailed, match="it broke"):
            harness.run(Side("x", (job,)))


def test_halves_are_about_equal_and_whole(tmp_path: Path) -> None:
    for number, size in enumerate((500, 300, 200, 100, 100)):
        (tmp_path / str(number)).write_bytes(bytes(size))
    parts = halves(list(tmp_path.iterdir()))
    assert sorted(sum(p.stat().st_size for p in part) for part in parts) == [600, 600]
    assert sorted(p.name for part in parts for p in part) == ["0", "1", "2", "3", "4"]


def test_the_hashing_side_speaks_the_protocol() -> None:
    sample = harness.run(Side("limit", (Job(side("hashing", "sha256", 3_000_001), speaks=True),) * 2))
    assert sample.seconds > 0


NEEDS = {"verifying": ("openssl",)}


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.tools if n in NEEDS else ()) for n in NAMES])
def test_every_benchmark_runs_at_a_tiny_size(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    for tool in NEEDS.get(name, ()):
        request.getfixturevalue("need_tool")(tool)
    audio = tmp_path / "audio"
    if name == "intake":
        from benchmarks.workbench import make_music

        audio.mkdir()
        make_music(audio, 2, 40_000, 1)
    heard: list[str] = []
    setup = Setup(tmp_path / "bench", 2, 1, 1, heard.append, None, audio)
    setup.folder.mkdir()
    figures = importlib.import_module(f"benchmarks.{name}").measure(setup)
    assert {figure.promise for figure in figures} == set(NAMES[name][0].split())
    assert all(figure.own > 0 and report.row(figure) for figure in figures)


def test_without_real_music_intake_says_so(tmp_path: Path) -> None:
    heard: list[str] = []
    assert importlib.import_module("benchmarks.intake").measure(Setup(tmp_path, 1, 1, 1, heard.append)) == []
    assert "skipped" in heard[0]
