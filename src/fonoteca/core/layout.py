"""Where things are inside an archive and a mirror folder (docs/formats/archive.md, mirror.md). Names only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fonoteca.core.errors import NoArchive

ARCHIVE_FILE = "fonoteca.toml"
MIRROR_FILE = "mirror.toml"


@dataclass(frozen=True)
class PublicationLayout:
    """A publication: the public root. An archive has one, a mirror has one."""

    root: Path

    @property
    def metadata(self) -> Path:
        return self.root / "metadata"

    @property
    def withdrawals(self) -> Path:
        return self.root / "withdrawals" / "withdrawals.json"

    @property
    def packs(self) -> Path:
        return self.root / "packs"

    @property
    def torrents(self) -> Path:
        return self.root / "torrents"

    @property
    def editions(self) -> Path:
        return self.root / "editions"

    def edition(self, number: int) -> Path:
        """The folder of one edition."""
        return self.editions / f"{number:04d}"

    def edition_numbers(self) -> list[int]:
        """The editions that are whole on the disk, ascending."""
        if not self.editions.is_dir():
            return []
        return sorted(
            int(p.name) for p in self.editions.iterdir() if p.name.isdigit() and (p / "edition.json").is_file()
        )


@dataclass(frozen=True)
class ArchiveLayout:
    """An operator's private archive."""

    root: Path

    @property
    def settings(self) -> Path:
        return self.root / ARCHIVE_FILE

    @property
    def lock(self) -> Path:
        return self.root / ".lock"

    @property
    def jobs(self) -> Path:
        return self.root / "jobs" / "jobs.jsonl"

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def dumps(self) -> Path:
        return self.root / "dumps"

    @property
    def quarantine(self) -> Path:
        return self.root / "quarantine"

    @property
    def catalogue(self) -> Path:
        return self.root / "catalogue"

    @property
    def blobs(self) -> Path:
        return self.root / "blobs"

    @property
    def holdings(self) -> Path:
        return self.root / "holdings"

    @property
    def search(self) -> Path:
        return self.root / "search"

    @property
    def site(self) -> Path:
        return self.root / "site"

    @property
    def publication(self) -> PublicationLayout:
        return PublicationLayout(self.root / "publication")

    def require(self) -> ArchiveLayout:
        """This layout, if there is an archive here.

        Raises:
            NoArchive: with the folder.
        """
        if not self.settings.is_file():
            raise NoArchive(
                "no-archive", "There is no archive here", f"{self.root} has no {ARCHIVE_FILE}",
                "make one with 'fonoteca init DIR', or name it with --archive DIR", str(self.root),
            )  # fmt: skip
        return self


@dataclass(frozen=True)
class MirrorLayout:
    """A volunteer's mirror folder."""

    root: Path

    @property
    def settings(self) -> Path:
        return self.root / MIRROR_FILE

    @property
    def lock(self) -> Path:
        return self.root / ".lock"

    @property
    def trust(self) -> Path:
        return self.root / "trust"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def leaves(self) -> Path:
        return self.state / "leaves"

    @property
    def partial(self) -> Path:
        return self.root / "partial"

    @property
    def search(self) -> Path:
        return self.root / "search"

    @property
    def publication(self) -> PublicationLayout:
        return PublicationLayout(self.root / "publication")

    def require(self) -> MirrorLayout:
        """This layout, if there is a mirror here.

        Raises:
            NoArchive: with the folder.
        """
        if not self.settings.is_file():
            raise NoArchive(
                "no-mirror", "There is no mirror here", f"{self.root} has no {MIRROR_FILE}",
                "start one with 'fonoteca --archive DIR mirror add URL --root root.json'", str(self.root),
            )  # fmt: skip
        return self
