"""From a stream of records to unsorted rows on disk, in bounded memory: the first half of an ingest.

Rows keep the keys from which their ids were made, so that a collision can still be resolved when all keys are
known. Refused records go to the quarantine file as they come.
"""

from __future__ import annotations

import contextlib
import json
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from fonoteca.catalogue.collisions import MakeId, default_make_id
from fonoteca.catalogue.tables import FACTS, PROVENANCE
from fonoteca.core import durable
from fonoteca.core.ids import Kind
from fonoteca.core.progress import SILENT, Progress, Unit
from fonoteca.sources.records import (
    ArtistRecord,
    ClaimRecord,
    ClaimText,
    Credit,
    Duplicate,
    IdentifierRecord,
    Record,
    RecordingRecord,
    Refused,
    ReleaseRecord,
    Signal,
    SignalRecord,
    TrackRecord,
)
from fonoteca.sources.tally import Tally

CHUNK = 32_768
"""Rows of one table that are kept in memory before they are written."""
RAW_LIMIT = 64 << 10
"""Bytes of a refused record that quarantine keeps."""
_TOLD_EVERY = 1_000
_REMEMBERED = 65_536

_KEYS = {
    "track": ("release_key", "recording_key"),
    "credit": ("entity_key", "artist_key"),
    "identifier": ("entity_key",),
    "genre": ("entity_key",),
    "signal": ("entity_key",),
    "claim": ("entity_key",),
}
_CONSTANT = set(PROVENANCE) - {"position"}


def _schema(table: str) -> pa.Schema:
    kept = [f for f in FACTS[table] if f.name not in _CONSTANT]
    return pa.schema([*kept, *[pa.field(name, pa.string()) for name in _KEYS.get(table, ())]])


SPOOL = {table: _schema(table) for table in FACTS}
"""The fact tables without source, dataset and dump, and with the keys behind their ids."""


def artist_key(credit: Credit) -> str:
    """An artist's key: the source's own id, else ``name:`` and the name in NFC."""
    return credit.key if credit.key is not None else "name:" + unicodedata.normalize("NFC", credit.name).strip()


class _Rows:
    """One table's rows: collected, and written in chunks."""

    def __init__(self, schema: pa.Schema, stream: IO[bytes]) -> None:
        self._schema = schema
        self._writer = pq.ParquetWriter(stream, schema, compression="lz4", use_dictionary=False, write_statistics=False)
        self.rows: list[tuple[Any, ...]] = []

    def flush(self) -> None:
        if not self.rows:
            return
        columns = [_column(list(c), f.type) for c, f in zip(zip(*self.rows, strict=True), self._schema, strict=True)]
        self._writer.write_batch(pa.record_batch(columns, schema=self._schema))
        self.rows.clear()

    def close(self, *, whole: bool) -> None:
        """Also after an error the library wants its writer closed, before the file is."""
        if whole:
            self.flush()
        self._writer.close()


def _column(values: list[Any], kind: pa.DataType) -> pa.Array:
    try:
        return pa.array(values, kind)
    except UnicodeEncodeError:
        # A lone surrogate, which JSON can spell and UTF-8 cannot: it becomes the replacement character.
        return pa.array([_clean(v) for v in values], kind)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return [_clean(v) for v in value] if isinstance(value, list) else value


class Spool:
    """Writes one partition's records below a folder; use as a context manager.

    Attributes:
        tally: rows by what became of them.
    """

    def __init__(self, folder: Path, source: str, make: MakeId = default_make_id, progress: Progress = SILENT) -> None:
        self._folder, self._source, self._make, self._progress = folder, source, make, progress
        self._tables: dict[str, _Rows] = {}
        self._open = contextlib.ExitStack()
        # Keys of artists and releases come again and again; a bounded memory of them halves the hashing.
        self._id = lru_cache(_REMEMBERED)(lambda kind, key: make(kind, source, key, 0))
        self._synthetic = 0
        self._parts_seen = {"tracks": 0, "artists": 0}
        self.tally = Tally()
        self._add = {
            RecordingRecord: self._recording, ReleaseRecord: self._release, TrackRecord: self._track,
            ArtistRecord: self._artist, SignalRecord: self._signal_record, ClaimRecord: self._claim_record,
            IdentifierRecord: self._identifier_record, Refused: self._refused, Duplicate: self._duplicate,
        }  # fmt: skip

    def path(self, table: str) -> Path:
        """Where a table's rows are."""
        return self._folder / f"raw-{table}.parquet"

    def paths(self, table: str) -> list[Path]:
        """The same as a list, since several may have read a dump."""
        return [self.path(table)]

    @property
    def quarantine(self) -> Path:
        """Where the refused records are; present only after :meth:`__exit__`."""
        return self._folder / "quarantine.jsonl"

    def __enter__(self) -> Spool:
        durable.make_folder(self._folder)
        for table, schema in SPOOL.items():
            stream = self._open.enter_context(durable.writing(self.path(table)))
            self._tables[table] = _Rows(schema, stream)
        self._refusals = self._open.enter_context(durable.writing(self.quarantine))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        try:
            for rows in self._tables.values():
                rows.close(whole=kind is None)
        except BaseException as failed:
            self._open.__exit__(type(failed), failed, failed.__traceback__)
            raise
        self._open.__exit__(kind, error, trace)

    def add_all(self, records: Iterable[Record]) -> None:
        """Take a whole stream of records."""
        self._progress.stage("reading", None, Unit.ROWS)
        add = self._add
        untold = 0
        for record in self.tally.watch(records):
            add[type(record)](record)  # type: ignore[operator]
            untold += 1
            if untold == _TOLD_EVERY:
                self._progress.advance(untold)
                untold = 0
        self._progress.advance(untold)

    def _row(self, table: str, *values: Any) -> None:
        kept = self._tables[table]
        kept.rows.append(values)
        if len(kept.rows) >= CHUNK:
            kept.flush()

    def _recording(self, record: RecordingRecord) -> None:
        entity = self._make(Kind.RECORDING, self._source, record.key, 0)
        self._row("recording", entity, record.key, record.title, record.duration_ms, record.year, record.language,
                  list(record.flags), record.position)  # fmt: skip
        self._parts(entity, "recording", record)
        for signal in record.signals:
            self._signal(entity, signal, None, record.key, record.position)

    def _release(self, record: ReleaseRecord) -> None:
        entity = self._id(Kind.RELEASE, record.key)
        self._row("release", entity, record.key, record.title, record.year, record.date, record.kind, record.label,
                  record.country, list(record.flags), record.position)  # fmt: skip
        self._parts(entity, "release", record)

    def _parts(self, entity: int, kind: str, record: RecordingRecord | ReleaseRecord) -> None:
        key, position = record.key, record.position
        for ordinal, credit in enumerate(record.credits):
            who = artist_key(credit)
            self._row("credit", entity, kind, ordinal, self._id(Kind.ARTIST, who), credit.name, credit.role,
                      credit.joined_by, position, key, who)  # fmt: skip
        self._identifiers(entity, kind, record.identifiers, key, position)
        for genre in record.genres:
            self._row("genre", entity, kind, genre, position, key)
        for claim in record.claims:
            self._claim(entity, kind, claim, None, key, position)

    def _identifiers(
        self, entity: int, kind: str, identifiers: Sequence[tuple[str, str]], key: str | None, position: str
    ) -> None:
        for scheme, value in identifiers:
            self._row("identifier", scheme, value, entity, kind, position, key)

    def _track(self, record: TrackRecord) -> None:
        self._row("track", self._id(Kind.RELEASE, record.release), record.disc, record.number,
                  self._id(Kind.RECORDING, record.recording), record.title, record.position, record.release,
                  record.recording)  # fmt: skip
        self._parts_seen["tracks"] += 1

    def _artist(self, record: ArtistRecord) -> None:
        entity = self._id(Kind.ARTIST, record.key)
        self._row("artist", entity, record.key, record.name, record.sort_name, record.position)
        self._identifiers(entity, "artist", record.identifiers, record.key, record.position)
        self._parts_seen["artists"] += 1

    def _signal_record(self, record: SignalRecord) -> None:
        of = record.recording
        entity = self._make(Kind.RECORDING, of.source, of.key, 0)
        self._signal(entity, record.signal, of.source, of.key, record.position)

    def _signal(self, entity: int, signal: Signal, of: str | None, key: str, position: str) -> None:
        self._row("signal", entity, signal.kind, float(signal.value), signal.licence, signal.synthetic,
                  of, key if of else None, position, key)  # fmt: skip
        self._synthetic += signal.synthetic

    def _claim_record(self, record: ClaimRecord) -> None:
        of = record.recording
        entity = self._make(Kind.RECORDING, of.source, of.key, 0)
        self._claim(entity, "recording", record.claim, of.source, of.key, record.position)

    def _claim(self, entity: int, kind: str, claim: ClaimText, of: str | None, key: str, position: str) -> None:
        self._row("claim", entity, kind, claim.licence, claim.url, claim.evidence, of, key if of else None, position,
                  key)  # fmt: skip

    def _identifier_record(self, record: IdentifierRecord) -> None:
        of = record.recording
        entity = self._make(Kind.RECORDING, of.source, of.key, 0)
        # No key: what collisions settle in this partition is about its own keys.
        self._identifiers(entity, "recording", record.identifiers, None, record.position)

    def _refused(self, record: Refused) -> None:
        self._refusals.write(refusal_line(record.position, record.code, record.reason, record.raw))

    def _duplicate(self, record: Duplicate) -> None:
        """Counted by the tally, and stored once already."""

    def counts(self) -> dict[str, int]:
        """What a generation says of the partition: the tally, and ``tracks``, ``artists``, ``synthetic`` signals."""
        return self.tally.told() | self._parts_seen | {"synthetic": self._synthetic}


def refusal_line(position: str, code: str, reason: str, raw: str) -> bytes:
    """One line of a quarantine file (docs/formats/generation.md), the row cut at 64 KiB, at a whole character."""
    kept = raw.encode("utf-8", "replace")[:RAW_LIMIT].decode("utf-8", "ignore")
    line = {"position": position, "code": code, "reason": reason, "raw": kept}
    return json.dumps(line, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace") + b"\n"
