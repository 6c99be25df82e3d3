"""Turns a tune into sound: additive tones with an envelope, a soft drone, a little room. Same tune, same samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from fonoteca.cli.demo.notation import Tune

RATE = 48_000
"""Samples per second."""
_TAIL = 1.2
"""Seconds for the last tone to die away."""

# Strength of each partial; seconds of attack; how fast it fades, per second.
_TIMBRES: dict[str, tuple[tuple[float, ...], float, float]] = {
    "pluck": ((1.0, 0.6, 0.35, 0.22, 0.12, 0.07), 0.004, 3.2),
    "flute": ((1.0, 0.18, 0.08, 0.02), 0.06, 0.5),
    "organ": ((1.0, 0.7, 0.35, 0.5, 0.1, 0.25), 0.03, 0.1),
    "bell": ((1.0, 0.0, 0.55, 0.25, 0.0, 0.3), 0.002, 2.2),
    "strings": ((1.0, 0.5, 0.33, 0.25, 0.2, 0.16, 0.14), 0.09, 0.3),
    "box": ((1.0, 0.1, 0.0, 0.35), 0.001, 4.5),
}
Samples = np.ndarray[Any, np.dtype[np.float64]]


def render(tune: Tune) -> np.ndarray[Any, np.dtype[np.int16]]:
    """Mono 16-bit samples at :data:`RATE`, peak at 80 % of full scale."""
    total = int((tune.seconds + _TAIL) * RATE)
    sound = np.zeros(total)
    at = 0.0
    for note in tune.notes:
        if note.pitch is not None:
            _add(sound, int(at * RATE), _tone(note.pitch, note.seconds + 0.35, tune.timbre))
        at += note.seconds
    sound += 0.16 * _drone(tune.tonic - 12, total)
    sound = _room(sound)
    peak = float(np.max(np.abs(sound))) or 1.0
    return np.round(sound / peak * 0.8 * 32767).astype(np.int16)


def _add(sound: Samples, start: int, tone: Samples) -> None:
    end = min(start + len(tone), len(sound))
    sound[start:end] += tone[: end - start]


def _frequency(pitch: int) -> float:
    return float(440.0 * 2 ** ((pitch - 69) / 12))


def _tone(pitch: int, seconds: float, timbre: str) -> Samples:
    partials, attack, fade = _TIMBRES[timbre]
    time = np.arange(int(seconds * RATE)) / RATE
    wave = np.zeros_like(time)
    for index, strength in enumerate(partials, start=1):
        frequency = _frequency(pitch) * index
        if strength and frequency < RATE * 0.45:
            wave += strength * np.sin(2 * np.pi * frequency * time) * np.exp(-fade * time * (0.6 + 0.4 * index))
    release = np.clip((seconds - time) / 0.25, 0, 1)
    return np.asarray(wave * np.clip(time / attack, 0, 1) * release / sum(partials))


def _drone(pitch: int, total: int) -> Samples:
    time = np.arange(total) / RATE
    swell = np.clip(time / 1.5, 0, 1) * np.clip((time[-1] - time) / 1.5, 0, 1)
    fifth = np.sin(2 * np.pi * _frequency(pitch + 7) * time)
    return np.asarray((np.sin(2 * np.pi * _frequency(pitch) * time) + 0.5 * fifth) * swell)


def _room(sound: Samples) -> Samples:
    heard = sound.copy()
    for seconds, strength in ((0.031, 0.22), (0.053, 0.16), (0.089, 0.11), (0.144, 0.07)):
        delay = int(seconds * RATE)
        heard[delay:] += strength * sound[:-delay]
    return heard
