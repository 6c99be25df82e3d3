"""What a command may know of the world, handed in whole, so that tests run commands in-process."""

from __future__ import annotations

import datetime
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fonoteca.core.clock import Clock


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime.datetime:
        """UTC, whole seconds."""
        return datetime.datetime.now(datetime.UTC).replace(microsecond=0)

    def monotonic(self) -> float:
        """Seconds of the monotonic clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


@dataclass(frozen=True)
class Env:
    """Streams, folders, variables and the clock of one run."""

    stdout: IO[str]
    stderr: IO[str]
    cwd: Path
    home: Path
    variables: Mapping[str, str]
    clock: Clock
    terminal: bool

    @classmethod
    def of_process(cls) -> Env:
        """This process's."""
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        return cls(sys.stdout, sys.stderr, Path.cwd(), Path.home(), dict(os.environ), SystemClock(),
                   sys.stdout.isatty() and sys.stderr.isatty())  # fmt: skip
