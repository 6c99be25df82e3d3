"""Where the catalogue's files are (docs/formats/generation.md). Names only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fonoteca.core.layout import ArchiveLayout

if TYPE_CHECKING:
    from fonoteca.catalogue.files import FileRef


@dataclass(frozen=True)
class Places:
    """Paths below an archive's ``catalogue/``."""

    root: Path

    @classmethod
    def of(cls, layout: ArchiveLayout) -> Places:
        """The catalogue of an archive."""
        return cls(layout.catalogue)

    @property
    def files(self) -> Path:
        """Immutable Parquet files, named by digest."""
        return self.root / "files"

    @property
    def generations(self) -> Path:
        """The manifests."""
        return self.root / "generations"

    @property
    def current(self) -> Path:
        """Names the generation that counts."""
        return self.root / "CURRENT"

    @property
    def spool(self) -> Path:
        """Work in progress: deleted before and after each write; nothing in it counts."""
        return self.root / "spool"

    @property
    def work(self) -> Path:
        """What an interrupted bulk ingest goes on from; nothing in it counts."""
        return self.root / "unfinished"

    def file(self, sha256: str) -> Path:
        """One Parquet file."""
        return self.files / f"{sha256}.parquet"

    def path(self, ref: FileRef) -> Path:
        """One file of any kind."""
        return self.files / f"{ref.sha256}.{ref.kind}"

    def paths(self, refs: Iterable[FileRef]) -> list[Path]:
        """Several, in their order."""
        return [self.path(ref) for ref in refs]

    def generation(self, number: int) -> Path:
        """One manifest."""
        return self.generations / f"{number:06d}.json"
