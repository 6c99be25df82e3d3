"""The face of this package: what is in one audio file, decoded whole in a confined child process."""

from __future__ import annotations

from pathlib import Path

from fonoteca.audio.facts import AudioFacts, AudioRefused, Limits
from fonoteca.audio.pool import Pool

__all__ = ["AudioFacts", "AudioRefused", "Limits", "Pool", "probe"]


def probe(path: Path, limits: Limits | None = None) -> AudioFacts:
    """Facts about one file. For many files keep a :class:`Pool`, whose children are used again.

    Raises:
        AudioRefused: the file is not whole audio of an accepted format; ``code`` says what it is.
    """
    with Pool(limits or Limits(), workers=1) as pool:
        return pool.probe(path)
