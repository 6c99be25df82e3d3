"""Is there room for a publication? Asked before the first byte is written."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from fonoteca.core.errors import NoSpace
from fonoteca.core.sizes import show_size
from fonoteca.publish.plan import PublicationPlan

RESERVE = 16 << 20
"""Bytes kept free for the edition's small files and for whoever else writes."""


def free_bytes(folder: Path) -> int:
    """What the disk below the nearest folder that exists can still take."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def needed(plan: PublicationPlan, tables: int) -> int:
    """Bytes that a run writes at most: new packs, redactions, blobs copied back, tables twice (draft and merge)."""
    redacted = sum(r.old.bytes for r in plan.redacted)
    copied = sum({row.blob: row.bytes for row in plan.lost}.values())
    return plan.sizes["new"] + redacted + copied + 2 * tables + RESERVE


def check(need: int, folder: Path, free: Callable[[Path], int] = free_bytes) -> None:
    """Raises NoSpace, with what is needed and what there is."""
    have = free(folder)
    if have < need:
        raise NoSpace("no-space", "The edition was not begun",
                      f"it needs {need} bytes ({show_size(need)}) and {folder} has {have} ({show_size(have)}) free",
                      "free some space, or move the archive to a larger disk, then run the same command again",
                      str(folder))  # fmt: skip
