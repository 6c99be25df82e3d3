"""The ledger of what an archive holds: append-only, hash-chained, written in batches with one fsync each.

Cannot be rebuilt from anything else: first in every backup. Reading needs no lock; to write, the caller holds the
archive's writer lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from fonoteca.archive import chain
from fonoteca.archive.records import Holding, Place, Record, Refusal, Release, from_body, to_body
from fonoteca.archive.store import BlobStore, Region
from fonoteca.core import durable
from fonoteca.core.errors import Damaged
from fonoteca.core.fixity import Fixity
from fonoteca.core.layout import ArchiveLayout
from fonoteca.formats.claim import Claim

__all__ = ["Holding", "Holdings", "Place", "Refusal", "leaves_folder", "ledger_path"]

_T = TypeVar("_T")


def ledger_path(layout: ArchiveLayout) -> Path:
    """The file of the ledger."""
    return layout.holdings / "holdings.jsonl"


def leaves_folder(layout: ArchiveLayout) -> Path:
    """The folder of the leaves of blobs and packs."""
    return layout.holdings / "leaves"


def _read(layout: ArchiveLayout) -> chain.Log:
    path = ledger_path(layout)
    log = chain.parse(path.read_bytes() if path.is_file() else b"")
    if log.damaged:
        number, what = log.damaged[0]
        raise Damaged(
            "ledger-damaged", "The ledger of holdings could not be read", f"line {number} of {path}: {what}",
            "put back holdings/holdings.jsonl from the last backup, then take in again what came later",
            str(path),
        )  # fmt: skip
    return log


class _Regions(Mapping[str, Region]):
    """The places of blobs as bytes of files; always as the ledger is now."""

    def __init__(self, packs: Path, places: Mapping[str, Place], blobs: Mapping[str, Fixity]) -> None:
        self._packs, self._places, self._blobs = packs, places, blobs

    def __getitem__(self, sha256: str) -> Region:
        place = self._places[sha256]
        return Region(self._packs / place.file, place.offset, self._blobs[sha256].bytes)

    def __iter__(self) -> Iterator[str]:
        return (sha for sha in self._places if sha in self._blobs)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Holdings:
    """The ledger, in memory. Make one with :meth:`open`."""

    def __init__(self, layout: ArchiveLayout, log: chain.Log) -> None:
        self._layout = layout
        self._load(log)

    def _load(self, log: chain.Log) -> None:
        self._head = log.head
        self._torn = bool(log.torn)
        self._stale = False
        self._records: dict[Record, None] = {}
        self._blobs: dict[str, Fixity] = {}
        self._places: dict[str, Place] = {}
        for record in map(from_body, log.bodies):
            if record is not None:
                self._follow(record)

    @classmethod
    def open(cls, layout: ArchiveLayout) -> Holdings:
        """Read and check the whole ledger. A torn last line of a crash is no damage: it was never acknowledged.

        Raises:
            Damaged: ``ledger-damaged``, with the first damaged line.
        """
        return cls(layout, _read(layout))

    def _follow(self, record: Record) -> None:
        self._records[record] = None
        if isinstance(record, Fixity):
            self._blobs[record.sha256] = record
        elif isinstance(record, Place):
            self._places.pop(record.blob, None)
            self._places[record.blob] = record
        elif isinstance(record, Release):
            self._places.pop(record.blob, None)

    def _of(self, kind: type[_T]) -> list[_T]:
        return [r for r in self._records if isinstance(r, kind)]

    def holdings(self) -> list[Holding]:
        """All holdings, in the order of intake."""
        return self._of(Holding)

    def claims(self) -> list[Claim]:
        """The claims made at intake; their subject is a blob."""
        return self._of(Claim)

    def blobs(self) -> dict[str, Fixity]:
        """What every blob is held to, by hex SHA-256."""
        return dict(self._blobs)

    def refusals(self) -> list[Refusal]:
        """The files that were not taken in."""
        return self._of(Refusal)

    def places(self) -> dict[str, Place]:
        """Where each sealed blob is now."""
        return dict(self._places)

    def regions(self) -> Mapping[str, Region]:
        """The same, as bytes of files."""
        return _Regions(self._layout.publication.packs, self._places, self._blobs)

    def store(self) -> BlobStore:
        """The archive's blob store, which finds packed blobs through this ledger."""
        return BlobStore(self._layout.blobs, self.regions)

    def __contains__(self, record: Record) -> bool:
        return record in self._records

    def append(self, records: Iterable[Record]) -> int:
        """Write those that are not there yet, in their order, with one fsync. Returns how many.

        Raises:
            NoSpace, Failed: the ledger is as it was, apart from a torn tail that the next writing cuts off.
        """
        self._refresh()
        return self._write(list(dict.fromkeys(r for r in records if r not in self._records)))

    def _refresh(self) -> None:
        """After a failed write nobody knows how much of it is on the disk: read again."""
        if self._stale:
            self._load(_read(self._layout))

    def _write(self, new: Sequence[Record]) -> int:
        if not new:
            return 0
        path = ledger_path(self._layout)
        if self._torn:
            durable.cut_torn_tail(path)
            self._torn = False
        lines, head = chain.encode(map(to_body, new), self._head)
        self._stale = True
        durable.append_lines(path, lines)
        self._stale, self._head = False, head
        for record in new:
            self._follow(record)
        return len(new)

    def seal(self, places: Iterable[Place]) -> int:
        """Say in which packs blobs are now; a later place replaces an earlier one. Returns the rows written."""
        self._refresh()
        return self._write([p for p in sorted(set(places)) if self._places.get(p.blob) != p])

    def release(self, blobs: Iterable[str]) -> int:
        """Say that blobs are in no pack any more (their entry is about to be blanked). Returns the rows written."""
        self._refresh()
        return self._write([Release(b) for b in sorted(set(blobs)) if b in self._places])

    def loose(self, blobs: Iterable[str]) -> list[str]:
        """Those of the blobs that have a loose copy, ascending."""
        store = self.store()
        return [b for b in sorted(set(blobs)) if store.is_loose(b)]

    def copy_back(self, blobs: Iterable[str]) -> list[str]:
        """Make a loose copy, read back, of each packed blob that has no good one. Returns those that were made.

        Raises:
            Damaged: ``blob-missing`` or ``blob-differs``: the pack does not hold the blob.
        """
        store = self.store()
        missing = [b for b in sorted(set(blobs)) if not store.is_loose(b) or store.digest(b) != b]
        for blob in missing:
            store.copy_back(blob)
        return missing

    def drop_sealed_loose(self) -> list[str]:
        """Delete each loose copy whose bytes a pack holds too; every packed copy is read first.

        Raises:
            Damaged: ``blob-differs``; that loose copy and the later ones stay.
        """
        store = self.store()
        return [sha for sha in sorted(self._places) if store.drop_loose(sha)]
