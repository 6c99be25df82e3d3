"""Encodes samples with PyAV, in memory. The same samples and recipe give the same bytes on the same machine."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

FRAME = 4096
"""Samples handed to the encoder at a time; it cuts them to its own frame size."""


@dataclass(frozen=True)
class Recipe:
    """How to encode: FFmpeg's container and encoder names, bit rate in bits per second (0: lossless)."""

    container: str
    encoder: str
    extension: str
    sample_format: str
    bit_rate: int = 0


FLAC = Recipe("flac", "flac", "flac", "s16")
OPUS = Recipe("ogg", "libopus", "opus", "s16", 64_000)
MP3 = Recipe("mp3", "libmp3lame", "mp3", "s16p", 96_000)
WAV = Recipe("wav", "pcm_s16le", "wav", "s16")


def encode(samples: np.ndarray[Any, np.dtype[np.int16]], rate: int, recipe: Recipe, tags: Mapping[str, str]) -> bytes:
    """One mono file.

    Args:
        samples: 16-bit, one channel.
        rate: samples per second (Opus wants 48,000).
        recipe: container and encoder.
        tags: written as the container's own metadata (title, artist, album, ...).
    """
    import av

    target = io.BytesIO()
    # bitexact: no version of the library and no random serial number in the file.
    with av.open(target, "w", format=recipe.container, options={"fflags": "+bitexact"}) as container:
        container.metadata.update(tags)
        stream: Any = container.add_stream(recipe.encoder, rate=rate, options={"flags": "+bitexact"})
        stream.layout = "mono"
        stream.format = recipe.sample_format
        if recipe.bit_rate:
            stream.bit_rate = recipe.bit_rate
        if recipe.container == "ogg":
            stream.metadata.update(tags)
        resampler = av.AudioResampler(format=recipe.sample_format, layout="mono", rate=rate)
        for start in range(0, len(samples), FRAME):
            frame = av.AudioFrame.from_ndarray(samples[None, start : start + FRAME], format="s16", layout="mono")
            frame.sample_rate = rate
            frame.pts = start
            for ready in resampler.resample(frame):
                container.mux(stream.encode(ready))
        container.mux(stream.encode(None))
    return target.getvalue()
