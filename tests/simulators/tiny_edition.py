"""A handful of recordings in many scripts, as tables and as a publication on the disk."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from fonoteca.core.ids import Kind, make_id, show_id
from fonoteca.formats import tables
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
