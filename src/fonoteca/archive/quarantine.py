"""Keeps what was found damaged, with a note: evidence of what the disk did, and a way back from a wrong repair."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fonoteca.archive.holdings import leaves_folder
from fonoteca.core import canonical, durable
from fonoteca.core.clock import Clock, rfc3339
from fonoteca.core.findings import Finding
from fonoteca.core.fixity import chunks
from fonoteca.core.layout import ArchiveLayout, MirrorLayout, PublicationLayout


@dataclass(frozen=True)
class Home:
    """The archive or mirror that is repaired.

    Attributes:
        root: findings name paths below it.
        quarantine: damaged originals go here, under their paths.
        leaves: folder of the digests of blocks.
        archive: None for a mirror.
    """

    root: Path
    publication: PublicationLayout
    quarantine: Path
    leaves: Path
    archive: ArchiveLayout | None = None

    @classmethod
    def of_archive(cls, layout: ArchiveLayout) -> Home:
        """An operator's archive."""
        return cls(layout.root, layout.publication, layout.quarantine / "repair", leaves_folder(layout),
                   layout)  # fmt: skip

    @classmethod
    def of_mirror(cls, layout: MirrorLayout) -> Home:
        """A mirror folder."""
        return cls(layout.root, layout.publication, layout.state / "quarantine", layout.leaves)

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
    _note(target, {"path": label, "bytes": path.stat().st_size, "sha256": digest}, why, clock)
    return target.relative_to(home.root).as_posix()


def keep_parts(home: Home, path: Path, label: str, parts: Sequence[tuple[int, int]], why: Sequence[Finding],
               clock: Clock) -> str:  # fmt: skip
    """Keep the damaged bytes alone, where there is no room for a whole file more.

    Args:
        parts: (start, stop) of each damaged run of bytes; they are kept one behind the other.

    Returns:
        The new path, below the archive or mirror.
    """
    digest = _digest(path)
    target = home.quarantine / f"{label}.{digest[:16]}.parts"
    if not target.is_file():
        with path.open("rb") as stream, durable.writing(target) as sink:
            for start, stop in parts:
                stream.seek(start)
                for data in chunks(stream, stop - start):
                    sink.write(data)
    about = {"path": label, "bytes": path.stat().st_size, "sha256": digest, "parts": [list(part) for part in parts]}
    _note(target, about, why, clock)
    return target.relative_to(home.root).as_posix()


def _note(target: Path, about: dict[str, Any], why: Sequence[Finding], clock: Clock) -> None:
    name = target.with_name(target.name + ".json")
    if not name.is_file():
        found = [{"code": f.code, "block": list(f.block) if f.block else None, "detail": f.detail} for f in why]
        durable.write_bytes(name, canonical.encode(about | {"when": rfc3339(clock.now()), "why": found}))


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return "unreadable"


def clean(home: Home) -> None:
    """Throw away copies that no repair will go on with. Call when nothing damaged is left."""
    durable.remove_tree(home.work)
