"""What a run would do: reads the last edition, asks the planner, changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fonoteca.core.layout import PublicationLayout
from fonoteca.formats.metainfo import Metainfo
from fonoteca.formats.tables import SNAPSHOT
from fonoteca.formats.torrents import TorrentInfo
from fonoteca.publish import previous, torrents
from fonoteca.publish.inputs import Inputs
from fonoteca.publish.plan import PublicationPlan, plan
from fonoteca.publish.previous import Previous
from fonoteca.publish.world import Options, World


@dataclass(frozen=True)
class Prepared:
    """A world, the last edition, and the plan that leads from one to the other."""

    publication: PublicationLayout
    world: World
    options: Options
    before: Previous | None

    @cached_property
    def inputs(self) -> str:
        """Digest of what the next edition would follow from."""
        return self.world.digest(self.options)

    @cached_property
    def volumes(self) -> dict[str, tuple[TorrentInfo, Metainfo]]:
        """The volumes that stand, with their torrents. Raises Damaged where a torrent file is not as promised."""
        return torrents.load(self.publication, self.before) if self.before else {}

    def piece_length(self, replaces: str | None) -> int:
        """Of a volume: as set, but one that is issued anew keeps that of the volume which it replaces."""
        return self.volumes[replaces][1].piece_length if replaces else self.options.limits.piece_length

    @property
    def unchanged(self) -> bool:
        """True where the last edition followed from the same: there is nothing new to say."""
        return self.before is not None and self.before.edition.inputs == self.inputs

    @property
    def number(self) -> int:
        """Of the next edition."""
        return self.before.edition.number + 1 if self.before else 1

    @cached_property
    def plan(self) -> PublicationPlan:
        """The plan of the next edition."""
        before = self.before
        return plan(Inputs(
            self.number, self.world.candidates, self.world.listens, self.options.limits,
            before.packs if before else (), before.located if before else (), self.world.withheld, self.tables,
        ))  # fmt: skip

    @property
    def tables(self) -> int:
        """Tables with a torrent of their own."""
        return len(SNAPSHOT) * (2 if self.options.nc_snapshot else 1)

    def as_json(self) -> dict[str, Any]:
        """What ``--plan`` prints."""
        return standing(self.before, self.world.withheld) if self.unchanged and self.before else self.plan.as_json()


def prepare(publication: PublicationLayout, world: World, options: Options) -> Prepared:
    """Raises Damaged where the last edition is not what it promises."""
    return Prepared(publication, world, options, previous.load(publication))


def standing(before: Previous, withheld: int) -> dict[str, Any]:
    """Plan and summary of a run that finds nothing new."""
    totals = before.edition.totals
    return {
        "edition": before.edition.number,
        "recordings": len({row.recording for row in before.located}),
        "withheld": withheld,
        "packs": {"kept": len(before.packs), "added": 0, "superseded": 0},
        "bytes": {"audio": totals.get("audio_bytes", 0),
                  "padding": totals.get("pack_bytes", 0) - totals.get("audio_bytes", 0), "new": 0},
        "torrents": sum(1 for t in before.torrents if t.current),
        "changed": False, "add": [], "redact": [], "volumes": [],
    }  # fmt: skip
