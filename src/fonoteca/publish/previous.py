"""The last edition, read back from the publication as anybody could."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fonoteca.core.errors import Damaged
from fonoteca.core.layout import PublicationLayout
from fonoteca.formats import manifest, parquet, torrents
from fonoteca.formats.manifest import Edition
from fonoteca.formats.tables import LOCATOR, PACKS
from fonoteca.formats.torrents import TorrentInfo
from fonoteca.publish.inputs import Located, PublishedPack

SUPERSEDED = "superseded"


@dataclass(frozen=True)
class Previous:
    """An edition that is whole on the disk. ``digest`` is the hex SHA-256 of its ``edition.json``."""

    edition: Edition
    digest: str
    length: int
    packs: tuple[PublishedPack, ...]
    located: tuple[Located, ...]
    torrents: tuple[TorrentInfo, ...]


def load(publication: PublicationLayout) -> Previous | None:
    """The newest edition, or None before the first.

    Raises:
        Damaged: one of its files is not what ``edition.json`` promises, or cannot be read.
    """
    numbers = publication.edition_numbers()
    return _load(publication.edition(numbers[-1])) if numbers else None


def _load(folder: Path) -> Previous:
    data = (folder / "edition.json").read_bytes()
    edition = manifest.parse(data)
    for name in ("packs.parquet", "locator.parquet", "torrents.json"):
        _check(folder, edition, name)
    packs = parquet.read_table(folder / "packs.parquet", schema=PACKS).to_pylist()
    rows = parquet.read_table(folder / "locator.parquet", schema=LOCATOR).to_pylist()
    return Previous(
        edition, hashlib.sha256(data).hexdigest(), len(data),
        tuple(_pack(row) for row in packs if row["state"] != SUPERSEDED), tuple(_located(row) for row in rows),
        tuple(torrents.parse((folder / "torrents.json").read_bytes())),
    )  # fmt: skip


def _check(folder: Path, edition: Edition, name: str) -> None:
    path = folder / name
    found = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "no file"
    if found != edition.file(name).sha256:
        raise damaged(path, edition.number, found)


def damaged(path: Path, number: int, found: str) -> Damaged:
    """A file of the last edition that cannot be built upon."""
    return Damaged("edition-damaged", "No new edition was made",
                   f"{path} is not what edition {number} promises: {found}",
                   "'fonoteca verify' lists all damage; restore the file from a mirror or a backup",
                   str(path))  # fmt: skip


def _pack(row: dict[str, Any]) -> PublishedPack:
    return PublishedPack(row["id"], row["revision"], row["tier"], row["class"], row["volume"], row["bytes"],
                         row["sha256"], row["merkle_root"], row["recordings"])  # fmt: skip


def _located(row: dict[str, Any]) -> Located:
    return Located(row["recording_id"], row["blob_sha256"], row["pack"], row["offset"], row["bytes"], row["path"],
                   row["mime"], row["codec"], row["bit_rate"], row["tier"], row["recipe"], row["licence"])  # fmt: skip
