"""Sealing packs: written once, digested in that same pass, read back, and only then there under their name.

Bytes come from the rights gate alone (layering rule L4). A pack that an interrupted run left is taken over if its
leaves are those that were stored after it had been read back.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO

from blake3 import blake3

from fonoteca.archive import leaves
from fonoteca.core import durable
from fonoteca.core.errors import Damaged
from fonoteca.core.fixity import READ, Digester, Fixity, chunks
from fonoteca.formats import metainfo, pack
from fonoteca.publish.cut import NewPack
from fonoteca.publish.volumes import Redaction


@dataclass(frozen=True)
class Sealed:
    """A file that is on the disk, and what a torrent needs of it."""

    fixity: Fixity
    entry: metainfo.FileEntry


@dataclass(frozen=True)
class Bench:
    """Where sealing happens.

    Attributes:
        packs: the publication's ``packs/``.
        leaves: folder of the leaves.
        piece_length: bytes in a torrent piece.
        blake3_of: hex SHA-256 → hex BLAKE3 of blobs, as the ledger has them.
    """

    packs: Path
    leaves: Path
    piece_length: int
    blake3_of: Mapping[str, str] = field(default_factory=dict)

    def seal(self, new: NewPack, volume: str, open_blob: Callable[[str], BinaryIO]) -> Sealed:
        """Write a new pack into its volume's folder.

        Args:
            open_blob: gives the bytes of a cleared blob by hex SHA-256.

        Raises:
            Damaged: ``blob-differs``, or ``read-back-differs``: the disk gave other bytes than were written.
            RightsRefused: the gate closed since the plan was made.
            NoSpace, Failed: nothing is left under the pack's name.
        """
        path = self.packs / volume / pack.file_name(new.id, 0)
        found = self._taken_over(path, new)
        if found is None:
            digester = Digester(self.piece_length)
            found = _write(
                path, lambda sink: pack.write(new.layout, open_blob, sink, digester, self.blake3_of), digester
            )
        return self._finish(path, *found, leaves.pack_name(new.id, 0))

    def redact(self, redaction: Redaction) -> Sealed:
        """Write the next revision of a pack, in which some blobs are blanked.

        The old revision is held against its edition first: damage must not be signed as the new truth.

        Raises:
            Damaged, NoSpace, Failed: as :meth:`seal`.
        """
        name = pack.file_name(redaction.id, redaction.revision)
        source = self.packs / redaction.old.volume / pack.file_name(redaction.id, redaction.old.revision)
        path = self.packs / redaction.volume / name
        _check_source(source, redaction.old.sha256)
        digester = Digester(self.piece_length)

        def write(sink: IO[bytes]) -> None:
            with source.open("rb") as stream:
                done = pack.redact(stream, sink, redaction.blobs, digester)
            if done.blobs != frozenset(redaction.blobs):
                raise _differs(source, "it does not hold the entries that the last edition's locator names")

        return self._finish(path, *_write(path, write, digester), leaves.pack_name(redaction.id, redaction.revision))

    def _taken_over(self, path: Path, new: NewPack) -> tuple[Fixity, Digester] | None:
        """The digests of a pack that an interrupted run has sealed already, or None."""
        if not path.is_file() or path.stat().st_size != new.bytes:
            return None
        found = measured(path, self.piece_length)
        kept = leaves.load(self.leaves, leaves.pack_name(new.id, 0), found[0].merkle_root)
        return found if kept is not None else None

    def _finish(self, path: Path, fixity: Fixity, digester: Digester, name: str) -> Sealed:
        leaves.store(self.leaves, name, digester.leaves)
        return Sealed(fixity, metainfo.file_entry((path.name,), fixity, digester, self.piece_length))


def measured(path: Path, piece_length: int) -> tuple[Fixity, Digester]:
    """All digests of a file that is there."""
    digester = Digester(piece_length)
    with path.open("rb") as stream:
        for data in chunks(stream):
            digester.update(data)
    return digester.finish(), digester


def _check_source(path: Path, sha256: str) -> None:
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != sha256:
        raise Damaged("read-back-differs", "A pack could not be redacted",
                      f"{path.name} should have SHA-256 {sha256} and has {found}",
                      "'fonoteca verify' names the damaged blocks; repair the pack, then publish again; "
                      "'fonoteca publish --refresh' tells mirrors of the withdrawal meanwhile", str(path))  # fmt: skip


def _write(path: Path, produce: Callable[[IO[bytes]], None], digester: Digester) -> tuple[Fixity, Digester]:
    with durable.writing(path) as sink:
        produce(sink)
        fixity = digester.finish()
        durable.sync(sink)
        if _blake3(Path(sink.name)) != fixity.blake3:
            raise _differs(path, "what was read back is not what was written")
    return fixity, digester


def _blake3(path: Path) -> str:
    """BLAKE3 of what the disk, not the memory, holds: the fast digest is enough to compare with."""
    found, view = blake3(), memoryview(bytearray(READ))
    with path.open("rb") as stream:
        _forget(stream)
        while got := stream.readinto(view):
            found.update(view[:got])
    return found.hexdigest()


def _forget(stream: IO[bytes]) -> None:
    """Ask the system to read the file from the disk again; where it cannot be asked, memory is compared."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _differs(path: Path, why: str) -> Damaged:
    return Damaged("read-back-differs", "A pack could not be sealed", f"{path.name}: {why}",
                   "check the disk (dmesg, smartctl), then run the same command again", str(path))  # fmt: skip
