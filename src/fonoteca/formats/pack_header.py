"""The 2,048 bytes in front of an entry's data, exactly (normative: docs/formats/pack.md, "Headers").

A pax header block, 1,024 bytes of pax records, a ustar header block whose fields are all constant but the size.
Source of the rules: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header Block".
"""

from __future__ import annotations

from typing import Final

SECTOR: Final = 512
"""Bytes in a TAR block."""
PAX_DATA: Final = 1024
"""Bytes of pax records in each entry."""
HEADER: Final = 2 * SECTOR + PAX_DATA
"""Bytes in front of an entry's data."""
END: Final = 2 * SECTOR
"""Bytes of zeros that end the archive."""
USTAR_LIMIT: Final = 8 << 30
"""From this size on (8 GiB) the size stands in the pax records, and the ustar field is 0."""
SIZE_LIMIT: Final = 10**13
"""Entries are smaller than this, so that all that the records say fits into their first 512 bytes."""

SHA256: Final = "SCHILY.xattr.user.fonoteca.sha256"
"""The pax keyword of the digest; GNU tar knows its prefix and stays silent."""
_MTIME: Final = 315_532_800
"""1980-01-01T00:00:00Z: GNU tar warns at 0, and ZIP and FAT know nothing earlier."""


def padding(length: int) -> int:
    """Zeros that fill data to a whole number of TAR blocks."""
    return -length % SECTOR


def _block(typeflag: bytes, name: bytes, size: int) -> bytes:
    fields = (
        name.ljust(100, b"\0"), b"0000644\0", b"0000000\0", b"0000000\0", b"%011o\0" % size, b"%011o\0" % _MTIME,
        b" " * 8, typeflag, bytes(100), b"ustar\x0000", bytes(32), bytes(32), b"0000000\0", b"0000000\0", bytes(155),
        bytes(12),
    )  # fmt: skip
    block = b"".join(fields)
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


_PAX_BLOCK: Final = _block(b"x", b"pax", PAX_DATA)


def _record(keyword: str, value: str) -> bytes:
    """``<length> <keyword>=<value>\\n`` where length counts its own digits."""
    body = f" {keyword}={value}\n".encode()
    length = len(body) + 1
    while len(str(length)) + len(body) != length:
        length = len(str(length)) + len(body)
    return str(length).encode() + body


def _pax_data(path: str, sha256: str, size: int) -> bytes:
    records = _record("path", path) + _record(SHA256, sha256)
    if size >= USTAR_LIMIT:
        records += _record("size", str(size))
    left = PAX_DATA - len(records)
    start = b"%d comment=" % left
    if len(records) + len(start) > SECTOR:
        raise ValueError(f"the path {path!r} is too long for a pack")
    return records + start + b" " * (left - len(start) - 1) + b"\n"


def header(path: str, sha256: str, size: int) -> bytes:
    """The 2,048 bytes of one entry.

    Raises:
        ValueError: a path that is too long, a size below 0 or of 10 TB or more, or a digest that is not 64 hex digits.
    """
    if not 0 <= size < SIZE_LIMIT:
        raise ValueError(f"an entry of {size} bytes does not go into a pack")
    if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
        raise ValueError(f"{sha256!r} is not a hex SHA-256")
    if not path or "\0" in path or "\n" in path:
        raise ValueError(f"{path!r} is not the path of an entry")
    return _PAX_BLOCK + _pax_data(path, sha256, size) + _block(b"0", b"entry", size if size < USTAR_LIMIT else 0)


def pax_sector(path: str, sha256: str, size: int) -> bytes:
    """The first 512 bytes of the pax records: the only ones in a header that depend on path and digest."""
    return header(path, sha256, size)[SECTOR : 2 * SECTOR]


def parse(block: bytes) -> tuple[str, str, int]:
    """Path, hex SHA-256 and size of a header.

    Raises:
        ValueError: with the reason; anything that :func:`header` would not write byte for byte.
    """
    if len(block) != HEADER:
        raise ValueError(f"a header of {len(block)} bytes is cut short")
    try:
        records = _records(block[SECTOR : SECTOR + PAX_DATA])
        size = int(records["size"]) if "size" in records else int(block[-SECTOR + 124 : -SECTOR + 135], 8)
        path, sha256 = records["path"], records[SHA256]
    except KeyError as missing:
        raise ValueError(f"the pax record {missing} is missing") from None
    if header(path, sha256, size) != block:
        raise ValueError(f"the header of {path!r} is not in the form of a pack")
    return path, sha256, size


def _records(data: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    while data:
        digits, _, _ = data[:8].partition(b" ")
        length = int(digits) if digits.isdigit() else 0
        record, data = data[len(digits) + 1 : length], data[length:]
        keyword, equals, value = record.partition(b"=")
        if length <= 0 or not equals or not value.endswith(b"\n"):
            raise ValueError("the pax records are malformed")
        found[keyword.decode("utf-8")] = value[:-1].decode("utf-8")
    return found
