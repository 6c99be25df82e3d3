"""The gate of one archive, with what it is made from: holdings, catalogue, log of withdrawals."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from fonoteca.archive.holdings import Holdings
from fonoteca.catalogue.engine import DEFAULT, Engine
from fonoteca.catalogue.query import Catalogue
from fonoteca.core.errors import NoArchive, Usage
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.settings import Settings
from fonoteca.rights.claims import ClaimIndex
from fonoteca.rights.gate import Gate
from fonoteca.rights.policy import POLICIES
from fonoteca.rights.withdrawals import WithdrawalLog


@dataclass(frozen=True)
class Rights:
    """What verdicts are made from. ``catalogue`` is None where nothing was ingested yet."""

    holdings: Holdings
    catalogue: Catalogue | None
    log: WithdrawalLog
    policy: str

    def gate(self, recordings: Collection[int] | None = None) -> Gate:
        """The gate over all holdings, or over those of some recordings, held or not."""
        held = [h for h in self.holdings.holdings() if recordings is None or h.recording in recordings]
        index = self.claims({h.recording for h in held} if recordings is None else recordings)
        return Gate(held, index, self.log, self.policy, self.holdings.store().open)

    def claims(self, recordings: Collection[int]) -> ClaimIndex:
        """The claims on these recordings, on their releases, and on all blobs."""
        found, releases = self.catalogue.claims_of(recordings) if self.catalogue else ([], {})
        return ClaimIndex([*found, *self.holdings.claims()], releases)


@contextlib.contextmanager
def open_rights(layout: ArchiveLayout, policy: str, engine: Engine = DEFAULT) -> Iterator[Rights]:
    """Open what the verdicts of an archive are made from.

    Args:
        policy: ``all`` or ``free`` (setting ``policy.publish``).

    Raises:
        Damaged: the ledger of holdings, the catalogue's manifest or the log of withdrawals is.
    """
    holdings, log = Holdings.open(layout), WithdrawalLog(layout)
    with contextlib.ExitStack() as stack:
        try:
            catalogue = stack.enter_context(Catalogue.open(layout, engine=engine))
        except NoArchive:
            catalogue = None
        yield Rights(holdings, catalogue, log, policy)


def publication_policy(settings: Settings) -> str:
    """The setting ``policy.publish``: ``all`` or ``free``.

    Raises:
        Usage: ``bad-setting``: another word, and where it stands.
    """
    policy = settings.text("policy.publish")
    if policy not in POLICIES:
        origin = settings.origin("policy.publish").origin
        raise Usage("bad-setting", "The setting policy.publish could not be read",
                    f"{policy!r} (from {origin}) is neither 'all' nor 'free'", "write policy.publish = 'all' or 'free'",
                    "policy.publish")  # fmt: skip
    return policy
