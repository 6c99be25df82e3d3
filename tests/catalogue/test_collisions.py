"""Two keys, one id: the outcome depends on the keys alone."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fonoteca.catalogue.collisions import Key, resolve
from fonoteca.core.ids import Kind, make_id

pytestmark = pytest.mark.core


def short(kind: Kind, source: str, key: str, counter: int) -> int:
    """A hash of 64 values: everything collides."""
    return make_id(kind, source, key, counter) % 64


def all_in_turn(keys: Iterable[Key]) -> dict[Key, int]:
    """The rule as the format states it, over all keys."""
    given_ids: dict[Key, int] = {}
    for source, key in sorted(keys):
        counter = 0
        while (value := short(Kind.RECORDING, source, key, counter)) in given_ids.values():
            counter += 1
        given_ids[source, key] = value
    return given_ids


def by_resolving(keys: set[Key]) -> dict[Key, int]:
    """What looking only at colliding keys gives."""
    first = {key: short(Kind.RECORDING, *key, 0) for key in keys}
    colliding = [k for k in keys if sum(v == first[k] for v in first.values()) > 1]

    def owners(ids: set[int]) -> list[Key]:
        return [k for k in keys if first[k] in ids]

    return first | resolve(Kind.RECORDING, colliding, owners, short)


@given(st.sets(st.tuples(st.sampled_from(["a", "b"]), st.text("xyz", min_size=1, max_size=4)), max_size=40))
def test_looking_at_colliding_keys_only_gives_what_all_keys_in_turn_give(keys: set[Key]) -> None:
    assert by_resolving(keys) == all_in_turn(keys)


def test_no_collision_touches_nothing() -> None:
    assert resolve(Kind.ARTIST, [], lambda _: [("s", "k")], short) == {}


def test_the_earlier_key_keeps_its_id() -> None:
    keys = [("s", str(n)) for n in range(200)]
    pair = next(
        (a, b) for a in keys for b in keys if a < b and short(Kind.RECORDING, *a, 0) == short(Kind.RECORDING, *b, 0)
    )
    shuffled = list(pair)
    random.Random(7).shuffle(shuffled)
    found = resolve(Kind.RECORDING, shuffled, lambda _: shuffled, short)
    assert found[pair[0]] == short(Kind.RECORDING, *pair[0], 0)
    assert found[pair[1]] == short(Kind.RECORDING, *pair[1], 1)
