"""A figure: own beside a peer, their ratio, and whether the target is met."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """``at_least``: a share of the peer's speed; else a multiple of the peer's time that may not be exceeded."""

    value: float
    at_least: bool = True
    unit: str = ""

    def met(self, ratio: float) -> bool:
        """Whether a ratio is as good as it must be."""
        return ratio >= self.value if self.at_least else ratio <= self.value

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.value:g}{self.unit}"


@dataclass(frozen=True)
class Figure:
    """One line of a report.

    Attributes:
        promise: the number in the list of performance promises.
        own, peer: seconds for the same work; the peer's may be 0 where a target is absolute.
        bytes: of that work, for rates; 0 where a rate says nothing.
        own_cpu, peer_cpu: processor seconds, 0 where they were not measured.
        own_memory, peer_memory: peak bytes.
        disk: bytes that own left on the disk.
        target: None for context.
        spread: of own rounds.
        unit: of own and peer, where they are no seconds.
    """

    promise: str
    what: str
    beside: str
    own: float
    peer: float
    target: Target | None
    bytes: int = 0
    own_cpu: float = 0.0
    peer_cpu: float = 0.0
    own_memory: int = 0
    peer_memory: int = 0
    disk: int = 0
    spread: float = 0.0
    unit: str = ""

    @property
    def ratio(self) -> float:
        """Speed as a share of the peer's; or time as a multiple of the peer's; or, without a peer, own seconds."""
        if not self.peer:
            return self.own
        as_time = self.target is not None and not self.target.at_least
        return self.own / self.peer if as_time else self.peer / self.own

    @property
    def verdict(self) -> str:
        """``met``, ``missed``, or ``context``."""
        if self.target is None:
            return "context"
        return "met" if self.target.met(self.ratio) else "missed"
