"""What of an edition is on the disk already, and what can be made of older packs without a download.

A kept pack whose volume was issued anew is renamed; a pack of which a redaction was published is blanked in
place in ``partial/`` and hashed: no byte is fetched, and at no moment are there two copies.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc

from fonoteca.core import durable, merkle
from fonoteca.core.clock import Clock, rfc3339
from fonoteca.core.errors import Damaged
from fonoteca.core.layout import MirrorLayout
from fonoteca.core.progress import Progress, Unit
from fonoteca.formats import leaves as leaves_format
from fonoteca.formats.pack_read import read
from fonoteca.formats.parquet import read_table
from fonoteca.formats.redaction import redact_in_place
from fonoteca.mirror.budget import Budget
from fonoteca.mirror.packs import Found, Pack, found_packs
from fonoteca.mirror.state import Entry, Journal


@dataclass(frozen=True)
class Shelf:
    """Where packs get their places, and where that is written down."""

    layout: MirrorLayout
    journal: Journal
    clock: Clock
    progress: Progress
    budget: Budget

    def place(self, pack: Pack, how: str) -> bool:
        """Hash what lies in ``partial/``; if it is the pack, give it its name. False: it is not (yet)."""
        leaves = pack.promise().kept_by(pack.partial(self.layout))
        if leaves is None:
            return False
        self.put(pack, how, leaves)
        return True

    def put(self, pack: Pack, how: str, leaves: Sequence[bytes]) -> None:
        """Give a pack that was hashed just now its name, keep its leaves, then write it into the journal: a pack that
        was killed without its leaves has no line yet, so that it is hashed again and gets them."""
        partial = pack.partial(self.layout)
        with self.budget.still():
            self.budget.settle(partial)
            durable.fsync_file(partial)
            durable.rename(partial, pack.path(self.layout.publication))
            self._keep(pack, leaves)
        self.record(pack, how)

    def _keep(self, pack: Pack, leaves: Sequence[bytes]) -> None:
        """Leaves were planned for; where there is no room all the same, nothing has to go for them."""
        folder = self.layout.leaves / "packs"
        missing = sum(not path.is_dir() for path in (folder, folder.parent))
        if self.budget.spare(len(leaves) * merkle.HASH, missing):
            leaves_format.store(self.layout.leaves, pack.leaves, leaves)

    def record(self, pack: Pack, how: str) -> None:
        """Write a pack that is in its place into the journal, and tell."""
        at = rfc3339(self.clock.now())
        self.journal.add(Entry(pack.name, pack.volume, pack.sha256, pack.length, how, at))
        self.progress.item({"pack": pack.name, "volume": pack.volume, "bytes": pack.length, "how": how})


def settle(shelf: Shelf, packs: Sequence[Pack], locator: Path) -> dict[str, Pack]:
    """Bring what is on the disk in line with an edition; returns the packs that are held, by name.

    Held means: in its place, of the right length, and hashed by us at some time. Packs that the edition no longer
    offers stay where they are: the plan says that they go.
    """
    publication = shelf.layout.publication
    by_name = {pack.name: pack for pack in packs}
    newest = {pack.id: pack for pack in packs}
    held: dict[str, Pack] = {}
    here = list(found_packs(publication))
    shelf.progress.stage("check", len(here), Unit.PACKS)
    for found in here:
        pack = by_name.get(found.name)
        if pack is not None and _is_held(shelf, found, pack):
            held[pack.name] = pack
        elif pack is None and found.id in newest and newest[found.id].revision > found.revision:
            durable.rename(found.path, newest[found.id].partial(shelf.layout))
            durable.remove(shelf.layout.leaves / found.leaves)
        shelf.progress.advance(1)
    for pack in _redact(shelf, [p for p in packs if p.revision > 0 and p.name not in held], locator):
        held[pack.name] = pack
    _clear_leaves(shelf.layout)
    return held


def _is_held(shelf: Shelf, found: Found, pack: Pack) -> bool:
    place = pack.path(shelf.layout.publication)
    entry = shelf.journal.get(pack.name)
    known = entry is not None and entry.sha256 == pack.sha256 and found.length == pack.length
    if known and found.path == place:
        return True
    if known:
        durable.rename(found.path, place)
        shelf.record(pack, "moved")
        return True
    # A kill between rename and journal, or a file put here by hand: it counts when it was hashed.
    durable.rename(found.path, pack.partial(shelf.layout))
    return shelf.place(pack, "found")


def _redact(shelf: Shelf, packs: Sequence[Pack], locator: Path) -> list[Pack]:
    """Make redactions of what lies in ``partial/``; whatever does not come out right is left to be fetched."""
    waiting = [p for p in packs if _length(p.partial(shelf.layout)) == p.length]
    remaining = _located(locator, [p.id for p in waiting]) if waiting else {}
    made = []
    for pack in waiting:
        path = pack.partial(shelf.layout)
        try:
            with path.open("rb") as stream:
                blobs = {entry.sha256 for entry in read(stream) if entry.withdrawn is None}
            redact_in_place(path, blobs - remaining.get(pack.id, set()))
        except Damaged:
            continue
        if shelf.place(pack, "redacted"):
            made.append(pack)
    return made


def _length(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1


def _located(locator: Path, ids: Collection[str]) -> dict[str, set[str]]:
    """Pack id → digests of the blobs that the edition still locates in it."""
    import pyarrow as pa

    table = read_table(locator, ("pack", "blob_sha256"))
    table = table.filter(pc.is_in(table.column("pack"), value_set=pa.array(list(ids), pa.string())))
    found: dict[str, set[str]] = {}
    for pack, blob in zip(table.column("pack").to_pylist(), table.column("blob_sha256").to_pylist(), strict=True):
        found.setdefault(pack, set()).add(blob)
    return found


def clear_partial(layout: MirrorLayout, keep: Mapping[str, Pack]) -> None:
    """Delete what grows in ``partial/`` and is not planned, and folders that are empty."""
    wanted = {pack.partial(layout) for pack in keep.values()}
    if not layout.partial.is_dir():
        return
    for path in sorted(layout.partial.rglob("*"), reverse=True):
        if path.is_dir():
            _remove_empty(path)
        elif path not in wanted:
            durable.remove(path)


def drop(layout: MirrorLayout, names: Collection[str]) -> int:
    """Delete packs that the plan drops; returns their bytes. Their volumes' folders go when they are empty."""
    gone = 0
    wanted = set(names)
    for found in list(found_packs(layout.publication)):
        if found.name in wanted:
            durable.remove(found.path)
            durable.remove(layout.leaves / found.leaves)
            gone += found.length
    if layout.publication.packs.is_dir():
        for folder in sorted(layout.publication.packs.iterdir()):
            _remove_empty(folder)
    return gone


def _clear_leaves(layout: MirrorLayout) -> None:
    """Delete leaves without a pack: what a kill left."""
    here = {layout.leaves / found.leaves for found in found_packs(layout.publication)}
    for path in (layout.leaves / "packs").glob("*"):
        if path not in here:
            durable.remove(path)


def _remove_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        durable.remove_tree(folder)
