"""What probing a file gives: facts or a refusal; and the limits that it keeps to."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Limits:
    """Every limit on reading one audio file, with its unit in the name."""

    max_bytes: int = 4 << 30
    decode_seconds: int = 600
    decode_memory_bytes: int = 1 << 30
    max_audio_seconds: int = 48 * 3600
    max_sample_rate_hz: int = 768_000
    max_channels: int = 64
    max_tags: int = 256
    """Tag values kept of one file."""
    max_tag_chars: int = 4096
    """Characters kept of one tag value."""
    max_reply_bytes: int = 8 << 20
    """Longest answer that is read from the child process."""
    files_per_child: int = 200
    """A child is replaced after so many files."""


@dataclass(frozen=True)
class AudioFacts:
    """What a whole, decodable audio file holds.

    Attributes:
        container: ``flac``, ``ogg``, ``mp3``, ``mp4``, ``wav`` or ``aiff``.
        codec: ``flac``, ``vorbis``, ``opus``, ``mp3``, ``aac``, ``alac`` or ``pcm``.
        bit_rate: mean over the whole file, bits per second.
        samples: decoded, per channel.
        tags: lower-case name as in Vorbis comments → values, cleaned and bounded.
        notes: what was odd and was mended: ``cleaned-text``, ``bad-tags``, ``tags-cut``.
    """

    container: str
    codec: str
    mime: str
    extension: str
    bit_rate: int
    sample_rate: int
    channels: int
    duration_ms: int
    samples: int
    tags: dict[str, list[str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The fields by name."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> AudioFacts:
        """The reverse of :meth:`as_json`. TypeError, KeyError for another shape."""
        return cls(**(value | {"notes": tuple(value["notes"])}))


class AudioRefused(Exception):
    """The file is not whole audio of an accepted format. ``code`` is listed in ``codes.toml``."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
