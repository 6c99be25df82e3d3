"""The child's half of the harness's protocol."""

from __future__ import annotations

import sys
from collections.abc import Callable


def serve(work: Callable[[], object]) -> None:
    """Say that all is loaded, wait for the word, work, say that it is done."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    if sys.stdin.readline():
        work()
        sys.stdout.write("done\n")
        sys.stdout.flush()
