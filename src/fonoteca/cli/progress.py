"""Progress as a person or a script sees it: a bar, a line a minute, JSON lines, or nothing."""

from __future__ import annotations

import json
from typing import IO, Any

from fonoteca.cli.context import clean
from fonoteca.core.clock import Clock
from fonoteca.core.progress import Progress, Silent, Unit
from fonoteca.core.sizes import show_size

_LINE_EVERY = 60.0
_STATUS_EVERY = 1.0


def _amount(count: int, unit: Unit) -> str:
    return show_size(count) if unit is Unit.BYTES else f"{count:,} {unit.value}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


class _Counter:
    """Where a stage is: shared by the faces below."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.name = ""
        self.total: int | None = None
        self.unit = Unit.ROWS
        self.done = 0
        self.started = clock.monotonic()
        self.told = self.started

    def stage(self, name: str, total: int | None, unit: Unit) -> None:
        self.name, self.total, self.unit, self.done = name, total, unit, 0
        self.started = self.told = self.clock.monotonic()

    def advance(self, amount: int) -> None:
        self.done += amount

    def due(self, every: float) -> bool:
        now = self.clock.monotonic()
        if now - self.told < every:
            return False
        self.told = now
        return True

    @property
    def rate(self) -> float:
        return self.done / max(self.clock.monotonic() - self.started, 1e-6)

    @property
    def left(self) -> float | None:
        if self.total is None or not self.done:
            return None
        return max(self.total - self.done, 0) / max(self.rate, 1e-9)


class Lines:
    """No terminal: one line a minute on stderr."""

    def __init__(self, stream: IO[str], clock: Clock) -> None:
        self._stream = stream
        self._at = _Counter(clock)

    def stage(self, name: str, total: int | None, unit: Unit) -> None:
        """A new stage."""
        self._at.stage(name, total, unit)

    def advance(self, amount: int) -> None:
        """More is done."""
        self._at.advance(amount)
        if self._at.due(_LINE_EVERY):
            self._stream.write(self._line() + "\n")
            self._stream.flush()

    def _line(self) -> str:
        at = self._at
        of = f" of {_amount(at.total, at.unit)}" if at.total is not None else ""
        left = f", {_duration(at.left)} left" if at.left is not None else ""
        return f"{at.name}: {_amount(at.done, at.unit)}{of}, {_amount(int(at.rate), at.unit)}/s{left}"

    def item(self, message: dict[str, Any]) -> None:
        """One result on the way."""
        self._stream.write(clean(item_line(message)) + "\n")

    def warn(self, text: str) -> None:
        """A warning."""
        self._stream.write(clean(f"warning: {text}") + "\n")


class JsonLines:
    """``--json``: status at most once a second, items and warnings as they come, on stdout."""

    def __init__(self, stream: IO[str], clock: Clock) -> None:
        self._stream = stream
        self._at = _Counter(clock)

    def _say(self, value: dict[str, Any]) -> None:
        self._stream.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")
        self._stream.flush()

    def stage(self, name: str, total: int | None, unit: Unit) -> None:
        """A new stage."""
        self._at.stage(name, total, unit)
        self._status()

    def advance(self, amount: int) -> None:
        """More is done."""
        self._at.advance(amount)
        if self._at.due(_STATUS_EVERY):
            self._status()

    def _status(self) -> None:
        at = self._at
        self._say({"message_type": "status", "stage": at.name, "done": at.done, "total": at.total,
                   "unit": at.unit.value, "rate": round(at.rate, 1),
                   "seconds_left": None if at.left is None else round(at.left, 1)})  # fmt: skip

    def item(self, message: dict[str, Any]) -> None:
        """One result on the way."""
        self._say({"message_type": "item"} | message)

    def warn(self, text: str) -> None:
        """A warning."""
        self._say({"message_type": "warning", "text": text})


class Bar:
    """A terminal: a bar with amount, rate and time left, on stderr."""

    def __init__(self, stream: IO[str], clock: Clock) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TaskID, TextColumn
        from rich.progress import Progress as RichProgress

        self._at = _Counter(clock)
        self._console = Console(file=stream)
        self._rich = RichProgress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[text]}"),
            console=self._console, transient=True,
        )  # fmt: skip
        self._task: TaskID | None = None

    def stage(self, name: str, total: int | None, unit: Unit) -> None:
        """A new stage."""
        self._at.stage(name, total, unit)
        self._rich.start()
        if self._task is not None:
            self._rich.remove_task(self._task)
        self._task = self._rich.add_task(name, total=total, text="")

    def advance(self, amount: int) -> None:
        """More is done."""
        self._at.advance(amount)
        if self._task is not None:
            at = self._at
            left = f"  {_duration(at.left)} left" if at.left is not None else ""
            text = f"{_amount(at.done, at.unit)}  {_amount(int(at.rate), at.unit)}/s{left}"
            self._rich.update(self._task, advance=amount, text=text)

    def item(self, message: dict[str, Any]) -> None:
        """One result on the way."""
        self._console.print(clean(item_line(message)), markup=False, highlight=False)

    def warn(self, text: str) -> None:
        """A warning."""
        self._console.print(clean(f"warning: {text}"), markup=False, highlight=False)

    def close(self) -> None:
        """Take the bar away."""
        self._rich.stop()


def item_line(message: dict[str, Any]) -> str:
    """An item as one line: its code, its path, its reason."""
    where = message.get("path") or message.get("id") or message.get("pack") or ""
    block = message.get("block")
    blocks = f" blocks {block[0]}-{block[1]}" if block else ""
    text = message.get("reason") or message.get("detail") or message.get("text") or ""
    repair = f"  repair: {message['repair']}" if message.get("repair") else ""
    name = message.get("code") or message.get("how") or "item"
    return f"{name}: {where}{blocks}  {text}{repair}".rstrip()


def face(stdout: IO[str], stderr: IO[str], clock: Clock, *, as_json: bool, quiet: bool, terminal: bool) -> Progress:
    """The face that fits the run."""
    if as_json:
        return JsonLines(stdout, clock)
    if quiet:
        return Silent()
    return Bar(stderr, clock) if terminal else Lines(stderr, clock)
