"""Keeping a mirror true: trust, edition, plan, drop, fetch. Each step can be killed; the same command goes on."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fonoteca.core.clock import Clock, parse_rfc3339, rfc3339
from fonoteca.core.errors import FonotecaError
from fonoteca.core.fetch import Fetcher, Limits
from fonoteca.core.layout import MirrorLayout, PublicationLayout
from fonoteca.core.progress import Progress
from fonoteca.formats.plan import Action, Plan
from fonoteca.mirror import edition as editions
from fonoteca.mirror import plan as planning
from fonoteca.mirror import publisher as publishers
from fonoteca.mirror import state
from fonoteca.mirror.budget import Budget
from fonoteca.mirror.courier import Courier, Options, SharedProgress
from fonoteca.mirror.held import Shelf, clear_partial, drop, settle
from fonoteca.mirror.packs import PACKS_TABLE, Pack, found_packs, read_packs
from fonoteca.mirror.publisher import Publisher
from fonoteca.mirror.relief import Relief
from fonoteca.mirror.seed import Seeder
from fonoteca.mirror.state import Journal
from fonoteca.mirror.trust import Release, Trust

METADATA_LIMITS = Limits(total_seconds=120.0, window_seconds=20.0)
"""Signed metadata is small: whoever sends it slower than this keeps others from sending it."""
EVERY_SECONDS = 3600.0
"""How often a mirror that goes on asks for news."""


@dataclass(frozen=True)
class Summary:
    """What a run left behind. Bytes are of pack files."""

    edition: int
    packs: int
    held: int
    fetched: int
    reused: int
    coverage: float
    verified: int

    def as_json(self) -> dict[str, Any]:
        """The fields of the summary of ``mirror run``."""
        return {
            "edition": self.edition,
            "packs": self.packs,
            "bytes": {"held": self.held, "fetched": self.fetched, "reused": self.reused},
            "coverage": self.coverage,
            "verified": self.verified,
        }


class Mirror:
    """One mirror folder and its publisher. The caller holds the writer's lock.

    Args:
        disk: the budget in bytes.
        options: how packs are fetched.
        metadata_limits: of downloads of signed metadata.
        pack_limits: of all other downloads.

    Raises:
        NoArchive, Usage: as :func:`fonoteca.mirror.publisher.load`.
    """

    def __init__(self, layout: MirrorLayout, disk: int, clock: Clock, progress: Progress,
                 options: Options | None = None, publisher: Publisher | None = None,
                 metadata_limits: Limits = METADATA_LIMITS, pack_limits: Limits | None = None) -> None:  # fmt: skip
        self.layout = layout
        self._publisher = publisher or publishers.load(layout)
        self._clock = clock
        self._progress = SharedProgress(progress)
        self._options = options or Options()
        self._metadata_limits = metadata_limits
        self._pack_limits = pack_limits or Limits()
        self._budget = Budget(layout.root, disk)

    def plan(self) -> tuple[int, Plan]:
        """Refresh trust, read what the newest edition offers, and plan. Fetches no pack and drops none.

        Raises:
            TrustFailed, NetworkFailed, NoSpace: see :meth:`run`.
        """
        noted = int(state.status(self.layout).get("disk", 0))
        disk, self._budget.limit = self._budget.limit, max(self._budget.limit, noted)
        release = self.refresh()
        packs = self._offered(release)
        coming = 0
        if not editions.is_complete(self.layout.publication, release):
            coming = editions.bytes_missing(self.layout.publication, release)
            coming -= editions.bytes_going(self.layout.publication, release)
        here = {found.name for found in found_packs(self.layout.publication)}
        plan = planning.make(self.layout, packs, here, disk, coming)
        state.note(self.layout, disk=disk)
        return release.edition.number, plan

    def _offered(self, release: Release) -> list[Pack]:
        """The packs of an edition that is not fetched yet, perhaps: its table goes through a folder for the moment."""
        path, ref = f"editions/{release.edition.number:04d}/{PACKS_TABLE}", release.edition.file(PACKS_TABLE)
        if editions.is_complete(self.layout.publication, release):
            return read_packs(self.layout.publication.root / path)
        with tempfile.TemporaryDirectory() as folder, Fetcher(self._clock, self._pack_limits) as fetcher:
            elsewhere = PublicationLayout(Path(folder))
            editions.fetch_file(elsewhere, self._publisher.url, path, ref, fetcher, Budget(Path(folder), 1 << 62))
            return read_packs(elsewhere.root / path)

    def run(self) -> Summary:
        """Bring the mirror to its plan.

        Raises:
            TrustFailed: signed metadata was refused; what was verified before is untouched and still served.
            NetworkFailed: the publisher, or some packs, cannot be reached; what has come stays.
            NoSpace: ``over-budget``: not even the metadata fits.
        """
        shelf = Shelf(self.layout, Journal(self.layout), self._clock, self._progress, self._budget)
        release, packs = self._take_over(shelf)
        # Planned with what is free now that the old edition is gone. Also what the edition no longer offers is
        # named, so that the plan says that it goes.
        here = {found.name for found in found_packs(self.layout.publication)}
        plan = planning.make(self.layout, packs, here, self._budget.limit)
        reused = self._make_way(plan, packs, shelf.journal)
        state.note(self.layout, disk=self._budget.limit, edition=release.edition.number)
        self._budget.measure()
        return self._fetch(release, plan, packs, shelf, reused)

    def _take_over(self, shelf: Shelf) -> tuple[Release, list[Pack]]:
        """Make the publisher's newest edition the one that is served, and nothing else of an edition be there."""
        publication = self.layout.publication
        self._budget.relieve = relief = Relief(self.layout)
        self._budget.reserve_blocks(0)
        release = relief.release = self.refresh()
        packs = self._bring_edition(release)
        settle(shelf, packs, publication.edition(release.edition.number) / "locator.parquet")
        editions.install(publication, release, self._budget)
        self._budget.relieve = None
        editions.remove_older(publication, release)
        return release, packs

    def refresh(self) -> Release:
        """Walk the chain of trust, and note how it went."""
        trust_folder = self.layout.trust / self._publisher.name
        root = publishers.root_file(self.layout, self._publisher)
        try:
            with Fetcher(self._clock, self._metadata_limits) as fetcher:
                release = Trust(trust_folder, self._publisher.url, root, fetcher, self._clock,
                                self._budget.reserve).refresh()  # fmt: skip
        except FonotecaError as error:
            self._note_failure(error)
            raise
        state.note(self.layout, refreshed=rfc3339(self._clock.now()), expires=rfc3339(release.expires), failure=None,
                   failed=None)  # fmt: skip
        return release

    def _note_failure(self, error: FonotecaError) -> None:
        if self.layout.settings.is_file():
            state.note(self.layout, failure=error.code, failed=rfc3339(self._clock.now()))

    def _bring_edition(self, release: Release) -> list[Pack]:
        publication = self.layout.publication
        if not editions.is_complete(publication, release):
            self._budget.reserve_blocks(0)
            with Fetcher(self._clock, self._pack_limits) as fetcher:
                editions.fetch_files(publication, self._publisher.url, release.edition, fetcher, self._budget,
                                     self._progress)  # fmt: skip
            editions.check_twins(publication, release.edition, self._publisher.url)
        return read_packs(publication.edition(release.edition.number) / PACKS_TABLE)

    def _make_way(self, plan: Plan, packs: Sequence[Pack], journal: Journal) -> int:
        """Drop what the plan drops; returns the bytes of the packs that stay."""
        drop(self.layout, [p.pack for p in plan.by_action(Action.DROP)])
        wanted = set(plan.wanted())
        clear_partial(self.layout, {p.name: p for p in packs if p.name in wanted})
        journal.compact(dict.fromkeys(wanted))
        return sum(p.bytes for p in plan.by_action(Action.KEEP))

    def _fetch(self, release: Release, plan: Plan, packs: Sequence[Pack], shelf: Shelf, reused: int) -> Summary:
        by_name = {p.name: p for p in packs}
        fetching = [by_name[p.pack] for p in plan.by_action(Action.FETCH)]
        fetched, failures = 0, []
        if fetching:
            with Fetcher(self._clock, self._pack_limits) as fetcher:
                outcome = Courier(shelf, self._publisher.url, fetcher, self._budget, self._options).deliver(fetching)
            fetched, failures = outcome.came, outcome.failures
            clear_partial(self.layout, by_name)
        summary = self._summary(release, shelf.journal, by_name, fetched, reused)
        if failures:
            self._note_failure(failures[0])
            raise failures[0]
        return summary

    def _summary(self, release: Release, journal: Journal, by_name: dict[str, Pack], fetched: int,
                 reused: int) -> Summary:  # fmt: skip
        held = [by_name[f.name] for f in found_packs(self.layout.publication) if f.name in by_name]
        verified = sum(1 for pack in held if journal.get(pack.name) is not None)
        coverage = min(sum(pack.coverage for pack in held), 1.0)
        return Summary(release.edition.number, len(held), sum(p.length for p in held), fetched, reused, coverage,
                       verified)  # fmt: skip

    def keep_true(self, listen: str, grace: timedelta, told: Callable[[Summary], None],
                  stop: threading.Event | None = None) -> None:  # fmt: skip
        """Run, seed what is held, and run again every hour, until ``stop`` is set or the process is interrupted.

        A refresh that fails is a warning here: what was verified is seeded on, until the signature of the
        withdrawals has been out of date for the time of grace.
        """
        ending = stop or threading.Event()
        with ExitStack() as stack:
            seeder: Seeder | None = None
            while not ending.is_set():
                try:
                    told(self.run())
                except FonotecaError as error:
                    self._progress.warn(f"{error.what}: {error.why}")
                serving = within_grace(self.layout, self._clock.now(), grace)
                if serving and seeder is None:
                    seeder = stack.enter_context(Seeder(self.layout.publication, listen))
                elif serving and seeder is not None:
                    seeder.refresh()
                elif seeder is not None:
                    stack.close()
                    seeder = None
                    self._progress.warn(
                        "the signed list of withdrawals is too old: seeding stopped, nothing is deleted"
                    )
                self._clock.sleep(EVERY_SECONDS)


def stale_since(layout: MirrorLayout) -> datetime | None:
    """When the signed metadata that is served ran out, if a refresh has failed since; judged by what was noted."""
    expires = state.status(layout).get("expires")
    return parse_rfc3339(expires) if isinstance(expires, str) else None


def within_grace(layout: MirrorLayout, now: datetime, grace: timedelta) -> bool:
    """Whether what is held may be seeded and served: its signatures are valid, or out of date for less than grace."""
    expires = stale_since(layout)
    return expires is not None and now < expires + grace
