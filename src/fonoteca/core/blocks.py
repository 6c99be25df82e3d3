"""Where good bytes may come from: a small protocol, and its two forms, a folder and an address on the web.

Nothing here is believed: whoever asks checks every byte (:mod:`fonoteca.core.mend`). A source only says where a
file may be and gives byte ranges of it; it counts what it gave.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from fonoteca.core.errors import Failed, NetworkFailed
from fonoteca.core.fetch import Fetcher, HttpStatus
from fonoteca.core.fixity import READ

_PUBLIC = ("packs/", "editions/", "torrents/", "metadata/", "withdrawals/")
_HOMES = ("", "publication/")
_NO_LIMIT = 1 << 60  # the range asked for is the limit
_MOST_FILES = 5_000_000
_MOST_METADATA, _MOST_TORRENTS = 16 << 20, 64 << 20
_EDITION = re.compile(r"editions/(\d{1,9})/edition\.json")
_REVISION = re.compile(r".*\.r(\d{1,9})\.tar")
_VOLUME = re.compile(r"[a-z0-9][a-z0-9-]{0,127}")


@dataclass(frozen=True)
class Place:
    """Bytes ``offset`` … of a file of a source. ``guess``: only its length speaks for it."""

    path: str
    offset: int = 0
    guess: bool = False


@dataclass(frozen=True)
class Wanted:
    """A file that good bytes are wanted of.

    Attributes:
        name: its file name.
        bytes: its length.
        places: where it is in a publication (``packs/…``) or an archive (``blobs/…``), likeliest first.
        like: other files whose names begin so may share most blocks (other revisions of a pack); empty: none.
    """

    name: str
    bytes: int
    places: tuple[Place, ...] = ()
    like: str = ""


class BlockSource(Protocol):
    """Gives byte ranges of named files. ``fetched``: the bytes that it gave so far."""

    fetched: int

    @property
    def label(self) -> str:
        """The source as a person named it."""
        ...

    def places(self, wanted: Wanted) -> Iterator[Place]:
        """Where the file may be here, likeliest first."""
        ...

    def read(self, place: Place, start: int, stop: int) -> Iterator[bytes]:
        """Bytes start … stop of the file at a place, in portions; fewer where there are no more.

        Raises:
            NetworkFailed: :class:`NoRanges` where only the whole file can be had.
            SourceFailed: a disk that cannot be read.
        """
        ...

    def small(self, path: str, max_bytes: int) -> bytes | None:
        """A small file, whole; None where there is none, or it is larger. Raises as :meth:`read`."""
        ...


class NoRanges(NetworkFailed):
    """The server gives whole files only."""

    def __init__(self, url: str) -> None:
        super().__init__("no-ranges", "A part of a file could not be fetched", f"{url}: the server ignores byte ranges",
                         "serve the folder by a server that knows ranges, or copy it and name its path",
                         url)  # fmt: skip


class SourceFailed(Failed):
    """The disk of a source could not be read; its own class, for it must not be taken for a disk of ours."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__("source-unreadable", "A source could not be read", f"{error.strerror or error} at {path}",
                         "check that disk, or name another source with --from", str(path))  # fmt: skip


class FolderSource:
    """A publication, a mirror, an archive, or any folder with the files in it: found by path, by name, by length."""

    def __init__(self, root: Path) -> None:
        self.fetched = 0
        self._root = root
        self._index: tuple[dict[str, list[str]], dict[int, list[str]]] | None = None

    @property
    def label(self) -> str:
        """The folder."""
        return str(self._root)

    def places(self, wanted: Wanted) -> Iterator[Place]:
        """As :class:`BlockSource`. The folder is only walked when the usual places are used up."""
        seen: set[str] = set()
        for place in wanted.places:
            for home in _HOMES:
                path = home + place.path
                if path not in seen and (self._root / path).is_file():
                    seen.add(path)
                    yield Place(path, place.offset)
        names, lengths = self._walked()
        found = list(names.get(wanted.name, ()))
        if wanted.like:
            found += [p for name in names if name.startswith(wanted.like) for p in names[name]]
        yield from (Place(path) for path in dict.fromkeys(found) if path not in seen)
        seen |= set(found)
        yield from (Place(path, guess=True) for path in lengths.get(wanted.bytes, ()) if path not in seen)

    def _walked(self) -> tuple[dict[str, list[str]], dict[int, list[str]]]:
        if self._index is None:
            names: dict[str, list[str]] = {}
            lengths: dict[int, list[str]] = {}
            for count, (path, length) in enumerate(_files(self._root)):
                if count >= _MOST_FILES:
                    break
                names.setdefault(path.rpartition("/")[2], []).append(path)
                lengths.setdefault(length, []).append(path)
            self._index = names, lengths
        return self._index

    def read(self, place: Place, start: int, stop: int) -> Iterator[bytes]:
        """As :class:`BlockSource`."""
        path = self._root / place.path
        try:
            stream = path.open("rb", buffering=0)
        except OSError as error:
            raise SourceFailed(path, error) from error
        with stream:
            at, end = place.offset + start, place.offset + stop
            while at < end and (data := _read_at(stream, at, min(end - at, READ), path)):
                at += len(data)
                self.fetched += len(data)
                yield data

    def small(self, path: str, max_bytes: int) -> bytes | None:
        """As :class:`BlockSource`."""
        for home in _HOMES:
            file = self._root / (home + path)
            if file.is_file() and file.stat().st_size <= max_bytes:
                with file.open("rb", buffering=0) as stream:
                    data = _read_at(stream, 0, max_bytes, file)
                self.fetched += len(data)
                return data
        return None


def _read_at(stream: Any, offset: int, size: int, path: Path) -> bytes:
    try:
        stream.seek(offset)
        return bytes(stream.read(size) or b"")
    except OSError as error:
        raise SourceFailed(path, error) from error


def _files(root: Path) -> Iterator[tuple[str, int]]:
    """Path below the root and length of every plain file, in a fixed order; links are not followed."""
    for folder, below, files in os.walk(root):
        below.sort()
        for name in sorted(files):
            path = Path(folder, name)
            try:
                if path.is_file() and not path.is_symlink():
                    yield path.relative_to(root).as_posix(), path.stat().st_size
            except OSError:
                continue


class WebSource:
    """A publication at an address: byte ranges of its files over HTTP (RFC 9110, section 14).

    Args:
        url: of the publication.
        fetcher: the one door to the web.
    """

    def __init__(self, url: str, fetcher: Fetcher) -> None:
        self.fetched = 0
        self._url = url.rstrip("/")
        self._fetcher = fetcher
        self._volumes: dict[str, str] | None = None

    @property
    def label(self) -> str:
        """The address."""
        return self._url

    def places(self, wanted: Wanted) -> Iterator[Place]:
        """As :class:`BlockSource`: only what a publication serves; its list of volumes is read when it is needed."""
        public = [place for place in wanted.places if place.path.startswith(_PUBLIC)]
        yield from public
        if not wanted.like:
            return
        if self._volumes is None:
            self._volumes = _volumes(self)
        volume = self._volumes.get(wanted.like.removesuffix(".r"))
        match = _REVISION.fullmatch(wanted.name)
        later = [f"{wanted.like}{int(match[1]) + 1}.tar"] if match else []
        for name in [wanted.name, *later] if volume else []:
            if Place(f"packs/{volume}/{name}") not in public:
                yield Place(f"packs/{volume}/{name}")

    def read(self, place: Place, start: int, stop: int) -> Iterator[bytes]:
        """As :class:`BlockSource`."""
        url = f"{self._url}/{quote(place.path)}"
        at, end = place.offset + start, place.offset + stop
        with self._fetcher.open(url, max_bytes=_NO_LIMIT, start=at, stop=end) as download:
            if download.start != at:
                raise NoRanges(url)
            for data in download:
                part = data[: end - at]
                at += len(part)
                self.fetched += len(part)
                yield part
                if at >= end:
                    return

    def small(self, path: str, max_bytes: int) -> bytes | None:
        """As :class:`BlockSource`."""
        if not path.startswith(_PUBLIC):
            return None
        try:
            data = self._fetcher.get(f"{self._url}/{quote(path)}", max_bytes)
        except HttpStatus:
            return None
        self.fetched += len(data)
        return data


def _volumes(source: BlockSource) -> dict[str, str]:
    """Pack id → volume, as the newest edition of a publication says: a hint where to look, never believed further."""
    try:
        snapshot = _signed(source, "timestamp.json")["meta"]["snapshot.json"]["version"]
        targets = _signed(source, f"{int(snapshot)}.snapshot.json")["meta"]["targets.json"]["version"]
        paths = _signed(source, f"{int(targets)}.targets.json")["targets"]
        edition = max(int(match[1]) for path in paths if (match := _EDITION.fullmatch(path)))
        listed = json.loads(source.small(f"editions/{edition:04d}/torrents.json", _MOST_TORRENTS) or b"")
        named = {pack: torrent["name"] for torrent in listed["torrents"] for pack in torrent["packs"]}
    except (NetworkFailed, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    return {pack: volume for pack, volume in named.items() if isinstance(volume, str) and _VOLUME.fullmatch(volume)}


def _signed(source: BlockSource, name: str) -> Any:
    return json.loads(source.small(f"metadata/{name}", _MOST_METADATA) or b"")["signed"]
