"""Seeds what a publication folder holds, over BitTorrent."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import libtorrent as lt
import pyarrow as pa
import pyarrow.compute as pc

from fonoteca.core.errors import NetworkFailed
from fonoteca.core.layout import PublicationLayout
from fonoteca.formats import metainfo, torrents, withdrawals
from fonoteca.formats.metainfo import Metainfo, MetainfoError
from fonoteca.formats.parquet import read_table
from fonoteca.formats.torrents import TorrentInfo
from fonoteca.mirror.session import open_session, parameters, wait_for


class Seeder:
    """Seeds the current torrents of a publication's newest edition, as far as their files are there, and the v1-only
    twin of each: the same files, for the swarm of those who misread hybrids.

    What is there was hashed before it got its place, so nothing is hashed again; a volume of which only some
    packs are held is seeded in part, and a pack with a withdrawn entry is not seeded. Use as a context manager.

    Args:
        publication: of an archive or of a mirror.
        listen: ``host:port``; port 0 takes a free one.

    Raises:
        NetworkFailed: the port is taken.
    """

    def __init__(self, publication: PublicationLayout, listen: str = "127.0.0.1:0") -> None:
        self._publication = publication
        self._listen = listen
        self._session: Any = None
        self._handles: dict[str, list[Any]] = {}
        self.port = 0

    def __enter__(self) -> Seeder:
        self._session = open_session(self._listen)
        listening = wait_for(self._session, (lt.listen_succeeded_alert, lt.listen_failed_alert), 50)
        self.port = self._session.listen_port()
        if not isinstance(listening, lt.listen_succeeded_alert) or not self.port:
            raise NetworkFailed("port-taken", "Nothing is seeded", f"{self._listen} cannot be listened on",
                                "choose another port, for example with mirror.listen = \"0.0.0.0:6882\"",
                                self._listen)  # fmt: skip
        self.refresh()
        return self

    def __exit__(self, *_: object) -> None:
        self._session.pause()
        self._session = None
        self._handles = {}

    @property
    def seeding(self) -> list[str]:
        """Names of the torrents that are seeded."""
        return sorted(self._handles)

    @property
    def uploaded(self) -> int:
        """Bytes of content sent since the start."""
        return sum(int(h.status().total_payload_upload) for handles in self._handles.values() for h in handles)

    def refresh(self) -> None:
        """Take up what has come since, let go of what is no longer there."""
        self._session.pop_alerts()
        current = _seedable(self._publication)
        for name in [n for n in self._handles if n not in current or current[n][1] != self._held(n)]:
            for handle in self._handles.pop(name):
                self._session.remove_torrent(handle)
        for name, (info, have) in current.items():
            if name not in self._handles:
                self._handles[name] = self._add_both(info, have)
        self._known = {name: have for name, (_, have) in current.items()}

    def _held(self, name: str) -> tuple[bool, ...]:
        return self._known.get(name, ())

    def _add_both(self, info: TorrentInfo, have: Sequence[bool]) -> list[Any]:
        data = (self._publication.root / info.path).read_bytes()
        meta = metainfo.parse(data)
        twin = self._publication.root / info.v1_path if info.v1_path else None
        # A twin that is not there, or not the hybrid's, is nothing that one could seed.
        files = [data, metainfo.v1_twin(meta)] if twin and _is_twin(meta, twin) else [data]
        return [self._add(file, meta, info, have) for file in files]

    def _add(self, data: bytes, meta: Metainfo, info: TorrentInfo, have: Sequence[bool]) -> Any:
        content = self._publication.root / info.content
        params = parameters(data, str(content.parent), (), meta.trackers)
        if content.name != meta.name:
            params.renamed_files = {0: content.name}
        if all(have):
            params.flags |= lt.torrent_flags.seed_mode
        else:
            params.file_priorities = [4 if held else 0 for held in have]
            params.have_pieces = _pieces(meta, have)
            params.flags |= lt.torrent_flags.no_verify_files
        return self._session.add_torrent(params)


def _is_twin(meta: Metainfo, twin: Path) -> bool:
    try:
        metainfo.check_twin(meta, twin.read_bytes())
    except (MetainfoError, OSError):
        return False
    return True


def _pieces(meta: Metainfo, have: Sequence[bool]) -> list[bool]:
    """A bit for each piece. Every file of a volume is a number of whole pieces (docs/formats/pack.md)."""
    found: list[bool] = []
    for entry, held in zip(meta.files, have, strict=True):
        found += [held] * (-(-entry.length // meta.piece_length))
    return found


def _seedable(publication: PublicationLayout) -> dict[str, tuple[TorrentInfo, tuple[bool, ...]]]:
    """Current torrents of the newest edition with at least one file here → which of its files are here."""
    numbers = publication.edition_numbers()
    if not numbers:
        return {}
    edition = publication.edition(numbers[-1])
    listed = torrents.parse((edition / "torrents.json").read_bytes())
    hidden = _withdrawn_packs(publication, edition / "locator.parquet")
    found = {}
    for info in listed:
        path = publication.root / info.path
        if not info.current or not path.is_file():
            continue
        have = _files_here(publication.root / info.content, metainfo.parse(path.read_bytes()), hidden)
        if any(have):
            found[info.name] = (info, have)
    return found


def _files_here(content: Path, meta: Metainfo, hidden: Collection[str]) -> tuple[bool, ...]:
    paths = [content] if meta.single_file else [content.joinpath(*entry.path) for entry in meta.files]
    return tuple(
        path.name.partition(".")[0] not in hidden and path.is_file() and path.stat().st_size == entry.length
        for path, entry in zip(paths, meta.files, strict=True)
    )


def _withdrawn_packs(publication: PublicationLayout, locator: Path) -> set[str]:
    """Packs with an entry that was withdrawn since the edition: not seeded until a redaction takes their place."""
    if not publication.withdrawals.is_file():
        return set()
    blobs = withdrawals.parse(publication.withdrawals.read_bytes()).withdrawn_blobs()
    if not blobs:
        return set()
    table = read_table(locator, ("pack", "blob_sha256"))
    hit = table.filter(pc.is_in(table.column("blob_sha256"), value_set=pa.array(sorted(blobs), pa.string())))
    return set(hit.column("pack").to_pylist())
