"""Short audio files of every accepted kind, synthesised: no third-party music enters the repository."""

from __future__ import annotations

import functools
import io
from pathlib import Path
from typing import Any

import av
import numpy as np

from fonoteca.audio.encode import Recipe, encode

RECIPES = {
    "flac": Recipe("flac", "flac", "flac", "s16"),
    "opus": Recipe("ogg", "libopus", "opus", "s16", 64_000),
    "oggflac": Recipe("ogg", "flac", "oga", "s16"),
    "mp3": Recipe("mp3", "libmp3lame", "mp3", "s16p", 96_000),
    "aac": Recipe("ipod", "aac", "m4a", "fltp", 96_000),
    "alac": Recipe("ipod", "alac", "m4a", "s16p"),
    "wav": Recipe("wav", "pcm_s16le", "wav", "s16"),
    "aiff": Recipe("aiff", "pcm_s16be", "aiff", "s16"),
}
KINDS = (*RECIPES, "vorbis")


def _vorbis(samples: np.ndarray[Any, np.dtype[np.int16]], rate: int, tags: dict[str, str]) -> bytes:
    """The only Vorbis encoder that the wheels have takes two channels and wants to be called experimental."""
    target = io.BytesIO()
    with av.open(target, "w", format="ogg", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("vorbis", rate=rate, options={"strict": "experimental", "flags": "+bitexact"})
        stream.layout, stream.format, stream.bit_rate = "stereo", "fltp", 96_000
        stream.metadata.update(tags)
        both = np.stack([samples, samples]).astype(np.float32) / 32_768
        for start in range(0, both.shape[1], 4096):
            part = np.ascontiguousarray(both[:, start : start + 4096])
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="stereo")
            frame.sample_rate, frame.pts = rate, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return target.getvalue()


@functools.cache
def sound(
    kind: str, seconds: float = 1.5, pitch: int = 440, title: str = "A tone", extra: tuple[tuple[str, str], ...] = ()
) -> bytes:
    """One file at 48 kHz, mono but for Vorbis: a tone with a little seeded noise, so that no block is like another."""
    rate = 48_000
    at = np.arange(int(seconds * rate))
    noise = np.random.default_rng(pitch).integers(-900, 900, len(at))
    samples = (9000 * np.sin(2 * np.pi * pitch * at / rate) + noise).astype(np.int16)
    if kind == "vorbis":
        return _vorbis(samples, rate, {"title": title, "artist": "Nobody"} | dict(extra))
    return encode(samples, rate, RECIPES[kind], {"title": title, "artist": "Nobody"} | dict(extra))


def write(folder: Path, name: str, data: bytes) -> Path:
    """A file in a folder that may not be there yet."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
