"""What an index is made from: tables of an edition, or of a generation with what is known of its holdings."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from fonoteca.core import canonical
from fonoteca.core.errors import Damaged, NoArchive
from fonoteca.core.layout import PublicationLayout
from fonoteca.formats import manifest, parquet, tables

PLAYABLE = pa.schema([("recording_id", pa.int64()), ("licence", pa.string())])
"""Recordings that can be played here, one row each, with the licence under which (or null)."""
TABLES = ("recordings", "releases", "tracks", "identifiers", "popularity")
"""The tables of ``formats.tables.SNAPSHOT`` that are indexed."""


@dataclass(frozen=True)
class Inputs:
    """Everything that an index depends on.

    Attributes:
        what: for people: ``edition 3`` or ``generation 12``.
        digest: hex digest of the content; equal digests give equal indexes.
        tables: name → table, those of :data:`TABLES` with the columns of ``formats.tables``.
        playable: rows of :data:`PLAYABLE`.
        licences: recording_id, licence of recordings that are described only, as far as it is known.
    """

    what: str
    digest: str
    tables: dict[str, Any]
    playable: pa.Table
    licences: pa.Table


def digest_of(*parts: str | bytes) -> str:
    """One digest of several, for :attr:`Inputs.digest`."""
    sums = [hashlib.sha256(p.encode() if isinstance(p, str) else p).hexdigest() for p in parts]
    return canonical.digest(sums)


def edition_number(publication: PublicationLayout, number: int | None = None) -> int:
    """The edition asked for, or the newest.

    Raises:
        NoArchive: ``no-edition``: there is none, or not this one.
    """
    have = publication.edition_numbers()
    if have and (number is None or number in have):
        return have[-1] if number is None else number
    why = f"{publication.editions} has no edition" if not have else f"the editions here are {have[0]} to {have[-1]}"
    what = "There is no edition here" if number is None else f"There is no edition {number} here"
    raise NoArchive("no-edition", what, why, "publish one with 'fonoteca publish', or fetch one with "
                    "'fonoteca mirror run'", str(publication.root))  # fmt: skip


def edition_digest(publication: PublicationLayout, number: int) -> str:
    """The digest of an edition's index, without reading its tables."""
    return digest_of("edition", (publication.edition(number) / "edition.json").read_bytes())


def edition_inputs(publication: PublicationLayout, number: int) -> Inputs:
    """The inputs of an edition: a recording is playable when the locator lists it.

    Raises:
        Damaged: ``bad-edition``, ``bad-table``, ``table-missing``.
    """
    folder = publication.edition(number)
    manifest.parse((folder / "edition.json").read_bytes())
    found = {name: _snapshot(folder, name) for name in TABLES}
    located = _read(folder / "locator.parquet", tables.LOCATOR).select(["recording_id", "licence"])
    ledger = _read(folder / "ledger.parquet", tables.LEDGER).select(["recording_id", "licence"])
    return Inputs(f"edition {number}", edition_digest(publication, number), found, located, ledger)


def snapshot_files(folder: Path, name: str) -> list[Path]:
    """The files of one table of an edition's snapshot: the open part, and the part with limits if it is there."""
    return [p for p in (folder / part / f"{name}.parquet" for part in ("snapshot", "snapshot-nc")) if p.is_file()]


def _snapshot(folder: Path, name: str) -> pa.Table:
    paths = snapshot_files(folder, name) or [folder / "snapshot" / f"{name}.parquet"]
    return pa.concat_tables([_read(path, tables.SNAPSHOT[name]) for path in paths])


def _read(path: Path, schema: pa.Schema) -> pa.Table:
    try:
        return parquet.read_table(path, schema=schema)
    except FileNotFoundError:
        raise Damaged("table-missing", "A table of the edition is missing", f"{path} is not there",
                      "fetch it again with 'fonoteca mirror run', or check with 'fonoteca verify'",
                      str(path)) from None  # fmt: skip
