"""The blob store: bytes named by their digest, loose in a folder or inside a sealed pack. Knows no recordings.

Loose: ``blobs/aa/bb/<sha256>``. Packed: a region of a file, as told by the regions handed in. A loose copy comes first.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from fonoteca.core import durable
from fonoteca.core.errors import Damaged
from fonoteca.core.fixity import READ, Digester, Fixity, chunks

_NAME = re.compile(r"[0-9a-f]{64}")
_INCOMING = "incoming"


@dataclass(frozen=True)
class Region:
    """A run of bytes of a file."""

    path: Path
    offset: int
    bytes: int


@dataclass(frozen=True)
class Staged:
    """A copy that has no name in the store yet."""

    path: Path
    fixity: Fixity
    leaves: tuple[bytes, ...]


class RegionReader(io.RawIOBase):
    """A read-only file that is a region of another file."""

    def __init__(self, region: Region) -> None:
        super().__init__()
        self._region = region
        self._at = 0
        self._stream = region.path.open("rb", buffering=0)

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Position inside the region."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._region.bytes}[whence]
        if base + offset < 0:
            raise ValueError("negative position")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        """Position inside the region."""
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Never beyond the region."""
        wanted = min(len(buffer), max(self._region.bytes - self._at, 0))
        if not wanted:
            return 0
        self._stream.seek(self._region.offset + self._at)
        got = self._stream.readinto(memoryview(buffer)[:wanted])
        self._at += got
        return got

    def close(self) -> None:
        """Close the file beneath."""
        self._stream.close()
        super().close()


def loose_path(folder: Path, sha256: str) -> Path:
    """Where a loose blob is. ValueError for what is no hex SHA-256: a name never leads out of the folder."""
    if not _NAME.fullmatch(sha256):
        raise ValueError(f"{sha256!r} is no hex SHA-256")
    return folder / sha256[:2] / sha256[2:4] / sha256


class BlobStore:
    """Blobs by hex SHA-256.

    Args:
        folder: of loose blobs.
        regions: where packed blobs are; read at each call, so a live mapping may be given.
    """

    def __init__(self, folder: Path, regions: Callable[[], Mapping[str, Region]] | None = None) -> None:
        self._folder = folder
        self._regions = regions or dict
        self._staged = 0

    @property
    def incoming(self) -> Path:
        """Where staged copies are. What is there when nobody writes is left from a crash."""
        return self._folder / _INCOMING

    def clear_incoming(self) -> None:
        """Throw away what a crash left. The caller holds the writer's lock."""
        durable.remove_tree(self.incoming)

    def stage(self, source: IO[bytes], name: str | None = None) -> Staged:
        """Copy a stream into the store's folder and digest it in the same read.

        Raises:
            NoSpace, Failed: nothing is left behind.
        """
        self._staged += 1
        path = self.incoming / (name or f"{self._staged:08d}")
        digester = Digester()
        with durable.writing(path, mode=0o444) as sink:
            for data in chunks(source):
                digester.update(data)
                sink.write(data)
        fixity = digester.finish()
        return Staged(path, fixity, tuple(digester.leaves))

    def commit(self, staged: Staged) -> Fixity:
        """Give a staged copy its name. A copy that is there already is replaced by these checked bytes."""
        durable.rename(staged.path, loose_path(self._folder, staged.fixity.sha256))
        return staged.fixity

    def discard(self, staged: Staged) -> None:
        """Throw a staged copy away."""
        durable.remove(staged.path)

    def put(self, source: IO[bytes] | Path) -> Fixity:
        """Store a stream's bytes, or a file's."""
        if isinstance(source, Path):
            with source.open("rb") as stream:
                return self.commit(self.stage(stream))
        return self.commit(self.stage(source))

    def open(self, sha256: str) -> BinaryIO:
        """A seekable reader; the caller closes it. The bytes are not checked here.

        Raises:
            Damaged: ``blob-missing``: neither loose nor in a pack.
        """
        path = loose_path(self._folder, sha256)
        if path.is_file():
            return path.open("rb")
        region = self._regions().get(sha256)
        if region is not None and region.path.is_file():
            return io.BufferedReader(RegionReader(region), READ)
        raise Damaged("blob-missing", "A blob could not be opened", f"{sha256} is neither in {self._folder} nor in a "
                      "pack", "'fonoteca verify' lists all damage; then restore the file from a backup or a mirror",
                      sha256)  # fmt: skip

    def stat(self, sha256: str) -> int | None:
        """The blob's length in bytes, or None where it is not here."""
        path = loose_path(self._folder, sha256)
        if path.is_file():
            return path.stat().st_size
        region = self._regions().get(sha256)
        return region.bytes if region is not None and region.path.is_file() else None

    def is_loose(self, sha256: str) -> bool:
        """Whether there is a loose copy."""
        return loose_path(self._folder, sha256).is_file()

    def list(self) -> list[str]:
        """All blobs, loose and packed, ascending."""
        packed = {sha for sha, region in self._regions().items() if region.path.is_file()}
        return sorted(packed | set(self._loose()))

    def _loose(self) -> Iterator[str]:
        return (p.name for p in self._folder.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*") if _NAME.fullmatch(p.name))

    def digest(self, sha256: str) -> str:
        """The SHA-256 that the stored bytes have now. Raises as :meth:`open`."""
        found = hashlib.sha256()
        with closing(self.open(sha256)) as stream:
            for data in chunks(stream):
                found.update(data)
        return found.hexdigest()

    def packed_digest(self, sha256: str) -> str | None:
        """The SHA-256 of the copy inside the pack, or None where there is none."""
        region = self._regions().get(sha256)
        if region is None or not region.path.is_file():
            return None
        found = hashlib.sha256()
        with closing(RegionReader(region)) as raw:
            for data in chunks(io.BufferedReader(raw, READ)):
                found.update(data)
        return found.hexdigest()

    def drop_loose(self, sha256: str) -> bool:
        """Delete the loose copy if the packed one was read and is the same. Returns whether there was one.

        Raises:
            Damaged: ``blob-differs``: the pack does not hold these bytes; the loose copy stays.
        """
        if not self.is_loose(sha256):
            return False
        if self.packed_digest(sha256) != sha256:
            raise Damaged("blob-differs", "A loose blob was not dropped", f"no pack holds the bytes of {sha256}",
                          "run 'fonoteca verify', then 'fonoteca publish' again", sha256)  # fmt: skip
        durable.remove(loose_path(self._folder, sha256))
        return True

    def copy_back(self, sha256: str) -> Fixity:
        """Make a loose copy of a packed blob, read it back, and only then count it.

        A loose copy that is there already, good or not, is replaced.

        Raises:
            Damaged: ``blob-missing``, or ``blob-differs``: the pack's bytes are not the blob.
        """
        region = self._regions().get(sha256)
        packed = region is not None and region.path.is_file()
        source = io.BufferedReader(RegionReader(region), READ) if region and packed else self.open(sha256)
        with closing(source) as stream:
            staged = self.stage(stream)
        if staged.fixity.sha256 != sha256:
            self.discard(staged)
            raise Damaged("blob-differs", "A blob could not be copied back", f"the pack's bytes are not {sha256}",
                          "run 'fonoteca verify' and restore the pack from a backup or a mirror", sha256)  # fmt: skip
        self.commit(staged)
        if self.digest(sha256) != sha256:
            raise Damaged("blob-differs", "A blob could not be copied back", "it was read back as other bytes",
                          "check the disk (dmesg, smartctl), then run the same command again", sha256)  # fmt: skip
        return staged.fixity
