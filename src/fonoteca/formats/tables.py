"""The columns of every Parquet table that leaves the archive (docs/formats/snapshot.md, packs-parquet.md, ...).

Catalogue generations use the same columns for their merged tables, so that a query means the same on both.
"""

from __future__ import annotations

import pyarrow as pa

_I64, _I32, _STR = pa.int64(), pa.int32(), pa.string()
_PROVENANCE = [("source", _STR), ("dump", _STR), ("position", _STR)]

RECORDINGS = pa.schema([
    ("id", _I64), ("title", _STR), ("artist", _STR), ("release", _STR), ("release_id", _I64), ("year", _I32),
    ("duration_ms", _I64), ("language", _STR), ("flags", pa.list_(_STR)), *_PROVENANCE,
])  # fmt: skip
RELEASES = pa.schema([
    ("id", _I64), ("title", _STR), ("artist", _STR), ("year", _I32), ("date", _STR), ("kind", _STR),
    ("label", _STR), ("country", _STR), ("tracks", _I32), ("flags", pa.list_(_STR)), *_PROVENANCE,
])  # fmt: skip
TRACKS = pa.schema([
    ("release_id", _I64), ("disc", _I32), ("number", _I32), ("recording_id", _I64), ("title", _STR), *_PROVENANCE,
])  # fmt: skip
ARTISTS = pa.schema([("id", _I64), ("name", _STR), ("sort_name", _STR), *_PROVENANCE])
CREDITS = pa.schema([
    ("entity_id", _I64), ("kind", _STR), ("ordinal", _I32), ("artist_id", _I64), ("name", _STR), ("role", _STR),
    ("joined_by", _STR), *_PROVENANCE,
])  # fmt: skip
IDENTIFIERS = pa.schema([
    ("scheme", _STR), ("value", _STR), ("entity_id", _I64), ("kind", _STR), *_PROVENANCE,
])  # fmt: skip
GENRES = pa.schema([("entity_id", _I64), ("kind", _STR), ("genre", _STR), *_PROVENANCE])
SIGNALS = pa.schema([
    ("recording_id", _I64), ("kind", _STR), ("value", pa.float64()), ("licence", _STR), ("synthetic", pa.bool_()),
    *_PROVENANCE,
])  # fmt: skip
POPULARITY = pa.schema([
    ("recording_id", _I64), ("listens", _I64), ("score", pa.float64()), ("rank", _I64), ("licence", _STR),
])  # fmt: skip
CLAIMS = pa.schema([
    ("kind", _STR), ("subject", _STR), ("licence", _STR), ("url", _STR), ("evidence", _STR), *_PROVENANCE,
])  # fmt: skip
"""``kind`` is recording, release or blob; ``subject`` is a shown id or the blob's hex SHA-256."""

SNAPSHOT = {
    "recordings": RECORDINGS, "releases": RELEASES, "tracks": TRACKS, "artists": ARTISTS, "credits": CREDITS,
    "identifiers": IDENTIFIERS, "genres": GENRES, "popularity": POPULARITY, "claims": CLAIMS,
}  # fmt: skip
SORT_KEYS = {
    "recordings": ("id",), "releases": ("id",), "tracks": ("release_id", "disc", "number", "recording_id"),
    "artists": ("id",), "credits": ("entity_id", "ordinal"), "identifiers": ("scheme", "value", "entity_id"),
    "genres": ("entity_id", "genre"), "signals": ("recording_id", "kind", "source"),
    "popularity": ("recording_id",), "claims": ("kind", "subject", "source", "licence", "url"),
}  # fmt: skip

PACKS = pa.schema([
    ("id", _STR), ("revision", _I32), ("tier", _STR), ("class", _STR), ("volume", _STR), ("bytes", _I64),
    ("sha256", _STR), ("merkle_root", _STR), ("recordings", _I32), ("coverage", pa.float64()), ("state", _STR),
    ("superseded_by", _STR),
])  # fmt: skip
"""``state``: ``kept``, ``added`` or ``superseded`` in this edition. ``coverage``: share of known listens, 0 to 1."""
LOCATOR = pa.schema([
    ("recording_id", _I64), ("blob_sha256", _STR), ("pack", _STR), ("offset", _I64), ("bytes", _I64), ("path", _STR),
    ("mime", _STR), ("codec", _STR), ("bit_rate", _I64), ("tier", _STR), ("recipe", _STR), ("licence", _STR),
])  # fmt: skip
LEDGER = pa.schema([
    ("recording_id", _I64), ("status", _STR), ("reason", _STR), ("detail", _STR), ("bytes", _I64),
    ("licence", _STR), ("blob_sha256", _STR),
])  # fmt: skip
"""``status``: ``published``, ``withheld``, ``withdrawn`` or ``not-held``; ``reason`` is a code of the gate."""
CREDIT_LINES = pa.schema([
    ("recording_id", _I64), ("title", _STR), ("artist", _STR), ("licence", _STR), ("licence_url", _STR),
    ("source", _STR), ("credit", _STR),
])  # fmt: skip

PUBLISHED = {"packs": PACKS, "locator": LOCATOR, "ledger": LEDGER, "credits": CREDIT_LINES}
PUBLISHED_SORT = {
    "packs": ("id", "revision"), "locator": ("recording_id", "blob_sha256"), "ledger": ("recording_id",),
    "credits": ("recording_id", "licence"),
}  # fmt: skip
