"""A publication made by hand from the formats and the signing code: packs of any size, several editions, redactions.

It needs no archive, no catalogue and no audio, so that the mirror's tests are about the mirror.
"""

from __future__ import annotations

import datetime
import hashlib
import io
import random
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from fonoteca.core import durable
from fonoteca.core.clock import rfc3339
from fonoteca.core.fixity import Digester, Fixity, measure
from fonoteca.core.ids import Kind, show_id
from fonoteca.core.layout import PublicationLayout
from fonoteca.formats import metainfo, pack, parquet, redaction, tables, torrents
from fonoteca.formats.manifest import Edition, FileRef
from fonoteca.formats.metainfo import FileEntry
from fonoteca.formats.torrents import TorrentInfo
from fonoteca.formats.withdrawals import Withdrawal, WithdrawalList
from fonoteca.publish import keys as signing
from fonoteca.publish import tuf
from fonoteca.publish.tuf import Target
from packing import PIECE, Shelf

NOW = datetime.datetime(2026, 11, 24, 12, 0, 0, tzinfo=datetime.UTC)


def noise(schema: pa.Schema, rows: int, seed: int) -> pa.Table:
    """A table whose first text column does not compress, and whose other columns are empty or alike."""
    rng, values = random.Random(seed), []
    for number in range(rows):
        row = {f.name: (number if pa.types.is_integer(f.type) else None) for f in schema}
        text = next(f.name for f in schema if pa.types.is_string(f.type) or pa.types.is_dictionary(f.type))
        values.append(row | {text: rng.randbytes(50).hex()})
    return pa.Table.from_pylist(values, schema=schema)


@dataclass(frozen=True)
class Made:
    """A pack of the publication. ``blobs``: digest → recording number."""

    id: str
    revision: int
    volume: str
    coverage: float
    fixity: Fixity
    entry: FileEntry
    blobs: dict[str, int]

    @property
    def name(self) -> str:
        return f"{self.id}.r{self.revision}"

    @property
    def file(self) -> str:
        return pack.file_name(self.id, self.revision)


class TinyPublisher:
    """Builds a publication in ``root``; :meth:`publish` signs what was added since the last edition."""

    def __init__(self, root: Path, keys: Path, seed: int = 1, piece_length: int = PIECE) -> None:
        self.layout = PublicationLayout(root)
        self.keys = signing.create(keys)
        self.packs: list[Made] = []
        self.number = 0
        self.withdrawals = WithdrawalList()
        self.trackers: tuple[str, ...] = ()
        self.web_seeds: tuple[str, ...] = ()
        self.bulk = 0
        """Rows of noise in two tables: the ledger, which is another one in each edition, and the recordings, which
        stay as they are."""
        self.bulk_located = 0
        """Rows of noise in the locator, others in each edition."""
        self._piece_length = piece_length
        self._random = random.Random(seed)
        self._recordings = 0
        self._previous: str | None = None
        self._signed: dict[str, Target] = {}

    @property
    def root_json(self) -> bytes:
        """The first root: what a mirror is started with."""
        return (self.layout.metadata / "1.root.json").read_bytes()

    def add(self, *sizes: int, coverage: float = 0.01, volume: str | None = None, tier: str = "head") -> Made:
        """Seal a pack whose entries have these lengths."""
        shelf = Shelf()
        entries = []
        for size in sizes:
            self._recordings += 1
            entries.append(shelf.entry(self._recordings, self._random.randbytes(size)))
        plan = pack.layout(entries, self._piece_length)
        sink, digester = io.BytesIO(), Digester(self._piece_length)
        pack.write(plan, shelf.open, sink, digester)
        name = plan.id(tier)
        folder = volume or f"{tier}-free-{self.number + 1:04d}-01"
        fixity = digester.finish()
        entry = metainfo.file_entry((pack.file_name(name, 0),), fixity, digester, self._piece_length)
        blobs = {e.blob.sha256: e.recording_id for e in entries}
        made = Made(name, 0, folder, coverage, fixity, entry, blobs)
        durable.write_bytes(self.layout.packs / folder / made.file, sink.getvalue())
        self.packs.append(made)
        return made

    def withdraw(self, made: Made, blob: str) -> Made:
        """Redact one entry: the pack's whole volume is issued anew, as publishing does."""
        entry = Withdrawal(self.withdrawals.version + 1, "withdraw", show_id(Kind.RECORDING, made.blobs[blob]),
                           (blob,), "asked for", rfc3339(NOW))  # fmt: skip
        self.withdrawals = WithdrawalList((*self.withdrawals.entries, entry))
        fresh = f"{made.volume.rsplit('-', 2)[0]}-{self.number + 1:04d}-09"
        redacted = made
        for index, old in enumerate(self.packs):
            if old.volume != made.volume:
                continue
            path = self.layout.packs / old.volume / old.file
            if old.id == made.id:
                redacted = self.packs[index] = self._redacted(old, path, blob, fresh)
            else:
                self.packs[index] = replace(old, volume=fresh)
                durable.rename(path, self.layout.packs / fresh / old.file)
        durable.remove_tree(self.layout.packs / made.volume)
        for folder in (self.layout.torrents, self.layout.torrents / "v1"):
            durable.remove(folder / f"{made.volume}.torrent")
        return redacted

    def _redacted(self, old: Made, path: Path, blob: str, volume: str) -> Made:
        sink, digester = io.BytesIO(), Digester(self._piece_length)
        with path.open("rb") as source:
            redaction.redact(source, sink, [blob], digester)
        fixity = digester.finish()
        name = pack.file_name(old.id, old.revision + 1)
        entry = metainfo.file_entry((name,), fixity, digester, self._piece_length)
        durable.write_bytes(self.layout.packs / volume / name, sink.getvalue())
        blobs = {b: r for b, r in old.blobs.items() if b != blob}
        return replace(old, revision=old.revision + 1, volume=volume, fixity=fixity, entry=entry, blobs=blobs)

    def remove(self, made: Made) -> None:
        """Leave a pack out of the next edition."""
        self.packs.remove(made)
        durable.remove(self.layout.packs / made.volume / made.file)

    def publish(self, now: datetime.datetime = NOW) -> Edition:
        """Write and sign the next edition."""
        self.number += 1
        folder = self.layout.edition(self.number)
        files = [self._table(folder, "packs", self._packs_table()), self._table(folder, "locator", self._locator())]
        files.append(self._table(folder, "ledger", noise(tables.LEDGER, self.bulk, self.number)))
        files.append(self._table(folder, "snapshot/recordings", noise(tables.RECORDINGS, self.bulk, 0)))
        infos, refs = self._torrents()
        files.append(self._file(folder / "torrents.json", "torrents.json", torrents.encode(infos, self.number)))
        edition = Edition(self.number, rfc3339(now), self._previous, hashlib.sha256(b"%d" % self.number).hexdigest(),
                          {"packs": len(self.packs)}, {}, tuple(files), tuple(refs))  # fmt: skip
        return self.sign(edition, now)

    def sign(self, edition: Edition, now: datetime.datetime = NOW, path: str = "") -> Edition:
        """Sign an ``edition.json``, under its own path or another one."""
        data = edition.encode()
        durable.write_bytes(self.layout.root / (path or f"editions/{edition.number:04d}/edition.json"), data)
        self._previous = hashlib.sha256(data).hexdigest()
        self._signed[path or f"editions/{edition.number:04d}/edition.json"] = Target(len(data), self._previous)
        tuf.sign(self.layout, self.keys, self._signed, self.withdrawals.encode(), now)
        return edition

    def refresh(self, now: datetime.datetime) -> None:
        """Sign again without a new edition."""
        tuf.refresh(self.layout, self.keys, self.withdrawals.encode(), now)

    def _file(self, path: Path, name: str, data: bytes) -> FileRef:
        durable.write_bytes(path, data)
        return FileRef.of(name, measure([data]))

    def _table(self, folder: Path, name: str, table: pa.Table) -> FileRef:
        path = folder / f"{name}.parquet"
        keys = (tables.PUBLISHED_SORT | tables.SORT_KEYS)[name.rpartition("/")[2]]
        parquet.write_table(path, table, sort_by=keys)
        return FileRef.of(f"{name}.parquet", measure([path.read_bytes()]))

    def _packs_table(self) -> pa.Table:
        rows = [
            {"id": p.id, "revision": p.revision, "tier": p.id.partition("-")[0], "class": "free", "volume": p.volume,
             "bytes": p.fixity.bytes, "sha256": p.fixity.sha256, "merkle_root": p.fixity.merkle_root,
             "recordings": len(p.blobs), "coverage": p.coverage, "state": "added", "superseded_by": None}
            for p in self.packs
        ]  # fmt: skip
        return pa.Table.from_pylist(rows, schema=tables.PACKS)

    def _locator(self) -> pa.Table:
        rows = [{"recording_id": number, "blob_sha256": blob, "pack": p.id}
                for p in self.packs for blob, number in p.blobs.items()]  # fmt: skip
        return pa.concat_tables([pa.Table.from_pylist(rows, schema=tables.LOCATOR),
                                 noise(tables.LOCATOR, self.bulk_located, self.number)])  # fmt: skip

    def _torrents(self) -> tuple[list[TorrentInfo], list[FileRef]]:
        infos, refs = [], []
        table = f"editions/{self.number:04d}/snapshot/recordings.parquet"
        name = f"fonoteca-{self.number:04d}-recordings.parquet"
        data, digester = (self.layout.root / table).read_bytes(), Digester(self._piece_length)
        digester.update(data)
        entry = metainfo.file_entry((name,), digester.finish(), digester, self._piece_length)
        self._one(metainfo.hybrid(name, [entry], self._piece_length, single_file=True), table, "snapshot", infos, refs)
        for volume in sorted({p.volume for p in self.packs}):
            entries = [p.entry for p in self.packs if p.volume == volume]
            made = metainfo.hybrid(volume, entries, self._piece_length, web_seeds=self.web_seeds,
                                   trackers=self.trackers)  # fmt: skip
            self._one(made, f"packs/{volume}", "volume", infos, refs)
        return infos, refs

    def _one(self, made: metainfo.Metainfo, content: str, kind: str, infos: list[TorrentInfo],
             refs: list[FileRef]) -> None:  # fmt: skip
        path, twin = f"torrents/{made.name}.torrent", f"torrents/v1/{made.name}.torrent"
        infos.append(TorrentInfo(made.name, path, content, kind, made.infohash_v1, made.infohash_v2, made.magnet(),
                                 made.length, len(made.files), "head", "free", v1_path=twin,
                                 v1_infohash=metainfo.twin_infohash(made),
                                 v1_magnet=metainfo.twin_magnet(made)))  # fmt: skip
        refs.append(self._file(self.layout.root / path, path, made.encode()))
        refs.append(self._file(self.layout.root / twin, twin, metainfo.v1_twin(made)))
