"""Counting of listens: the same whether entries stay in memory or go to the scratch file."""

from __future__ import annotations

import random

import pytest

from fonoteca.sources.listen_count import Counted, ListenCount

pytestmark = pytest.mark.core


@pytest.mark.parametrize("held", [32, 1000, 1 << 30])
def test_spilled_or_not_the_counts_are_those_of_a_set(held: int) -> None:
    rng = random.Random(7)
    mbids = [f"{rng.getrandbits(32):08x}-0000-4000-8000-{n:012x}" for n in range(20)]
    listens = [(rng.choice(mbids), f"{rng.randrange(8)}", f"{rng.randrange(9)}", n % 3, n) for n in range(2000)]
    with ListenCount(held) as count:
        for one in listens:
            count.add(*one)
        found = list(count.counted())
        assert list(count.counted()) == found
    assert [c.mbid for c in found] == sorted(mbids)
    for counted in found:
        mine = [entry for entry in listens if entry[0] == counted.mbid]
        assert counted.listens == len({(who, when) for _, who, when, _, _ in mine})
        assert counted.listeners == len({who for _, who, *_ in mine})
        assert counted.listens + len(counted.again) == len(mine)
        assert counted.first == min((file, row) for *_, file, row in mine)


def test_nothing_counts_nothing() -> None:
    with ListenCount() as count:
        assert list(count.counted()) == []
        count.add("00000000-0000-0000-0000-000000000000", "a", "b", 65_535, 2**40 - 1)
        assert list(count.counted()) == [
            Counted("00000000-0000-0000-0000-000000000000", 1, 1, (65_535, 2**40 - 1), ())
        ]  # fmt: skip
