"""One stream of bzip2, as bzip2 itself writes it, made by several threads.

Blocks of a stream do not know of each other: each is made alone, by libbz2, and its bits are put after those of the
one before. The stream ends with a checksum of the checksums of its blocks.
"""

from __future__ import annotations

import bz2
import io
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Any

_CHUNK = 890_000
"""Bytes of a block. It holds 899,981 after runs of four to 255 equal bytes have been made five."""
_END, _END_BITS = 0x177245385090, 48
_SUM_BITS = 32
_HEAD = b"BZh9"


@dataclass(frozen=True)
class _Block:
    bits: int
    count: int
    checksum: int


def _blocks(data: bytes) -> list[_Block]:
    """The block of these bytes; two blocks where they do not fit into one."""
    packed = bz2.compress(data, 9)[len(_HEAD) :]
    value, tail = int.from_bytes(packed, "big"), _END_BITS + _SUM_BITS
    pad = next(n for n in range(8) if value >> (n + _SUM_BITS) & ((1 << _END_BITS) - 1) == _END)
    count = len(packed) * 8 - pad - tail
    whole = value >> pad & ((1 << _SUM_BITS) - 1)
    bits = value >> (pad + tail)
    if whole != bits >> (count - tail) & ((1 << _SUM_BITS) - 1):  # that of a stream of one block is the block's own
        half = len(data) // 2
        return [*_blocks(data[:half]), *_blocks(data[half:])]
    return [_Block(bits, count, whole)]


class Writer(io.RawIOBase):
    """Bytes written to it end in the file, packed. The bytes of the file do not depend on the number of threads."""

    def __init__(self, out: IO[bytes], jobs: int = 2) -> None:
        self._out, self._jobs = out, jobs
        self._pool = ThreadPoolExecutor(jobs)
        self._waiting: deque[Future[list[_Block]]] = deque()
        self._buffer = bytearray()
        self._bits, self._count, self._checksum = 0, 0, 0
        out.write(_HEAD)

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:
        """Blocks as they are full."""
        view = memoryview(data)
        self._buffer += view
        while len(self._buffer) >= _CHUNK:
            self._give(bytes(self._buffer[:_CHUNK]))
            del self._buffer[:_CHUNK]
        return len(view)

    def close(self) -> None:
        """The last block and the end of the stream."""
        if self.closed:
            return
        if self._buffer:
            self._give(bytes(self._buffer))
        while self._waiting:
            self._take()
        self._pool.shutdown()
        self._put(_END, _END_BITS)
        self._put(self._checksum, _SUM_BITS)
        self._put(0, -self._count % 8)
        self._out.close()
        super().close()

    def _give(self, data: bytes) -> None:
        self._waiting.append(self._pool.submit(_blocks, data))
        if len(self._waiting) > self._jobs + 1:
            self._take()

    def _take(self) -> None:
        for block in self._waiting.popleft().result():
            rolled = self._checksum << 1 | self._checksum >> (_SUM_BITS - 1)
            self._checksum = (rolled & ((1 << _SUM_BITS) - 1)) ^ block.checksum
            self._put(block.bits, block.count)

    def _put(self, bits: int, count: int) -> None:
        """Whole bytes go out; what is left of the last one waits."""
        bits, count = self._bits << count | bits, self._count + count
        left = count % 8
        self._out.write((bits >> left).to_bytes(count // 8, "big"))
        self._bits, self._count = bits & ((1 << left) - 1), left
