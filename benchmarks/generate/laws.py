"""How values are distributed in real open catalogues, as tables of quantiles that are drawn from.

The anchors are figures of the FMA excerpt (listens), freemusi.cc (durations, titles, licences), Discogs and freemusi.cc
(tracks of a release, dates, scripts); docs/benchmarks.md lists them.
"""

from __future__ import annotations

import numpy as np

from benchmarks.generate.mix import Index, Words, scaled, spread

_STEPS = 1024
_LISTENS = spread((
    (0, 12), (0.01, 22), (0.05, 40), (0.1, 56), (0.2, 87), (0.25, 105), (0.35, 146), (0.5, 237), (0.6, 350), (0.7, 520),
    (0.75, 627), (0.8, 790), (0.85, 1_080), (0.9, 1_629), (0.935, 2_350), (0.96, 3_250), (0.98, 4_900), (0.99, 7_027),
    (0.995, 9_800), (0.998, 15_000), (1, 24_000),
), _STEPS)  # fmt: skip
_TAIL = 154
"""Percent: where half as many recordings are left, they have been heard this much more: a power law of exponent 1.6."""
_EDGES = np.array([int(_LISTENS[_STEPS - 1]) * _TAIL**n // 100**n for n in range(40)], np.int64)
_SECONDS = ((0, 2), (0.01, 48), (0.05, 95), (0.25, 186), (0.5, 248), (0.75, 329), (0.95, 489), (0.99, 720),
            (0.998, 1_800),
            (1, 5_400))  # fmt: skip
_DURATIONS = spread([(share, seconds * 1_000) for share, seconds in _SECONDS], _STEPS)
_YEARS = spread(((0, 1950), (0.03, 1960), (0.08, 1970), (0.16, 1980), (0.26, 1990), (0.4, 2000), (0.6, 2010),
                 (0.86, 2020), (1, 2026.49)), _STEPS)  # fmt: skip
WORD_COUNTS = np.repeat(
    np.arange(1, 25),
    np.diff(np.rint(np.array([
        0, 0.22, 0.54, 0.77, 0.885, 0.942, 0.969, 0.982, 0.989, 0.993, 0.995, 0.9963, 0.997, 0.9975, 0.998, 0.9983,
        0.9985, 0.9987, 0.999, 0.9992, 0.9994, 0.9996, 0.9997, 0.9998, 1,
    ]) * 4096).astype(int)),
)  # fmt: skip
"""Words of a title, 4096 equally likely values."""
RELEASE_SIZES = (
    (1, 75), (2, 65), (3, 55), (4, 75), (5, 60), (6, 60), (7, 60), (8, 75), (9, 65), (10, 75), (11, 60), (12, 65),
    (13, 40), (14, 35), (15, 25), (16, 20), (17, 12), (18, 10), (19, 5), (20, 8), (21, 4), (23, 6), (26, 6), (30, 8),
    (36, 8),
    (44, 8), (60, 7), (80, 4), (113, 3), (160, 1),
)  # fmt: skip
"""Tracks of a release and how often per thousand."""
LICENCES = (
    ("https://creativecommons.org/licenses/by-nc-nd/3.0/", 5419),
    ("http://creativecommons.org/licenses/by-nc-sa/3.0/", 2226),
    ("http://creativecommons.org/licenses/by-nc/3.0/de/", 376), ("http://creativecommons.org/licenses/by-nd/2.5/", 271),
    ("http://creativecommons.org/licenses/by/3.0/", 298), ("https://creativecommons.org/licenses/by-sa/4.0/", 291),
    ("http://creativecommons.org/publicdomain/zero/1.0/", 25),
    ("http://creativecommons.org/licenses/publicdomain/", 18),
    ("http://creativecommons.org/licenses/nc-sampling+/1.0/", 12), ("FMA_License", 24), (None, 1040),
)  # fmt: skip
"""Licence as written and its part in 10,000."""


def _along(table: Index, bits: Words) -> Index:
    """A value from a table of quantiles, between two of its entries by the lower bits."""
    step = (bits >> np.uint64(54)).astype(np.int64)
    fine = ((bits >> np.uint64(22)) & np.uint64(0xFFFFFFFF)).astype(np.int64)
    low = table[step]
    return low + (((table[step + 1] - low) * fine) >> 32)


def durations(bits: Words) -> Index:
    """Milliseconds."""
    return _along(_DURATIONS, bits)


def years(bits: Words) -> Index:
    """Years of release."""
    return _along(_YEARS, bits)


def listens(bits: Words, more: Words) -> Index:
    """Listens of a recording that is heard: the excerpt's quantiles, above them the power law without an end."""
    found = _along(_LISTENS, bits)
    top = np.flatnonzero(bits >> np.uint64(54) == _STEPS - 1)
    halvings = 53 - np.frexp((more[top] >> np.uint64(11)).astype(np.float64))[1]  # leading zeros: exact below 2^53
    low = _EDGES[np.minimum(halvings, len(_EDGES) - 1)]
    found[top] = low + (scaled(bits[top] << np.uint64(10), 1 << 20) * (low * (_TAIL - 100) // 100) >> 20)
    return found


def picked(bits: Words, weights: tuple[int, ...]) -> Index:
    """The number of the weight that was hit."""
    edges = np.cumsum(weights)
    return np.searchsorted(edges, scaled(bits, int(edges[-1])), "right")
