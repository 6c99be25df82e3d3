"""Rows of AcoustID's two tables: what a line says, or why it is refused. Both ways of reading keep to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fonoteca.sources import jsonlines, values
from fonoteca.sources.records import Refused
from fonoteca.sources.rows import Row, TableFile

NAME = "acoustid"
OF = "musicbrainz"
TABLES = ("track", "track_mbid")
DISABLED = "disabled-pair", "AcoustID has taken this pair back"
_BIGGEST = 2**63


@dataclass(frozen=True)
class File:
    """A file, how positions name it, and the table that it is of."""

    path: Path
    shown: str
    kind: str


@dataclass(frozen=True, slots=True)
class Track:
    """A row of track: its number and gid, and the number of the track that it was merged into."""

    number: int
    gid: str
    into: int | None


@dataclass(frozen=True, slots=True)
class Pair:
    """A row of track_mbid."""

    track: int
    mbid: str
    disabled: bool


def dangling(track: object) -> tuple[str, str]:
    """Code and reason of a pair whose track is not there."""
    return "dangling-reference", f"there is no track {track}"


def loop(track: object) -> tuple[str, str]:
    """Code and reason of a pair whose track is left by no merge."""
    return "redirect-loop", f"what track {track} was merged into is not there, or leads back to it"


def raw(track: int, mbid: str) -> str:
    """How quarantine shows a pair that can be read: what matters of it, so that not every line has to be kept."""
    return f'{{"mbid":"{mbid}","track_id":{track}}}'


def rows(path: Path, name: str) -> Iterator[Row | Refused]:
    """The lines of a file, which positions call ``name``."""
    for row in jsonlines.rows(TableFile(path, "jsonl", ())):
        yield replace(row, position=name + row.position[len(path.name) :])


def meaning(kind: str, row: Row | Refused) -> Track | Pair | Refused:
    """What a row of a table says."""
    if isinstance(row, Refused):
        # A broken line of tracks is no row of a recording.
        return row if kind == "track_mbid" else replace(row, kind="release")
    return _READ[kind](row)


def _track(row: Row) -> Track | Refused:
    number, gid = _number(row.values.get("id")), values.mbid(row.values.get("gid"), set())
    into = row.values.get("new_id")
    if number is None or gid is None:
        return row.refuse("no-key", "the track has no number or no gid", kind="release")
    if into is not None and _number(into) is None:
        return row.refuse("no-key", "new_id is no number of a track", kind="release")
    return Track(number, gid, into)


def _pair(row: Row) -> Pair | Refused:
    track, mbid = _number(row.values.get("track_id")), values.mbid(row.values.get("mbid"), set())
    disabled = row.values.get("disabled")
    if track is None or mbid is None:
        return row.refuse("no-key", "the pair has no number of a track or no MBID")
    if disabled is not None and not isinstance(disabled, bool):
        return row.refuse("no-content", "disabled is neither true nor false")
    return Pair(track, mbid, bool(disabled))


_READ: Mapping[str, Callable[[Row], Track | Pair | Refused]] = {"track": _track, "track_mbid": _pair}


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _BIGGEST else None
