"""What the ledger of holdings says: blobs, holdings, claims, refusals, places in packs (docs/formats/holdings.md)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from fonoteca.core.fixity import Fixity
from fonoteca.formats.claim import Claim


@dataclass(frozen=True, order=True)
class Holding:
    """A blob tied to a recording, with where it came from and how it was made.

    Attributes:
        recording: the recording's id.
        recording_key: ``source:key`` from which that id is made, or the shown id where the claims gave one.
        blob: hex SHA-256.
        bit_rate: bits per second, mean of the file.
        path: of the file as taken in, relative to the folder that was named.
        origin: how it came here: ``intake``.
        recipe: ``original``, or how it was made of another holding.
        tags: all tag values as (name, value), cleaned.
        flags: what was odd: ``cleaned-text``, ``bad-tags``, ``tags-cut``.
    """

    recording: int
    recording_key: str
    blob: str
    bytes: int
    mime: str
    codec: str
    container: str
    bit_rate: int
    sample_rate: int
    channels: int
    duration_ms: int
    extension: str
    title: str
    artist: str
    release: str
    disc: int | None
    number: int | None
    year: int | None
    path: str
    origin: str = "intake"
    recipe: str = "original"
    tags: tuple[tuple[str, str], ...] = ()
    flags: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The fields by name."""
        return asdict(self) | {"tags": [list(pair) for pair in self.tags], "flags": list(self.flags)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Holding:
        """The reverse of :meth:`as_json`; unknown fields are ignored."""
        known = {f.name: value[f.name] for f in fields(cls) if f.name in value}
        known["tags"] = tuple((str(n), str(v)) for n, v in value.get("tags", ()))
        known["flags"] = tuple(value.get("flags", ()))
        return cls(**known)


@dataclass(frozen=True, order=True)
class Refusal:
    """A file that was not taken in. ``sha256`` and ``bytes`` are empty and 0 where it was not read."""

    path: str
    code: str
    reason: str
    sha256: str = ""
    bytes: int = 0


@dataclass(frozen=True, order=True)
class Place:
    """Where a published blob is: bytes ``offset`` … of ``packs/<volume>/<pack>.r<revision>.tar``."""

    blob: str
    pack: str
    revision: int
    volume: str
    offset: int

    @property
    def file(self) -> str:
        """Path below the publication's ``packs/``."""
        return f"{self.volume}/{self.pack}.r{self.revision}.tar"


@dataclass(frozen=True, order=True)
class Release:
    """A blob is in no pack any more: it was copied back before its entry was blanked."""

    blob: str


Record = Fixity | Holding | Claim | Refusal | Place | Release


def to_body(record: Record) -> dict[str, Any]:
    """The record as a ledger line, chain fields apart."""
    match record:
        case Fixity():
            return {"type": "blob", "blob": record.sha256, "bytes": record.bytes, "blake3": record.blake3,
                    "merkle_root": record.merkle_root}  # fmt: skip
        case Holding():
            return {"type": "holding"} | record.as_json()
        case Claim():
            return {"type": "claim"} | record.as_json()
        case Refusal():
            return {"type": "refusal"} | asdict(record)
        case Place():
            return {"type": "place"} | asdict(record)
        case Release():
            return {"type": "release"} | asdict(record)


def from_body(body: dict[str, Any]) -> Record | None:
    """The reverse of :func:`to_body`; None for a type that a newer version wrote."""
    rest = {k: v for k, v in body.items() if k != "type"}
    match body.get("type"):
        case "blob":
            return Fixity(rest["bytes"], rest["blob"], rest["blake3"], rest["merkle_root"])
        case "holding":
            return Holding.from_json(rest)
        case "claim":
            return Claim.from_json(rest)
        case "refusal":
            return Refusal(**rest)
        case "place":
            return Place(**rest)
        case "release":
            return Release(**rest)
    return None
