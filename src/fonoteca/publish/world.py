"""What the archive says now, as values: the one argument from which an edition follows, besides the last one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from fonoteca.archive.records import Holding
from fonoteca.catalogue.generation import Generation
from fonoteca.core import canonical
from fonoteca.formats.claim import Claim
from fonoteca.formats.withdrawals import WithdrawalList
from fonoteca.publish.inputs import Candidate, Limits
from fonoteca.publish.torrents import Addresses
from fonoteca.rights.policy import Verdict

FORMAT = 1
"""Raised when the same world would give other files: then a new edition is due."""


@dataclass(frozen=True)
class Options:
    """The settings that decide what an edition is; how fast it is made is not among them."""

    limits: Limits
    addresses: Addresses
    name: str = "fonoteca"
    nc_snapshot: bool = False


@dataclass(frozen=True)
class World:
    """The state of an archive.

    Attributes:
        holdings, verdicts: what is held, and the gate's word on each (recording, blob).
        listens: of every recording of the catalogue; None where unknown.
        addresses: recording → where it can be found on the web, if a source says so.
        claims: those made of blobs at intake.
        generation: of the catalogue.
    """

    holdings: tuple[Holding, ...]
    verdicts: tuple[Verdict, ...]
    listens: Mapping[int, int | None]
    addresses: Mapping[int, str]
    generation: Generation
    withdrawals: WithdrawalList
    claims: tuple[Claim, ...] = ()

    @cached_property
    def held(self) -> dict[tuple[int, str], Holding]:
        """One holding for each recording and blob: the same one whatever the order of intake."""
        return {(h.recording, h.blob): h for h in sorted(set(self.holdings), key=_order, reverse=True)}

    @cached_property
    def named_sources(self) -> dict[str, str]:
        """Blob → the source that its claims name; what a file says of itself names none."""
        told = [(c.subject, c.source) for c in self.claims if c.source not in {"", "tags"}]
        return dict(sorted(told, reverse=True))

    def source_of(self, recording: int, blob: str) -> str:
        """Where a work came from, for its credit: an address, a source's name, or the file as it was taken in."""
        return self.addresses.get(recording) or self.named_sources.get(blob) or self.held[recording, blob].path

    @cached_property
    def verdict_of(self) -> dict[tuple[int, str], Verdict]:
        """The verdict on each recording and blob."""
        return {(v.recording, v.blob): v for v in self.verdicts}

    @cached_property
    def blocked(self) -> frozenset[str]:
        """Blobs that some recording's verdict withholds: deny beats allow, also across recordings."""
        return frozenset(v.blob for v in self.verdicts if not v.cleared)

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """What may be published, by recording id and blob."""
        pairs = sorted((v.recording, v.blob) for v in self.verdicts if v.cleared and v.blob not in self.blocked)
        return tuple(_candidate(self.held[pair], self.verdict_of[pair]) for pair in pairs if pair in self.held)

    @cached_property
    def withheld(self) -> int:
        """Recordings that have a holding, of which none may be published."""
        return len({h.recording for h in self.holdings} - {c.recording for c in self.candidates})

    @cached_property
    def verdicts_by_recording(self) -> dict[int, list[Verdict]]:
        """All verdicts of each recording, by blob."""
        found: dict[int, list[Verdict]] = defaultdict(list)
        for verdict in sorted(self.verdicts, key=lambda v: (v.recording, v.blob)):
            found[verdict.recording].append(verdict)
        return found

    def digest(self, options: Options) -> str:
        """Hex digest of all that an edition is a function of, but its number, the one before, and the time."""
        return canonical.digest({
            "format": FORMAT,
            "catalogue": replace(self.generation, number=0).as_json(),
            "holdings": [_facts(self.held[pair]) for pair in sorted(self.held)],
            "verdicts": sorted([v.recording, v.blob, v.digest] for v in self.verdicts),
            "withdrawals": [entry.as_json() for entry in self.withdrawals.entries],
            "limits": vars(options.limits), "base_url": options.addresses.base_url,
            "trackers": list(options.addresses.trackers), "name": options.name, "nc": options.nc_snapshot,
        })  # fmt: skip


def _order(holding: Holding) -> str:
    return canonical.encode(_facts(holding)).decode("utf-8", "surrogatepass")


def _facts(holding: Holding) -> dict[str, object]:
    return holding.as_json()


def _candidate(holding: Holding, verdict: Verdict) -> Candidate:
    return Candidate(
        holding.recording, holding.blob, holding.bytes, verdict.permit_class, tuple(lic.id for lic in verdict.licences),
        title=holding.title or None, artist=holding.artist or None, release=holding.release or None,
        disc=holding.disc, number=holding.number, extension=holding.extension, mime=holding.mime,
        codec=holding.codec, bit_rate=holding.bit_rate, sample_rate=holding.sample_rate, channels=holding.channels,
        recipe=holding.recipe,
    )  # fmt: skip
