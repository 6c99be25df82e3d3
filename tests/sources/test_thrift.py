"""Thrift's compact protocol, read strictly: what readers could differ about is refused."""

from __future__ import annotations

import contextlib
import random

import pytest

from fonoteca.sources.thrift import (
    BINARY,
    BYTE,
    DOUBLE,
    FALSE,
    I16,
    I32,
    I64,
    LIST,
    MAP,
    SET,
    STRUCT,
    TRUE,
    Malformed,
    Shape,
    read,
)
from sources.parquet_maker import struct, varint, zigzag

pytestmark = pytest.mark.core
INNER = Shape(keep={1: I32})
SHAPE = Shape(keep={1: I32, 2: BINARY, 3: TRUE, 4: I64}, inner={5: INNER, 6: INNER}, lists={6: STRUCT, 7: I64})


def test_fields_that_are_wanted_are_kept_and_all_others_passed_over() -> None:
    data = struct(
        (1, I32, -7), (2, BINARY, b"abc"), (4, I64, 1 << 40), (5, STRUCT, struct((1, I32, 3), (2, I64, 9))),
        (6, LIST, (STRUCT, [struct((1, I32, n)) for n in range(20)])), (7, LIST, (I64, [zigzag(1)])),
        (20, STRUCT, struct((1, BINARY, b"x"))), (21, LIST, (BINARY, [varint(1) + b"x"] * 3)), (900, I16, -3),
    )  # fmt: skip
    other = bytes([DOUBLE | 16]) + bytes(8) + bytes([BYTE | 16, 255, TRUE | 16, FALSE | 16])
    other += bytes([SET | 16, 0x21, 1, 2, MAP | 16, 1, BINARY << 4 | I32, 1, 120, 4, MAP | 16, 0])
    kept, end = read(data[:-1] + other + b"\0" + b"more", 0, SHAPE)
    assert kept == {1: -7, 2: b"abc", 4: 1 << 40, 5: {1: 3}, 6: [{1: n} for n in range(20)], 7: []}
    assert end == len(data) + len(other)
    assert [read(bytes([0x30 | kind, 0]), 0, SHAPE)[0] for kind in (TRUE, FALSE)] == [{3: True}, {3: False}]


@pytest.mark.parametrize(("data", "reason"), [
    (struct((1, I32, 1), (1, I32, 2)), "twice"),
    (struct((9, I32, 1), (9, I32, 2)), "twice"),
    (struct((0, I32, 1)), "must not be"),
    (struct((-4, I32, 1)), "must not be"),
    (struct((1, I64, 1)), "another type"),
    (struct((2, I32, 1)), "another type"),
    (struct((5, I32, 1)), "another type"),
    (struct((6, LIST, (I32, [b"\0"]))), "elements of another type"),
    (struct((7, LIST, (STRUCT, [b"\0"]))), "elements of another type"),
    (struct((1, I32, 1 << 31)), "more than 32 bits"),
    (b"\x46" + b"\xff" * 10 + b"\1\0", "ten bytes"),
    (b"\x46" + b"\xff" * 9 + b"\2\0", "64 bits"),
    (b"\x8d\0\0", "unknown type"),
    (b"\x80\0", "unknown type"),
    (b"\x8c" * 100, "too deep"),
    (b"\x99" + b"\x19" * 100, "too deep"),
])  # fmt: skip
def test_what_readers_could_differ_about_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        read(data, 0, SHAPE)


@pytest.mark.parametrize("kind", [LIST, SET])
def test_a_count_beyond_the_bytes_ends_at_once(kind: int) -> None:
    for element in (BINARY, I32, STRUCT, TRUE, DOUBLE, LIST):
        with pytest.raises((IndexError, Malformed)):
            read(bytes([0x90 | kind, 0xF0 | element]) + varint(1 << 62) + bytes(9), 0, SHAPE)
    with pytest.raises(IndexError):
        read(bytes([0x90 | MAP]) + varint(1 << 62) + bytes([0x88]) + bytes(9), 0, SHAPE)


def test_every_cut_and_every_noise_is_refused_or_read_within_its_bytes() -> None:
    data = struct((1, I32, -7), (2, BINARY, b"abc"), (5, STRUCT, struct((1, I32, 3))), (21, LIST, (I32, [b"\2"] * 20)))
    for end in range(len(data)):
        with pytest.raises(IndexError):
            read(data[:end], 0, SHAPE)
    dice = random.Random(5)
    for _ in range(5_000):
        noise = bytearray(data)
        noise[dice.randrange(len(data))] = dice.randrange(256)
        with contextlib.suppress(Malformed, IndexError):
            assert read(bytes(noise), 0, SHAPE)[1] <= len(noise)
