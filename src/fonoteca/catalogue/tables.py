"""The catalogue's tables: facts as sources gave them, and the merged tables made from them.

A fact table has one set of Parquet files per partition (source, dataset). Every row carries ``source``,
``dataset``, ``dump`` and ``position``, so a value's provenance is its row. Merged tables have the published
columns (:mod:`fonoteca.formats.tables`). Normative text: docs/formats/generation.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from fonoteca.formats import tables as published

FORMAT = 3
"""Number of the generation's format: the highest that is read, and that of all but :data:`FLAT_FORMAT`."""
FLAT_FORMAT = 1
"""That of a catalogue where all facts are merged together: programs that know no wide partitions read it."""
READER_VERSION = "2"
"""Raised when the same dump would give other facts; a partition with another version is read again."""

_I64, _I32, _STR = pa.int64(), pa.int32(), pa.string()
_FLAGS = ("flags", pa.list_(_STR))
_OF = [("of_source", _STR), ("of_key", _STR)]
PROVENANCE = ("source", "dataset", "dump", "position")


def _facts(*columns: tuple[str, pa.DataType]) -> pa.Schema:
    return pa.schema([*columns, *[(name, _STR) for name in PROVENANCE]])


FACTS: dict[str, pa.Schema] = {
    "recording": _facts(("id", _I64), ("key", _STR), ("title", _STR), ("duration_ms", _I64), ("year", _I32),
                        ("language", _STR), _FLAGS),
    "release": _facts(("id", _I64), ("key", _STR), ("title", _STR), ("year", _I32), ("date", _STR), ("kind", _STR),
                      ("label", _STR), ("country", _STR), _FLAGS),
    "track": _facts(("release_id", _I64), ("disc", _I32), ("number", _I32), ("recording_id", _I64), ("title", _STR)),
    "artist": _facts(("id", _I64), ("key", _STR), ("name", _STR), ("sort_name", _STR)),
    "credit": _facts(("entity_id", _I64), ("kind", _STR), ("ordinal", _I32), ("artist_id", _I64), ("name", _STR),
                     ("role", _STR), ("joined_by", _STR)),
    "identifier": _facts(("scheme", _STR), ("value", _STR), ("entity_id", _I64), ("kind", _STR)),
    "genre": _facts(("entity_id", _I64), ("kind", _STR), ("genre", _STR)),
    "signal": _facts(("recording_id", _I64), ("kind", _STR), ("value", pa.float64()), ("licence", _STR),
                     ("synthetic", pa.bool_()), *_OF),
    "claim": _facts(("entity_id", _I64), ("kind", _STR), ("licence", _STR), ("url", _STR), ("evidence", _STR), *_OF),
}  # fmt: skip
"""``of_source`` and ``of_key`` name the recording where another source describes it; null for the row's own."""


@dataclass(frozen=True)
class Partition:
    """What stands in every row of a partition."""

    source: str
    dataset: str
    dump: str


ENTITIES = ("recording", "release", "artist")
MERGED: dict[str, pa.Schema] = {
    name: published.SNAPSHOT[name] for name in published.SNAPSHOT if name != "popularity"
} | {"signals": published.SIGNALS}  # fmt: skip
POPULARITY = published.POPULARITY

PRECEDENCE = (
    "musicbrainz", "discogs", "fma", "jamendo", "freemusi", "internet_archive", "oai_pmh", "table", "folder",
)  # fmt: skip
"""Whose value stands where several sources give one; sources that are not named come after, by name."""
