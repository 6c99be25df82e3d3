"""Space is asked for before anything is written: a clear refusal at once is better than a full disk after an hour."""

from __future__ import annotations

import shutil
from pathlib import Path

from fonoteca.core.errors import NoSpace

_SPARE = 256 << 20
"""Bytes that are left to everybody else, by a dump that is not small itself."""


def ask(folder: Path, needed: int) -> None:
    """Raise NoSpace where a folder's disk has less than ``needed`` bytes, and some to spare.

    Raises:
        NoSpace: ``no-space``, with both numbers.
    """
    free = shutil.disk_usage(folder).free
    spare = min(needed, _SPARE)
    if free < needed + spare:
        raise NoSpace("no-space", "There is not enough space to read this dump",
                      f"{folder} has {free:,} bytes free, and up to {needed + spare:,} are needed",
                      "free some space, or move the archive to a larger disk", str(folder))  # fmt: skip
