"""A finding is data: what is wrong, where, how bad. Checks return findings and never raise for damage."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Severity(enum.IntEnum):
    """Ordered: a report's exit code is decided by the worst."""

    INFO = 0
    WARNING = 1
    DAMAGE = 2


@dataclass(frozen=True)
class Finding:
    """One thing that a check found.

    Attributes:
        code: stable, listed in ``codes.toml`` (``block-damaged``, ``file-missing``, ...).
        path: of the file, relative to the archive, publication or mirror.
        block: first and last damaged 16 KiB block, both included, or None where the file is not there.
        repair: the command that mends it.
        detail: what was expected and what was found.
        blob: hex SHA-256 of the blob that the bytes belong to, where known.
        pack: id of the pack, where known.
    """

    code: str
    path: str
    severity: Severity = Severity.DAMAGE
    block: tuple[int, int] | None = None
    repair: str = ""
    detail: str = ""
    blob: str | None = None
    pack: str | None = None

    def as_json(self) -> dict[str, object]:
        """The ``item`` of ``verify``."""
        return {
            "code": self.code,
            "path": self.path,
            "severity": self.severity.name.lower(),
            "block": list(self.block) if self.block else None,
            "repair": self.repair,
            "detail": self.detail,
            "blob": self.blob,
            "pack": self.pack,
        }
