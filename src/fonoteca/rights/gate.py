"""The gate: the only way to the bytes of a holding that is to be published (layering rule L4).

``Cleared`` is made here and nowhere else; it is no permission by itself. When its bytes are asked for, the
verdict is made once more, and the log of withdrawals is read once more, so that a withdrawal between plan and
run stops the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from fonoteca.core.errors import RightsRefused
from fonoteca.core.ids import Kind, show_id
from fonoteca.formats.withdrawals import WithdrawalList
from fonoteca.rights.claims import ClaimIndex
from fonoteca.rights.policy import Verdict, decide


class HeldBlob(Protocol):
    """What the gate must know of a holding: whose it is, and its digest."""

    @property
    def recording(self) -> int:
        """The recording's id."""
        ...

    @property
    def blob(self) -> str:
        """Hex SHA-256."""
        ...


class Withdrawals(Protocol):
    """Where the withdrawals stand; read anew at each call."""

    def current(self) -> WithdrawalList:
        """The list as it is now."""
        ...


@dataclass(frozen=True)
class Cleared:
    """A holding that the gate let pass, and what it let it pass upon."""

    recording: int
    blob: str
    verdict_digest: str
    withdrawals_version: int


class Gate:
    """Verdicts on holdings, and the door to their bytes.

    Args:
        holdings: what is held.
        claims: what the sources claim.
        withdrawals: the operator's log.
        policy: ``all`` or ``free``.
        open_blob: opens a blob by hex SHA-256; nobody else hands it to what publishes.
    """

    def __init__(
        self,
        holdings: Iterable[HeldBlob],
        claims: ClaimIndex,
        withdrawals: Withdrawals,
        policy: str,
        open_blob: Callable[[str], BinaryIO],
    ) -> None:
        self._held = sorted({(h.recording, h.blob) for h in holdings})
        self._known = set(self._held)
        self._claims = claims
        self._withdrawals = withdrawals
        self._policy = policy
        self._open_blob = open_blob

    def verdicts(self) -> list[Verdict]:
        """One for each holding, by recording id and blob."""
        now = self._withdrawals.current()
        return [self._verdict(recording, blob, now) for recording, blob in self._held]

    def explain(self, recording: int) -> list[Verdict]:
        """The verdicts on a recording's holdings; where nothing is held, one on what is claimed (blob '')."""
        now = self._withdrawals.current()
        blobs = [blob for held, blob in self._held if held == recording] or [""]
        return [self._verdict(recording, blob, now) for blob in blobs]

    def clear(self, verdict: Verdict) -> Cleared:
        """The pass for a cleared verdict.

        Raises:
            RightsRefused: the verdict withholds, is not on a holding, or is no longer what the gate says.
        """
        now = self._withdrawals.current()
        self._check(verdict.recording, verdict.blob, verdict.digest, now)
        return Cleared(verdict.recording, verdict.blob, verdict.digest, now.version)

    def open(self, cleared: Cleared) -> BinaryIO:
        """The bytes of a cleared holding; the caller closes the stream.

        Raises:
            RightsRefused: something was withdrawn or restored since it was cleared, or the verdict is another.
        """
        now = self._withdrawals.current()
        if now.version != cleared.withdrawals_version:
            raise _refused("withdrawals-changed", cleared.recording,
                           f"the list of withdrawals went from version {cleared.withdrawals_version} to "
                           f"{now.version} while the work was under way")  # fmt: skip
        self._check(cleared.recording, cleared.blob, cleared.verdict_digest, now)
        return self._open_blob(cleared.blob)

    def _check(self, recording: int, blob: str, digest: str, now: WithdrawalList) -> None:
        if (recording, blob) not in self._known:
            raise _refused("not-held", recording, f"no holding has the blob {blob or 'that was asked for'}")
        again = self._verdict(recording, blob, now)
        if not again.cleared:
            first = again.reasons[0]
            raise _refused(first.code, recording, " ".join((first.text, *first.evidence)))
        if again.digest != digest:
            raise _refused("verdict-changed", recording, "its claims are no longer those that it was cleared upon")

    def _verdict(self, recording: int, blob: str, now: WithdrawalList) -> Verdict:
        withdrawn = now.applying(show_id(Kind.RECORDING, recording), blob)
        return decide(recording, blob, self._claims.of(recording, blob), withdrawn, self._policy)


def _refused(code: str, recording: int, why: str) -> RightsRefused:
    shown = show_id(Kind.RECORDING, recording)
    return RightsRefused(code, f"The rights gate did not give out {shown}", why,
                         f"'fonoteca rights explain {shown}' shows the claims; then run the same command again",
                         shown)  # fmt: skip
