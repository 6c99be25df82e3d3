"""``parts decode|tags FILE …``: parts of an intake alone: PyAV's decoding, mutagen's tags."""

from __future__ import annotations

import sys

import av
import mutagen

from benchmarks.sides.protocol import serve


def decode(path: str) -> None:
    with av.open(path) as container:
        for frame in container.decode(audio=0):
            _ = frame.samples


def tags(path: str) -> None:
    found = mutagen.File(path)
    _ = found.tags if found is not None else None


if __name__ == "__main__":
    part = {"decode": decode, "tags": tags}[sys.argv[1]]
    serve(lambda: [part(path) for path in sys.argv[2:]])
