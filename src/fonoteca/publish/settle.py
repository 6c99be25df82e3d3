"""After an edition is whole on the disk: sign it, say where blobs are now, drop loose copies, take away what it
supersedes. Each step looks first, so that a second run writes nothing."""

from __future__ import annotations

import datetime
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from fonoteca.archive import leaves
from fonoteca.archive.holdings import Place, leaves_folder
from fonoteca.core import durable
from fonoteca.core.layout import ArchiveLayout, PublicationLayout
from fonoteca.core.progress import Unit
from fonoteca.formats import pack
from fonoteca.publish import previous, tuf
from fonoteca.publish.prepare import Prepared
from fonoteca.publish.previous import Previous
from fonoteca.publish.workshop import Workshop
from fonoteca.publish.world import World


def settle(world: World, shop: Workshop, now: datetime.datetime) -> None:
    """Make the newest edition the published one, and the archive's own books agree with it."""
    publication = shop.publication
    latest = previous.load(publication)
    assert latest is not None
    shop.progress.stage("signing and tidying", None, Unit.FILES)
    sign(publication, latest, world, shop, now)
    places = places_of(latest)
    gone = [blob for blob in shop.holdings.places() if blob not in places]
    shop.holdings.copy_back(gone)
    shop.holdings.release(gone)
    shop.holdings.seal(places.values())
    shop.holdings.drop_sealed_loose()
    tidy(shop.layout, latest)


def settled(prepared: Prepared, shop: Workshop) -> bool:
    """True where the newest edition is signed and the books agree with it: a run has nothing to do."""
    latest = prepared.before
    if latest is None or not _is_signed(shop.publication, latest, prepared.world):
        return False
    places = places_of(latest)
    return shop.holdings.places() == places and not shop.holdings.loose(places)


def _is_signed(publication: PublicationLayout, latest: Previous, world: World) -> bool:
    signed = signed_targets(publication).get(edition_path(latest))
    return signed == latest.digest and _content(publication.withdrawals) == world.withdrawals.encode()


def edition_path(latest: Previous) -> str:
    """The edition's target in the signed metadata."""
    return f"editions/{latest.edition.number:04d}/edition.json"


def sign(
    publication: PublicationLayout, latest: Previous, world: World, shop: Workshop, now: datetime.datetime
) -> None:
    """Sign the edition unless the metadata leads to it, and to this list of withdrawals, already."""
    if _is_signed(publication, latest, world):
        return
    targets = {edition_path(latest): tuf.Target(latest.length, latest.digest)}
    tuf.sign(publication, shop.keys, targets, world.withdrawals.encode(), now)


def signed_targets(publication: PublicationLayout) -> dict[str, str]:
    """Path → hex SHA-256 of what the timestamp leads to; empty where nothing, or nothing readable, is signed."""
    try:
        timestamp = _signed(publication.metadata / "timestamp.json")
        snapshot = _signed(publication.metadata / f"{timestamp['meta']['snapshot.json']['version']}.snapshot.json")
        targets = _signed(publication.metadata / f"{snapshot['meta']['targets.json']['version']}.targets.json")
        return {path: told["hashes"]["sha256"] for path, told in targets["targets"].items()}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _signed(path: Path) -> Mapping[str, Any]:
    value: Mapping[str, Any] = json.loads(path.read_bytes())["signed"]
    return value


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def places_of(latest: Previous) -> dict[str, Place]:
    """Where each published blob is."""
    packs = {p.id: p for p in latest.packs}
    return {
        row.blob: Place(row.blob, row.pack, packs[row.pack].revision, packs[row.pack].volume, row.offset)
        for row in latest.located
    }


def tidy(layout: ArchiveLayout, latest: Previous) -> None:
    """Take away packs and torrents that no edition needs: superseded ones, and the leavings of interrupted runs."""
    publication = layout.publication
    wanted = {publication.packs / p.volume / pack.file_name(p.id, p.revision) for p in latest.packs}
    for folder in _children(publication.packs):
        _keep(folder, wanted, (".tar", durable.TEMP_SUFFIX))
        if folder.is_dir() and not any(folder.iterdir()):
            durable.remove_tree(folder)
    current = {publication.root / path for t in latest.torrents if t.current for path in (t.path, t.v1_path) if path}
    for folder in (publication.torrents, publication.torrents / "v1"):
        _keep(folder, current, (".torrent", durable.TEMP_SUFFIX))
    books = leaves_folder(layout)
    known = {books / leaves.pack_name(p.id, p.revision) for p in latest.packs}
    _keep(books / "packs", known, (".leaves", durable.TEMP_SUFFIX))
    for folder in _children(publication.editions):
        if folder.name.startswith(".") and folder.name.endswith(durable.TEMP_SUFFIX):
            durable.remove_tree(folder)


def _keep(folder: Path, wanted: Collection[Path], kinds: tuple[str, ...]) -> None:
    """Delete the files of our kinds that are not wanted; what somebody else put there is left alone."""
    for file in _children(folder):
        if file.suffix in kinds and file not in wanted:
            durable.remove(file)


def _children(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
