"""The entries of a tar archive as streams, in one pass: nothing is ever written under a name that an archive gives.

Because nothing is extracted, a link leads nowhere and a name is only a name. All the same an entry that an honest
dump has no reason for is refused, each by name: links, devices, names that point outside, names twice, sparse files.
Times, owners and modes are not looked at. ustar and pax: POSIX.1-2024; long names and base-256 numbers: GNU tar.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from fonoteca.sources.limits import Limits
from fonoteca.sources.records import Refused
from fonoteca.sources.rows import refused

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BLOCK = 512
_SKIP = 1 << 20
_REGULAR = (b"\0", b"0", b"7")
_SILENT = (b"5", b"D", b"V")
"""Folders and the label of a volume."""
_ODD = {
    b"1": ("archive-link", "it is a hard link"), b"2": ("archive-link", "it is a symbolic link"),
    b"3": ("archive-device", "it is a device"), b"4": ("archive-device", "it is a device"),
    b"6": ("archive-device", "it is a FIFO"), b"S": ("archive-sparse", "it is a sparse file"),
    b"M": ("archive-type", "it continues a file of another archive"),
}  # fmt: skip
_WITHOUT_DATA = (b"1", b"2", b"3", b"4", b"5", b"6")
_DRIVE = re.compile(r"[A-Za-z]:")


class BadArchive(ValueError):
    """The archive cannot be read on. ``code`` is a code of ``codes.toml``."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True)
class Member:
    """A file in an archive, or a file that is none. The stream can be read until the next member is asked for."""

    name: str
    size: int | None
    """Bytes; None where only reading tells (a packed file)."""
    stream: IO[bytes]


MakeError = Callable[[BadArchive], Exception]


def _cut() -> BadArchive:
    return BadArchive("truncated-file", "the archive ends in the middle of a file")


class _Part(io.RawIOBase):
    """The next so many bytes of a stream."""

    def __init__(self, source: IO[bytes], size: int, error: MakeError) -> None:
        super().__init__()
        self._source = source
        self._error = error
        self.left = size

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the buffer. Raises what was given for an archive that ends within the member."""
        view = memoryview(buffer).cast("B")
        data = self._source.read(min(len(view), self.left))
        if not data and self.left and len(view):
            raise self._error(_cut())
        view[: len(data)] = data
        self.left -= len(data)
        return len(data)

    def skip(self) -> None:
        """Read what is left."""
        while self.left:
            data = self._source.read(min(_SKIP, self.left))
            if not data:
                raise self._error(_cut())
            self.left -= len(data)


@dataclass
class _Header:
    """One block, and what headers before it said of it."""

    name: str
    size: int
    type: bytes
    extended: bool


@dataclass
class _Told:
    """What headers say of the entry that follows them (pax ``x``, GNU ``L``), or of all that follow (pax ``g``)."""

    pax: dict[str, str] = field(default_factory=dict)
    name: str | None = None


def is_tar(block: bytes) -> bool:
    """Whether a file that begins with this block is a tar archive: its checksum is right."""
    return len(block) == BLOCK and block[0] != 0 and _is_header(block)


def _is_header(block: bytes) -> bool:
    try:
        told = _number(block[148:156])
    except BadArchive:
        return False
    return told == sum(block) - sum(block[148:156]) + 8 * 32


def entries(source: IO[bytes], limits: Limits, error: MakeError) -> Iterator[Member | Refused]:
    """All files in order, and a refusal for each entry that is no file or has a name that none should have.

    Args:
        error: makes the error for an archive that ends within a file: its reader sees that one.

    Raises:
        BadArchive: truncated, damaged, followed by other bytes, beyond a limit.
    """
    seen: set[str] = set()
    links: set[str] = set()
    total = 0
    for header, told in _headers(source, limits):
        name, size = told.name or header.name, _size(header, told)
        total += size
        if total > limits.unpacked:
            raise BadArchive("compression-bomb", f"the archive says that it holds more than {limits.unpacked} bytes")
        padded = size + -size % BLOCK
        part = _Part(source, padded, error)
        trouble = _trouble(header, told, name, seen, links, limits)
        if trouble is not None:
            yield refused(name[:200], trouble[0], trouble[1], name, limits)
        elif header.type in _REGULAR and not name.endswith("/"):
            seen.add(_plain(name))
            body = _Part(source, size, error)
            yield Member(name, size, io.BufferedReader(body, 1 << 16) if size else io.BytesIO())
            body.skip()
            part.left = padded - size
        part.skip()


def _headers(source: IO[bytes], limits: Limits) -> Iterator[tuple[_Header, _Told]]:
    """Headers of entries with what was said of them; all blocks that only say something are taken in."""
    everywhere: dict[str, str] = {}
    told = _Told()
    for header in _blocks(source, limits):
        if header.type in (b"x", b"g", b"L", b"K"):
            data = _extended(source, header, limits)
            if header.type == b"x":
                told.pax = _pax(data)
            elif header.type == b"g":
                everywhere |= _pax(data)
            elif header.type == b"L":
                told.name = _text(data)
            continue
        told.pax = everywhere | told.pax
        told.name = told.pax.get("path", told.name)
        if header.extended:
            while _read(source, BLOCK)[504]:
                pass
        yield header, told
        told = _Told()


def _blocks(source: IO[bytes], limits: Limits) -> Iterator[_Header]:
    for _ in range(limits.archive_members):
        block = source.read(BLOCK)
        if len(block) < BLOCK:
            raise BadArchive("truncated-file", "the archive ends without its end mark")
        if block == bytes(BLOCK):
            _end(source)
            return
        if not _is_header(block):
            raise BadArchive("damaged-archive", "a header of the archive does not match its checksum")
        yield _header(block)
    raise BadArchive("archive-members", f"the archive has more than {limits.archive_members} entries")


def _end(source: IO[bytes]) -> None:
    """Read what follows the end mark, so that the checksum of a packed archive is looked at, too."""
    while data := source.read(_SKIP):
        if data.strip(b"\0"):
            raise BadArchive("trailing-garbage", "other bytes follow the end mark of the archive")


def _header(block: bytes) -> _Header:
    name = _text(block[:100])
    if block[257:263] == b"ustar\0" and (prefix := _text(block[345:500])):
        name = f"{prefix}/{name}"
    kind = block[156:157]
    size = 0 if kind in _WITHOUT_DATA else _number(block[124:136])
    return _Header(name, size, kind, extended=kind == b"S" and bool(block[482]))


def _size(header: _Header, told: _Told) -> int:
    if "size" not in told.pax or header.type in _WITHOUT_DATA:
        return header.size
    written = told.pax["size"]
    if not (written.isascii() and written.isdigit() and len(written) <= 18):
        raise BadArchive("damaged-archive", f"an entry of the archive has the size {written[:40]!r}")
    return int(written)


def _number(written: bytes) -> int:
    """Octal, or base 256. Raises BadArchive for what is neither, or below zero."""
    if written[0] & 0x80:
        if written[0] & 0x40 or (found := int.from_bytes(written, "big") & ~(0x80 << 8 * (len(written) - 1))) >> 60:
            raise BadArchive("damaged-archive", "a number in a header of the archive is below zero or too large")
        return found
    text = written.strip(b" \0") or b"0"
    if not text.isdigit() or b"8" in text or b"9" in text:
        raise BadArchive("damaged-archive", "a number in a header of the archive is none")
    return int(text, 8)


def _text(data: bytes) -> str:
    return data.partition(b"\0")[0].decode("utf-8", "backslashreplace")


def _extended(source: IO[bytes], header: _Header, limits: Limits) -> bytes:
    if header.size > limits.archive_header:
        raise BadArchive("archive-header", f"a header of the archive says that it has {header.size} bytes, more than "
                         f"{limits.archive_header}")  # fmt: skip
    return _read(source, header.size + -header.size % BLOCK)[: header.size]


def _read(source: IO[bytes], size: int) -> bytes:
    data = source.read(size)
    if len(data) < size:
        raise BadArchive("truncated-file", "the archive ends in the middle of a header")
    return data


def _pax(data: bytes) -> dict[str, str]:
    """``length key=value`` and a line end, again and again."""
    found: dict[str, str] = {}
    at = 0
    while at < len(data):
        digits = data[at : at + 9].partition(b" ")[0]
        length = int(digits) if digits.isdigit() else 0
        key, is_there, value = data[at + len(digits) + 1 : at + length - 1].partition(b"=")
        if not is_there or data[at + length - 1 : at + length] != b"\n":
            raise BadArchive("damaged-archive", "an extended header of the archive cannot be read")
        found[key.decode("utf-8", "backslashreplace")] = value.decode("utf-8", "backslashreplace")
        at += length
    return found


def _plain(name: str) -> str:
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def _trouble(
    header: _Header, told: _Told, name: str, seen: set[str], links: set[str], limits: Limits
) -> tuple[str, str] | None:
    """Why an entry is refused; None for a file and for a folder with a good name."""
    if why := bad_name(name, limits):
        return "archive-name", why
    plain = _plain(name)
    if header.type in _ODD:
        links.update([plain] if _ODD[header.type][0] == "archive-link" else [])
        return _ODD[header.type]
    if any(key.startswith("GNU.sparse.") for key in told.pax):
        return _ODD[b"S"]
    parts = plain.split("/")
    if any("/".join(parts[:n]) in links for n in range(1, len(parts) + 1)):
        return "archive-link", "its name leads through a link of the archive"
    if header.type not in _REGULAR + _SILENT:
        return "archive-type", f"it is of the unknown type {header.type!r}"
    if header.type in _REGULAR and plain in seen:
        return "archive-twice", "another file of the archive has the same name"
    return None


def bad_name(name: str, limits: Limits) -> str | None:
    """Why no entry should have this name; None for a good one."""
    if len(name) > limits.archive_name:
        return f"its name is longer than {limits.archive_name} characters"
    if not _plain(name) and name not in (".", "./"):
        return "it has no name"
    slashes = name.replace("\\", "/")
    if slashes.startswith("/") or _DRIVE.match(name):
        return "its name begins at a root or a drive"
    if ".." in slashes.split("/"):
        return "its name leads out of its folder"
    if any(ord(c) < 32 or ord(c) == 127 for c in name):
        return "its name has control characters"
    return None
