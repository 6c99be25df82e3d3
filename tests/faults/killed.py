"""Run by test_killed: one command, killed as kill -9 does, at its n-th call that changes the disk (0: never)."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fonoteca.cli.env import Env
from fonoteca.cli.main import run
from fonoteca.core.clock import FixedClock
from harness import START

CHANGES = ("replace", "link", "unlink", "rmdir", "mkdir", "fsync")


def main(folder: Path, fatal: int, words: list[str]) -> int:
    """The command's exit code; the number of calls goes to stdout."""
    calls, lock = 0, threading.Lock()

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            nonlocal calls
            with lock:
                calls += 1
                if calls == fatal:
                    os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **named)

        return call

    for name in CHANGES:
        setattr(os, name, counted(getattr(os, name)))
    env = Env(io.StringIO(), io.StringIO(), folder, folder, {}, FixedClock(START), terminal=False)
    code = run(["--archive", str(folder), *words], env)
    print(calls)
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
