"""A dump's bytes as text: packed files known by their first bytes, unpacked under limits, the encoding found or given.

A file that ends too early, fails its checksum or unpacks to absurdly much gives what was good, and then its
``torn`` says what was wrong: the reader turns that into one refusal, so nothing is lost in silence.
"""

from __future__ import annotations

import codecs
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from fonoteca.sources.bzip2 import WORTH_IT, ParallelBzip2
from fonoteca.sources.limits import LIMITS, Limits
from fonoteca.sources.packed import MAGIC_BYTES, Form, Gzip, errors, form_of

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

GZIP_MAGIC = b"\x1f\x8b"
_READ = 64 << 10


@dataclass(frozen=True)
class Torn:
    """Why a file could not be read to its end: a code of ``codes.toml`` and a sentence."""

    code: str
    reason: str


class Inflater(io.RawIOBase):
    """The unpacked bytes of a packed stream of one or more members; ends early, with ``torn`` set, on trouble."""

    def __init__(self, source: BinaryIO, form: Form, limits: Limits = LIMITS) -> None:
        super().__init__()
        self.torn: Torn | None = None
        self._source = source
        self._form = form
        self._limits = limits
        self._errors = errors()
        self._member = form.new(limits)
        self._pending = b""
        self._in = self._out = self._empty = self._of_member = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def close(self) -> None:
        """Close the packed file too."""
        if not self.closed:
            self._source.close()
        super().close()

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the buffer with the next unpacked bytes; 0 at the end, or where the stream is torn."""
        view = memoryview(buffer).cast("B")
        data = self._next(len(view))
        view[: len(data)] = data
        return len(data)

    def _next(self, size: int) -> bytes:
        while self.torn is None:
            if self._member.eof and not self._next_member():
                return b""
            ended = self._member.needs_input and not self._pending and not self._fill()
            data = self._inflate(size)
            self._out += len(data)
            self._of_member += len(data)
            self._watch()
            if data:
                return data
            if ended and not self._member.eof:
                self.torn = self.torn or Torn("truncated-file", f"the {self._form.name} stream ends before its trailer")
        return b""

    def _fill(self) -> bool:
        self._pending = self._source.read(_READ)
        self._in += len(self._pending)
        return bool(self._pending)

    def _next_member(self) -> bool:
        """Whether another member follows. Zeros behind the last one are padding, anything else is not."""
        self._pending = self._member.unused_data or self._pending
        while not self._pending.lstrip(b"\0") and self._fill():
            pass
        rest = self._pending
        if not rest.lstrip(b"\0"):
            self._pending = b""
            return False
        if len(rest) < MAGIC_BYTES:
            self._pending = rest + self._source.read(_READ)
        if not self._form.is_start(self._pending):
            self.torn = Torn("trailing-garbage",
                             f"bytes that are no {self._form.name} follow the end of the {self._form.name} stream"
                             )  # fmt: skip
            return False
        self._empty = 0 if self._of_member else self._empty + 1
        self._of_member = 0
        if self._empty > self._limits.empty_members:
            self.torn = Torn("empty-members", f"more than {self._limits.empty_members} parts in a row hold nothing")
            return False
        self._member = self._form.new(self._limits)
        return True

    def _inflate(self, size: int) -> bytes:
        pending, self._pending = self._pending, b""
        try:
            return self._member.decompress(pending, size)
        except self._errors as error:
            self.torn = self._damage(error)
        return self._member.salvage(size) if isinstance(self._member, Gzip) else b""

    def _damage(self, error: Exception) -> Torn:
        if "memory" in str(error).lower():
            return Torn("packed-window", f"to unpack it takes more memory than {self._limits.window} bytes ({error})")
        return Torn(self._form.damage, f"the {self._form.name} stream is damaged ({error})")

    def _watch(self) -> None:
        limit = self._limits
        if self._out > limit.gzip_floor and self._out > limit.gzip_ratio * self._in:
            self.torn = Torn("compression-bomb", f"{self._in} packed bytes had given {self._out} already, more than "
                             f"{limit.gzip_ratio} for one")  # fmt: skip


def open_bytes(path: Path, limits: Limits = LIMITS) -> io.BufferedReader:
    """The file's bytes, unpacked where its first bytes say how it is packed. The caller closes it. OSError as usual."""
    source = path.open("rb")
    form = form_of(source.peek(MAGIC_BYTES)[:MAGIC_BYTES])
    if form is None:
        return source
    try:
        if form.name == "bzip2" and path.stat().st_size >= WORTH_IT:
            return io.BufferedReader(
                ParallelBzip2(source, limits, lambda: Inflater(path.open("rb"), form, limits)), _READ
            )
        return io.BufferedReader(Inflater(source, form, limits), _READ)
    except BaseException:
        source.close()
        raise


def torn(stream: io.BufferedReader) -> Torn | None:
    """What was wrong with the file, once it is read to its end."""
    raw: object = stream.raw
    if isinstance(raw, ParallelBzip2):
        raw = raw.serial
    return raw.torn if isinstance(raw, Inflater) else None


def open_text(path: Path, encoding: str, limits: Limits = LIMITS) -> tuple[io.TextIOWrapper, io.BufferedReader]:
    """Text and the bytes beneath it. Bytes that are not in the encoding come out as lone surrogates.

    Lines end at LF, CR or CR LF, and keep their ends. The caller closes the text.
    """
    stream = open_bytes(path, limits)
    wide = encoding.startswith(("utf-16", "utf-32"))
    errors = "replace" if wide else "surrogateescape"
    return io.TextIOWrapper(stream, encoding, errors=errors, newline=""), stream


_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip


def find_encoding(sample: bytes) -> str:
    """The encoding of a file's first bytes: a byte order mark, UTF-16 by its zeros, else UTF-8, else Windows-1252.

    Windows-1252 only where the sample has no sequence of UTF-8 at all and every odd byte is a letter in it:
    a few stray bytes in ASCII or UTF-8 stay what they are, damage, and are flagged as such.
    """
    for mark, name in _MARKS:
        if sample.startswith(mark):
            return name
    half = len(sample) // 2
    if half and sample[1::2].count(0) > half * 0.8:
        return "utf-16-le"
    if half and sample[0::2].count(0) > half * 0.8:
        return "utf-16-be"
    text = sample.decode("utf-8", "surrogateescape")
    strays = [c for c in text[:-3] if "\udc80" <= c <= "\udcff"]
    others = any(c > "\x7f" and not "\udc80" <= c <= "\udcff" for c in text)
    if strays and not others and all(ord(c) - 0xDC00 >= 0xC0 for c in strays):
        return "cp1252"
    return "utf-8"
