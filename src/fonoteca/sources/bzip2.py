"""bzip2 on several cores: its blocks are found by their marks and unpacked side by side.

A block begins with a mark of 48 bits at any bit, and can be unpacked alone when it is given a stream of its own; its
checksum is looked at by the decoder, the one over a stream's blocks here. Where anything is not as it should be, the
file is read again from its start by the decoder for one core, past what was given already: it alone says what is
damage. So a damaged file ends exactly as it does there, and bits that look like a mark by chance do no harm.
"""

from __future__ import annotations

import bz2
import io
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from fonoteca.sources.limits import Limits

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

WORTH_IT = 4 << 20
"""Bytes of a packed file from which threads are worth it."""
_BLOCK, _END = 0x314159265359, 0x177245385090
_MARK = (1 << 48) - 1
_READ = 1 << 20
_LONGEST = 4 << 20  # bytes of one packed block: bzip2's blocks are below 1 MiB
_EMPTY = 1000
_MAGIC = b"BZh"
_HEADERS = {_MAGIC + b"%d" % level for level in range(1, 10)}
_TRAILER = 16  # bytes: a mark and a checksum, up to the next whole byte, are 11


class Odd(Exception):
    """The file is not as a whole file of bzip2 should be, or only looks so."""


@dataclass(frozen=True)
class _Block:
    """One block: the bytes that it lies in, and its first and last bit in them."""

    header: bytes
    data: bytes
    first: int
    last: int

    @property
    def checksum(self) -> int:
        """Of what is packed in it: the 32 bits behind its mark."""
        return _bits(self.data, self.first + 48, 32)

    def unpack(self) -> bytes:
        """The block as the only one of a stream. Raises OSError or ValueError."""
        length = self.last - self.first
        bits = int.from_bytes(self.data, "big") >> (len(self.data) * 8 - self.last) & ((1 << length) - 1)
        bits = (bits << 80) | (_END << 32) | self.checksum
        padding = -(length + 80) % 8
        decoder = bz2.BZ2Decompressor()
        found = decoder.decompress(self.header + (bits << padding).to_bytes((length + 80 + padding) // 8, "big"))
        if not decoder.eof or decoder.unused_data:
            raise ValueError("the block does not end where the next one begins")
        return found


@dataclass(frozen=True)
class _End:
    """The end of a stream, and its checksum over those of its blocks."""

    checksum: int


def _bits(data: bytes, first: int, count: int) -> int:
    part = data[first // 8 : (first + count + 7) // 8]
    return int.from_bytes(part, "big") >> (-(first + count) % 8) & ((1 << count) - 1)


def _needles(mark: int) -> list[tuple[bytes, int]]:
    """What a mark looks like at each of the eight bits of a byte: its whole bytes, and the bit."""
    found = []
    for bit in range(8):
        whole = (mark << (8 - bit)).to_bytes(7, "big")
        found.append((whole[1:6] if bit else whole[:6], bit))
    return found


_NEEDLES = {mark: _needles(mark) for mark in (_BLOCK, _END)}


def _marks(data: bytes) -> list[tuple[int, bool]]:
    """Bits at which marks begin, and whether each ends a stream; those that are there in whole.

    A stream ends where the data does, or where another one's header follows: only there its mark is looked for. One
    that comes anywhere else is damage, which the decoder of the block before it sees.
    """
    ends = {first for low, high in _last_bytes(data) for first in _find(data, _END, low, high)}
    return sorted([(first, False) for first in _find(data, _BLOCK, 0, len(data))] + [(first, True) for first in ends])


def _last_bytes(data: bytes) -> Iterator[tuple[int, int]]:
    """Where a stream may end: before each header, and at the end of the data."""
    at = data.find(_MAGIC)
    while at >= 0:
        yield max(0, at - _TRAILER), at
        at = data.find(_MAGIC, at + 1)
    yield max(0, len(data) - _TRAILER), len(data)


def _find(data: bytes, mark: int, low: int, high: int) -> Iterator[int]:
    """Bits at which a mark begins, of those that lie whole within these bytes."""
    for needle, bit in _NEEDLES[mark]:
        at = data.find(needle, low, high)
        while at >= 0:
            first = (at - 1) * 8 + bit if bit else at * 8
            if low * 8 <= first <= high * 8 - 48 and _bits(data, first, 48) == mark:
                yield first
            at = data.find(needle, at + 1, high)


def _parts(source: BinaryIO) -> Iterator[_Block | _End]:
    """Blocks and ends of streams in order. Raises Odd."""
    header, data = b"", b""
    here, is_end, is_first = 0, True, True
    while (more := _more(source, data)) is not None:
        data, marks = more
        for at, ends in marks:
            if not is_end:
                yield _Block(header, data[here // 8 : (at + 7) // 8], here % 8, at - here // 8 * 8)
            else:
                header = _header(data, here if is_first else _after(here), at)
                if not is_first:
                    yield _End(_bits(data, here + 48, 32))
            here, is_end, is_first = at, ends, False
        data, here = data[here // 8 :], here % 8
    if is_first or not is_end or _after(here) != len(data) * 8:
        raise Odd
    yield _End(_bits(data, here + 48, 32))


def _more(source: BinaryIO, data: bytes) -> tuple[bytes, list[tuple[int, bool]]] | None:
    """More of the file behind what is at hand, and the marks that it brought; None at the end. Raises Odd."""
    if len(data) > _LONGEST:
        raise Odd
    more = source.read(_READ)
    if not more:
        return None
    old = data[-6:]
    before = len(data) - len(old)
    return data + more, [(at + before * 8, ends) for at, ends in _marks(old + more) if at >= len(old) * 8 - 47]


def _after(end: int) -> int:
    """The bit of the next byte behind the mark that ends a stream, and its checksum."""
    return (end + 48 + 32 + 7) // 8 * 8


def _header(data: bytes, start: int, mark: int) -> bytes:
    """The header of a stream between these bits. Raises Odd where something else is there."""
    found = data[start // 8 : start // 8 + 4]
    if mark != start + 32 or found not in _HEADERS:
        raise Odd
    return found


class ParallelBzip2(io.RawIOBase):
    """The unpacked bytes of a file of bzip2, with the face of :class:`fonoteca.sources.stream.Inflater`.

    Holds about ``ahead`` unpacked blocks, of 900 kB each (a hostile one: 46 MB).
    """

    def __init__(self, source: BinaryIO, limits: Limits, serial: Callable[[], io.RawIOBase], threads: int = 2) -> None:
        super().__init__()
        self._source = source
        self._limits = limits
        self._new_serial = serial
        self.serial: io.RawIOBase | None = None
        """The reader for one core, once it was needed."""
        self._pool = ThreadPoolExecutor(threads, "bzip2")
        self._ahead = 2 * threads + 1
        self._found = self._blocks()
        self._rest = memoryview(b"")
        self._out = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def close(self) -> None:
        """Close the packed file, and let the threads go."""
        if not self.closed:
            self._found.close()
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._source.close()
            if self.serial is not None:
                self.serial.close()
        super().close()

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the buffer with the next unpacked bytes; 0 at the end."""
        view = memoryview(buffer).cast("B")
        if self.serial is None and not self._rest and len(view):
            self._next()
        if self.serial is not None:
            return self.serial.readinto(view) or 0
        size = min(len(view), len(self._rest))
        view[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        self._out += size
        return size

    def _next(self) -> None:
        try:
            self._rest = memoryview(next((block for block in self._found if block), b""))
        except (Odd, OSError, ValueError):
            self._go_serial()

    def _go_serial(self) -> None:
        """Go on with the reader for one core, from where this one has come."""
        self.serial = self._new_serial()
        left = self._out
        while left and (passed := self.serial.read(min(left, _READ))):
            left -= len(passed)

    def _blocks(self) -> Generator[bytes]:
        """Unpacked blocks in order, while those behind them are being unpacked. Raises Odd, OSError, ValueError."""
        waiting: deque[tuple[Future[bytes], _Block] | _End] = deque()
        parts = _parts(self._source)
        checked = _Checksums(self._limits)
        for part in parts:
            waiting.append(part if isinstance(part, _End) else (self._pool.submit(part.unpack), part))
            if len(waiting) > self._ahead:
                yield checked.one(waiting.popleft())
        while waiting:
            yield checked.one(waiting.popleft())


class _Checksums:
    """What has been unpacked so far: the checksum of the stream at hand, bytes in and out, empty streams."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._stream = self._in = self._out = self._empty = 0

    def one(self, part: tuple[Future[bytes], _Block] | _End) -> bytes:
        """The bytes of a block. Raises Odd, OSError, ValueError."""
        if isinstance(part, _End):
            if part.checksum != self._stream or self._empty > _EMPTY:
                raise Odd
            self._stream = 0
            self._empty += 1
            return b""
        future, block = part
        data = future.result()
        self._stream = ((self._stream << 1 | self._stream >> 31) & 0xFFFFFFFF) ^ block.checksum
        self._in += len(block.data)
        self._out += len(data)
        self._empty = 0
        if self._out > self._limits.gzip_floor and self._out > self._limits.gzip_ratio * self._in:
            raise Odd
        return data
