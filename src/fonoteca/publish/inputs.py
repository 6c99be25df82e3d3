"""What planning takes: cleared holdings, listens, and what the last edition published. Values only (rule L8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class BlobRef:
    """Length and hex SHA-256 of a blob: all that a pack's layout needs of it."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Candidate:
    """A holding that the gate has cleared.

    Attributes:
        recording: id of the recording.
        blob: hex SHA-256 of its bytes.
        permit_class: ``free`` or ``nc``: decides its volume.
        licences: ids under which it is cleared, sorted; more than one where all of them are credited.
        recipe: ``original``, or how a rendition was made.
    """

    recording: int
    blob: str
    bytes: int
    permit_class: str
    licences: tuple[str, ...]
    title: str | None = None
    artist: str | None = None
    release: str | None = None
    disc: int | None = None
    number: int | None = None
    extension: str = "bin"
    mime: str = "application/octet-stream"
    codec: str = ""
    bit_rate: int | None = None
    sample_rate: int | None = None
    channels: int | None = None
    recipe: str = "original"

    @property
    def licence(self) -> str:
        """All licences as one SPDX expression."""
        return " AND ".join(self.licences)


@dataclass(frozen=True)
class Located:
    """One row of the locator: where a published blob is. ``offset`` is that of its first byte in the pack."""

    recording: int
    blob: str
    pack: str
    offset: int
    bytes: int
    path: str
    mime: str
    codec: str
    bit_rate: int | None
    tier: str
    recipe: str
    licence: str


@dataclass(frozen=True)
class PublishedPack:
    """A pack as the last edition describes it."""

    id: str
    revision: int
    tier: str
    permit_class: str
    volume: str
    bytes: int
    sha256: str
    merkle_root: str
    recordings: int


@dataclass(frozen=True)
class Limits:
    """Sizes in bytes (settings ``publish.*``). ``torrent_pieces`` keeps a torrent file under 8 MB."""

    pack_size: int
    volume_size: int
    piece_length: int
    torrent_pieces: int = 140_000

    @property
    def volume_bytes(self) -> int:
        """The largest volume: as set, and not so large that its torrent file passes what clients open."""
        return min(self.volume_size, self.torrent_pieces * self.piece_length)


@dataclass(frozen=True)
class Inputs:
    """Everything that decides a publication plan.

    Attributes:
        number: of the edition to be made.
        candidates: all cleared holdings.
        listens: of every recording of the catalogue; None where unknown.
        packs, located: of the last edition (current ones only); empty for the first.
        withheld: number of recordings that have a holding and may not be published.
        tables: number of tables that get a torrent of their own.
    """

    number: int
    candidates: tuple[Candidate, ...]
    listens: Mapping[int, int | None]
    limits: Limits
    packs: tuple[PublishedPack, ...] = ()
    located: tuple[Located, ...] = ()
    withheld: int = 0
    tables: int = 0
