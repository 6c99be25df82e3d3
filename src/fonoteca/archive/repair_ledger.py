"""Mends the ledger of holdings, which no other file promises: only what its own hash chain proves is put back.

Each line names the digest of the line before, so an intact line proves every line before it. A single flipped bit is
found by trying: only one flip gives lines whose digests are right. More than that is taken from a copy of the archive,
as far as it leads up to a line that is intact here. What stands at the end, with nothing behind it, is never believed.
"""

from __future__ import annotations

from collections.abc import Iterable

from fonoteca.archive import chain
from fonoteca.core import canonical

MAX_TRIED = 8_192
"""Damaged bytes in a row up to which one flipped bit is searched for: some seconds."""


def mend(data: bytes, copies: Iterable[bytes]) -> bytes | None:
    """The right bytes of a damaged ledger, or None where nothing proves them.

    Args:
        data: the ledger as it is.
        copies: the ledgers of copies of the archive; older ones do too, if they reach behind the damage.
    """
    log = chain.parse(data)
    found = _one_bit(data, log) if log.damaged else None
    if found is not None:
        return found
    for copy in copies:
        found = _joined(data, log, copy)
        if found is not None:
            return found
    return None


def _proven(fixed: bytes, log: chain.Log) -> bool:
    """Whether a ledger is whole, and has every line that was intact."""
    after = chain.parse(fixed)
    return not after.damaged and {canonical.digest(b) for b in log.intact} <= {
        canonical.digest(b) for b in after.bodies
    }


def _one_bit(data: bytes, log: chain.Log) -> bytes | None:
    """The ledger with one bit of its damaged lines flipped, if that makes it whole."""
    numbers = [number for number, _ in log.damaged]
    if numbers[-1] - numbers[0] != len(numbers) - 1:
        return None  # damage in several places is no single bit
    starts = [0]
    for line in data.split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    # A newline that became another byte joins two lines, and its line is the longer one: the region covers both.
    first, stop = starts[numbers[0] - 1], min(starts[numbers[-1]], len(data))
    region = bytearray(data[first:stop])
    if len(region) > MAX_TRIED:
        return None
    for at in range(len(region)):
        for bit in range(8):
            region[at] ^= 1 << bit
            if _whole(region) and _proven(fixed := data[:first] + bytes(region) + data[stop:], log):
                return fixed
            region[at] ^= 1 << bit
    return None


def _whole(region: bytearray) -> bool:
    """A quick look: as many lines with right digests as there are lines."""
    return region.endswith(b"\n") and len(chain.parse(bytes(region)).intact) == region.count(b"\n")


def _joined(data: bytes, log: chain.Log, copy: bytes) -> bytes | None:
    """A copy's lines up to one that is intact here behind all damage, and from there on the lines that are here."""
    starts = [0]
    for line in data.split(b"\n")[:-1]:
        starts.append(starts[-1] + len(line) + 1)
    behind = log.damaged[-1][0] if log.damaged else len(starts)
    if behind >= len(starts) - 1:
        return None  # nothing intact behind the damage proves what was there
    tail = data[starts[behind] :]
    first = tail[: tail.index(b"\n") + 1]
    at = copy.find(b"\n" + first)
    if at < 0:
        return None
    fixed = copy[: at + 1] + tail
    return fixed if _proven(fixed, log) else None
