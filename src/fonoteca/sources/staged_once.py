"""What an interrupted reading of a dump has staged already: told once, in the work folder."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fonoteca.core import durable


def told(done: Path, refused: Path, read: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """What ``read`` tells, which stages a dump and writes refused rows to the ``csv`` writer that it is given.

    Args:
        done: a file that keeps what was told, as JSON: where it is there, nothing is read again.
        refused: of the refused rows, in the order of the dump.
        read: returns values for JSON.
    """
    if not done.exists():
        with durable.writing(refused) as binary:
            text = io.TextIOWrapper(binary, "utf-8", newline="", write_through=True)
            found = read(csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL))
            text.detach()
        durable.write_bytes(done, json.dumps(found, sort_keys=True).encode())
    kept: dict[str, Any] = json.loads(done.read_text("utf-8"))
    return kept
