"""Packed files and archives as streams of bytes: gzip, bzip2, xz, Zstandard, tar and tar within any of them.

What a file is, is told by its content, never by its name. Nothing is written, and what is packed inside an archive
stays packed. Unlike :mod:`fonoteca.sources.stream`, where what came before damage is used, damage raises here.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from fonoteca.core.errors import Failed, Usage
from fonoteca.sources import tarstream
from fonoteca.sources.limits import LIMITS, Limits
from fonoteca.sources.records import Refused
from fonoteca.sources.stream import Torn, open_bytes, torn
from fonoteca.sources.tarstream import BLOCK, BadArchive, Member

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["Member", "TornDump", "members", "plain"]
_BUFFER = 1 << 20


class TornDump(Failed):
    """A packed file that cannot be read to its end. ``torn`` says why, as a refusal would (code and reason)."""

    def __init__(self, path: Path, damage: Torn) -> None:
        super().__init__("torn-dump", f"{path.name} could not be read to its end", damage.reason,
                         "fetch it again, and compare it with the checksums that are published beside it",
                         str(path))  # fmt: skip
        self.torn = damage


class _Whole(io.RawIOBase):
    """The unpacked bytes of a file, all of them or an error."""

    def __init__(self, path: Path, limits: Limits) -> None:
        super().__init__()
        self._path = path
        self._inner = open_bytes(path, limits)

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the buffer; 0 at the end. Raises TornDump."""
        size = self._inner.readinto(buffer)
        if not size and memoryview(buffer).nbytes and (damage := torn(self._inner)) is not None:
            raise TornDump(self._path, damage)
        return size

    def close(self) -> None:
        """Close the file, too."""
        if not self.closed:
            self._inner.close()
        super().close()


def plain(path: Path, limits: Limits = LIMITS) -> io.BufferedReader:
    """The bytes of a file, unpacked if it is packed. The caller closes it.

    Raises:
        Usage: ``unreadable-dump``, ``no-zstd``. TornDump, while it is read: truncated, damaged, a bomb.
    """
    try:
        return io.BufferedReader(_Whole(path, limits), _BUFFER)
    except OSError as error:
        raise Usage("unreadable-dump", f"{path.name} could not be read", error.strerror or str(error),
                    "check the path and its permissions", str(path)) from error  # fmt: skip


def is_archive(path: Path, limits: Limits = LIMITS) -> bool:
    """Whether the file is a tar archive, packed or not; False for one that is torn at once. Raises Usage."""
    with plain(path, limits) as stream:
        try:
            return tarstream.is_tar(stream.peek(BLOCK)[:BLOCK])
        except TornDump:
            return False


def members(path: Path, limits: Limits = LIMITS) -> Iterator[Member | Refused]:
    """The files in an archive in their order, each to be read before the next is asked for; or the one file itself.

    Entries that no dump should have come as :class:`Refused`, with their name as position. Whoever reads to the end
    knows that the whole file was good.

    Raises:
        Usage: ``unreadable-dump``, ``no-zstd``. TornDump, also while a member is read.
    """
    with plain(path, limits) as stream:
        if not tarstream.is_tar(stream.peek(BLOCK)[:BLOCK]):
            yield Member(path.name, None, stream)
            return
        try:
            yield from tarstream.entries(stream, limits, lambda error: _torn(path, error))
        except BadArchive as error:
            raise _torn(path, error) from error


def _torn(path: Path, error: BadArchive) -> TornDump:
    return TornDump(path, Torn(error.code, str(error)))
