"""Commands on file systems that are read-only or small, mounted in a name space of their own that ends with them."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from harness import Ran

TESTS = Path(__file__).resolve().parents[2]
_UNSHARE = ["unshare", "--mount"]


@functools.cache
def prefix() -> tuple[str, ...]:
    """The words in front of a program that may mount; skips, saying so, where that is not permitted."""
    for words in (_UNSHARE, [*_UNSHARE, "--user", "--map-root-user"]):
        probe = [*words, "sh", "-c", 'mount -t tmpfs -o size=64k none "$0" && touch "$0/x"', "/tmp"]
        if shutil.which("unshare") and subprocess.run(probe, capture_output=True).returncode == 0:
            return tuple(words)
    pytest.skip("file systems cannot be mounted here: neither as administrator nor in a user name space")


def run(script: str, *words: str | Path, task: Any) -> Any:
    """Run a module of tests in a mount name space; it reads JSON on stdin and writes JSON on stdout."""
    path = os.pathsep.join([str(TESTS), *sys.path])
    ran = subprocess.run(
        [*prefix(), sys.executable, str(script), *map(str, words)], input=json.dumps(task), capture_output=True,
        text=True, env=os.environ | {"PYTHONPATH": path}, timeout=540,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-3000:]
    return json.loads(ran.stdout.splitlines()[-1])


def read_only(home: Path, calls: Sequence[tuple[str, str, list[str]]]) -> dict[str, Ran]:
    """Each (name, archive, words) with ``home`` mounted read-only."""
    told = run(str(Path(__file__).with_name("read_only.py")), home, task=list(calls))
    return {name: Ran(*answer) for name, answer in told.items()}
