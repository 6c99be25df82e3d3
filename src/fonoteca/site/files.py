"""The publication's files for mirrors and web seeds: a fixed list, looked up, never a path put together.

What the address says only ever selects an entry of a dictionary whose paths come from the edition and from the
names in a few flat folders.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path

from fonoteca.core.layout import PublicationLayout
from fonoteca.formats import manifest
from fonoteca.site.ranges import Region

_FLAT = {
    "metadata": ".json", "withdrawals": ".json", "torrents": ".torrent", "torrents/v1": ".torrent", "live": ".json",
}  # fmt: skip
"""Folders without folders in them, and how their files' names end."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}")
MIMES = {
    ".json": "application/json", ".torrent": "application/x-bittorrent", ".tar": "application/x-tar",
    ".parquet": "application/vnd.apache.parquet", ".md": "text/markdown; charset=utf-8",
}  # fmt: skip


def mime_of(name: str) -> str:
    """Content type by the name's end."""
    return MIMES.get(os.path.splitext(name)[1], "application/octet-stream")  # noqa: PTH122


class PublicFiles:
    """Answers which file an address means. ``packs`` gives the current packs: address → (path, digest)."""

    def __init__(self, publication: PublicationLayout, packs: Callable[[], dict[str, tuple[Path, str]]]) -> None:
        self._publication = publication
        self._packs = packs
        self._editions: dict[str, dict[str, Region]] = {}

    def find(self, address: str) -> Region | None:
        """The file at an address relative to the root, such as ``metadata/timestamp.json``; None for no such file."""
        top, _, rest = address.partition("/")
        folder, _, name = address.rpartition("/")
        if folder in _FLAT:
            return self._flat(folder).get(name)
        if top == "editions":
            return self._edition(rest)
        if top == "packs":
            found = self._packs().get(address)
            if found is not None:
                return Region(found[0], mime_of(address), found[1])
        return None

    def _flat(self, folder: str) -> dict[str, Region]:
        """Read at each request: a refresh of the metadata is seen at once."""
        found: dict[str, Region] = {}
        try:
            with os.scandir(self._publication.root / folder) as entries:
                for entry in entries:
                    good = _NAME.fullmatch(entry.name) and entry.name.endswith(_FLAT[folder])
                    if good and entry.is_file(follow_symlinks=False):
                        told = entry.stat(follow_symlinks=False)
                        etag = f"{told.st_mtime_ns:x}-{told.st_size:x}-{told.st_ino:x}"
                        found[entry.name] = Region(Path(entry.path), mime_of(entry.name), etag)
        except OSError:
            return {}
        return found

    def _edition(self, rest: str) -> Region | None:
        number, _, name = rest.partition("/")
        have = {f"{n:04d}" for n in self._publication.edition_numbers()}
        if number not in have:
            return None
        if number not in self._editions:
            self._editions[number] = self._listed(int(number))
        return self._editions[number].get(name)

    def _listed(self, number: int) -> dict[str, Region]:
        folder = self._publication.edition(number)
        data = (folder / "edition.json").read_bytes()
        edition = manifest.parse(data)
        found = {
            ref.path: Region(folder / ref.path, mime_of(ref.path), ref.sha256, immutable=True)
            for ref in edition.files
        }  # fmt: skip
        digest = hashlib.sha256(data).hexdigest()
        found["edition.json"] = Region(folder / "edition.json", MIMES[".json"], digest, immutable=True)
        return found
