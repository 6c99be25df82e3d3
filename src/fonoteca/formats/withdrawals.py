"""The public list of withdrawals: what may no longer be served, and what may again (docs/formats/withdrawals.md).

The list only grows. Its version is the number of its entries, so an older list is always shorter, and a newer
one begins with the very entries of the older.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fonoteca.core import canonical
from fonoteca.core.clock import parse_rfc3339
from fonoteca.core.ids import Kind, parse_id, show_id

FORMAT = 1
WITHDRAW, RESTORE = "withdraw", "restore"
MAX_BYTES = 64 << 20
"""A list longer than this is refused unread: a million entries are about 200 MB, a hostile one has no end."""
MAX_REASON = 1000
"""Characters in the longest reason. It is public: it names no persons."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Withdrawal:
    """One entry. Raises ValueError where a value has not the form that the format fixes.

    Attributes:
        seq: 1 for the first entry, then one more each.
        action: ``withdraw`` or ``restore``.
        recording: shown id, or None for an entry about blobs alone.
        blobs: hex SHA-256 of the recording's blobs, sorted, each once.
        reason: for everybody to read.
        date: RFC 3339, UTC. Order comes from ``seq``, never from the date.
    """

    seq: int
    action: str
    recording: str | None
    blobs: tuple[str, ...]
    reason: str
    date: str

    def __post_init__(self) -> None:
        if type(self.seq) is not int or self.seq < 1:
            raise ValueError(f"the sequence number {self.seq!r} is not a whole number from 1")
        if self.action not in (WITHDRAW, RESTORE):
            raise ValueError(f"entry {self.seq}: {self.action!r} is neither withdraw nor restore")
        if self.recording is not None:
            _check_recording(self.seq, self.recording)
        elif not self.blobs:
            raise ValueError(f"entry {self.seq} names neither a recording nor a blob")
        _check_blobs(self.seq, self.blobs)
        if not isinstance(self.reason, str) or not self.reason.strip() or len(self.reason) > MAX_REASON:
            raise ValueError(f"entry {self.seq} needs a reason of at most {MAX_REASON} characters")
        parse_rfc3339(self.date)

    def as_json(self) -> dict[str, Any]:
        """The fields by name."""
        return {
            "seq": self.seq, "action": self.action, "recording": self.recording, "blobs": list(self.blobs),
            "reason": self.reason, "date": self.date,
        }  # fmt: skip

    @classmethod
    def from_json(cls, value: Any) -> Withdrawal:
        """The reverse of :meth:`as_json`; fields of a later format are passed over. ValueError."""
        if not isinstance(value, Mapping) or not isinstance(value.get("blobs"), list):
            raise ValueError("an entry is an object with a list of blobs")
        missing = [n for n in ("seq", "action", "recording", "reason", "date") if n not in value]
        if missing:
            raise ValueError(f"an entry has no {missing[0]}")
        if not isinstance(value["date"], str):
            raise ValueError("a date is a text")
        return cls(value["seq"], value["action"], value["recording"], tuple(value["blobs"]), value["reason"],
                   value["date"])  # fmt: skip


def _check_recording(seq: int, recording: str) -> None:
    if not isinstance(recording, str):
        raise ValueError(f"entry {seq}: a recording is a text")
    kind, value = parse_id(recording)
    if kind is not Kind.RECORDING or show_id(kind, value) != recording:
        raise ValueError(f"entry {seq}: {recording!r} is no recording's id as it is shown")


def _check_blobs(seq: int, blobs: tuple[str, ...]) -> None:
    if not all(isinstance(b, str) and _SHA256.fullmatch(b) for b in blobs):
        raise ValueError(f"entry {seq}: a blob is 64 hexadecimal digits in lower case")
    if list(blobs) != sorted(set(blobs)):
        raise ValueError(f"entry {seq}: blobs stand sorted, each once")


def log_line(entry: Withdrawal, previous: str) -> bytes:
    """An entry as a line of the operator's log.

    Args:
        previous: hex SHA-256 of the line before with its newline, empty for the first.
    """
    body = entry.as_json() | {"previous": previous}
    return canonical.encode(body | {"digest": canonical.digest(body)})


def parse_log_line(line: bytes, previous: str) -> Withdrawal:
    """The reverse of :func:`log_line`; ``line`` is with its newline. ValueError: what is wrong with it.

    Lines of the time before there was a digest have none: of those only the fields of that time are taken.
    """
    value = canonical.decode(line)
    entry = Withdrawal.from_json(value)
    if value.get("previous") != previous:
        raise ValueError("it does not follow the line before")
    told = value.pop("digest", None)
    if told is None and value.keys() != entry.as_json().keys() | {"previous"}:
        raise ValueError("it has no digest")
    if told is not None and (told != canonical.digest(value) or canonical.encode(value | {"digest": told}) != line):
        raise ValueError("its digest does not match")
    return entry


def lost_newline(tail: bytes, previous: str) -> bool:
    """Whether what stands behind a log's last newline is a whole line with another last byte, and no torn write."""
    try:
        parse_log_line(tail[:-1] + b"\n", previous)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class WithdrawalList:
    """All entries, oldest first, numbered from 1 without a gap (else ValueError)."""

    entries: tuple[Withdrawal, ...] = ()

    def __post_init__(self) -> None:
        for number, entry in enumerate(self.entries, 1):
            if entry.seq != number:
                raise ValueError(f"entry {number} is numbered {entry.seq}")

    @property
    def version(self) -> int:
        """The number of entries."""
        return len(self.entries)

    def extends(self, older: WithdrawalList) -> bool:
        """True where this list begins with all entries of the older one, unchanged."""
        return self.entries[: older.version] == older.entries

    def in_force(self) -> Mapping[str, Withdrawal]:
        """What holds now: recording id, or blob where the entry names no recording → its last withdrawal."""
        return self._force

    def withdrawn_recordings(self) -> frozenset[str]:
        """Shown ids of the recordings that are withdrawn now."""
        return frozenset(e.recording for e in self._force.values() if e.recording is not None)

    def withdrawn_blobs(self) -> frozenset[str]:
        """Hex SHA-256 of the blobs that are withdrawn now, by their own entry or by that of any recording."""
        return frozenset(self._blobs)

    def applying(self, recording: str, blob: str = "") -> Withdrawal | None:
        """The withdrawal that keeps a recording's blob from being served, or None."""
        return self._force.get(recording) or self._blobs.get(blob)

    @functools.cached_property
    def _force(self) -> dict[str, Withdrawal]:
        force: dict[str, Withdrawal] = {}
        for entry in self.entries:
            for subject in _subjects(entry):
                if entry.action == WITHDRAW:
                    force[subject] = entry
                else:
                    force.pop(subject, None)
        return force

    @functools.cached_property
    def _blobs(self) -> dict[str, Withdrawal]:
        found: dict[str, Withdrawal] = {}
        for subject, entry in self._force.items():
            # An entry about blobs alone holds for those of its blobs that were not restored since.
            for blob in entry.blobs if entry.recording is not None else (subject,):
                found.setdefault(blob, entry)
        return found

    def encode(self) -> bytes:
        """Canonical JSON."""
        return canonical.encode({
            "format": FORMAT, "version": self.version, "entries": [e.as_json() for e in self.entries]
        })  # fmt: skip


def _subjects(entry: Withdrawal) -> Iterable[str]:
    return entry.blobs if entry.recording is None else (entry.recording,)


EMPTY = WithdrawalList()


def parse(data: bytes) -> WithdrawalList:
    """A list from its bytes.

    Raises:
        ValueError: not such a list, a newer format, a gap, a wrong version, or too long.
    """
    if len(data) > MAX_BYTES:
        raise ValueError(f"a list of withdrawals of more than {MAX_BYTES} bytes is refused")
    value = canonical.decode(data)
    if not isinstance(value, dict) or not isinstance(value.get("entries"), list):
        raise ValueError("not a list of withdrawals")
    if value.get("format") != FORMAT:
        raise ValueError(f"format {value.get('format')!r} of the list of withdrawals is not known here")
    found = WithdrawalList(tuple(Withdrawal.from_json(e) for e in value["entries"]))
    if value.get("version") != found.version:
        raise ValueError(f"the list says version {value.get('version')!r} and has {found.version} entries")
    return found
