"""bzip2 on two cores gives what one core gives: the same bytes, and of a broken file the same damage."""

from __future__ import annotations

import bz2
import io
import random
from pathlib import Path

import pytest

from fonoteca.sources.bzip2 import WORTH_IT, Odd, ParallelBzip2, _End, _marks, _parts
from fonoteca.sources.limits import LIMITS, Limits
from fonoteca.sources.packed import form_of
from fonoteca.sources.stream import Inflater, open_bytes, torn

pytestmark = pytest.mark.core
_RANDOM = random.Random(5)
TEXT = b"".join(b"%d\t%x\n" % (n, _RANDOM.getrandbits(80)) for n in range(30_000))
PACKED = bz2.compress(TEXT, 1)
"""Nine blocks of one stream."""
FORM = form_of(PACKED)
assert FORM is not None


def serial(data: bytes, limits: Limits = LIMITS) -> Inflater:
    assert FORM is not None
    return Inflater(io.BytesIO(data), FORM, limits)


def parallel(data: bytes, limits: Limits = LIMITS) -> tuple[bytes, str | None, bool]:
    """What comes out, the code of damage, whether the reader for one core had to help."""
    with io.BufferedReader(ParallelBzip2(io.BytesIO(data), limits, lambda: serial(data, limits))) as stream:
        found = stream.read()
        damage = torn(stream)
        assert isinstance(stream.raw, ParallelBzip2)
        return found, damage.code if damage else None, stream.raw.serial is not None


@pytest.mark.parametrize("level", range(1, 10))
def test_blocks_of_every_size(level: int) -> None:
    assert parallel(bz2.compress(TEXT, level)) == (TEXT, None, False)


def test_streams_one_behind_the_other_also_empty_ones() -> None:
    data = bz2.compress(b"", 3) + b"".join(bz2.compress(TEXT[at : at + 50_000], 1 + at % 9)
                                           for at in range(0, len(TEXT), 50_000)) + bz2.compress(b"") * 5  # fmt: skip
    assert parallel(data) == (TEXT, None, False)


def test_a_file_larger_than_what_is_read_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "large"
    text = _RANDOM.randbytes(WORTH_IT + 1000)
    path.write_bytes(bz2.compress(text))
    with open_bytes(path) as stream:
        assert isinstance(stream.raw, ParallelBzip2)
        assert stream.read() == text
        assert torn(stream) is None
        assert stream.raw.serial is None


def test_blocks_packed_longer_than_they_are() -> None:
    text = _RANDOM.randbytes(2_000_000)
    assert parallel(bz2.compress(text)) == (text, None, False)


BROKEN = {
    "cut in a block": PACKED[: len(PACKED) // 2],
    "cut in the end": PACKED[:-3],
    "cut at a block": PACKED[:4],
    "garbage": PACKED + b"garbage",
    "zeros": PACKED + bytes(5000),
    "zeros between": PACKED + bytes(7) + PACKED,
    "wrong checksum of the stream": PACKED[:-2] + bytes([PACKED[-2] ^ 0xFF]) + PACKED[-1:],
    "wrong checksum of a block": PACKED[:11] + bytes([PACKED[11] ^ 1]) + PACKED[12:],
    "damage": PACKED[:200_000] + b"\xff" * 40 + PACKED[200_040:],
    "a header of no size": b"BZh0" + PACKED[4:],
    "a header again": PACKED + b"BZh9",
    "nothing": b"BZh9",
    "a mark in the middle": PACKED[:100_001] + b"1AY&SY" + PACKED[100_001:],
    "an end in the middle": PACKED[:100_001] + b"\x17rE8P\x90" + PACKED[100_001:],
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_ends_as_on_one_core(data: bytes) -> None:
    with io.BufferedReader(serial(data)) as stream:
        expected = stream.read()
        damage = torn(stream)
    found, code, helped = parallel(data)
    assert (code, helped) == (damage.code if damage else None, True)
    assert found.startswith(expected)  # one core gives nothing of a read in which it finds damage
    # A block is known to be damaged at its end only: what it gave before may be wrong.
    assert TEXT.startswith(found) or found == TEXT * 2 or code == "damaged-bzip2"


def test_a_bomb_stops_as_on_one_core() -> None:
    found, code, _ = parallel(bz2.compress(bytes(200 << 20)))
    assert code == "compression-bomb"
    assert len(found) < 100 << 20


def test_very_many_empty_streams() -> None:
    limits = Limits(empty_members=5000)
    assert parallel(bz2.compress(b"") * 4000 + PACKED, limits) == (TEXT, None, True)
    assert parallel(bz2.compress(b"") * 6000 + PACKED, limits) == (b"", "empty-members", True)


def test_marks_are_found_at_every_bit() -> None:
    for bit in range(8):
        for mark, ends in ((0x314159265359, False), (0x177245385090, True)):
            data = b"x" + (((1 << 60) | mark << 3) << (8 - bit)).to_bytes(10, "big") + b"y"
            assert [found[1] for found in _marks(data)] == [ends]


class _Trickle(io.BytesIO):
    """Gives so many bytes at a time, whatever is asked for."""

    def __init__(self, data: bytes, portion: int) -> None:
        super().__init__(data)
        self._portion = portion

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self._portion)


def test_the_ends_of_streams_are_found_wherever_the_reading_cuts_them() -> None:
    streams = [bz2.compress(b"%d" % n * n) for n in range(40)]
    for portion in range(1, 48):
        parts = list(_parts(_Trickle(b"".join(streams), portion)))
        assert sum(isinstance(part, _End) for part in parts) == len(streams), portion


def test_a_block_without_an_end_is_not_waited_for() -> None:
    data = b"BZh91AY&SY" + _RANDOM.randbytes(12 << 20)
    with pytest.raises(Odd):
        list(_parts(io.BytesIO(data)))


def test_it_may_be_closed_before_its_end() -> None:
    with io.BufferedReader(ParallelBzip2(io.BytesIO(PACKED), LIMITS, lambda: serial(PACKED))) as stream:
        assert stream.read(10) == TEXT[:10]
