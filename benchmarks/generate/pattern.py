"""How a block of 1,024 recordings falls into releases: sixteen patterns, of which a block follows one.

A pattern has 96 releases, so that the numbers of blocks give all other numbers without counting: release 96 b + k,
recording 1,024 b + offset. 280 of the 1,024 recordings are on reissues: they have the ISRC and the title of a recording
of a release that is as long, in some block of the same pattern. So 744 of 1,024 are distinct: 186 of 256.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from benchmarks.generate.laws import RELEASE_SIZES
from benchmarks.generate.mix import Dice, Index

PATTERNS = 16
BLOCK = 1024
RELEASES = 96
REISSUED = 280
VARIOUS = 13
"""Releases of a block that are by various artists, without the compilations."""


@dataclass(frozen=True)
class Patterns:
    """All sixteen, one row each.

    Attributes:
        sizes, starts: recordings of a release, and the offset of its first.
        original: the release in the pattern that it reissues; itself where it is none.
        various: is by various artists.
        release: for each offset in the block, the release.
    """

    sizes: Index
    starts: Index
    original: Index
    various: Index
    release: Index


@functools.lru_cache(1)
def patterns() -> Patterns:
    """The same whatever the seed."""
    made = [_pattern(number) for number in range(PATTERNS)]
    sizes = np.array([sizes for sizes, _, _ in made])
    release = np.array([np.repeat(np.arange(RELEASES), row) for row in sizes])
    return Patterns(sizes, np.cumsum(sizes, 1) - sizes, np.array([o for _, o, _ in made]),
                    np.array([v for _, _, v in made]), release)  # fmt: skip


def _pattern(number: int) -> tuple[list[int], list[int], list[int]]:
    dice, attempt = Dice(number), 0
    sizes = _sizes(dice)
    while True:
        found = _reissues(dice, attempt, sizes)
        if found is not None:
            break
        attempt += 1
    albums = sorted((k for k in range(RELEASES) if found[k] == k and sizes[k] > 4 and k not in set(_others(found))),
                    key=lambda k: int(dice.bits("various", k)))  # fmt: skip
    various = set(albums[:VARIOUS])
    return sizes, found, [int(k in various) for k in range(RELEASES)]


def _others(original: list[int]) -> list[int]:
    return [o for k, o in enumerate(original) if o != k]


def _sizes(dice: Dice) -> list[int]:
    """Drawn by stratum, so that each pattern has the whole distribution; then nudged to the sum of a block."""
    values = np.repeat([size for size, _ in RELEASE_SIZES], [weight for _, weight in RELEASE_SIZES])
    place = (np.arange(RELEASES) * len(values) + dice.below("stratum", np.arange(RELEASES), len(values))) // RELEASES
    sizes = values[place].tolist()
    turn = 0
    while sum(sizes) != BLOCK:
        k = int(dice.below("nudge", turn, RELEASES))
        turn += 1
        step = 1 if sum(sizes) < BLOCK else -1
        if 9 <= sizes[k] <= 20:
            sizes[k] += step
    order = np.argsort(dice.bits("order", np.arange(RELEASES)))
    return [sizes[k] for k in order]


def _reissues(dice: Dice, attempt: int, sizes: list[int]) -> list[int] | None:
    """The original of each release, so that reissues have exactly their share of recordings; None: try again."""
    order = np.argsort(dice.bits(f"reissue {attempt}", np.arange(RELEASES))).tolist()
    chosen: set[int] = set()
    total = 0
    for k in order:
        same = [o for o in range(RELEASES) if sizes[o] == sizes[k] and o not in chosen and o != k]
        if same and total + sizes[k] <= REISSUED:
            chosen.add(k)
            total += sizes[k]
    if total != REISSUED:
        return None
    original = list(range(RELEASES))
    for k in chosen:
        same = [o for o in range(RELEASES) if sizes[o] == sizes[k] and o not in chosen]
        original[k] = same[int(dice.below("original", k, len(same)))]
    return original
