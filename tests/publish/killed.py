"""Runs ``publish`` on an archive and kills itself, as kill -9 does, at the n-th call that changes the disk."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from fonoteca.cli.env import Env
from fonoteca.cli.main import run
from fonoteca.core.clock import FixedClock
from harness import START


def main(archive: Path, fatal: int) -> int:
    calls = 0

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == fatal:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **named)

        return call

    for name in ("replace", "link", "unlink", "rmdir", "mkdir", "fsync"):
        setattr(os, name, counted(getattr(os, name)))
    env = Env(io.StringIO(), io.StringIO(), archive, archive, {}, FixedClock(START), terminal=False)
    code = run(["--archive", str(archive), "publish"], env)
    print(calls)
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
