"""The hash chain finds every flipped bit, and goes on behind damage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fonoteca.archive import chain

pytestmark = pytest.mark.core

BODIES: list[chain.Body] = [
    {"type": "claim", "licence": "CC0-1.0", "n": 1},
    {"type": "claim", "licence": 'quote " and \\ and \x1b', "n": 2},
    {"type": "claim", "licence": "звук 音", "n": 3},
]
DATA = b"".join(chain.encode(BODIES, chain.START)[0])


def test_what_was_written_is_read() -> None:
    log = chain.parse(DATA)
    assert (log.bodies, log.damaged, log.torn) == (BODIES, [], 0)
    assert log.head == chain.encode(BODIES, chain.START)[1]


def test_writing_on_gives_the_same_bytes_as_writing_at_once() -> None:
    first, head = chain.encode(BODIES[:1], chain.START)
    rest, _ = chain.encode(BODIES[1:], head)
    assert b"".join(first + rest) == DATA


def test_every_single_flipped_bit_is_found_and_its_line_named() -> None:
    for at in range(len(DATA)):
        line = DATA[:at].count(b"\n") + 1
        for bit in range(8):
            flipped = bytearray(DATA)
            flipped[at] ^= 1 << bit
            damaged = [number for number, _ in chain.parse(bytes(flipped)).damaged]
            assert damaged, (at, bit)
            assert line - 1 <= damaged[0] <= line, (at, bit)


def test_a_line_taken_out_or_swapped_is_found() -> None:
    lines = DATA.splitlines(keepends=True)
    for changed in (lines[1:], [lines[0], lines[2]], [lines[1], lines[0], lines[2]], [lines[0], *lines]):
        assert chain.parse(b"".join(changed)).damaged


def test_all_damaged_lines_are_listed_and_those_behind_are_still_read() -> None:
    lines = chain.encode([{"n": n} for n in range(20)], chain.START)[0]
    for at in (3, 9, 10, 19):
        lines[at] = lines[at].replace(b'"n":', b'"m":')
    log = chain.parse(b"".join(lines))
    assert [number for number, _ in log.damaged] == [4, 10, 11, 20]
    assert len(log.bodies) == 3
    assert len(log.intact) == 16


@given(st.integers(0, len(DATA)))
def test_a_write_that_was_cut_short_is_no_damage(length: int) -> None:
    log = chain.parse(DATA[:length])
    assert log.damaged == []
    assert log.bodies == BODIES[: DATA[:length].count(b"\n")]
    assert bool(log.torn) == (length > 0 and DATA[length - 1 : length] != b"\n")
