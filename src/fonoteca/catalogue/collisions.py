"""Two keys, one id: the rule that decides, the same whatever the order of ingest (docs/formats/id.md).

All keys of a kind, sorted by (source, key), take in turn the first of their ids, by counter from 0, that no
earlier key has. Only the keys that come near a collision are looked at, so that a billion keys cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from fonoteca.core.ids import Kind, make_id

MakeId = Callable[[Kind, str, str, int], int]
Key = tuple[str, str]
"""(source, key)."""

default_make_id: MakeId = make_id


def resolve(
    kind: Kind, colliding: Iterable[Key], owners: Callable[[set[int]], Iterable[Key]], make: MakeId = default_make_id
) -> dict[Key, int]:
    """The id of every key that a collision touches.

    Args:
        kind: of the entities.
        colliding: keys that share an id with another.
        owners: which keys have one of these ids at counter 0; asked until nothing new turns up.
        make: how ids are made.

    Returns:
        key → id, for all touched keys, those that keep their first id included.
    """
    pool = set(colliding)
    while pool:
        given, tried = _assign(kind, sorted(pool), make)
        more = set(owners(tried)) - pool
        if not more:
            return given
        pool |= more
    return {}


def _assign(kind: Kind, keys: list[Key], make: MakeId) -> tuple[dict[Key, int], set[int]]:
    given: dict[Key, int] = {}
    taken: set[int] = set()
    for source, key in keys:
        counter = 0
        while (value := make(kind, source, key, counter)) in taken:
            counter += 1
        taken.add(value)
        given[source, key] = value
    return given, taken
