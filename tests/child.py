"""A Python process of the tests' own: it is spoken to by lines."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def child(script: Path, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """The process, until the block ends. It finds what the tests find; ``variables`` are of its environment."""
    path = os.pathsep.join([str(script.parent.parent), *sys.path])
    process = subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": path} | variables,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.communicate()
