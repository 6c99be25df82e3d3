"""A claim: what one source says about licence or status of a recording, release or blob (docs/formats/claim.md)."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any


class SubjectKind(enum.Enum):
    """What a claim is about."""

    RECORDING = "recording"
    RELEASE = "release"
    BLOB = "blob"


@dataclass(frozen=True, order=True)
class Claim:
    """One claim, as its source wrote it.

    Attributes:
        kind: ``recording``, ``release`` or ``blob`` (the value of a :class:`SubjectKind`).
        subject: shown id, or hex SHA-256 of a blob.
        licence: licence id or text, as written; may be empty.
        url: licence address, as written; may be empty.
        evidence: where the source says so.
        source, dump, position: where the claim stands.
    """

    kind: str
    subject: str
    licence: str = ""
    url: str = ""
    evidence: str = ""
    source: str = ""
    dump: str = ""
    position: str = ""

    def __post_init__(self) -> None:
        SubjectKind(self.kind)

    @property
    def silent(self) -> bool:
        """True where neither a licence nor an address is given: no claim at all."""
        return not self.licence.strip() and not self.url.strip()

    def as_json(self) -> dict[str, str]:
        """The fields by name."""
        return {name: getattr(self, name) for name in FIELDS}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Claim:
        """The reverse of :meth:`as_json`; unknown fields are ignored. ValueError for a wrong kind."""
        return cls(**{name: str(value.get(name) or "") for name in FIELDS})


FIELDS = ("kind", "subject", "licence", "url", "evidence", "source", "dump", "position")
