"""Chance by arithmetic alone: 64 bits of an index under a key, the same everywhere and for ever (splitmix64)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Words = npt.NDArray[np.uint64]
Index = npt.NDArray[np.int64]

_STEP = 0x9E3779B97F4A7C15
_HEX = np.frombuffer("".join(f"{n:02x}" for n in range(256)).encode(), np.uint16)


@dataclass(frozen=True)
class Dice:
    """Independent streams of bits, one a name, all hanging on a seed."""

    seed: int

    def bits(self, name: str, index: Index | int) -> Words:
        """64 bits for each index."""
        key = int.from_bytes(hashlib.sha256(f"{self.seed}:{name}".encode()).digest()[:8], "big")
        with np.errstate(over="ignore"):
            state = np.asarray(index, np.int64).astype(np.uint64) * np.uint64(_STEP) + np.uint64(key)
        return mixed(state)

    def below(self, name: str, index: Index | int, limit: int | Index) -> Index:
        """A whole number in [0, limit), limit < 2^32, for each index."""
        return scaled(self.bits(name, index), limit)

    def one_in(self, name: str, index: Index | int, count: int) -> npt.NDArray[np.bool_]:
        """True for one index in so many."""
        return self.below(name, index, count) == 0

    def uuids(self, name: str, index: Index) -> pa.Array:
        """Random-looking UUIDs of version 4, as text."""
        raw = np.empty((len(index), 2), ">u8")
        raw[:, 0] = (self.bits(f"{name}/high", index) & np.uint64(0xFFFFFFFFFFFF0FFF)) | np.uint64(0x4000)
        raw[:, 1] = (self.bits(f"{name}/low", index) & np.uint64(0x3FFFFFFFFFFFFFFF)) | np.uint64(1 << 63)
        digits = _HEX[raw.view(np.uint8)].view(np.uint8)
        text = np.full((len(index), 36), ord("-"), np.uint8)
        for source, target, length in ((0, 0, 8), (8, 9, 4), (12, 14, 4), (16, 19, 4), (20, 24, 12)):
            text[:, target : target + length] = digits[:, source : source + length]
        return fixed_text(text)


def mixed(state: Words) -> Words:
    """The output step of splitmix64. The array given is worked on."""
    with np.errstate(over="ignore"):
        state ^= state >> np.uint64(30)
        state *= np.uint64(0xBF58476D1CE4E5B9)
        state ^= state >> np.uint64(27)
        state *= np.uint64(0x94D049BB133111EB)
        state ^= state >> np.uint64(31)
    return state


def scaled(bits: Words, limit: int | Index) -> Index:
    """The upper 32 bits as a whole number in [0, limit)."""
    return (((bits >> np.uint64(32)) * np.asarray(limit, np.uint64)) >> np.uint64(32)).astype(np.int64)


def fixed_text(letters: npt.NDArray[np.uint8]) -> pa.Array:
    """Rows of ASCII letters, all of one length, as an array of text."""
    count, width = letters.shape
    offsets = np.arange(count + 1, dtype=np.int32) * np.int32(width)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(letters))]
    return pa.StringArray.from_buffers(count, *buffers[1:])


def digits(numbers: Index, width: int) -> npt.NDArray[np.uint8]:
    """Decimal digits with leading zeros, one row a number."""
    left, text = numbers.copy(), np.empty((len(numbers), width), np.uint8)
    for place in range(width - 1, -1, -1):
        left, text[:, place] = left // 10, left % 10 + 48
    return text


def spread(anchors: Sequence[tuple[float, float]], steps: int) -> Index:
    """``steps`` + 1 whole numbers along the straight lines between (share, value) anchors."""
    shares = np.arange(steps + 1) / steps
    return np.rint(np.interp(shares, [a for a, _ in anchors], [b for _, b in anchors])).astype(np.int64)
