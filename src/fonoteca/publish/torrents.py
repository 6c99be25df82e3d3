"""The torrents of an edition: one for each volume, one for each table of the snapshot."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fonoteca.core import durable
from fonoteca.core.fixity import Fixity, measure
from fonoteca.core.layout import PublicationLayout
from fonoteca.formats import metainfo
from fonoteca.formats.manifest import FileRef
from fonoteca.formats.metainfo import FileEntry, Metainfo
from fonoteca.formats.torrents import TorrentInfo
from fonoteca.publish import previous, tiers
from fonoteca.publish.previous import Previous
from fonoteca.publish.seal import measured
from fonoteca.publish.volumes import Volume

METADATA = "metadata"
"""The tier of a torrent that carries a table."""


@dataclass(frozen=True)
class Addresses:
    """Where the publication is served, and who tracks its torrents: outside of the info dictionary (BEP 19, 3)."""

    base_url: str = ""
    trackers: tuple[str, ...] = ()

    def folder_seeds(self) -> tuple[str, ...]:
        """Web seed of a volume: clients add the torrent's name and the file's path (BEP 19)."""
        return (f"{self.base_url.rstrip('/')}/packs/",) if self.base_url else ()

    def file_seeds(self, path: str) -> tuple[str, ...]:
        """Web seed of a single-file torrent: the file's own address."""
        return (f"{self.base_url.rstrip('/')}/{path}",) if self.base_url else ()


def file_name(name: str) -> str:
    """Path of a torrent file below the publication."""
    return f"torrents/{name}.torrent"


def twin_name(name: str) -> str:
    """Path of the file of a torrent's v1-only twin (docs/decisions/0014-v1-twins.md)."""
    return f"torrents/v1/{name}.torrent"


def of_volume(volume: Volume, entries: Mapping[str, FileEntry], piece_length: int, at: Addresses) -> Metainfo:
    """The torrent of a volume, from its packs' hashes by file name. Packs are whole pieces, so nothing is padded."""
    files = [replace(entries[name], path=(name,)) for _, name, _ in volume.files]
    return metainfo.hybrid(volume.name, files, piece_length, web_seeds=at.folder_seeds(), trackers=at.trackers)


def of_table(name: str, file: Path, content: str, piece_length: int, at: Addresses) -> Metainfo:
    """The torrent of one table: a single file, whose name in the torrent is ``name``."""
    fixity, digester = measured(file, piece_length)
    entry = metainfo.file_entry((name,), fixity, digester, piece_length)
    seeds = at.file_seeds(content)
    return metainfo.hybrid(name, [entry], piece_length, web_seeds=seeds, trackers=at.trackers, single_file=True)


def readdressed(made: Metainfo, at: Addresses) -> Metainfo:
    """The same content with the addresses of today: the info-hashes stay."""
    return metainfo.hybrid(made.name, made.files, made.piece_length, web_seeds=at.folder_seeds(),
                           trackers=at.trackers)  # fmt: skip


def load(publication: PublicationLayout, before: Previous) -> dict[str, tuple[TorrentInfo, Metainfo]]:
    """The current volumes of an edition: name → entry of torrents.json, and the torrent.

    Raises:
        Damaged: a torrent file is not what the edition promises.
    """
    promised = {ref.path: ref.sha256 for ref in before.edition.torrents}
    found = {}
    for info in before.torrents:
        if info.kind == "volume" and info.current:
            path = publication.root / info.path
            data = path.read_bytes() if path.is_file() else b""
            if hashlib.sha256(data).hexdigest() != promised.get(info.path):
                raise previous.damaged(path, before.edition.number, "it is missing or another file")
            found[info.name] = (info, metainfo.parse(data))
    return found


def store(publication: PublicationLayout, made: Metainfo) -> list[FileRef]:
    """Write a torrent file and its twin's; nothing is written where the same bytes are there."""
    files = {file_name(made.name): made.encode(), twin_name(made.name): metainfo.v1_twin(made)}
    for name, data in files.items():
        path = publication.root / name
        if not path.is_file() or path.read_bytes() != data:
            durable.write_bytes(path, data)
    return [FileRef.of(name, _fixity(data)) for name, data in files.items()]


def _fixity(data: bytes) -> Fixity:
    return measure([data])


def describe(made: Metainfo, template: TorrentInfo) -> TorrentInfo:
    """The entry of ``torrents.json``: ``template`` says what the torrent is, the torrent itself says the rest."""
    return replace(
        template, name=made.name, path=file_name(made.name), infohash_v1=made.infohash_v1,
        infohash_v2=made.infohash_v2, magnet=made.magnet(), bytes=made.length, files=len(made.files),
        web_seeds=made.web_seeds, trackers=made.trackers, v1_path=twin_name(made.name),
        v1_infohash=metainfo.twin_infohash(made), v1_magnet=metainfo.twin_magnet(made),
    )  # fmt: skip


def template(kind: str, content: str, tier: str, permit_class: str, added: int) -> TorrentInfo:
    """An entry without its hashes."""
    return TorrentInfo("", "", content, kind, "", "", "", 0, 0, tier, permit_class, added=added)


def in_order(torrents: Iterable[TorrentInfo]) -> list[TorrentInfo]:
    """Metadata first, then audio by popularity; what was superseded stands last."""

    def key(torrent: TorrentInfo) -> tuple[bool, int, float, str]:
        place = -1 if torrent.tier == METADATA else tiers.rank(torrent.tier)
        return (not torrent.current, place, -torrent.coverage, torrent.name)

    return sorted(torrents, key=key)


def superseded(before: Sequence[TorrentInfo], volumes: Iterable[Volume]) -> list[TorrentInfo]:
    """Volumes that an earlier edition or this one replaced; each names its successor."""
    successors = {v.replaces: v.name for v in volumes if v.replaces}
    audio = [t for t in before if t.kind == "volume"]
    gone = [replace(t, superseded_by=successors[t.name]) for t in audio if t.name in successors]
    return [t for t in audio if not t.current] + gone
