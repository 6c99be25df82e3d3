"""The operator's own log of withdrawals: append-only, hash-chained, first in every backup.

``holdings/withdrawals.jsonl`` holds one JSON line per entry: the fields of
:class:`fonoteca.formats.withdrawals.Withdrawal`, ``previous``, the SHA-256 of the line before, and ``digest``, its
own. The public list is made from it; what is published is never more than a prefix of it. It holds nothing private:
what can never be deleted is no place for names (docs/decisions/0013).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from fonoteca.core import durable
from fonoteca.core.errors import Damaged, Usage
from fonoteca.core.layout import ArchiveLayout
from fonoteca.formats.withdrawals import (
    RESTORE,
    WITHDRAW,
    Withdrawal,
    WithdrawalList,
    log_line,
    lost_newline,
    parse,
    parse_log_line,
)


class WithdrawalLog:
    """The log of one archive. To write, the caller holds the archive's writer lock."""

    def __init__(self, layout: ArchiveLayout) -> None:
        self._path = layout.holdings / "withdrawals.jsonl"
        self._published = layout.publication.withdrawals
        self._read: tuple[bytes, bytes] | None = None
        self._list = WithdrawalList()

    def current(self) -> WithdrawalList:
        """The whole list, read from the disk again each time: a withdrawal must stop a run that has begun.

        Raises:
            Damaged: the log is broken, or shorter than what was published, so that a withdrawal would be lost.
        """
        read = (_content(self._path), _content(self._published))
        if read != self._read:
            self._list = self._check_published(_parse_log(read[0], self._path), read[1])
            self._read = read
        return self._list

    def withdraw(self, recording: str | None, blobs: Iterable[str], reason: str, date: str) -> Withdrawal:
        """Append a withdrawal; it is on the disk when this returns.

        Args:
            recording: shown id, or None for blobs that no recording is known of.
            blobs: hex SHA-256 of all blobs that are held of it.
            reason: public text; names no persons.
            date: RFC 3339.

        Raises:
            Usage: the reason or an id has not the right form.
        """
        return self._append(WITHDRAW, recording, blobs, reason, date)

    def restore(self, recording: str | None, blobs: Iterable[str], reason: str, date: str) -> Withdrawal:
        """Append the reversal of a withdrawal; arguments and errors as for :meth:`withdraw`.

        Raises:
            Usage: neither the recording nor any of the blobs is withdrawn.
        """
        subjects = [recording] if recording is not None else list(blobs)
        if not set(subjects) & set(self.current().in_force()):
            named = ", ".join(subjects)
            raise Usage("not-withdrawn", "Nothing was restored", f"{named} is not withdrawn",
                        "'fonoteca rights report' lists what is withdrawn", named)  # fmt: skip
        return self._append(RESTORE, recording, blobs, reason, date)

    def _append(self, action: str, recording: str | None, blobs: Iterable[str], reason: str, date: str) -> Withdrawal:
        known = self.current()
        try:
            entry = Withdrawal(known.version + 1, action, recording, tuple(sorted(set(blobs))), reason, date)
        except ValueError as error:
            raise Usage("bad-withdrawal", f"The {action} was not written", str(error),
                        "give --reason a sentence that anybody may read", recording) from error  # fmt: skip
        durable.cut_torn_tail(self._path)
        lines = _content(self._path).split(b"\n")[:-1]
        durable.append_line(self._path, log_line(entry, _digest(lines[-1]) if lines else ""))
        return entry

    def _check_published(self, known: WithdrawalList, published: bytes) -> WithdrawalList:
        if not published:
            return known
        try:
            public = parse(published)
        except ValueError as error:
            raise _damaged(self._published, f"the published list cannot be read: {error}") from error
        if not known.extends(public):
            raise _damaged(self._path, f"it does not begin with the {public.version} entries that were published")
        return known


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _digest(line: bytes) -> str:
    return hashlib.sha256(line + b"\n").hexdigest()


def _parse_log(data: bytes, path: Path) -> WithdrawalList:
    """What a crash cut short behind the last newline was never acknowledged, and is passed over."""
    entries, previous = [], ""
    *lines, tail = data.split(b"\n")
    for number, line in enumerate(lines, 1):
        try:
            entry = parse_log_line(line + b"\n", previous)
        except ValueError as error:
            raise _damaged(path, f"line {number}: {error}") from error
        if entry.seq != number:
            raise _damaged(path, f"line {number} does not follow the line before")
        entries.append(entry)
        previous = _digest(line)
    if lost_newline(tail, previous):
        raise _damaged(path, f"line {len(lines) + 1}: its newline is another byte")
    return WithdrawalList(tuple(entries))


def _damaged(path: Path, why: str) -> Damaged:
    return Damaged("withdrawal-log-damaged", "Nothing is cleared", f"{path}: {why}",
                   "put the log back from a backup; until then nothing is published", str(path))  # fmt: skip
