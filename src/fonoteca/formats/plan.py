"""The budget planner: which packs a mirror holds on so many bytes of disk. Pure; used by mirror and site.

Most coverage for each byte comes first. A pack that is held already counts a little more than one that is
not (:data:`HELD`), so that a small change of listens, budget or catalogue moves little. Figures, and the
reasons for each constant, are in docs/explanation/mirror-budget.md.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import itemgetter, neg, not_, truediv
from typing import Any, NamedTuple, overload

BLOCK = 4096
"""Bytes in which common filesystems hand out space."""
HELD = 1.1
"""A pack that is not held takes the place of a held one only if it covers a tenth more for each byte."""
_OVERHEAD = 1024
"""One byte in so many is set aside for a file's own bookkeeping on the disk (extent blocks of a file that was
written out of order, as torrents are)."""
_LEAVES = 512
"""One byte of leaves is kept for so many of a pack: 32 for each 16 KiB."""


class Action(enum.StrEnum):
    """What becomes of a pack."""

    KEEP = "keep"
    FETCH = "fetch"
    DROP = "drop"
    SKIP = "skip"


class PackOffer(NamedTuple):
    """A pack that an edition offers.

    Attributes:
        id: name of the pack, revision included (``head-0123456789abcdef.r0``).
        bytes: length of its file.
        coverage: share of all known listens that it stands for, 0 to 1.
        copies: copies in the world as last seen; None: unknown. Of packs that are otherwise alike the rarer
            comes first.
        priority: higher comes first, whatever the coverage.
    """

    id: str
    bytes: int
    coverage: float
    copies: int | None = None
    priority: int = 0


class PlannedPack(NamedTuple):
    """A pack and what becomes of it."""

    pack: str
    bytes: int
    coverage: float
    copies: int | None
    action: Action


class Rows(Sequence[PlannedPack]):
    """The rows of a plan, made when they are looked at: an edition may have a million packs."""

    def __init__(self, packs: Sequence[PackOffer], parts: Sequence[tuple[Action, Sequence[int]]]) -> None:
        self._packs = packs
        self._parts = parts

    def of(self, action: Action) -> list[PlannedPack]:
        """The rows with one action, in order."""
        return [self._row(index, action) for a, indices in self._parts if a is action for index in indices]

    def _row(self, index: int, action: Action) -> PlannedPack:
        pack = self._packs[index]
        return PlannedPack(pack.id, pack.bytes, pack.coverage, pack.copies, action)

    def __len__(self) -> int:
        return sum(len(indices) for _, indices in self._parts)

    def __iter__(self) -> Iterator[PlannedPack]:
        for action, indices in self._parts:
            for index in indices:
                yield self._row(index, action)

    @overload
    def __getitem__(self, at: int) -> PlannedPack: ...
    @overload
    def __getitem__(self, at: slice) -> list[PlannedPack]: ...
    def __getitem__(self, at: int | slice) -> PlannedPack | list[PlannedPack]:
        return list(self)[at]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rows) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Plan:
    """A plan that is within its budget.

    Attributes:
        packs: first those that are kept, then those that are fetched, both most wanted first; then those that
            go, then those that are left out.
        bytes: that will be allocated, everything included.
        coverage: share of all known listens that the planned packs stand for.
        budget: what was allowed.
    """

    packs: Rows
    bytes: int
    coverage: float
    budget: int

    def by_action(self, action: Action) -> list[PlannedPack]:
        """The packs with one action, in the plan's order."""
        return self.packs.of(action)

    def wanted(self) -> list[str]:
        """The packs that are held when the plan is fulfilled."""
        return [p.pack for action in (Action.KEEP, Action.FETCH) for p in self.by_action(action)]

    def as_json(self) -> dict[str, Any]:
        """The fields of ``mirror plan``."""
        return {
            "budget": self.budget,
            "bytes": self.bytes,
            "packs": [p._asdict() for p in self.packs],
            "coverage": self.coverage,
        }


class OverBudget(ValueError):
    """Not even what a mirror cannot do without fits. ``needed`` and ``budget`` are in bytes."""

    def __init__(self, needed: int, budget: int) -> None:
        super().__init__(f"{needed} bytes are needed before any pack, the budget is {budget}")
        self.needed = needed
        self.budget = budget


def allocation(length: int, block: int = BLOCK) -> int:
    """The most bytes that a file of this length takes on the disk."""
    return -(-(length + length // _OVERHEAD) // block) * block


def footprint(length: int, block: int = BLOCK) -> int:
    """The most bytes that a pack of this length takes on a mirror's disk, its leaves (docs/formats/fixity-leaves.md)
    included."""
    return allocation(length, block) - (-(length // _LEAVES + 32) // block) * block


def plan(packs: Sequence[PackOffer], held: Collection[str], budget: int, fixed: int, block: int = BLOCK) -> Plan:
    """Choose packs so that no byte is allocated beyond the budget.

    Args:
        packs: on offer; ids are unique.
        held: ids that are on the disk already, whole. Ids that are not on offer are dropped.
        budget: bytes that may be allocated in all.
        fixed: bytes that everything but packs allocates.
        block: allocation unit of the filesystem, in bytes.

    Raises:
        OverBudget: ``fixed`` alone is more than the budget.
    """
    if fixed > budget:
        raise OverBudget(fixed, budget)
    here = held if isinstance(held, (set, frozenset)) else frozenset(held)
    columns = _Columns.of(packs, here)
    # :func:`footprint` of each; written out, for a call costs more than the sum.
    sizes = [-(-(n + n // _OVERHEAD) // block) * block - (-(n // _LEAVES + 32) // block) * block
             for n in columns.lengths]  # fmt: skip
    chosen, used = _fill(columns.order(sizes), sizes, budget - fixed)
    in_plan = bytearray(len(packs))
    for index in chosen:
        in_plan[index] = 1
    rest = [index for index, taken in enumerate(in_plan) if not taken]
    kept, fetched = columns.split(chosen)
    dropped, skipped = columns.split(rest)
    gone = [PackOffer(name, 0, 0.0) for name in sorted(here.difference(columns.ids))] if here else []
    dropped += range(len(packs), len(packs) + len(gone))
    rows = Rows([*packs, *gone] if gone else packs, [
        (Action.KEEP, kept), (Action.FETCH, fetched), (Action.DROP, dropped), (Action.SKIP, skipped),
    ])  # fmt: skip
    coverage = math.fsum(map(columns.coverages.__getitem__, chosen))
    return Plan(rows, fixed + used, min(coverage, 1.0), budget)


@dataclass(frozen=True)
class _Columns:
    """The offers by column: a million packs are planned in two seconds (P14), which rows would not allow.
    ``is_held`` is empty where nothing is held."""

    ids: Sequence[str]
    lengths: Sequence[int]
    coverages: Sequence[float]
    copies: Sequence[int | None]
    priorities: Sequence[int]
    is_held: Sequence[bool]

    @classmethod
    def of(cls, packs: Sequence[PackOffer], held: Collection[str]) -> _Columns:
        ids, lengths, coverages, copies, priorities = (list(map(itemgetter(i), packs)) for i in range(5))
        return cls(ids, lengths, coverages, copies, priorities, list(map(held.__contains__, ids)) if held else [])

    def split(self, indices: list[int]) -> tuple[list[int], list[int]]:
        """Those that are held, and the others, each in the order that they had."""
        if not self.is_held:
            return [], indices
        chosen = [self.is_held[i] for i in indices]
        return list(compress(indices, chosen)), list(compress(indices, map(not_, chosen)))

    def order(self, sizes: Sequence[int]) -> list[int]:
        """Indices, most wanted first: priority, coverage for each byte, held before not held, rarity, id."""
        order = sorted(range(len(self.ids)), key=self.ids.__getitem__)
        if self.copies.count(None) < len(self.copies):
            order.sort(key=[-1 if c is None else c for c in self.copies].__getitem__)
        if any(self.is_held):
            order.sort(key=list(map(not_, self.is_held)).__getitem__)
        density = list(map(neg, map(truediv, self.coverages, sizes)))
        for index, is_held in enumerate(self.is_held):
            if is_held:
                density[index] *= HELD
        order.sort(key=density.__getitem__)
        if any(self.priorities):
            order.sort(key=[-p for p in self.priorities].__getitem__)
        return order


def _fill(order: Iterable[int], sizes: Sequence[int], room: int) -> tuple[list[int], int]:
    """Take what still fits, in order. A pack that does not fit is passed over, smaller ones behind it are not."""
    if (everything := sum(sizes)) <= room:
        return list(order), everything
    smallest = min(sizes, default=0)
    chosen, used = [], 0
    for index in order:
        if used + sizes[index] <= room:
            chosen.append(index)
            used += sizes[index]
        elif used + smallest > room:
            break
    return chosen, used
