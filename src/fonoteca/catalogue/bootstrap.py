"""The intervals of shares of listens: a bootstrap over recordings, by counts of equal ones (docs/formats/signal.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

SEED = 20_240_229
REPLICATES = 400
DRAWN = 4_096
"""So many groups are drawn one by one; all others, which together weigh less, as one sum each side."""
SIDES = ((0, 0), (1, 0), (0, 1), (1, 1))
"""(held, published) of the rows of :attr:`Groups.recordings`."""


@dataclass(frozen=True)
class Groups:
    """Recordings by listens: ``listens`` (n), ascending, and ``recordings`` (4, n), a row for each of :data:`SIDES`."""

    listens: Array
    recordings: Array

    def heard(self, held: bool | None = None, published: bool | None = None) -> int:
        """Exact sum of the listens of those that are (or are not) held and published; None: either."""
        wanted = [h in {held, h if held is None else held} and p == (p if published is None else published)
                  for h, p in SIDES]  # fmt: skip
        counts = self.recordings[wanted].sum(axis=0)
        return sum(map(int.__mul__, self.listens.tolist(), counts.tolist()))


def replicates(generator: np.random.Generator, groups: Groups) -> Array:
    """Per replicate the listens of all recordings, of those held, of those published: shape (3, replicates).

    Of n equal recordings, Poisson(n) are drawn. The groups that move the sums most (by n x listens squared) are drawn
    each; the rest of a side from the normal law with the mean and the variance that their sum has.
    """
    import numpy as np

    side, place = np.nonzero(groups.recordings)
    n = groups.recordings[side, place].astype(np.float64)
    listens = groups.listens[place].astype(np.float64)
    order = np.argsort(-(n * listens * listens), kind="stable")
    first, rest = order[:DRAWN], order[DRAWN:]
    ones: Array = np.array([[1, h, p] for h, p in SIDES], np.float64).T
    # Whole numbers below 2^53 add up alike in any order.
    sums: Array = (ones[:, side[first]] * listens[first]) @ generator.poisson(n[first, None], (len(first), REPLICATES))
    if len(rest):
        mean = np.bincount(side[rest], n[rest] * listens[rest], len(SIDES))
        deviation = np.sqrt(np.bincount(side[rest], n[rest] * listens[rest] ** 2, len(SIDES)))
        drawn = generator.normal(mean[:, None], deviation[:, None], (len(SIDES), REPLICATES))
        sums = sums + ones @ np.rint(np.maximum(drawn, 0))
    return sums
