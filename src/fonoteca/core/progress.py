"""How long work tells a person where it is, without knowing who watches.

Functions take a :class:`Progress`; the command line draws it as a bar with rate and time left, as one line
a minute, as JSON lines, or not at all. :data:`SILENT` is for callers that do not watch.
"""

from __future__ import annotations

import enum
from typing import Any, Protocol


class Unit(enum.Enum):
    """What is counted; the value is the word that is shown."""

    BYTES = "bytes"
    ROWS = "rows"
    FILES = "files"
    PACKS = "packs"


class Progress(Protocol):
    """One run's progress: stages, one after the other, each with a total that is true or None."""

    def stage(self, name: str, total: int | None, unit: Unit) -> None:
        """A new stage begins; the one before it is finished."""
        ...

    def advance(self, amount: int) -> None:
        """So much of the stage is done now."""
        ...

    def item(self, message: dict[str, Any]) -> None:
        """One result on the way (a refused file, a finding): a line, or a JSON line of type ``item``."""
        ...

    def warn(self, text: str) -> None:
        """Something that does not stop the work."""
        ...


class Silent:
    """Nobody watches."""

    def stage(self, name: str, total: int | None, unit: Unit) -> None:
        """Ignored."""

    def advance(self, amount: int) -> None:
        """Ignored."""

    def item(self, message: dict[str, Any]) -> None:
        """Ignored."""

    def warn(self, text: str) -> None:
        """Ignored."""


SILENT = Silent()
