"""Walks the pages of an Ogg file: checksums, order, and the mark of the last page (RFC 3533)."""

from __future__ import annotations

import mmap
import zlib
from dataclasses import dataclass

from fonoteca.audio.facts import AudioRefused

_HEAD = 27
_CONTINUED, _FIRST, _LAST = 1, 2, 4
_MIRROR = bytes(int(f"{i:08b}"[::-1], 2) for i in range(256))
_ONES = 0xFFFFFFFF


def page_checksum(page: bytes) -> int:
    """CRC-32 with polynomial 0x04C11DB7, not reflected, start 0 (RFC 3533, 6).

    The reflected CRC of the mirrored bytes, mirrored back, is the same number; zlib has that one in C.
    """
    mirrored = zlib.crc32(page.translate(_MIRROR), _ONES) ^ _ONES
    return int(f"{mirrored:032b}"[::-1], 2)


@dataclass
class _Stream:
    page: int
    ended: bool = False


def _page_length(data: mmap.mmap | bytes, offset: int) -> int:
    """Bytes of the page at the offset. Raises AudioRefused where it does not fit into the file."""
    segments = data[offset + 26] if offset + _HEAD <= len(data) else None
    if segments is None or offset + _HEAD + segments > len(data):
        raise AudioRefused("truncated-audio", f"the last page, at byte {offset}, is cut short")
    length = _HEAD + segments + sum(data[offset + _HEAD : offset + _HEAD + segments])
    if offset + length > len(data):
        raise AudioRefused("truncated-audio", f"the last page, at byte {offset}, is cut short")
    return length


def _follow(streams: dict[bytes, _Stream], page: bytes, offset: int) -> None:
    serial, number, flags = page[14:18], int.from_bytes(page[18:22], "little"), page[5]
    known = streams.get(serial)
    if known is None or (known.ended and flags & _FIRST):
        if not flags & _FIRST:
            raise AudioRefused("decode-error", f"the page at byte {offset} belongs to no stream")
        known = streams[serial] = _Stream(number)
    elif known.ended or number != known.page + 1:
        raise AudioRefused("decode-error", f"pages are missing before byte {offset}")
    known.page = number
    known.ended = bool(flags & _LAST)


def check(data: mmap.mmap | bytes) -> None:
    """Walk all pages.

    Raises:
        AudioRefused: ``truncated-audio`` where the last page is cut or not marked as the last, ``decode-error``
            for a wrong checksum, a missing page, or bytes that belong to no page.
    """
    streams: dict[bytes, _Stream] = {}
    offset, end = 0, len(data)
    while offset < end:
        if data[offset : offset + 4] != b"OggS":
            if not data[offset : offset + 4] or not any(data[offset:end]):
                break
            cut = b"OggS".startswith(data[offset:end])
            code = "truncated-audio" if cut else "decode-error"
            raise AudioRefused(code, f"no page where one must be, at byte {offset}")
        length = _page_length(data, offset)
        page = data[offset : offset + length]
        if page_checksum(page[:22] + bytes(4) + page[26:]) != int.from_bytes(page[22:26], "little"):
            raise AudioRefused("decode-error", f"the page at byte {offset} has a wrong checksum")
        _follow(streams, page, offset)
        offset += length
    if not all(stream.ended for stream in streams.values()):
        raise AudioRefused("truncated-audio", "the last page is missing")
