from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fonoteca.publish.tiers import TIERS, cut, rank

pytestmark = pytest.mark.core


def test_half_and_nine_tenths_of_listens_are_the_borders() -> None:
    assert cut({1: 50, 2: 40, 3: 9, 4: 1, 5: None}) == {1: "head", 2: "mid", 3: "tail", 4: "tail", 5: "unheard"}


def test_the_recording_that_crosses_a_border_is_above_it() -> None:
    assert cut({1: 49, 2: 45, 3: 6}) == {1: "head", 2: "head", 3: "tail"}


def test_a_known_zero_is_tail_and_unknown_is_unheard() -> None:
    assert cut({1: 0, 2: None, 3: 10}) == {1: "tail", 2: "unheard", 3: "head"}


def test_all_zero_and_nothing_at_all() -> None:
    assert cut({1: 0, 2: 0}) == {1: "tail", 2: "tail"}
    assert cut({}) == {}


def test_equal_counts_stand_in_the_order_of_ids() -> None:
    assert cut({4: 10, 3: 10, 2: 10, 1: 10}) == {1: "head", 2: "head", 3: "mid", 4: "mid"}


@given(st.dictionaries(st.integers(0, 2**63 - 1), st.none() | st.integers(0, 10**12)))
def test_more_heard_is_never_in_a_lower_tier(listens: dict[int, int | None]) -> None:
    bands = cut(listens)
    assert set(bands) == set(listens)
    known = sorted((-n, r) for r, n in listens.items() if n is not None)
    places = [rank(bands[r]) for _, r in known]
    assert places == sorted(places)
    assert all(bands[r] == TIERS[3] for r, n in listens.items() if n is None)
