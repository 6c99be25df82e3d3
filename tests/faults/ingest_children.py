"""Run by the tests of ingest under faults: each line of stdin asks for one command in a forked child, with a fault.

The process is warm and has one thread, so that a child costs no start of Python. A task is JSON: ``folder`` (the
archive), ``words``, and any of ``variables`` (settings), ``clock`` (seconds off, or a list of them to jump between),
``kill_call`` (SIGKILL at the n-th call that changes the disk), ``kill_byte`` (once so many bytes were written),
``kill_after`` (seconds), ``fail`` (n, errno, for ever: the n-th call for input or output fails), ``limits``
(rlimit → value). The answer: ``status`` (of wait), ``code``, ``stdout``, ``stderr``, ``calls``, ``bytes``, ``rss``
and ``seconds``.
"""

from __future__ import annotations

import contextlib
import datetime
import io
import json
import os
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb  # noqa: F401 warm
import pyarrow.parquet  # noqa: F401 warm

import fonoteca.catalogue.ingest
import fonoteca.cli.commands.ingest
import fonoteca.cli.progress
import fonoteca.cli.settings
import fonoteca.sources.registry  # noqa: F401 warm
from fonoteca.cli.env import Env
from fonoteca.cli.main import run
from fonoteca.core.clock import FixedClock
from harness import START

CHANGES = ("replace", "link", "unlink", "rmdir", "mkdir", "fsync")
CALLS = (*CHANGES, "open", "scandir", "ftruncate")


class Jumping(FixedClock):
    """A clock that tells another time at each look."""

    def __init__(self, offsets: list[float]) -> None:
        super().__init__(START)
        self._offsets = offsets
        self._looks = 0

    def now(self) -> datetime.datetime:
        self._looks += 1
        return super().now() + datetime.timedelta(seconds=self._offsets[self._looks % len(self._offsets)])


class Counter:
    """Counts calls and lets one of them, or all from one on, go wrong."""

    def __init__(self, at: int, act: Callable[[], None], *, forever: bool = False) -> None:
        self._at, self._act, self._forever = at, act, forever
        self._lock = threading.Lock()
        self.calls = 0
        self.injected = 0

    def hit(self) -> None:
        with self._lock:
            self.calls += 1
            wrong = self.calls == self._at or (self._forever and self.calls > self._at > 0)
            self.injected += wrong
        if wrong:
            self._act()

    def wrapped(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            self.hit()
            return real(*args, **named)

        return call


class Stream:
    """An open file whose reads and writes are counted."""

    def __init__(self, real: Any, counter: Counter) -> None:
        self._real, self._counter = real, counter

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        counted = name in {"write", "read", "readinto", "read1", "readline", "flush", "truncate"}
        return self._counter.wrapped(found) if counted else found

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *error: object) -> None:
        self._real.close()

    def __iter__(self) -> Any:
        return iter(self._real)


def arm(task: dict[str, Any]) -> Counter:
    for name, value in task.get("limits", {}).items():
        kind = getattr(resource, name)
        resource.setrlimit(kind, (value, resource.getrlimit(kind)[1]))
        if name == "RLIMIT_FSIZE":
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    if "fail" not in task:
        counter = Counter(task.get("kill_call", 0), lambda: os.kill(os.getpid(), signal.SIGKILL))
        for name in CHANGES:
            setattr(os, name, counter.wrapped(getattr(os, name)))
        return counter
    at, number, forever = task["fail"]

    def wrong() -> None:
        raise OSError(number, os.strerror(number))

    counter = Counter(at, wrong, forever=forever)
    for name in CALLS:
        setattr(os, name, counter.wrapped(getattr(os, name)))
    real = io.open

    def opened(*args: Any, **named: Any) -> Any:
        counter.hit()
        return Stream(real(*args, **named), counter)

    io.open = opened  # type: ignore[assignment]
    return counter


def written(pid: int | str) -> int:
    """Bytes that a process has given to write(2), in Python or in the engine."""
    with Path(f"/proc/{pid}/io").open("rb") as stream:
        return int(stream.read().split(b"wchar: ")[1].split()[0])


def child(task: dict[str, Any], answer: int) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    offsets = task.get("clock", 0)
    out, err = io.StringIO(), io.StringIO()
    folder = Path(task["folder"])
    clock = Jumping(offsets if isinstance(offsets, list) else [offsets])
    env = Env(out, err, folder, folder, task.get("variables", {}), clock, terminal=False)
    counter = arm(task)
    begun = time.monotonic()
    code: int | None = None
    try:
        code = run(["--archive", str(folder), *task["words"]], env)
    except BaseException:
        err.write(traceback.format_exc())
    told = {
        "code": code, "stdout": out.getvalue(), "stderr": err.getvalue(), "calls": counter.calls,
        "injected": counter.injected, "seconds": time.monotonic() - begun,
        "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }  # fmt: skip
    with contextlib.suppress(OSError, IndexError):
        told["bytes"] = written("self")
    data = json.dumps(told).encode()
    while data:
        data = data[os.write(answer, data) :]


def watch(task: dict[str, Any], pid: int) -> None:
    """Kill the child when it is time."""
    if "kill_after" in task:
        time.sleep(task["kill_after"])
        os.kill(pid, signal.SIGKILL)
    if "kill_byte" in task:
        with contextlib.suppress(OSError, IndexError):  # it has ended
            while written(pid) < task["kill_byte"]:
                time.sleep(0.0002)
                if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                    return
            os.kill(pid, signal.SIGKILL)


def one(task: dict[str, Any]) -> dict[str, Any]:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        try:
            child(task, writer)
        finally:
            os._exit(0)
    os.close(writer)
    watch(task, pid)
    with os.fdopen(reader, "rb") as stream:
        told = stream.read()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return {"status": status, **(json.loads(told) if told and status == 0 else {})}


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(one(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
