"""Reads dumps in a process of its own, so that a crash, a hang or a gigabyte is a finding and no more."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from child import child

CHILD = Path(__file__).with_name("hostile_child.py")
MEMORY = 512 << 20
"""Promise H1: no input takes more."""


@dataclass
class Confined:
    """One such process."""

    process: subprocess.Popen[str]

    def read(self, source: str, path: Path) -> tuple[dict[str, Any], float, int]:
        """What became of a file (see ``hostile_child.py``), the seconds, and the most bytes held so far."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([source, str(path)]) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the reader of {source} died of {path}"
        told, seconds, peak = json.loads(line)
        return told, seconds, peak

    def survive(self, source: str, path: Path, what: object = "") -> dict[str, Any]:
        """As :meth:`read`; no crash, no hang, no great memory."""
        told, seconds, peak = self.read(source, path)
        assert "crashed" not in told, (source, what, told)
        assert "hung" not in told, (source, what)
        assert seconds < 5, (source, what, seconds)
        assert peak < MEMORY, (source, what, f"{peak >> 20} MiB")
        if "refused" in told:
            assert told["remedy"], (source, what)
        return told


@contextlib.contextmanager
def confined() -> Iterator[Confined]:
    """The process, until the block ends."""
    with child(CHILD) as process:
        yield Confined(process)
