from __future__ import annotations

import pytest

from fonoteca.publish import cut
from publish.planning import LIMITS, candidate

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("sizes", "portions"),
    [
        ([], []),
        ([10], [[10]]),
        ([4, 6], [[4, 6]]),
        ([4, 7], [[4], [7]]),
        ([11, 1], [[11], [1]]),
        ([1, 11, 1], [[1], [11], [1]]),
    ],
)
def test_portions_one_below_on_and_above_the_limit(sizes: list[int], portions: list[list[int]]) -> None:
    assert list(cut.fill(sizes, lambda n: n, 10)) == portions


def test_the_most_heard_stand_in_the_first_pack() -> None:
    three = [candidate(n, size=20_000) for n in (1, 2, 3)]
    bands = dict.fromkeys((1, 2, 3), "head")
    packs = cut.packs(three, {1: 1, 2: 9, 3: 5}, bands, LIMITS, ())
    assert [[m.recording for m in p.members] for p in packs] == [[2, 3], [1]]


def test_a_reserved_id_is_not_given_again() -> None:
    plain = cut.seal_plan("head", "free", [candidate(1)], 16_384, ())
    again = cut.seal_plan("head", "free", [candidate(1)], 16_384, {plain.id})
    assert again.id != plain.id
    assert again.bytes == plain.bytes


def test_published_and_withdrawn_too_often_is_said() -> None:
    taken: set[str] = set()
    for _ in range(9):
        taken.add(cut.seal_plan("head", "free", [candidate(1)], 16_384, taken).id)
    with pytest.raises(ValueError, match="too often"):
        cut.seal_plan("head", "free", [candidate(1)], 16_384, taken)


def test_missing_names_are_unknown() -> None:
    bare = cut.seal_plan("tail", "nc", [candidate(1, title=None, artist=None, release=None)], 16_384, ())
    assert bare.layout.entries[0].path.startswith("unknown/unknown/00 unknown [")
