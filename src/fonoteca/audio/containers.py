"""The accepted containers: told by content, never by name, with the one demuxer and the codecs of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO

from fonoteca.audio import mpeg

HEAD = 1 << 16
"""Bytes of the start that are looked at, after an ID3v2 tag."""


@dataclass(frozen=True)
class Container:
    """One container. ``codecs``: the decoder library's name → (our codec name, MIME type, extension)."""

    name: str
    demuxer: str
    codecs: dict[str, tuple[str, str, str]]


_PCM = [f"pcm_{kind}{order}" for kind in ("s16", "s24", "s32", "f32", "f64") for order in ("le", "be")]
_PCM += ["pcm_u8", "pcm_s8"]

CONTAINERS: dict[str, Container] = {
    c.name: c
    for c in (
        Container("flac", "flac", {"flac": ("flac", "audio/flac", "flac")}),
        Container("ogg", "ogg", {
            "vorbis": ("vorbis", "audio/ogg", "ogg"),
            "opus": ("opus", "audio/ogg", "opus"),
            "flac": ("flac", "audio/ogg", "oga"),
        }),
        Container("mp3", "mp3", {"mp3": ("mp3", "audio/mpeg", "mp3"), "mp3float": ("mp3", "audio/mpeg", "mp3")}),
        Container("mp4", "mov", {"aac": ("aac", "audio/mp4", "m4a"), "alac": ("alac", "audio/mp4", "m4a")}),
        Container("wav", "wav", dict.fromkeys(_PCM, ("pcm", "audio/wav", "wav"))),
        Container("aiff", "aiff", dict.fromkeys(_PCM, ("pcm", "audio/aiff", "aiff"))),
    )
}  # fmt: skip

DECODERS = sorted({codec for c in CONTAINERS.values() for codec in c.codecs})
"""All decoders that may run at all: the decoder library refuses the others by itself."""

_MP4_BRANDS = (b"M4A", b"M4B", b"mp4", b"iso", b"avc", b"qt ", b"dash", b"MSNV", b"F4A", b"3gp")


def id3_length(head: bytes) -> int:
    """Bytes of an ID3v2 tag at the start, header and footer included; 0 where there is none (id3.org)."""
    if len(head) < 10 or head[:3] != b"ID3" or max(head[6:10]) > 0x7F:
        return 0
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return 10 + size + (10 if head[5] & 0x10 else 0)


def skip_id3(stream: IO[bytes]) -> int:
    """Offset behind all ID3v2 tags at the start (some writers put several)."""
    offset = 0
    for _ in range(16):
        stream.seek(offset)
        length = id3_length(stream.read(10))
        if not length:
            break
        offset += length
    return offset


def _by_magic(head: bytes) -> str | None:
    if head.startswith(b"fLaC"):
        return "flac"
    if head.startswith(b"OggS"):
        return "ogg"
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] == b"FORM" and head[8:12] in {b"AIFF", b"AIFC"}:
        return "aiff"
    if head[4:8] == b"ftyp" and head[8:12].startswith(_MP4_BRANDS):
        return "mp4"
    return None


def sniff(stream: IO[bytes]) -> Container | None:
    """The container by its content, or None for what is none of the accepted ones."""
    start = skip_id3(stream)
    stream.seek(start)
    head = stream.read(HEAD)
    name = _by_magic(head)
    if name is None and mpeg.first_frame(head) is not None:
        name = "mp3"
    return CONTAINERS[name] if name else None
