"""The hash-chained log of an archive's ledger: records ⇄ bytes, and what is wrong with the bytes.

Each line is canonical JSON with ``digest``, the SHA-256 of the line's canonical form without it, and ``previous``,
the digest of the line before (64 zeros in the first). Normative text: docs/formats/holdings.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from fonoteca.core import canonical

START = "0" * 64
Body = dict[str, Any]


@dataclass
class Log:
    """A log as read.

    Attributes:
        bodies: the records of the whole lines up to the first damage, without chain fields.
        head: digest of the last of them.
        damaged: (number of the line from 1, what is wrong) of each damaged line.
        intact: the records of all lines that are whole by themselves, those behind damage too.
        torn: bytes behind the last newline that a write cut short left.
    """

    bodies: list[Body] = field(default_factory=list)
    head: str = START
    damaged: list[tuple[int, str]] = field(default_factory=list)
    intact: list[Body] = field(default_factory=list)
    torn: int = 0


def encode(bodies: Iterable[Body], head: str) -> tuple[list[bytes], str]:
    """The lines that continue a log whose last digest is ``head``, and the new last digest."""
    lines = []
    for body in bodies:
        record = body | {"previous": head}
        head = canonical.digest(record)
        lines.append(canonical.encode(record | {"digest": head}))
    return lines, head


def _open_line(line: bytes) -> tuple[Body, str]:
    """Body and digest of one line with its newline. ValueError: what is wrong with it."""
    record = canonical.decode(line)
    if not isinstance(record, dict) or canonical.encode(record) != line:
        raise ValueError("it is not canonical JSON")
    digest = record.pop("digest", None)
    if digest != canonical.digest(record):
        raise ValueError("its digest does not match")
    return record, str(digest)


def _tail(log: Log, tail: bytes, number: int) -> None:
    """What stands behind the last newline: a torn write, unless it is a whole line with another last byte."""
    log.torn = len(tail)
    try:
        _open_line(tail[:-1] + b"\n")
    except ValueError:
        return
    log.damaged.append((number, "its newline is another byte"))


def parse(data: bytes) -> Log:
    """Read a whole log. Goes on behind damage, so that all damaged lines are listed; never raises."""
    log = Log()
    *lines, tail = data.split(b"\n")
    expected: str | None = START
    for number, line in enumerate(lines, 1):
        try:
            body, digest = _open_line(line + b"\n")
            previous = body.pop("previous", None)
            log.intact.append(body)
            if expected is not None and previous != expected:
                raise ValueError("it does not follow the line before")
        except ValueError as error:
            log.damaged.append((number, str(error)))
            expected = None
            continue
        expected = digest
        if not log.damaged:
            log.bodies.append(body)
            log.head = digest
    if tail:
        _tail(log, tail, len(lines) + 1)
    return log
