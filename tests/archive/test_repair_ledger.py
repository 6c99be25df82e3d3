"""The ledger is mended as far as its own hash chain proves it, and no further."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from fonoteca.archive import chain, repair_ledger

pytestmark = pytest.mark.core


def ledger(count: int = 6, seed: int = 0) -> bytes:
    bodies = [{"type": "x", "number": n, "text": f"夜明け {seed} " * 4} for n in range(count)]
    return b"".join(chain.encode(bodies, chain.START)[0])


DATA = ledger()


def flip(data: bytes, at: int, bit: int) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1 << bit
    return bytes(changed)


def test_any_flipped_bit_is_found_by_trying() -> None:
    """I1: newlines and the last line too; a sample by seed."""
    dice = random.Random(1)
    newlines = [i for i, byte in enumerate(DATA) if byte == 10]
    for at in [0, len(DATA) - 1, *newlines, *(dice.randrange(len(DATA)) for _ in range(12))]:
        bit = dice.randrange(8)
        assert repair_ledger.mend(flip(DATA, at, bit), []) == DATA, (at, bit)


def test_a_bit_that_made_a_newline_is_turned_back() -> None:
    data = b"".join(chain.encode([{"type": "x", "text": f"a*{n}"} for n in range(3)], chain.START)[0])
    at = data.index(b"*", 300)  # one bit from a newline
    changed = data[:at] + b"\n" + data[at + 1 :]
    assert repair_ledger.mend(changed, []) == data


def test_lines_that_are_gone_come_from_a_copy_when_a_later_line_proves_them() -> None:
    lines = DATA.splitlines(keepends=True)
    broken = lines[0] + b"x" * 300 + b"\n" + bytes(200) + b"\n" + b"".join(lines[4:])
    assert repair_ledger.mend(broken, []) is None
    assert repair_ledger.mend(broken, [ledger(seed=1), DATA]) == DATA


def test_an_older_copy_does_if_it_reaches_behind_the_damage() -> None:
    lines = DATA.splitlines(keepends=True)
    broken = b"?" * 50 + b"\n" + b"".join(lines[1:])
    assert repair_ledger.mend(broken, [b"".join(lines[:2])]) == DATA
    assert repair_ledger.mend(broken, [lines[0]]) is None


def test_a_forged_line_at_the_end_of_a_copy_is_not_believed() -> None:
    lines = DATA.splitlines(keepends=True)
    head = chain.parse(b"".join(lines[:5])).head
    forged = b"".join(lines[:5]) + chain.encode([{"type": "claim", "licence": "CC0-1.0"}], head)[0][0]
    broken = b"".join(lines[:5]) + b"@" * len(lines[5][:-1]) + b"\n"
    assert repair_ledger.mend(broken, [forged]) is None


def test_a_copy_whose_history_is_another_is_not_believed() -> None:
    lines = DATA.splitlines(keepends=True)
    other = ledger(seed=7).splitlines(keepends=True)
    broken = lines[0] + b"x" * 300 + b"\n" + b"".join(lines[2:])
    assert repair_ledger.mend(broken, [b"".join([*other[:2], *lines[2:]])]) is None
    assert repair_ledger.mend(broken, [b"".join([lines[0], other[1], *lines[2:]])]) is None


def test_damage_in_two_places_is_mended_from_a_copy_alone() -> None:
    broken = flip(flip(DATA, 40, 1), DATA.rindex(b"\n", 0, len(DATA) - 1) - 300, 2)
    assert repair_ledger.mend(broken, [DATA]) == DATA


def test_a_ledger_of_the_shared_size_is_searched_in_seconds(tmp_path: Path) -> None:
    long = b"".join(chain.encode([{"type": "x", "text": "a" * 4_000} for _ in range(3)], chain.START)[0])
    started = time.monotonic()
    assert repair_ledger.mend(flip(long, 6_000, 0), []) == long
    assert time.monotonic() - started < 20
