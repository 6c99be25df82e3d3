"""Which holding of a recording is published, and in which order recordings fill packs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fonoteca.publish.inputs import Candidate

LOSSLESS = frozenset({"flac", "alac", "wavpack", "tta", "ape", "mlp", "truehd"})
"""Codecs that keep every sample; raw PCM in any shape is added by its prefix."""


def lossless(codec: str) -> bool:
    """Does the codec keep every sample?"""
    return codec.lower() in LOSSLESS or codec.lower().startswith("pcm")


def quality(candidate: Candidate) -> tuple[object, ...]:
    """Sort key: the smallest is the best original. Lossless first, then the finer sound, then the digest.

    Among lossless holdings the bit rate tells how well they are packed, not how they sound, so sample rate and
    channels come first and the smaller file wins; among lossy ones the higher bit rate does.
    """
    fine = (-(candidate.sample_rate or 0), -(candidate.channels or 0))
    if lossless(candidate.codec):
        return (0, *fine, candidate.bytes, candidate.blob)
    return (1, -(candidate.bit_rate or 0), *fine, -candidate.bytes, candidate.blob)


def best(candidates: Iterable[Candidate]) -> dict[int, Candidate]:
    """The best original of each recording, in the order of recording ids."""
    found: dict[int, Candidate] = {}
    for candidate in candidates:
        if candidate.recipe != "original":
            continue
        rival = found.get(candidate.recording)
        if rival is None or quality(candidate) < quality(rival):
            found[candidate.recording] = candidate
    return dict(sorted(found.items()))


def by_popularity(candidates: Iterable[Candidate], listens: Mapping[int, int | None]) -> list[Candidate]:
    """Most heard first; unknown counts last; equal ones by recording id and blob."""

    def key(candidate: Candidate) -> tuple[int, int, str]:
        count = listens.get(candidate.recording)
        return (1 if count is None else -count, candidate.recording, candidate.blob)

    return sorted(candidates, key=key)
