"""What is said where no pack fits: how many, the smallest, and a budget that is enough."""

from __future__ import annotations

import pytest

from fonoteca.formats.plan import PackOffer, plan
from fonoteca.mirror import shortfall

pytestmark = pytest.mark.core
OFFERS = [PackOffer("a", 9_000_000, 0.5), PackOffer("b", 4_000_000, 0.1), PackOffer("c", 8_000_000, 0.2)]


def test_the_budget_that_is_named_is_enough_for_the_smallest() -> None:
    lacks = shortfall.of_plan(plan(OFFERS, (), 1_000_000, 500_000))
    assert lacks is not None
    assert (lacks.packs, lacks.smallest) == (3, 4_000_000)
    assert plan(OFFERS, (), lacks.disk, 500_000).wanted() == ["b"]
    assert lacks.disk < 1.05 * (500_000 + 4_000_000)


def test_nothing_is_said_where_a_pack_fits_or_none_is_offered() -> None:
    assert shortfall.of_plan(plan(OFFERS, (), 5_000_000, 500_000)) is None
    assert shortfall.of_plan(plan([], (), 1_000_000, 500_000)) is None
