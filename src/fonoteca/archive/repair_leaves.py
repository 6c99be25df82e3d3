"""Lost block digests: made again from the file if it is right, or taken from a source and believed by their root."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from fonoteca.archive import leaves
from fonoteca.archive.measure import Promise
from fonoteca.archive.quarantine import Home
from fonoteca.archive.records import Place
from fonoteca.archive.store import BlobStore, Region
from fonoteca.core import merkle
from fonoteca.core.blocks import BlockSource, SourceFailed
from fonoteca.core.errors import Damaged, NetworkFailed
from fonoteca.core.fixity import Digester, Fixity, chunks

_FOLDER = "holdings/leaves"


class Leaves:
    """The leaves of one archive or mirror, with ways to get those that are missing."""

    def __init__(self, home: Home, blobs: Mapping[str, Fixity], sealed: Mapping[str, Place],
                 sources: Sequence[BlockSource], damaged: set[str]) -> None:  # fmt: skip
        self._damaged = damaged
        self._home, self._blobs, self._sealed, self._sources = home, blobs, sealed, sources
        self._folder: Path | None = home.root / _FOLDER if home.archive is not None else None

    def of(self, promise: Promise) -> Promise:
        """The promise with its leaves: those kept here, else those of a source, believed only by their root."""
        if promise.leaves is not None or not promise.merkle_root:
            return promise
        name = self._name(promise)
        if name is None:
            return promise
        here = leaves.load(self._folder, name, promise.merkle_root) if self._folder else None
        found = here or self._offered(name, promise.bytes, promise.merkle_root)
        return promise if found is None else replace(promise, leaves=found)

    def mended(self, promise: Promise) -> None:
        """Write the leaves of a mended file, where an archive keeps them and they are lost."""
        self._damaged.discard(promise.label)
        name = self._name(promise)
        if self._folder is None or name is None or not promise.merkle_root:
            return
        if leaves.load(self._folder, name, promise.merkle_root) is None:
            leaves.remember(self._folder, name, promise.path)

    def rebuild(self, label: str, blob: str | None) -> bool:
        """Make a lost file of leaves again; False where the file that it is of is damaged too, and no source has it.

        Args:
            label: its path below the archive.
            blob: the blob that it is of; None: a pack, or a file of an edition.
        """
        assert self._folder is not None
        name = label.removeprefix(f"{_FOLDER}/")
        if blob is None:
            return self._rebuild_file(name)
        fixity = self._blobs[blob]
        found = self._from_blob(blob, fixity) or self._offered(name, fixity.bytes, fixity.merkle_root)
        if found is not None:
            leaves.store(self._folder, name, found)
        return found is not None

    def _rebuild_file(self, name: str) -> bool:
        """Of a file that verify has just found to be as promised."""
        assert self._folder is not None
        below, publication = name.removesuffix(".leaves"), self._home.publication
        packs = publication.packs.glob(f"*/{below.removeprefix('packs/')}") if below.startswith("packs/") else ()
        for path in (*packs, publication.root / below):
            if path.is_file() and path.relative_to(self._home.root).as_posix() not in self._damaged:
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
        for source in self._sources:
            try:
                data = source.small(f"{_FOLDER}/{name}", limit)
            except (NetworkFailed, SourceFailed):
                continue
            found = leaves.parse(data, root) if data is not None else None
            if found is not None and len(found) * merkle.HASH == limit:
                return found
        return None

    def _name(self, promise: Promise) -> str | None:
        """Where the leaves are, below ``holdings/leaves/``."""
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
