"""Walks the chunks of WAV, AIFF and MP4 files: is everything there that the lengths promise?

WAV: Microsoft/IBM RIFF (little-endian lengths); AIFF: Apple's EA IFF 85 (big-endian); MP4: ISO/IEC 14496-12.
"""

from __future__ import annotations

import mmap
from typing import Literal

from fonoteca.audio.facts import AudioRefused

Bytes = bytes | mmap.mmap
_MAX_CHUNKS = 100_000


def check_iff(data: Bytes, audio: bytes, order: Literal["little", "big"]) -> None:
    """WAV (audio chunk ``data``) and AIFF (``SSND``).

    Raises:
        AudioRefused: ``truncated-audio`` where a chunk reaches beyond the end of the file or has no length,
            ``no-audio-stream`` where there is no audio chunk.
    """
    offset, found = 12, False
    for _ in range(_MAX_CHUNKS):
        if offset + 8 > len(data):
            break
        name, length = data[offset : offset + 4], int.from_bytes(data[offset + 4 : offset + 8], order)
        if offset + 8 + length > len(data):
            raise AudioRefused("truncated-audio", f"the chunk {_show(name)} has {length} bytes in its header and "
                                                  f"{len(data) - offset - 8} in the file")  # fmt: skip
        found = found or (name == audio and length > 0)
        offset += 8 + length + length % 2
    if not found:
        raise AudioRefused("no-audio-stream", "it holds no samples")
    promised = 8 + int.from_bytes(data[4:8], order)
    if promised > len(data) + 1:
        raise AudioRefused("truncated-audio", f"{len(data)} bytes of the {promised} that its header promises")


def check_mp4(data: Bytes) -> None:
    """The outermost boxes of an MP4 file.

    Raises:
        AudioRefused: ``truncated-audio`` where a box reaches beyond the end or the index (``moov``) is missing.
    """
    offset, names = 0, set()
    for _ in range(_MAX_CHUNKS):
        if offset + 8 > len(data):
            break
        length, name = int.from_bytes(data[offset : offset + 4], "big"), data[offset + 4 : offset + 8]
        if length == 1:
            length = int.from_bytes(data[offset + 8 : offset + 16], "big")
        elif length == 0:
            length = len(data) - offset
        if length < 8:
            raise AudioRefused("decode-error", f"the box at byte {offset} has the impossible length {length}")
        if offset + length > len(data):
            raise AudioRefused("truncated-audio", f"the box {_show(name)} at byte {offset} has {length} bytes in its "
                                                  f"header and {len(data) - offset} in the file")  # fmt: skip
        names.add(name)
        offset += length
    if b"moov" not in names:
        raise AudioRefused("truncated-audio", "the index (box moov) is missing")
    if offset != len(data):
        raise AudioRefused("truncated-audio", f"{len(data) - offset} bytes behind the last box")


def flac_samples(data: Bytes, start: int) -> int:
    """Samples per channel that STREAMINFO promises (RFC 9639, 8.2); 0 means unknown."""
    info = data[start + 8 : start + 8 + 34]
    if len(info) < 34 or data[start + 4] & 0x7F != 0:
        raise AudioRefused("truncated-audio", "the FLAC header (STREAMINFO) is cut short")
    _walk_flac(data, start + 4)
    return int.from_bytes(info[10:18], "big") & 0xFFFFFFFFF


def _walk_flac(data: Bytes, offset: int) -> None:
    """All metadata blocks must be there (RFC 9639, 8.1)."""
    last = False
    while not last:
        head = data[offset : offset + 4]
        offset += 4 + int.from_bytes(head[1:], "big")
        if len(head) < 4 or offset > len(data):
            raise AudioRefused("truncated-audio", "the FLAC header is cut short")
        last = bool(head[0] & 0x80)


def _show(name: bytes) -> str:
    return repr(name.decode("latin-1"))
