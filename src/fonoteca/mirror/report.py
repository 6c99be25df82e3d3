"""What a mirror is now, as ``mirror status`` tells it. Reads only the disk."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from fonoteca.core.clock import rfc3339
from fonoteca.core.layout import MirrorLayout
from fonoteca.mirror import publisher as publishers
from fonoteca.mirror import state
from fonoteca.mirror.budget import allocated
from fonoteca.mirror.packs import PACKS_TABLE, found_packs, read_packs
from fonoteca.mirror.run import stale_since, within_grace


@dataclass(frozen=True)
class Status:
    """A mirror as it stands.

    Attributes:
        edition: that is served, or None before the first run.
        packs, held, offered: packs held, their bytes, packs of the edition.
        allocated, budget: bytes of the whole folder; bytes allowed (0: not planned yet).
        coverage: share of all known listens that the held packs stand for.
        refreshed: when the signed metadata was last refreshed (RFC 3339), or None.
        stale_since: when its signatures ran out; None while they are valid.
        serving: whether it may be seeded and served now.
        failure: code of the last failure if none succeeded since, or None.
    """

    url: str
    name: str
    edition: int | None
    packs: int
    offered: int
    held: int
    allocated: int
    budget: int
    coverage: float
    refreshed: str | None
    stale_since: str | None
    serving: bool
    failure: str | None

    def as_json(self) -> dict[str, Any]:
        """The fields by name."""
        value = asdict(self)
        value["bytes"] = {"held": value.pop("held"), "allocated": value.pop("allocated")}
        return value


def status(layout: MirrorLayout, now: datetime, grace: timedelta) -> Status:
    """Look at a mirror.

    Raises:
        NoArchive, Usage: there is none, or its settings are damaged.
    """
    publisher = publishers.load(layout)
    noted = state.status(layout)
    numbers = layout.publication.edition_numbers()
    offered = read_packs(layout.publication.edition(numbers[-1]) / PACKS_TABLE) if numbers else []
    coverage = {pack.name: pack.coverage for pack in offered}
    here = [found for found in found_packs(layout.publication) if found.name in coverage]
    expires = stale_since(layout)
    return Status(
        publisher.url, publisher.name, numbers[-1] if numbers else None, len(here), len(offered),
        sum(found.length for found in here), allocated(layout.root), int(noted.get("disk", 0)),
        min(sum(coverage[found.name] for found in here), 1.0), noted.get("refreshed"),
        rfc3339(expires) if expires is not None and expires <= now else None,
        bool(numbers) and within_grace(layout, now, grace), noted.get("failure"),
    )  # fmt: skip
