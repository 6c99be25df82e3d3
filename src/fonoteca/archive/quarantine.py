"""Keeps what was found damaged, with a note: evidence of what the disk did, and a way back from a wrong repair."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fonoteca.core import canonical, durable
from fonoteca.core.clock import Clock, rfc3339
from fonoteca.core.findings import Finding
from fonoteca.core.layout import ArchiveLayout, MirrorLayout, PublicationLayout


@dataclass(frozen=True)
class Home:
    """The archive or mirror that is repaired.

    Attributes:
        root: findings name paths below it.
        quarantine: damaged originals go here, under their paths.
        archive: None for a mirror.
    """

    root: Path
    publication: PublicationLayout
    quarantine: Path
    archive: ArchiveLayout | None = None

    @classmethod
    def of_archive(cls, layout: ArchiveLayout) -> Home:
        """An operator's archive."""
        return cls(layout.root, layout.publication, layout.quarantine / "repair", layout)

    @classmethod
    def of_mirror(cls, layout: MirrorLayout) -> Home:
        """A mirror folder."""
        return cls(layout.root, layout.publication, layout.state / "quarantine")

    @property
    def work(self) -> Path:
        """Where copies are mended; what is there lets a stopped run go on."""
        return self.quarantine / "work"

    def work_file(self, label: str) -> Path:
        """The copy of one file."""
        return self.work / hashlib.sha256(label.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def keep(home: Home, path: Path, label: str, why: Sequence[Finding], clock: Clock) -> str:
    """Give a damaged file a second name in the quarantine, and a note beside it; the file stays where it is.

    Doing it twice changes nothing: the name holds the digest of the damaged bytes.

    Returns:
        The new path, below the archive or mirror.
    """
    digest = _digest(path)
    target = home.quarantine / f"{label}.{digest[:16]}"
    durable.link(path, target)
    note = {
        "path": label, "when": rfc3339(clock.now()), "bytes": path.stat().st_size, "sha256": digest,
        "why": [{"code": f.code, "block": list(f.block) if f.block else None, "detail": f.detail} for f in why],
    }  # fmt: skip
    name = target.with_name(target.name + ".json")
    if not name.is_file():
        durable.write_bytes(name, canonical.encode(note))
    return target.relative_to(home.root).as_posix()


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return "unreadable"


def clean(home: Home) -> None:
    """Throw away copies that no repair will go on with. Call when nothing damaged is left."""
    durable.remove_tree(home.work)
