"""Neutral records: the facts that any source gives, before they enter the catalogue.

A source is a function from a dump's files to a stream of records. Each record keeps its ``position`` in the
dump (file name and line, row or element), so that every field can be traced to where it stood.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Ref:
    """An entity of a source by that source's own key (``Ref("fma", "141")``)."""

    source: str
    key: str


@dataclass(frozen=True)
class Credit:
    """One name in an ordered artist credit. ``key`` is the source's id of the artist, or None.

    ``name`` is empty where the source knows the artist by its key only (Jamendo's tables).
    """

    name: str
    key: str | None = None
    role: str = "artist"
    joined_by: str = ""


@dataclass(frozen=True)
class ClaimText:
    """What a source says of licence or status: as written, not interpreted."""

    licence: str = ""
    url: str = ""
    evidence: str = ""


@dataclass(frozen=True)
class Signal:
    """A count or rating.

    ``kind`` is ``listens``, ``listeners`` (different users: never added up), ``downloads``, ``rating``,
    ``favourites`` or ``interest`` (FMA's).
    """

    kind: str
    value: float
    licence: str
    synthetic: bool = False


@dataclass(frozen=True)
class RecordingRecord:
    """A recording as one source describes it. ``identifiers`` are (scheme, value): isrc, mbid, upc, url, ..."""

    key: str
    position: str
    title: str | None = None
    duration_ms: int | None = None
    year: int | None = None
    language: str | None = None
    credits: Sequence[Credit] = ()
    identifiers: Sequence[tuple[str, str]] = ()
    genres: Sequence[str] = ()
    signals: Sequence[Signal] = ()
    claims: Sequence[ClaimText] = ()
    flags: Sequence[str] = ()
    """Suspicious values that were kept: ``zero-duration``, ``ten-hours``, ``year-0000``, ``bad-encoding``, ..."""


@dataclass(frozen=True)
class ReleaseRecord:
    """An album issue."""

    key: str
    position: str
    title: str | None = None
    year: int | None = None
    date: str | None = None
    kind: str | None = None
    label: str | None = None
    country: str | None = None
    credits: Sequence[Credit] = ()
    identifiers: Sequence[tuple[str, str]] = ()
    genres: Sequence[str] = ()
    claims: Sequence[ClaimText] = ()
    flags: Sequence[str] = ()


@dataclass(frozen=True)
class TrackRecord:
    """A recording's place on a release."""

    release: str
    recording: str
    position: str
    disc: int | None = None
    number: int | None = None
    title: str | None = None


@dataclass(frozen=True)
class ArtistRecord:
    """A person or group."""

    key: str
    position: str
    name: str
    sort_name: str | None = None
    identifiers: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class SignalRecord:
    """A signal about a recording that another source describes (a table of listens)."""

    recording: Ref
    position: str
    signal: Signal


@dataclass(frozen=True)
class ClaimRecord:
    """A claim about a recording that another source describes."""

    recording: Ref
    position: str
    claim: ClaimText


@dataclass(frozen=True)
class IdentifierRecord:
    """Identifiers of a recording that another source describes (a table of AcoustIDs)."""

    recording: Ref
    position: str
    identifiers: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Refused:
    """A row that could not be accepted: goes to quarantine with its reason. ``raw`` is the row as read."""

    position: str
    code: str
    reason: str
    raw: str
    kind: str = "recording"
    """What the row would have been: ``recording`` (also a signal or claim about one) or ``release``."""


@dataclass(frozen=True)
class Duplicate:
    """A row that repeats an earlier one exactly: counted, not stored twice."""

    position: str
    key: str
    kind: str = "recording"


Record = (
    RecordingRecord | ReleaseRecord | TrackRecord | ArtistRecord | SignalRecord | ClaimRecord | IdentifierRecord
    | Refused | Duplicate
)  # fmt: skip


@dataclass(frozen=True)
class FieldLicence:
    """The licence of a source's metadata fields (``*`` for all others) and whom to credit."""

    fields: str
    licence: str
    credit: str = ""


@dataclass(frozen=True)
class SourceInfo:
    """What ``fonoteca sources`` says of a source."""

    name: str
    kind: str
    title: str
    licences: Sequence[FieldLicence]
    where: str
    size: str
    files: str


@dataclass(frozen=True)
class Dump:
    """The files of one dump, in a fixed order, and the options that change what they mean (the mapping)."""

    paths: Sequence[Path]
    dataset: str = ""
    """Partition inside the source: ``table`` uses the mapping's ``dataset`` or the file's stem; others ''."""
    options: Mapping[str, object] = field(default_factory=dict)


class Source(Protocol):
    """One module's face. Rows read = recordings + exact duplicates + refused (:class:`sources.tally.Tally`).

    All records of one row have its position. Reading a dump again gives the same records.
    """

    @property
    def info(self) -> SourceInfo:
        """Name, licence of each field, where dumps come from."""
        ...

    def check(self, dump: Dump) -> None:
        """Refuse early what is no dump of this source: raises errors.Usage naming file, what was expected, found."""
        ...

    def records(self, dump: Dump) -> Iterator[Record]:
        """All records, in the order of the dump. Never raises for a bad row: gives :class:`Refused`."""
        ...

    def resolve(self, dump: Dump) -> Dump:
        """The dump with its dataset named, its folders replaced by their files and its mapping read.

        Call it first: what comes out has plain files as paths and options that are JSON. Raises errors.Usage.
        """
        return dump

    def describe(self, dump: Dump) -> SourceInfo:  # noqa: ARG002 a default
        """:attr:`info`, with the licences of this dump: ``table`` takes them from the mapping."""
        return self.info

    def warnings(self, dump: Dump) -> Sequence[str]:  # noqa: ARG002 a default
        """Sentences about what is odd and does not stop the work: columns that are not known and are left out."""
        return ()


def positions(record: Iterable[Record]) -> list[str]:
    """Positions, for tests and messages."""
    return [r.position for r in record]
