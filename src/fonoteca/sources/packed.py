"""Forms of packed files: told by their first bytes, unpacked step by step, each with its own limits.

gzip: RFC 1952. Zstandard: RFC 8878. Every decoder has the face of :class:`bz2.BZ2Decompressor`.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from fonoteca.core.errors import Usage
from fonoteca.sources.limits import Limits

MAGIC_BYTES = 6
"""Bytes of a file by which its form is told."""
_GZIP = 31  # zlib's number for "a gzip header and trailer are there"
_ZSTD = b"\x28\xb5\x2f\xfd"
_SKIPPABLE = b"\x2a\x4d\x18"  # after one byte from 0x50 to 0x5f


class Decoder(Protocol):
    """One member (gzip), stream (bzip2, xz) or frame (Zstandard)."""

    @property
    def eof(self) -> bool:
        """Whether its end was reached, and what it says of itself was true."""
        ...

    @property
    def needs_input(self) -> bool:
        """Whether it can give nothing more without more input."""
        ...

    @property
    def unused_data(self) -> bytes:
        """Input behind the end."""
        ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """The next bytes, at most so many. Raises one of :attr:`Form.errors`."""
        ...


@dataclass(frozen=True)
class Form:
    """One way in which files are packed."""

    name: str
    is_start: Callable[[bytes], bool]
    new: Callable[[Limits], Decoder]
    damage: str
    """The code of a refusal for bytes that cannot be unpacked."""


class Gzip:
    """A gzip member with the face of the other decoders. It can also give what stands before damage."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self._rest = b""

    @property
    def eof(self) -> bool:
        """As :class:`Decoder`."""
        return self._member.eof

    @property
    def needs_input(self) -> bool:
        """As :class:`Decoder`."""
        return not self._rest and not self.eof

    @property
    def unused_data(self) -> bytes:
        """As :class:`Decoder`."""
        return self._member.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """As :class:`Decoder`. After damage :meth:`salvage` gives what came before it."""
        before, pending = self._member.copy(), self._rest + data
        try:
            found = self._member.decompress(pending, max(max_length, 0))
        except zlib.error:
            self._member, self._rest = before, pending
            raise
        self._rest = self._member.unconsumed_tail
        return found

    def salvage(self, size: int) -> bytes:
        """What the stream gives before the byte at which it is found to be damaged."""
        found = bytearray()
        try:
            for at in range(len(self._rest)):
                if len(found) >= size:
                    break
                found += self._member.decompress(self._rest[at : at + 1], size - len(found))
        except zlib.error:
            pass
        return bytes(found)


def _zstd(limits: Limits) -> Decoder:
    module = zstd_module()
    window = limits.window.bit_length() - 1
    decoder: Decoder = module.ZstdDecompressor(options={module.DecompressionParameter.window_log_max: window})
    return decoder


def zstd_module() -> Any:
    """Python's module for Zstandard, or the same for older Pythons.

    Raises:
        Usage: ``no-zstd``: neither is there.
    """
    try:
        from compression import zstd  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        try:
            from backports import zstd
        except ImportError:
            raise Usage("no-zstd", "A file packed with Zstandard cannot be read", "Python's module for it is not there",
                        "install it: pip install 'fonoteca[archive]'") from None  # fmt: skip
    return zstd


def _is_zstd(head: bytes) -> bool:
    return head.startswith(_ZSTD) or (head[1:4] == _SKIPPABLE and 0x50 <= head[0] <= 0x5F)


FORMS = (
    Form("gzip", lambda head: head.startswith(b"\x1f\x8b"), lambda _: Gzip(), "damaged-gzip"),
    Form("bzip2", lambda head: head.startswith(b"BZh") and head[3:4].isdigit() and head[3:4] != b"0",
         lambda _: bz2.BZ2Decompressor(), "damaged-bzip2"),
    Form("xz", lambda head: head.startswith(b"\xfd7zXZ\x00"),
         lambda limits: lzma.LZMADecompressor(lzma.FORMAT_XZ, limits.window + (16 << 20)), "damaged-xz"),
    Form("zstd", _is_zstd, _zstd, "damaged-zstd"),
)  # fmt: skip


def form_of(head: bytes) -> Form | None:
    """The form of a file that begins so; None where it is not packed."""
    return next((form for form in FORMS if form.is_start(head)), None)


def errors() -> tuple[type[Exception], ...]:
    """What decoders raise on damage."""
    try:
        return (zlib.error, OSError, ValueError, EOFError, lzma.LZMAError, zstd_module().ZstdError)
    except Usage:
        return (zlib.error, OSError, ValueError, EOFError, lzma.LZMAError)
