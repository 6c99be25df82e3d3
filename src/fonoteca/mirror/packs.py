"""The packs of an edition as a mirror sees them: read from ``packs.parquet``, named like their files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

from fonoteca.core.errors import TrustFailed
from fonoteca.core.layout import MirrorLayout, PublicationLayout
from fonoteca.formats import leaves, tables
from fonoteca.formats.pack import file_name
from fonoteca.formats.parquet import read_table
from fonoteca.formats.plan import PackOffer
from fonoteca.mirror.check import Promise

PACKS_TABLE = "packs.parquet"
_PLAIN = re.compile(r"[a-z0-9][a-z0-9-]{0,127}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FILE = re.compile(r"(?P<id>[a-z0-9][a-z0-9-]{0,127})\.r(?P<revision>\d{1,9})\.tar")
_COLUMNS = ("id", "revision", "volume", "bytes", "sha256", "merkle_root", "recordings", "coverage", "state")


@dataclass(frozen=True)
class Pack:
    """A pack that an edition offers, as ``packs.parquet`` describes it."""

    id: str
    revision: int
    volume: str
    length: int
    sha256: str
    merkle_root: str
    recordings: int
    coverage: float

    @property
    def name(self) -> str:
        """Id and revision: what a plan calls it."""
        return f"{self.id}.r{self.revision}"

    @property
    def file(self) -> str:
        """Name of its file."""
        return file_name(self.id, self.revision)

    def offer(self) -> PackOffer:
        """For the planner."""
        return PackOffer(self.name, self.length, self.coverage)

    def promise(self, piece_length: int = 0, layer: Sequence[bytes] = ()) -> Promise:
        """What its file must be."""
        return Promise(self.length, self.merkle_root, piece_length, layer)

    def path(self, publication: PublicationLayout) -> Path:
        """Where it is when it is whole."""
        return publication.packs / self.volume / self.file

    @property
    def leaves(self) -> str:
        """Where its leaves are, below the folder of leaves."""
        return leaves.pack_name(self.id, self.revision)

    def partial(self, layout: MirrorLayout) -> Path:
        """Where it grows."""
        return layout.partial / self.volume / self.file


def read_packs(path: Path) -> list[Pack]:
    """The current packs of an edition, in the table's order; superseded ones are left out.

    Raises:
        Damaged: the table cannot be read.
        TrustFailed: a row would lead outside its folder.
    """
    table = read_table(path, _COLUMNS, schema=tables.PACKS)
    columns = [table.column(name).to_pylist() for name in _COLUMNS[:-1]]
    current = [state != "superseded" for state in table.column("state").to_pylist()]
    packs = [_pack(path, *row) for row in compress(zip(*columns, strict=True), current)]
    if len({pack.id for pack in packs}) != len(packs):
        raise _refused(path, "it names a pack twice")
    return packs


def _pack(path: Path, id_: str | None, revision: int | None, volume: str | None, length: int | None,
          sha256: str | None, root: str | None, recordings: int | None, coverage: float | None) -> Pack:  # fmt: skip
    good = _PLAIN.fullmatch(id_ or "") and _PLAIN.fullmatch(volume or "")
    good = good and _SHA256.fullmatch(sha256 or "") and _SHA256.fullmatch(root or "")
    pack = Pack(id_ or "", -1 if revision is None else revision, volume or "", length or 0, sha256 or "", root or "",
                recordings or 0, coverage or 0.0)  # fmt: skip
    if not good or pack.revision < 0 or pack.length <= 0 or not 0 <= pack.coverage <= 1:
        raise _refused(path, f"it has {pack}, which no pack can be")
    return pack


def _refused(path: Path, why: str) -> TrustFailed:
    return TrustFailed("trust-extra-file", "The publication was not accepted", f"{path.name}: {why}",
                       "nothing was changed; ask the publisher", str(path))  # fmt: skip


@dataclass(frozen=True)
class Found:
    """A pack file that lies in the publication folder."""

    id: str
    revision: int
    path: Path
    length: int

    @property
    def name(self) -> str:
        """As :attr:`Pack.name`."""
        return f"{self.id}.r{self.revision}"

    @property
    def leaves(self) -> str:
        """As :attr:`Pack.leaves`."""
        return leaves.pack_name(self.id, self.revision)

    @property
    def volume(self) -> str:
        """The folder that it lies in."""
        return self.path.parent.name


def found_packs(publication: PublicationLayout) -> Iterator[Found]:
    """All pack files in ``packs/``, by volume and name."""
    if not publication.packs.is_dir():
        return
    for path in sorted(publication.packs.glob("*/*.tar")):
        match = _FILE.fullmatch(path.name)
        if match:
            yield Found(match["id"], int(match["revision"]), path, path.stat().st_size)
