"""Lost block digests: made again from the file if it is right, or taken from a source and believed by their root."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import product
from typing import Any

from fonoteca.archive import leaves
from fonoteca.archive.measure import Promise
from fonoteca.archive.quarantine import Home
from fonoteca.archive.records import Place
from fonoteca.archive.store import BlobStore, Region
from fonoteca.core import durable, merkle
from fonoteca.core.blocks import BlockSource, SourceFailed
from fonoteca.core.errors import Damaged, NetworkFailed, NoSpace
from fonoteca.core.fixity import Digester, Fixity, chunks

_FOLDERS = ("holdings/leaves", "state/leaves")
"""Where sources have them: archives, mirrors."""


class Leaves:
    """The leaves of one archive or mirror, with ways to get those that are missing."""

    def __init__(self, home: Home, blobs: Mapping[str, Fixity], sealed: Mapping[str, Place],
                 sources: Sequence[BlockSource], damaged: set[str], room: Callable[[int], None]) -> None:  # fmt: skip
        self._damaged = damaged
        self._home, self._blobs, self._sealed, self._sources = home, blobs, sealed, sources
        self._folder = home.leaves
        self._room = room

    def of(self, promise: Promise) -> Promise:
        """The promise with its leaves: those kept here, else those of a source, believed only by their root."""
        if promise.leaves is not None or not promise.merkle_root:
            return promise
        name = self._name(promise)
        if name is None:
            return promise
        here = leaves.kept(self._folder, name, promise.merkle_root)
        found = here or self._offered(name, promise.bytes, promise.merkle_root)
        return promise if found is None else replace(promise, leaves=found)

    def mended(self, promise: Promise) -> None:
        """Write the leaves of a mended file, where they are lost."""
        self._damaged.discard(promise.label)
        name = self._name(promise)
        if name is not None and promise.merkle_root and (self._home.archive or promise.pack):
            self._remember(name, promise)

    def complete(self, promises: Sequence[Promise]) -> None:
        """Make the leaves of packs that are right and have none: those that an older version put in their place."""
        for promise in promises:
            self._remember(f"packs/{promise.path.name}.leaves", promise)

    def _remember(self, name: str, promise: Promise) -> None:
        """Keep the leaves of a file, unless it has them, or there is no room: one can do without."""
        if leaves.load(self._folder, name, promise.merkle_root) is not None:
            return
        try:
            self._room(promise.bytes // merkle.BLOCK * merkle.HASH + merkle.HASH)
        except NoSpace:
            return
        found = merkle.leaves(promise.path)
        if merkle.root(found).hex() == promise.merkle_root:
            leaves.store(self._folder, name, found)

    def rebuild(self, label: str, blob: str | None) -> bool:
        """Make a lost file of leaves again; False where the file that it is of is damaged too, and no source has it.

        Args:
            label: its path below the archive or mirror.
            blob: the blob that it is of; None: a pack, or a file of an edition.
        """
        name = label.removeprefix(f"{self._folder.relative_to(self._home.root).as_posix()}/")
        if blob is None:
            return self._rebuild_file(name)
        fixity = self._blobs[blob]
        found = self._from_blob(blob, fixity) or self._offered(name, fixity.bytes, fixity.merkle_root)
        if found is not None:
            leaves.store(self._folder, name, found)
        return found is not None

    def _rebuild_file(self, name: str) -> bool:
        """Of a file that verify has just found to be as promised."""
        below, publication = name.removesuffix(".leaves"), self._home.publication
        packs = publication.packs.glob(f"*/{below.removeprefix('packs/')}") if below.startswith("packs/") else ()
        for path in (*packs, publication.root / below):
            if path.is_file() and path.relative_to(self._home.root).as_posix() not in self._damaged:
                # What is damaged is worth nothing, and goes first: a mirror may have no room for both.
                durable.remove(self._folder / name)
                leaves.remember(self._folder, name, path)
                return True
        return False

    def _from_blob(self, sha: str, fixity: Fixity) -> list[bytes] | None:
        packs = self._home.publication.packs
        regions = {sha: Region(packs / self._sealed[sha].file, self._sealed[sha].offset, fixity.bytes)
                   } if sha in self._sealed else {}  # fmt: skip
        try:
            with closing(BlobStore(self._home.root / "blobs", lambda: regions).open(sha)) as stream:
                found, digests = _digest(stream)
        except (Damaged, OSError):
            return None
        return digests if found == fixity else None

    def _offered(self, name: str, length: int, root: str) -> list[bytes] | None:
        limit = max(-(-length // merkle.BLOCK), 1) * merkle.HASH
        for source, folder in product(self._sources, _FOLDERS):
            try:
                data = source.small(f"{folder}/{name}", limit)
            except (NetworkFailed, SourceFailed):
                continue
            found = leaves.parse(data, root) if data is not None else None
            if found is not None and len(found) * merkle.HASH == limit:
                return found
        return None

    def _name(self, promise: Promise) -> str | None:
        """Where the leaves are, below their folder."""
        if promise.pack is not None:
            return f"packs/{promise.path.name}.leaves"
        if promise.blob is not None:
            return leaves.blob_name(promise.blob)
        below = promise.path.relative_to(self._home.publication.root).as_posix()
        return f"{below}.leaves" if below.startswith("editions/") else None


def _digest(stream: Any) -> tuple[Fixity, list[bytes]]:
    digester = Digester()
    for data in chunks(stream):
        digester.update(data)
    return digester.finish(), digester.leaves
