"""What a publishing run works with, handed in by the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fonoteca.archive.holdings import Holdings, leaves_folder
from fonoteca.catalogue.engine import Engine
from fonoteca.core.layout import ArchiveLayout, PublicationLayout
from fonoteca.core.progress import SILENT, Progress
from fonoteca.publish.keys import Keys
from fonoteca.publish.seal import Bench
from fonoteca.rights.gate import Gate

Covers = Callable[[frozenset[int], frozenset[int]], Mapping[str, Any]]
"""(recordings held, recordings published) → coverage as ``fonoteca coverage`` gives it."""


@dataclass(frozen=True)
class Workshop:
    """``workers`` and the engine's limits decide how fast a run is, never what comes out."""

    layout: ArchiveLayout
    gate: Gate
    holdings: Holdings
    keys: Keys
    covers: Covers

    engine: Engine
    progress: Progress = SILENT
    workers: int = 2

    @property
    def publication(self) -> PublicationLayout:
        """What the world sees."""
        return self.layout.publication

    def bench(self, piece_length: int) -> Bench:
        """Where packs are sealed."""
        return Bench(self.publication.packs, leaves_folder(self.layout), piece_length)
