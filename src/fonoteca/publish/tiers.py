"""How tiers are cut: bands of popularity by cumulative share of known listens.

Recordings stand in order of listens. ``head`` are the most heard ones that stand for the first half of all known
listens, ``mid`` those up to nine tenths, ``tail`` the rest with a known count, ``unheard`` those whose count is
unknown. Why these borders: docs/explanation/how-tiers-are-cut.md.
"""

from __future__ import annotations

from collections.abc import Mapping

TIERS = ("head", "mid", "tail", "unheard")
"""Most heard first; also the order in which torrents are listed."""
CLASSES = ("free", "nc")
"""Permit classes, the freer one first."""
_BORDERS = (("head", 50), ("mid", 90))
"""Tier, and the percentage of known listens at which it ends."""
BANDS = (*_BORDERS, ("tail", 100))
"""The same with the last one, whose end is that of all known listens."""


def cut(listens: Mapping[int, int | None]) -> dict[int, str]:
    """Tier of each recording.

    Args:
        listens: recording id → listens; None where no source knows, which is not 0.

    A recording belongs to the band in which it begins: the one that crosses a border is still above it. Equal
    counts stand in the order of their ids. Whole numbers only, so the result is the same on any machine.
    """
    known = sorted(((-count, recording) for recording, count in listens.items() if count is not None))
    total = -sum(count for count, _ in known)
    found = {recording: "unheard" for recording, count in listens.items() if count is None}
    before = 0
    for minus, recording in known:
        found[recording] = _band(before, total)
        before -= minus
    return found


def _band(before: int, total: int) -> str:
    for tier, percent in _BORDERS:
        if before * 100 < total * percent:
            return tier
    return "tail"


def rank(tier: str) -> int:
    """Place of a tier in the order of popularity. Raises ValueError for a word that is no tier."""
    return TIERS.index(tier)
