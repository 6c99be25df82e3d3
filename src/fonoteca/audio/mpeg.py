"""Walks the frames of an MP3 file: is every frame whole, and are all there that the header counts?

Frame header: ISO/IEC 11172-3, 2.4.2.3; the Xing header is the de-facto standard of MP3 encoders.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass

from fonoteca.audio.facts import AudioRefused

_BIT_RATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BIT_RATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_IN_A_ROW = 3
_MAX_JUNK = 1 << 16


@dataclass(frozen=True)
class Frame:
    """One layer III frame: bytes with its header, samples per channel, and what must not change."""

    length: int
    samples: int
    sample_rate: int
    mono: bool
    side: int
    """Bytes between the header and the place of a Xing header."""


Bytes = bytes | mmap.mmap


def frame_at(data: Bytes, offset: int) -> Frame | None:
    """The frame whose header stands at the offset, or None: no header, another layer, or free format."""
    head = data[offset : offset + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return None
    version, rate_index, bit_index = head[1] >> 3 & 3, head[2] >> 2 & 3, head[2] >> 4
    if version == 1 or rate_index == 3 or bit_index in {0, 15}:
        return None
    first = version == 3
    sample_rate = _RATES[version][rate_index]
    kilobits = (_BIT_RATES_1 if first else _BIT_RATES_2)[bit_index]
    length = (144000 if first else 72000) * kilobits // sample_rate + (head[2] >> 1 & 1)
    mono = head[3] >> 6 == 3
    side = (17 if mono else 32) if first else (9 if mono else 17)
    return Frame(length, 1152 if first else 576, sample_rate, mono, side)


def first_frame(data: Bytes, start: int = 0, end: int | None = None) -> int | None:
    """Offset of the first frame that is followed by others of the same kind, within 64 KiB of junk."""
    stop = min(start + _MAX_JUNK, len(data) if end is None else end)
    offset = start
    while (offset := data.find(b"\xff", offset, stop)) >= 0:
        if _run(data, offset, stop):
            return offset
        offset += 1
    return None


def _run(data: Bytes, offset: int, stop: int) -> bool:
    rate = None
    for _ in range(_IN_A_ROW):
        frame = frame_at(data, offset)
        if frame is None or (rate is not None and frame.sample_rate != rate):
            return False
        rate = frame.sample_rate
        offset += frame.length
        if offset >= stop:
            return offset == len(data)
    return True


def _audio_end(data: Bytes, start: int) -> int:
    """Offset where the trailing tags begin: ID3v1, APEv2, Lyrics3, and zeros."""
    end = len(data)
    while end > start:
        before = end
        if end - start >= 128 and data[end - 128 : end - 125] == b"TAG":
            end -= 128
        elif end - start >= 32 and data[end - 32 : end - 24] == b"APETAGEX":
            size = int.from_bytes(data[end - 20 : end - 16], "little")
            header = 32 if int.from_bytes(data[end - 12 : end - 8], "little") >> 31 else 0
            end = max(end - size - header, start)
        elif end - start >= 9 and data[end - 9 : end] == b"LYRICS200" and data[end - 15 : end - 9].isdigit():
            end = max(end - 15 - int(data[end - 15 : end - 9]), start)
        if end == before:
            break
    while end > start and data[end - 1] == 0:
        chunk = data[max(start, end - 4096) : end]
        kept = len(chunk.rstrip(b"\0"))
        end -= len(chunk) - kept
        if kept:
            break
    return end


def _xing_frames(data: Bytes, offset: int, frame: Frame) -> int | None:
    """Frames that the Xing or VBRI header of the first frame counts; None where there is none."""
    at = offset + 4 + frame.side
    if data[at : at + 4] in {b"Xing", b"Info"}:
        flags = int.from_bytes(data[at + 4 : at + 8], "big")
        return int.from_bytes(data[at + 8 : at + 12], "big") if flags & 1 else None
    at = offset + 36
    return int.from_bytes(data[at + 14 : at + 18], "big") if data[at : at + 4] == b"VBRI" else None


def check(data: Bytes, start: int) -> None:
    """Walk all frames behind the ID3v2 tag.

    Raises:
        AudioRefused: ``truncated-audio`` where the last frame is cut or frames are missing, ``decode-error``
            where something else than frames stands between frames.
    """
    offset = first_frame(data, start)
    if offset is None:
        raise AudioRefused("not-audio", "no MPEG layer III frames")
    head = frame_at(data, offset)
    assert head is not None
    counted = _xing_frames(data, offset, head)
    frames = 0 if counted is None else -1
    while frame := frame_at(data, offset):
        if offset + frame.length > len(data):
            raise AudioRefused("truncated-audio", f"the last frame, at byte {offset}, is cut short")
        if frame.sample_rate != head.sample_rate:
            break
        offset += frame.length
        frames += 1
    if offset < _audio_end(data, offset):
        raise AudioRefused("decode-error", f"no frame where one must be, at byte {offset}")
    if counted is not None and frames < counted:
        raise AudioRefused("truncated-audio", f"{frames} frames of the {counted} that its header counts")
