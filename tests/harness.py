"""Runs whole commands in-process, through an injected environment."""

from __future__ import annotations

import datetime
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fonoteca.cli.env import Env
from fonoteca.cli.main import run
from fonoteca.core.clock import Clock, FixedClock

START = datetime.datetime(2026, 11, 24, 12, 0, 0, tzinfo=datetime.UTC)


@dataclass(frozen=True)
class Ran:
    """What one command left behind."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object, or the last JSON line (the summary or the error)."""
        value: dict[str, Any] = json.loads(self.stdout.strip().splitlines()[-1])
        return value

    @property
    def lines(self) -> list[dict[str, Any]]:
        """All JSON lines."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    def items(self) -> list[dict[str, Any]]:
        """The lines of type ``item``."""
        return [line for line in self.lines if line.get("message_type") == "item"]


def fonoteca(
    *words: str | Path, cwd: Path, variables: Mapping[str, str] | None = None, clock: Clock | None = None
) -> Ran:
    """Run a command as if typed in ``cwd``. Add ``--json`` to the words to read :attr:`Ran.json`."""
    out, err = io.StringIO(), io.StringIO()
    env = Env(out, err, cwd, cwd, dict(variables or {}), clock or FixedClock(START), terminal=False)
    code = run([str(w) for w in words], env)
    return Ran(code, out.getvalue(), err.getvalue())


def ok(*words: str | Path, cwd: Path, variables: Mapping[str, str] | None = None, clock: Clock | None = None) -> Ran:
    """As :func:`fonoteca`, and the command must succeed."""
    ran = fonoteca(*words, cwd=cwd, variables=variables, clock=clock)
    assert ran.code == 0, f"{words} exited {ran.code}\n{ran.stdout[-2000:]}\n{ran.stderr[-2000:]}"
    return ran
