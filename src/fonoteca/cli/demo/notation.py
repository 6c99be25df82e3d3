"""Reads the demo's tunes: a small subset of ABC notation (the ABC 2.1 standard names the fields)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_KEYS = {"C": {}, "Am": {}, "G": {"F": 1}, "D": {"F": 1, "C": 1}, "F": {"B": -1}, "Dm": {"B": -1}}
_TONICS = {"C": 60, "Am": 57, "G": 55, "D": 62, "F": 65, "Dm": 62}
_NOTE = re.compile(r"([_^=]?)([A-Ga-gz])([,']*)(\d*)(/?)(\d*)")


@dataclass(frozen=True)
class Note:
    """A pitch (MIDI number, None for a rest) and its length in seconds."""

    pitch: int | None
    seconds: float


@dataclass(frozen=True)
class Tune:
    """One tune as written down."""

    number: int
    title: str
    english: str
    composer: str
    origin: str
    genre: str
    timbre: str
    year: int
    tonic: int
    notes: tuple[Note, ...]

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return sum(note.seconds for note in self.notes)


def parse(text: str) -> list[Tune]:
    """All tunes of a file. ValueError names the tune and what is wrong with it."""
    return [_tune(block) for block in re.split(r"\n\s*\n", text) if re.search(r"^X:", block, re.MULTILINE)]


def _tune(block: str) -> Tune:
    fields: dict[str, str] = {}
    body: list[str] = []
    for line in block.splitlines():
        if line.startswith("%"):
            continue
        if re.match(r"[A-Z]:", line):
            fields[line[0]] = line[2:].strip()
        else:
            body.append(line)
    key = fields["K"]
    seconds = 60 / int(fields["Q"])
    notes = tuple(_notes("".join(body), _KEYS[key], seconds, fields["T"]))
    return Tune(
        int(fields["X"]), fields["T"], fields.get("Z", ""), fields["C"], fields["O"], fields["G"],
        fields["I"].removeprefix("timbre "), int(fields["Y"]), _TONICS[key], notes,
    )  # fmt: skip


def _notes(body: str, signature: dict[str, int], seconds: float, title: str) -> Iterator[Note]:
    at = 0
    body = re.sub(r"[|\s]", "", body)
    while at < len(body):
        match = _NOTE.match(body, at)
        if not match:
            raise ValueError(f"{title}: {body[at : at + 8]!r} is no note")
        at = match.end()
        yield Note(_pitch(match, signature), float(_length(match)) * seconds)


def _length(match: re.Match[str]) -> Fraction:
    above, slash, below = match[4], match[5], match[6]
    return Fraction(int(above or 1), int(below or 2) if slash else 1)


def _pitch(match: re.Match[str], signature: dict[str, int]) -> int | None:
    letter = match[2]
    if letter == "z":
        return None
    octave = 60 if letter.isupper() else 72
    octave += 12 * match[3].count("'") - 12 * match[3].count(",")
    name = letter.upper()
    change = {"^": 1, "_": -1, "=": 0}[match[1]] if match[1] else signature.get(name, 0)
    return octave + _SEMITONES[name] + change
