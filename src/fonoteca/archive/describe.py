"""Makes a holding of what was found: facts of the decoder, tags, and the operator's rows, nearest first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from fonoteca.archive.claim_sheet import ClaimRow
from fonoteca.archive.claims import recording_of
from fonoteca.archive.records import Holding
from fonoteca.audio.facts import AudioFacts
from fonoteca.audio.text import clean_text
from fonoteca.core.fixity import Fixity

_NUMBER = re.compile(r"\s*(\d{1,5})")
_YEAR = re.compile(r"\s*(\d{4})(?!\d)")


def _number(text: str) -> int | None:
    """``3`` and ``3/12`` are 3; 0 and what is no number say nothing."""
    match = _NUMBER.match(text)
    return (int(match[1]) or None) if match else None


def _year(text: str) -> int | None:
    match = _YEAR.match(text)
    return (int(match[1]) or None) if match else None


def _said(rows: Sequence[ClaimRow], name: str) -> str:
    return next((v for r in rows if (v := getattr(r, name))), "")


def holding(label: str, fixity: Fixity, facts: AudioFacts, rows: Sequence[ClaimRow]) -> Holding:
    """The holding of one accepted file."""

    def tag(name: str) -> str:
        return next(iter(facts.tags.get(name, ())), "")

    recording, key = recording_of(rows, fixity.sha256)
    stem, _ = clean_text(PurePosixPath(label).stem, 1024)
    return Holding(
        recording=recording, recording_key=key, blob=fixity.sha256, bytes=fixity.bytes, mime=facts.mime,
        codec=facts.codec, container=facts.container, bit_rate=facts.bit_rate, sample_rate=facts.sample_rate,
        channels=facts.channels, duration_ms=facts.duration_ms, extension=facts.extension,
        title=_said(rows, "title") or tag("title") or stem,
        artist=_said(rows, "artist") or tag("artist") or tag("albumartist"),
        release=_said(rows, "release") or tag("album"),
        disc=_number(_said(rows, "disc") or tag("discnumber")),
        number=_number(_said(rows, "track") or tag("tracknumber")),
        year=_year(tag("date")), path=label,
        tags=tuple((name, value) for name, values in facts.tags.items() for value in values),
        flags=facts.notes,
    )  # fmt: skip
