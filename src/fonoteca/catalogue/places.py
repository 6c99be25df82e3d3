"""Where the catalogue's files are (docs/formats/generation.md). Names only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fonoteca.core.layout import ArchiveLayout


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

    def file(self, sha256: str) -> Path:
        """One Parquet file."""
        return self.files / f"{sha256}.parquet"

    def generation(self, number: int) -> Path:
        """One manifest."""
        return self.generations / f"{number:06d}.json"
