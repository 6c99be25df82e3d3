"""Space is asked for before anything is written: a clear refusal at once is better than a full disk after an hour."""

from __future__ import annotations

import shutil
from pathlib import Path

from fonoteca.core.errors import NoSpace

_SPARE = 256 << 20
"""Bytes that are left to everybody else, by a dump that is not small itself."""


def ask(folder: Path, on_the_way: int, result: int) -> None:
    """Raise NoSpace where a folder's disk has less than an ingest needs, and some to spare.

    Args:
        folder: of the catalogue.
        on_the_way: bytes that lie there until the ingest has ended.
        result: bytes of what comes of it. Both are there at once at the end.

    Raises:
        NoSpace: ``no-space``, with all numbers.
    """
    free, needed = shutil.disk_usage(folder).free, on_the_way + result
    spare = min(needed, _SPARE)
    if free < needed + spare:
        raise NoSpace("no-space", "There is not enough space to read this dump",
                      f"{folder} has {free:,} bytes free, and up to {needed + spare:,} are needed: {on_the_way:,} on "
                      f"the way, {result:,} for the result, {spare:,} to spare",
                      "free some space, or move the archive to a larger disk", str(folder))  # fmt: skip
