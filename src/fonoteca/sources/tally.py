"""Counts what a source gave, and says whether the counts reconcile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fonoteca.sources.records import (
    ClaimRecord,
    Duplicate,
    IdentifierRecord,
    Record,
    RecordingRecord,
    Refused,
    ReleaseRecord,
    SignalRecord,
)


@dataclass
class Tally:
    """Rows read, by what became of them. ``rows`` = ``recordings`` + ``references`` + ``duplicates`` + ``refused``.

    ``references`` are rows that say something (signals, claims, identifiers) of another source's recordings. Rows of
    releases are counted apart. ``records`` counts every record but duplicates and refusals.
    """

    rows: int = 0
    recordings: int = 0
    references: int = 0
    duplicates: int = 0
    refused: int = 0
    releases: int = 0
    release_duplicates: int = 0
    release_refused: int = 0
    records: int = 0
    _position: str | None = None

    def watch(self, records: Iterable[Record]) -> Iterator[Record]:
        """The same records, counted as they pass."""
        for record in records:
            self.add(record)
            yield record

    def add(self, record: Record) -> None:
        """Count one record."""
        match record:
            case Refused() | Duplicate():
                self._add_rejected(record)
                return
            case RecordingRecord():
                self.rows += 1
                self.recordings += 1
            case SignalRecord() | ClaimRecord() | IdentifierRecord():
                self._add_reference(record.position)
            case ReleaseRecord():
                self.releases += 1
            case _:
                pass
        self.records += 1

    def _add_rejected(self, record: Refused | Duplicate) -> None:
        prefix = "release_" if record.kind == "release" else ""
        name = prefix + ("refused" if isinstance(record, Refused) else "duplicates")
        setattr(self, name, getattr(self, name) + 1)
        if not prefix:
            self.rows += 1

    def _add_reference(self, position: str) -> None:
        """Several signals of one row stand one after the other."""
        if position != self._position:
            self._position = position
            self.rows += 1
            self.references += 1

    def told(self) -> dict[str, int]:
        """The counts by name."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}
