"""Intervals: sums that are exact, replicates that are the same every time, many groups as good as few."""

from __future__ import annotations

import numpy as np
import pytest

from fonoteca.catalogue import bootstrap
from fonoteca.catalogue.bootstrap import SIDES, Groups, replicates

pytestmark = pytest.mark.core


def groups(count: int, seed: int = 1) -> Groups:
    generator = np.random.default_rng(seed)
    recordings = generator.integers(0, 4, (len(SIDES), count))
    return Groups(np.arange(1, count + 1), recordings)


def test_sums_are_exact_above_64_bits() -> None:
    found = Groups(np.array([0, 2**53 - 1]), np.array([[5, 4_000], [1, 1], [0, 2], [7, 3]]))
    assert found.heard() == 4_006 * (2**53 - 1)
    assert found.heard(held=True) == 4 * (2**53 - 1)
    assert found.heard(published=True) == 5 * (2**53 - 1)
    assert found.heard(held=True, published=True) == 3 * (2**53 - 1)
    assert found.heard(held=False, published=False) == 4_000 * (2**53 - 1)


def test_replicates_are_the_same_every_time() -> None:
    found = [replicates(np.random.default_rng(7), groups(9_000)) for _ in range(2)]
    assert np.array_equal(found[0], found[1])
    assert found[0].shape == (3, bootstrap.REPLICATES)


def test_nothing_gives_nothing() -> None:
    assert not replicates(np.random.default_rng(7), groups(0)).any()


def test_groups_drawn_together_spread_as_those_drawn_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    made = groups(8_000)
    together = replicates(np.random.default_rng(7), made)
    monkeypatch.setattr(bootstrap, "DRAWN", 10_000_000)
    alone = replicates(np.random.default_rng(8), made)
    assert together.mean(axis=1) == pytest.approx(alone.mean(axis=1), rel=0.01)
    assert together.std(axis=1) == pytest.approx(alone.std(axis=1), rel=0.15)


def test_parts_are_never_larger_than_the_whole() -> None:
    sums = replicates(np.random.default_rng(7), groups(9_000))
    assert (sums[1:] <= sums[0]).all()
