"""What to say where a budget has room for the signed tables, but for no pack at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from fonoteca.core.layout import MirrorLayout
from fonoteca.formats.plan import BLOCK, Plan, allocation
from fonoteca.mirror.packs import PACKS_TABLE, read_packs
from fonoteca.mirror.plan import fixed_bytes


@dataclass(frozen=True)
class Shortfall:
    """No pack fits.

    Attributes:
        packs: that are offered.
        smallest: bytes of the smallest.
        disk: a budget in bytes in which that one fits.
    """

    packs: int
    smallest: int
    disk: int

    def as_json(self) -> dict[str, Any]:
        """The fields by name."""
        return asdict(self)


def of_plan(plan: Plan) -> Shortfall | None:
    """What a plan lacks; None where it holds a pack, or there is none."""
    return None if plan.wanted() else _shortfall([pack.bytes for pack in plan.packs], plan.bytes)


def of_run(layout: MirrorLayout, edition: int) -> Shortfall | None:
    """What a run lacked that ended with no pack held; None where the edition has none."""
    packs = read_packs(layout.publication.edition(edition) / PACKS_TABLE)
    return _shortfall([pack.length for pack in packs], fixed_bytes(layout, packs))


def _shortfall(sizes: Sequence[int], fixed: int) -> Shortfall | None:
    if not sizes:
        return None
    smallest = min(sizes)
    # Some more than is needed at least: digests of its blocks, and what the next edition's tables grow by.
    return Shortfall(len(sizes), smallest, fixed + allocation(smallest + smallest // 256) + 16 * BLOCK)
