"""Time as something that is handed in: only the command line makes a real clock (layering rule L7)."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Protocol


class Clock(Protocol):
    """Wall time, a monotonic stopwatch, and sleep."""

    def now(self) -> datetime.datetime:
        """The present, with time zone UTC and whole seconds."""
        ...

    def monotonic(self) -> float:
        """Seconds since some start; never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


@dataclass
class FixedClock:
    """A clock for tests and for plans: it moves only when it is told to sleep."""

    at: datetime.datetime
    elapsed: float = field(default=0.0)

    def now(self) -> datetime.datetime:
        return (self.at + datetime.timedelta(seconds=self.elapsed)).replace(microsecond=0)

    def monotonic(self) -> float:
        return self.elapsed

    def sleep(self, seconds: float) -> None:
        self.elapsed += seconds


def rfc3339(moment: datetime.datetime) -> str:
    """``2026-11-24T13:48:34Z``; the moment must have a time zone."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_rfc3339(text: str) -> datetime.datetime:
    """The reverse of :func:`rfc3339`."""
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.UTC)
