"""The verdict on one holding, from what all sources claim of it. Pure; denies unless something allows.

Deny beats allow: a claim that is added can only keep or withdraw a clearance, except the first one. Claims of
the recording, of its releases and of the blob itself are pooled; none outranks another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from fonoteca.core import canonical
from fonoteca.core.ids import Kind, show_id
from fonoteca.formats.claim import Claim
from fonoteca.formats.withdrawals import Withdrawal
from fonoteca.rights.licence import NOTHING, Licence, Permits, Reading, read

CLEARED, WITHHELD = "cleared", "withheld"
POLICIES = ("all", "free")
RULES = 1
"""Part of every verdict's digest: raised when a change of these rules may change a verdict."""


@dataclass(frozen=True)
class Reason:
    """Why. ``code`` is one of codes.toml (kind verdict); ``evidence`` has one line for each claim that counts."""

    code: str
    text: str
    evidence: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The fields by name."""
        return {"code": self.code, "text": self.text, "evidence": list(self.evidence)}


@dataclass(frozen=True)
class Verdict:
    """What the gate says of one holding.

    Attributes:
        recording: the id's value.
        blob: hex SHA-256, or '' for a recording of which nothing is held.
        state: ``cleared`` or ``withheld``.
        reasons: the first is the one that the published ledger gives.
        permits: what all claims permit together; nothing, where one is unknown; no more than to hold, where withdrawn.
        licences: all that were claimed, by id; the work is credited under each.
        permit_class: ``free`` or ``nc``; '' where withheld.
        digest: over all that the verdict was made from.
    """

    recording: int
    blob: str
    state: str
    reasons: tuple[Reason, ...]
    permits: Permits
    licences: tuple[Licence, ...]
    permit_class: str
    digest: str

    @property
    def cleared(self) -> bool:
        """True where the blob may be published."""
        return self.state == CLEARED

    @property
    def shown_id(self) -> str:
        """The recording's id as shown."""
        return show_id(Kind.RECORDING, self.recording)

    def as_json(self) -> dict[str, Any]:
        """The object of ``rights explain``."""
        return {
            "id": self.shown_id, "blob": self.blob or None, "state": self.state,
            "reasons": [r.as_json() for r in self.reasons], "permits": self.permits.as_json(),
            "licences": [lic.as_json() for lic in self.licences], "class": self.permit_class or None,
            "digest": self.digest,
        }  # fmt: skip


def decide(
    recording: int, blob: str, claims: Iterable[Claim], withdrawn: Withdrawal | None = None, policy: str = "all"
) -> Verdict:
    """The verdict on one holding.

    Args:
        recording: the id's value.
        blob: hex SHA-256, or '' where nothing is held.
        claims: of the recording, its releases and the blob, in any order, repeated or not.
        withdrawn: the withdrawal that is in force for it.
        policy: ``all`` (whatever permits redistribution) or ``free`` (neither NC nor ND).

    Raises:
        ValueError: no such policy.
    """
    if policy not in POLICIES:
        raise ValueError(f"the policy is one of {', '.join(POLICIES)}, not {policy!r}")
    spoken = sorted({claim for claim in claims if not claim.silent})
    readings = {claim: read(claim.licence, claim.url) for claim in spoken}
    known = {claim: r.licence for claim, r in readings.items() if r.licence is not None}
    licences = tuple(sorted(set(known.values())))
    denials = [
        *_withdrawn(withdrawn), *_no_claim(spoken), *_unknown(readings), *_conflicting(known, licences),
        *_not_redistributable(known, licences), *_not_free(licences, policy),
    ]  # fmt: skip
    state = WITHHELD if denials else CLEARED
    reasons = tuple(denials or _grants(known, licences))
    digest = canonical.digest(_inputs(recording, blob, spoken, withdrawn, policy))
    permits = _permits(spoken, known, licences, withdrawn)
    return Verdict(recording, blob, state, reasons, permits, licences,
                   "" if denials else _class(licences), digest)  # fmt: skip


def _inputs(
    recording: int, blob: str, spoken: Sequence[Claim], withdrawn: Withdrawal | None, policy: str
) -> dict[str, Any]:
    return {
        "rules": RULES, "recording": recording, "blob": blob, "claims": [c.as_json() for c in spoken],
        "withdrawn": withdrawn.as_json() if withdrawn else None, "policy": policy,
    }  # fmt: skip


def _line(claim: Claim) -> str:
    said = " ".join(part.strip() for part in (claim.licence, claim.url) if part.strip())
    where = " ".join(part for part in (claim.source, claim.dump, claim.position) if part)
    return f"{where or 'a claim'} says of {claim.kind} {claim.subject}: {said}" + (
        f" (evidence: {claim.evidence})" if claim.evidence else ""
    )


def _lines(claims: Iterable[Claim]) -> tuple[str, ...]:
    return tuple(_line(claim) for claim in claims)


def _withdrawn(entry: Withdrawal | None) -> list[Reason]:
    if entry is None:
        return []
    told = f"entry {entry.seq} of the list of withdrawals, {entry.date}: {entry.reason}"
    return [Reason("withdrawn", "It was withdrawn", (told,))]


def _no_claim(spoken: Sequence[Claim]) -> list[Reason]:
    return [] if spoken else [Reason("no-claim", "No source says under which licence it is")]


def _unknown(readings: Mapping[Claim, Reading]) -> list[Reason]:
    return [
        Reason("unknown-licence", f"A claim was not understood: {reading.reason}", _lines([claim]))
        for claim, reading in readings.items()
        if reading.licence is None
    ]


def _conflicting(known: Mapping[Claim, Licence], licences: Sequence[Licence]) -> list[Reason]:
    if len({lic.permits for lic in licences}) < 2:
        return []
    names = " and ".join(lic.id for lic in licences)
    return [Reason("conflicting-claims", f"Claims differ in what they permit: {names}", _lines(known))]


def _not_redistributable(known: Mapping[Claim, Licence], licences: Sequence[Licence]) -> list[Reason]:
    forbidding = [lic for lic in licences if not lic.permits.redistribute]
    if not forbidding:
        return []
    names = ", ".join(lic.name for lic in forbidding)
    told = _lines(claim for claim, lic in known.items() if lic in forbidding)
    return [Reason("no-redistribution", f"The licence does not permit passing it on: {names}", told)]


def _not_free(licences: Sequence[Licence], policy: str) -> list[Reason]:
    closed = [lic.id for lic in licences if lic.permit_class != "free"]
    if policy != "free" or not closed:
        return []
    text = f"The setting policy.publish = free leaves out {', '.join(closed)}"
    return [Reason("policy-free-only", text)]


def _grants(known: Mapping[Claim, Licence], licences: Sequence[Licence]) -> list[Reason]:
    names = " and ".join(lic.id for lic in licences)
    reasons = [Reason("licensed", f"It may be passed on under {names}", _lines(known))]
    if len(licences) > 1:
        reasons.append(Reason("differing-versions", f"Claims differ, but permit the same: credited under {names}"))
    return reasons


def _permits(
    spoken: Sequence[Claim], known: Mapping[Claim, Licence], licences: Sequence[Licence], withdrawn: Withdrawal | None
) -> Permits:
    if not licences or len(known) < len(spoken):
        return NOTHING
    claimed = reduce(Permits.both, (lic.permits for lic in licences))
    return claimed.both(Permits(hold=True)) if withdrawn else claimed


def _class(licences: Sequence[Licence]) -> str:
    return "free" if all(lic.permit_class == "free" for lic in licences) else "nc"
