"""Cutting new holdings into packs, and packs into volumes: pure, and the same whatever the order of intake."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from fonoteca.formats import pack
from fonoteca.publish.inputs import BlobRef, Candidate, Limits
from fonoteca.publish.order import by_popularity
from fonoteca.publish.tiers import CLASSES, TIERS

_Item = TypeVar("_Item")
_MARK = 8
"""Characters of a blob's digest in a path that needs them."""
_MARKS = 64 // _MARK


@dataclass(frozen=True)
class NewPack:
    """A pack to be sealed. ``members`` stand in the order of the pack's entries."""

    id: str
    tier: str
    permit_class: str
    members: tuple[Candidate, ...]
    layout: pack.PackLayout

    @property
    def bytes(self) -> int:
        """Of the whole file."""
        return self.layout.bytes

    @property
    def audio(self) -> int:
        """Bytes of audio in it."""
        return sum(member.bytes for member in self.members)


def fill(items: Iterable[_Item], size: Callable[[_Item], int], most: int) -> Iterator[list[_Item]]:
    """Items in their order, in portions of at most ``most``; a single larger item is a portion of its own."""
    portion: list[_Item] = []
    used = 0
    for item in items:
        if portion and used + size(item) > most:
            yield portion
            portion, used = [], 0
        portion.append(item)
        used += size(item)
    if portion:
        yield portion


def packs(
    candidates: Collection[Candidate],
    listens: Mapping[int, int | None],
    bands: Mapping[int, str],
    limits: Limits,
    reserved: Collection[str],
) -> list[NewPack]:
    """Packs of new holdings: by tier and class, the most heard together, inside a pack by recording id and blob.

    Args:
        candidates: holdings that are in no pack yet.
        listens: of each recording.
        bands: tier of each recording.
        reserved: ids that packs of earlier editions have.
    """
    found: list[NewPack] = []
    taken = set(reserved)
    for tier in TIERS:
        for permit_class in CLASSES:
            group = [
                c for c in candidates if bands.get(c.recording, "unheard") == tier and c.permit_class == permit_class
            ]
            for members in fill(by_popularity(group, listens), lambda c: c.bytes, limits.pack_size):
                new = seal_plan(tier, permit_class, members, limits.piece_length, taken)
                taken.add(new.id)
                found.append(new)
    return found


def seal_plan(
    tier: str, permit_class: str, members: Sequence[Candidate], piece_length: int, taken: Collection[str]
) -> NewPack:
    """One pack. Its id is digested from its entries; where an earlier pack has that id (what was withdrawn came
    back), the paths carry 8 characters of the blob's digest, each time the next 8, until the id is new."""
    ordered = tuple(sorted(members, key=lambda c: (c.recording, c.blob)))
    names = [entry_name(member) for member in ordered]
    for marked in range(_MARKS + 1):
        paths = _marked(names, marked) if marked else pack.unique_paths(names)
        entries = [
            pack.Entry(member.recording, BlobRef(member.bytes, member.blob), path)
            for member, path in zip(ordered, paths, strict=True)
        ]
        pack_id = pack.pack_id(tier, entries)
        if pack_id not in taken:
            return NewPack(pack_id, tier, permit_class, ordered, pack.layout(entries, piece_length))
    raise ValueError(f"the same {len(ordered)} holdings were published and withdrawn too often for a new pack id")


def entry_name(member: Candidate) -> pack.EntryName:
    """What a holding's path is made from."""
    return pack.EntryName(
        member.artist or "", member.release or "", member.disc or 0, member.number or 0, member.title or "",
        member.recording, member.extension, member.blob,
    )  # fmt: skip


def _marked(names: Sequence[pack.EntryName], mark: int) -> list[str]:
    start = _MARK * (mark - 1)
    return [
        pack.entry_path(n.artist, n.release, n.disc, n.number, n.title, n.recording_id, n.extension,
                        n.blob[start : start + _MARK])
        for n in names
    ]  # fmt: skip
