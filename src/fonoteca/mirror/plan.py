"""What a mirror will hold: the edition's packs, what is here, and the budget, handed to the pure planner."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from fonoteca.core.errors import NoSpace
from fonoteca.core.layout import MirrorLayout
from fonoteca.formats import plan as planner
from fonoteca.formats.plan import BLOCK, OverBudget, Plan
from fonoteca.mirror.budget import allocated, file_blocks
from fonoteca.mirror.packs import Pack, found_packs

SLACK = 128 * 1024
"""Bytes kept free for the journal, the lock and folders that grow."""


def fixed_bytes(layout: MirrorLayout, packs: Sequence[Pack], coming: int = 0) -> int:
    """Bytes that everything but packs and their leaves allocates: measured, and ``coming`` for files that are not
    here yet."""
    here = list(found_packs(layout.publication))
    held = sum(file_blocks(found.path) + file_blocks(layout.leaves / found.leaves) for found in here)
    growing = sum(file_blocks(path) for path in layout.partial.rglob("*.tar")) if layout.partial.is_dir() else 0
    folders = 2 * BLOCK * len({pack.volume for pack in packs})
    return allocated(layout.root) - held - growing + coming + folders + SLACK


def make(layout: MirrorLayout, packs: Sequence[Pack], held: Collection[str], disk: int, coming: int = 0) -> Plan:
    """The plan for an edition.

    Raises:
        NoSpace: ``over-budget``: not even the metadata fits.
    """
    try:
        return planner.plan([p.offer() for p in packs], held, disk, fixed_bytes(layout, packs, coming))
    except OverBudget as error:
        raise NoSpace(
            "over-budget", "The mirror does not fit into its budget",
            f"metadata and tables need {error.needed} bytes, the budget is {error.budget}",
            f"allow more than that: fonoteca mirror plan --disk {2 * error.needed}", str(layout.root),
        ) from error  # fmt: skip
