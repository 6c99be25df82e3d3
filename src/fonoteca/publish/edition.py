"""The folder of an edition: built beside its place, then there with one rename."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from fonoteca.archive import leaves
from fonoteca.core import durable
from fonoteca.core.fixity import Fixity, chunks, measure
from fonoteca.core.layout import PublicationLayout
from fonoteca.formats import parquet, torrents
from fonoteca.formats.manifest import Edition, FileRef
from fonoteca.formats.parquet import ColumnNote
from fonoteca.formats.tables import PUBLISHED_SORT, SORT_KEYS
from fonoteca.formats.torrents import TorrentInfo
from fonoteca.publish.snapshot import Slice

SNAPSHOT, SNAPSHOT_NC = "snapshot", "snapshot-nc"


@dataclass(frozen=True)
class Draft:
    """The folder in which an edition grows; nobody reads it, and a new run starts it anew."""

    folder: Path

    @classmethod
    def begin(cls, publication: PublicationLayout, number: int) -> Draft:
        """An empty draft; what an interrupted run left is thrown away."""
        folder = publication.editions / f".{number:04d}{durable.TEMP_SUFFIX}"
        durable.remove_tree(folder)
        durable.make_folder(folder)
        return cls(folder)

    def table(self, name: str, table: pa.Table, notes: Mapping[str, ColumnNote] | None = None) -> None:
        """One of the edition's own tables."""
        parquet.write_table(self.folder / f"{name}.parquet", table, sort_by=PUBLISHED_SORT[name], notes=notes)

    def snapshot(self, part: str, content: Slice) -> list[str]:
        """All tables of a snapshot; the paths of their files inside the edition."""
        written = []
        for name, table in sorted(content.tables.items()):
            path = f"{part}/{name}.parquet"
            parquet.write_table(self.folder / path, table, sort_by=SORT_KEYS[name], notes=content.notes[name])
            written.append(path)
        return written

    def text(self, name: str, data: bytes) -> None:
        """A file that is not a table."""
        durable.write_bytes(self.folder / name, data)

    def torrents(self, entries: Sequence[TorrentInfo], number: int) -> None:
        """``torrents.json``."""
        self.text("torrents.json", torrents.encode(entries, number))

    def files(self) -> tuple[FileRef, ...]:
        """What is in the folder now, by digest."""
        found = sorted(p for p in self.folder.rglob("*") if p.is_file())
        return tuple(FileRef.of(p.relative_to(self.folder).as_posix(), fixity(p)) for p in found)

    def publish(self, publication: PublicationLayout, edition: Edition, books: Path | None = None) -> Path:
        """Write ``edition.json`` and give the folder its name. ``books``: where the leaves of its files are kept."""
        self.text("edition.json", edition.encode())
        if books is not None:
            for ref in edition.files:
                leaves.remember(books, leaves.edition_name(edition.number, ref.path), self.folder / ref.path)
        target = publication.edition(edition.number)
        durable.rename(self.folder, target)
        return target


def fixity(path: Path) -> Fixity:
    """All digests of a file."""
    with path.open("rb") as stream:
        return measure(chunks(stream))


def own_notes(columns: Iterable[str], sources: Iterable[str], licences: Iterable[str]) -> dict[str, ColumnNote]:
    """One note for all columns of a table that the archive itself makes."""
    said = parquet.note(list(sources), list(licences))
    return dict.fromkeys(columns, said)


def totals(counts: Mapping[str, Any], statuses: Mapping[str, int]) -> dict[str, int]:
    """The totals of ``edition.json``, from the plan's counts and the ledger's statuses."""
    return {
        "recordings": sum(statuses.values()), "published": statuses["published"], "withheld": statuses["withheld"],
        "withdrawn": statuses["withdrawn"], "not_held": statuses["not-held"],
        "packs": counts["packs"]["kept"] + counts["packs"]["added"], "torrents": counts["torrents"],
        "audio_bytes": counts["bytes"]["audio"], "pack_bytes": counts["bytes"]["audio"] + counts["bytes"]["padding"],
    }  # fmt: skip
