"""Copies of a damaged file that the archive itself, or a folder of plain blobs, may hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from fonoteca.core.blocks import BlockSource, FolderSource, Place, Wanted
from fonoteca.core.fixity import READ

Region = tuple[int, int, str]
"""First byte, end, hex SHA-256 of a blob inside a pack."""


class OwnCopies:
    """The other copy of a blob in the same archive: loose, or inside a pack. Nothing is fetched for it."""

    def __init__(self, root: Path, damaged: Path) -> None:
        self.fetched = 0
        self._root = root
        self._damaged = damaged
        self._folder = FolderSource(root)

    @property
    def label(self) -> str:
        """Here."""
        return "this folder itself"

    def places(self, wanted: Wanted) -> Iterator[Place]:
        """As :class:`BlockSource`: the other places that are known, never a search."""
        for place in wanted.places:
            for home in ("", "publication/"):
                path = self._root / (home + place.path)
                if path != self._damaged and path.is_file():
                    yield Place(home + place.path, place.offset)

    def read(self, place: Place, start: int, stop: int) -> Iterator[bytes]:
        """As :class:`BlockSource`."""
        return self._folder.read(place, start, stop)

    def small(self, _path: str, _max_bytes: int) -> bytes | None:
        """As :class:`BlockSource`: never, what is here was found damaged."""
        return None


class FromBlobs:
    """A pack's blocks, put together from the blobs inside that a source has, and the pack's headers as they are.

    Args:
        base: has the blobs, by path, name or length.
        pack: the damaged pack.
        holds: the blobs inside.
        wanted: what is wanted of a blob, by hex SHA-256 and length.
    """

    def __init__(self, base: BlockSource, pack: Path, holds: Sequence[Region],
                 wanted: Callable[[str, int], Wanted]) -> None:  # fmt: skip
        self.fetched = 0  # the base counts
        self._base, self._pack, self._holds, self._wanted = base, pack, holds, wanted
        self._chosen: dict[str, list[Place]] = {}

    @property
    def label(self) -> str:
        """The base's."""
        return f"{self._base.label} (blobs)"

    def places(self, _wanted: Wanted) -> Iterator[Place]:
        """As :class:`BlockSource`: each blob's first copy, then its second."""
        if self._holds and self._pack.is_file():
            yield from (Place(str(number)) for number in range(2))

    def read(self, place: Place, start: int, stop: int) -> Iterator[bytes]:
        """As :class:`BlockSource`."""
        for at in range(start, stop, READ):
            yield self._part(int(place.path), at, min(at + READ, stop))

    def _part(self, number: int, start: int, stop: int) -> bytes:
        with self._pack.open("rb") as stream:
            stream.seek(start)
            data = bytearray(stream.read(stop - start))
        data += bytes(stop - start - len(data))
        for first, end, sha in self._holds:
            low, high = max(first, start), min(end, stop)
            if low >= high:
                continue
            copy = self._copy(sha, end - first, number)
            part = b"".join(self._base.read(copy, low - first, high - first)) if copy else b""
            if len(part) == high - low:
                data[low - start : high - start] = part
        return bytes(data)

    def _copy(self, sha: str, length: int, number: int) -> Place | None:
        if sha not in self._chosen:
            found: list[Place] = []
            for place in self._base.places(self._wanted(sha, length)):
                found.append(place)
                if len(found) == 2:
                    break
            self._chosen[sha] = found
        return self._chosen[sha][number] if number < len(self._chosen[sha]) else None

    def small(self, _path: str, _max_bytes: int) -> bytes | None:
        """As :class:`BlockSource`: the base is asked itself."""
        return None
