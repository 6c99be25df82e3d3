"""A handful of recordings in many scripts, as tables and as a publication on the disk."""

from __future__ import annotations

import hashlib
import io
import math
import sys
import wave
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from fonoteca.core import durable
from fonoteca.core.fixity import Digester, Fixity, measure
from fonoteca.core.ids import Kind, make_id, show_id
from fonoteca.core.layout import PublicationLayout
from fonoteca.formats import manifest, pack, parquet, tables, torrents, withdrawals
from fonoteca.search.inputs import PLAYABLE, Inputs, digest_of

BY = "CC-BY-4.0"


@dataclass(frozen=True)
class Piece:
    """One recording of the tiny world. ``listens`` None: unknown. ``licence`` '': described only."""

    title: str | None
    artist: str | None = None
    release: str | None = None
    listens: int | None = None
    year: int | None = None
    licence: str = BY
    isrc: str = ""
    upc: str = ""
    mbid: str = ""
    key: str = field(default="")

    @property
    def number(self) -> int:
        return make_id(Kind.RECORDING, "table", self.key or f"{self.artist}/{self.title}")

    @property
    def id(self) -> str:
        return show_id(Kind.RECORDING, self.number)

    @property
    def release_number(self) -> int | None:
        return make_id(Kind.RELEASE, "table", f"{self.artist}/{self.release}") if self.release else None

    @property
    def artist_number(self) -> int | None:
        return make_id(Kind.ARTIST, "table", self.artist) if self.artist else None


SOURCE = {"source": "table", "dump": "pieces.csv sha256:0011", "position": "pieces.csv:1"}


def _table(name: str, rows: list[dict[str, Any]], schema: pa.Schema | None = None) -> pa.Table:
    chosen = schema or tables.SNAPSHOT[name]
    blank = dict.fromkeys(chosen.names)
    return pa.Table.from_pylist([blank | SOURCE | row for row in rows], schema=chosen)


def snapshot(pieces: list[Piece]) -> dict[str, pa.Table]:
    """The snapshot's tables over the pieces."""
    releases = {p.release_number: p for p in reversed(pieces) if p.release}
    artists = {p.artist_number: p.artist for p in pieces if p.artist}
    heard = sorted((p for p in pieces if p.listens is not None), key=lambda p: (-(p.listens or 0), p.number))
    most = max((p.listens or 0 for p in heard), default=1) or 1
    found = {
        "recordings": [
            {"id": p.number, "title": p.title, "artist": p.artist, "release": p.release, "year": p.year,
             "release_id": p.release_number, "duration_ms": 61_500, "flags": []}
            for p in pieces
        ],
        "releases": [
            {"id": number, "title": p.release, "artist": p.artist, "year": p.year, "tracks": 1, "flags": []}
            for number, p in releases.items()
        ],
        "tracks": [
            {"release_id": p.release_number, "disc": 1, "number": i, "recording_id": p.number, "title": p.title}
            for i, p in enumerate(pieces, 1) if p.release
        ],
        "artists": [{"id": number, "name": name, "sort_name": name} for number, name in artists.items()],
        "credits": [
            {"entity_id": p.number, "kind": "recording", "ordinal": 0, "artist_id": p.artist_number,
             "name": p.artist, "role": "artist", "joined_by": ""}
            for p in pieces if p.artist
        ],
        "identifiers": [
            {"scheme": scheme, "value": value, "entity_id": p.release_number if scheme == "upc" else p.number,
             "kind": "release" if scheme == "upc" else "recording"}
            for p in pieces for scheme, value in (("isrc", p.isrc), ("upc", p.upc), ("mbid", p.mbid)) if value
        ],
        "genres": [],
        "popularity": [
            {"recording_id": p.number, "listens": p.listens, "score": round(100 * (p.listens or 0) / most, 3),
             "rank": i, "licence": "CC0-1.0"}
            for i, p in enumerate(heard, 1)
        ],
        "claims": [
            {"kind": "recording", "subject": p.id, "licence": p.licence, "url": "", "evidence": "the table says so"}
            for p in pieces if p.licence
        ],
    }  # fmt: skip
    return {name: _table(name, rows) for name, rows in found.items()}


def inputs(pieces: list[Piece], playable: list[Piece] | None = None) -> Inputs:
    """The pieces as the search index takes them; all of them playable unless told."""
    made = snapshot(pieces)
    here = pieces if playable is None else playable
    located = pa.Table.from_pylist([{"recording_id": p.number, "licence": p.licence} for p in here], schema=PLAYABLE)
    return Inputs("the tiny world", digest_of(repr(pieces), repr(here)), made, located, PLAYABLE.empty_table())


def tone(seed: int, seconds: float = 1.0) -> bytes:
    """A short WAV file; another seed, another pitch."""
    rate = 8000
    step = 2 * math.pi * (220 + 20 * (seed % 40)) / rate
    samples = array("h", [int(9000 * math.sin(step * i)) for i in range(int(rate * seconds))])
    if sys.byteorder == "big":
        samples.byteswap()
    out = io.BytesIO()
    with wave.open(out, "wb") as sink:
        sink.setnchannels(1)
        sink.setsampwidth(2)
        sink.setframerate(rate)
        sink.writeframes(samples.tobytes())
    return out.getvalue()


@dataclass(frozen=True)
class Published:
    """A publication on the disk, with what a test needs to know of it."""

    layout: PublicationLayout
    pieces: list[Piece]
    blobs: dict[str, bytes]
    """Shown id → the audio."""
    pack_id: str
    volume: str

    def sha256(self, piece: Piece) -> str:
        return hashlib.sha256(self.blobs[piece.id]).hexdigest()

    @property
    def pack_file(self) -> Path:
        return self.layout.packs / self.volume / pack.file_name(self.pack_id, 0)


PIECE_LENGTH = 16_384


def publish(root: Path, pieces: list[Piece], number: int = 1, withheld: dict[str, str] | None = None) -> Published:
    """Write edition ``number``: one pack with every piece that has a licence and is not in ``withheld``.

    Args:
        withheld: title → reason code of the ledger.
    """
    held_back = withheld or {}
    layout = PublicationLayout(root)
    out = [p for p in pieces if p.licence and p.title not in held_back]
    blobs = {p.id: tone(i) for i, p in enumerate(out)}
    volume = f"head-free-{number:04d}-01"
    sealed, placed = _pack(layout, volume, out, blobs)
    folder = layout.edition(number)
    made = snapshot(pieces)
    for name, table in made.items():
        notes = {c: parquet.note(["table"], ["CC0-1.0"]) for c in table.column_names}
        parquet.write_table(folder / "snapshot" / f"{name}.parquet", table, sort_by=tables.SORT_KEYS[name], notes=notes)
    found = _own_tables(pieces, blobs, held_back, placed, sealed, volume)
    for name, table in found.items():
        parquet.write_table(folder / f"{name}.parquet", table, sort_by=tables.PUBLISHED_SORT[name])
    (folder / "CREDITS.md").write_text("# Credits\n", encoding="utf-8")
    (folder / "torrents.json").write_bytes(torrents.encode([_torrent(volume, sealed, number)], number))
    durable.write_bytes(layout.torrents / f"{volume}.torrent", b"d4:infod4:name4:teste8:url-listlee")
    durable.write_bytes(layout.metadata / "timestamp.json", b'{"signed": {"version": %d}}' % number)
    durable.write_bytes(layout.metadata / "1.root.json", b"{}")
    durable.write_bytes(layout.withdrawals, withdrawals.EMPTY.encode())
    _manifest(folder, number, len(pieces), len(out))
    return Published(layout, pieces, blobs, sealed.id, volume)


@dataclass(frozen=True)
class _Sealed:
    id: str
    fixity: Fixity


def _pack(layout: PublicationLayout, volume: str, pieces: list[Piece], blobs: dict[str, bytes]) -> tuple[_Sealed, Any]:
    sums = {hashlib.sha256(data).hexdigest(): data for data in blobs.values()}
    entries = [
        pack.Entry(p.number, measure([blobs[p.id]]), pack.entry_path(
            artist=p.artist or "", release=p.release or "", disc=1, number=i, title=p.title or "",
            recording_id=p.number, extension="wav"))
        for i, p in enumerate(pieces, 1)
    ]  # fmt: skip
    plan = pack.layout(entries, PIECE_LENGTH)
    identity = plan.id("head")
    digester = Digester()
    sink = io.BytesIO()
    pack.write(plan, lambda sha256: io.BytesIO(sums[sha256]), sink, digester)
    durable.write_bytes(layout.packs / volume / pack.file_name(identity, 0), sink.getvalue())
    return _Sealed(identity, digester.finish()), {place.entry.recording_id: place for place in plan.places}


def _own_tables(
    pieces: list[Piece], blobs: dict[str, bytes], held_back: dict[str, str], placed: Any, sealed: _Sealed, volume: str
) -> dict[str, pa.Table]:
    out = [p for p in pieces if p.id in blobs]
    url = "https://creativecommons.org/licenses/by/4.0/"
    rows: dict[str, list[dict[str, Any]]] = {
        "packs": [{"id": sealed.id, "revision": 0, "tier": "head", "class": "free", "volume": volume,
                   "bytes": sealed.fixity.bytes, "sha256": sealed.fixity.sha256,
                   "merkle_root": sealed.fixity.merkle_root, "recordings": len(out), "coverage": 1.0,
                   "state": "added", "superseded_by": None}],
        "locator": [{"recording_id": p.number, "blob_sha256": placed[p.number].entry.blob.sha256, "pack": sealed.id,
                     "offset": placed[p.number].data_offset, "bytes": len(blobs[p.id]),
                     "path": placed[p.number].entry.path, "mime": "audio/wav", "codec": "pcm_s16le",
                     "bit_rate": 128_000, "tier": "head", "recipe": "original", "licence": p.licence} for p in out],
        "ledger": [{"recording_id": p.number, "status": "published" if p.id in blobs else "withheld",
                    "reason": "licensed" if p.id in blobs else held_back.get(p.title or "", "no-claim"),
                    "detail": None, "bytes": len(blobs.get(p.id, b"")), "licence": p.licence or None,
                    "blob_sha256": placed[p.number].entry.blob.sha256 if p.id in blobs else None} for p in pieces],
        "credits": [{"recording_id": p.number, "title": p.title, "artist": p.artist, "licence": p.licence,
                     "licence_url": url if p.licence == BY else None, "source": "table",
                     "credit": f"“{p.title}” by {p.artist}, from table: {p.licence}; published unchanged"}
                    for p in out],
    }  # fmt: skip
    return {name: pa.Table.from_pylist(rows[name], schema=schema) for name, schema in tables.PUBLISHED.items()}


def _torrent(volume: str, sealed: _Sealed, number: int) -> torrents.TorrentInfo:
    v1, v2 = hashlib.sha1(volume.encode()).hexdigest(), hashlib.sha256(volume.encode()).hexdigest()
    return torrents.TorrentInfo(
        name=volume, path=f"torrents/{volume}.torrent", content=f"packs/{volume}", kind="volume", infohash_v1=v1,
        infohash_v2=v2, magnet=f"magnet:?xt=urn:btih:{v1}&xt=urn:btmh:1220{v2}&dn={volume}", bytes=sealed.fixity.bytes,
        files=1, tier="head", permit_class="free", packs=(sealed.id,), coverage=1.0, licences=(BY,), added=number,
    )  # fmt: skip


def _manifest(folder: Path, number: int, known: int, published: int) -> None:
    files = tuple(
        manifest.FileRef.of(path.relative_to(folder).as_posix(), measure([path.read_bytes()]))
        for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "edition.json"
    )  # fmt: skip
    edition = manifest.Edition(number, "2026-11-24T12:00:00Z", None if number == 1 else "0" * 64, "1" * 64,
                               {"recordings": known, "published": published}, {}, files, ())  # fmt: skip
    durable.write_bytes(folder / "edition.json", edition.encode())


def withdraw(published: Published, piece: Piece, reason: str = "the artist asked") -> None:
    """Put a recording on the public list."""
    blob = published.sha256(piece)
    entry = withdrawals.Withdrawal(1, "withdraw", piece.id, (blob,), reason, "2026-11-24T13:00:00Z")
    durable.write_bytes(published.layout.withdrawals, withdrawals.WithdrawalList((entry,)).encode())
