"""Runs own and peer side by side: same data, written out first, several rounds, the order shuffled by a seed.

A side is one or more processes. One that is ours speaks a small protocol, so that loading libraries is not counted:
it writes ``ready``, waits for a line, works, writes ``done``. Any other program is counted from start to end.
"""

from __future__ import annotations

import contextlib
import os
import random
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SAMPLE_SECONDS = 0.05
"""How often memory is looked at."""
_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Job:
    """One process. ``speaks``: it follows the protocol."""

    argv: tuple[str, ...]
    speaks: bool = False


@dataclass(frozen=True)
class Side:
    """What is measured against what.

    Attributes:
        jobs: processes that work at the same time.
        before: makes way for a round; not counted.
        after: looks at what came out of a round, and raises if it is not right; not counted.
    """

    name: str
    jobs: tuple[Job, ...]
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Sample:
    """One round: wall seconds, processor seconds of all processes, peak bytes of memory of all of them together."""

    seconds: float
    cpu: float
    memory: int


@dataclass
class Result:
    """All rounds of one side."""

    name: str
    samples: list[Sample] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Median of the wall times."""
        return statistics.median(s.seconds for s in self.samples)

    @property
    def cpu(self) -> float:
        """Median of the processor times."""
        return statistics.median(s.cpu for s in self.samples)

    @property
    def memory(self) -> int:
        """The highest of the peaks."""
        return max(s.memory for s in self.samples)

    @property
    def spread(self) -> float:
        """Largest wall time less the smallest, by the median."""
        times = [s.seconds for s in self.samples]
        return (max(times) - min(times)) / self.seconds if self.seconds else 0.0


class SideFailed(Exception):
    """A process ended with an error."""


def compare(sides: Sequence[Side], repeats: int, seed: int, told: Callable[[str], None]) -> dict[str, Result]:
    """Run every side ``repeats`` times, each round in another order.

    Raises:
        SideFailed: with the end of what the process said.
    """
    dice = random.Random(seed)
    results = {side.name: Result(side.name) for side in sides}
    for number in range(repeats):
        order = list(sides)
        dice.shuffle(order)
        for side in order:
            side.before()
            os.sync()
            sample = run(side)
            side.after()
            results[side.name].samples.append(sample)
            told(f"  round {number + 1}: {side.name}: {sample.seconds:.3f} s, {sample.cpu:.3f} s of the processor")
    return results


def run(side: Side) -> Sample:
    """One round of one side."""
    started = time.perf_counter()
    processes = [_start(job) for job in side.jobs]
    speaking = [p for p, job in zip(processes, side.jobs, strict=True) if job.speaks]
    watch = _Watch([p.pid for p in processes])
    try:
        for process in speaking:
            _expect(process, "ready")
        before = sum(_cpu_so_far(p.pid) for p in speaking)
        watch.start()
        if speaking:
            started = time.perf_counter()
        for process in speaking:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in speaking:
            _expect(process, "done")
        ended = [_end(p) for p in processes] if len(speaking) < len(processes) else None
        seconds = time.perf_counter() - started
        ended = ended or [_end(p) for p in processes]
    finally:
        watch.stop()
        for process in processes:
            _reap(process)
    return Sample(seconds, sum(ended) - before, watch.peak)


def _start(job: Job) -> subprocess.Popen[str]:
    out = subprocess.PIPE if job.speaks else subprocess.DEVNULL
    return subprocess.Popen(job.argv, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.PIPE, text=True, cwd=_ROOT)


def _expect(process: subprocess.Popen[str], word: str) -> None:
    """Read on until the word comes: libraries may chat before."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == word:
            return
    raise _failure(process)


def _failure(process: subprocess.Popen[str]) -> SideFailed:
    assert process.stderr is not None
    return SideFailed(f"{' '.join(map(str, process.args))}: {process.stderr.read()[-2000:]}")  # type: ignore[arg-type]


def _end(process: subprocess.Popen[str]) -> float:
    """Wait for the end of a process; its processor seconds and those of its children."""
    assert process.stdin is not None
    process.stdin.close()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise _failure(process)
    return used.ru_utime + used.ru_stime


def _reap(process: subprocess.Popen[str]) -> None:
    if process.returncode is None:
        process.kill()
        process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def _cpu_so_far(pid: int) -> float:
    """Processor seconds that a living process and the children that it has waited for have used (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(fields[i]) for i in (11, 12, 13, 14)) / os.sysconf("SC_CLK_TCK")


class _Watch:
    """Looks at the resident memory of some processes and all their children, again and again."""

    def __init__(self, pids: Sequence[int]) -> None:
        self.peak = 0
        self._pids = list(pids)
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _look(self) -> None:
        while True:
            self.peak = max(self.peak, sum(map(resident, family(self._pids))))
            if self._ended.wait(SAMPLE_SECONDS):
                return


def family(pids: Sequence[int]) -> list[int]:
    """The processes and all that descend from them."""
    found, waiting = [], list(pids)
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        # A process may end, and its folder with it, between any two of these steps.
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                waiting += map(int, task.read_text().split())
    return found


def resident(pid: int) -> int:
    """Bytes of memory that a process holds, shared pages included; 0 where it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def disk(folder: Path) -> int:
    """Bytes that are allocated below a folder; a file of several names counts once."""
    seen: dict[tuple[int, int], int] = {}
    for path in folder.rglob("*"):
        if path.is_file():
            found = path.stat()
            seen[found.st_dev, found.st_ino] = found.st_blocks * 512
    return sum(seen.values())
