"""MusicBrainz's JSON dumps: ``recording.tar.xz`` and its like as published, or their lines in a file of its own.

Each line is one entity. A dump of releases also tells of the recordings on them, and every credit of its artist: what
comes first counts. Lines are told apart by what is in them, never by the names of files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import IO

from fonoteca.core.errors import Usage
from fonoteca.sources import jsonlines, unpack
from fonoteca.sources import musicbrainz_json_shapes as shapes
from fonoteca.sources.documents import names
from fonoteca.sources.limits import LIMITS
from fonoteca.sources.records import Dump, Refused

ORDER = ("artist", "recording", "release")
"""Files are read in this order, so that an entity's own line comes before what others tell of it."""
_LOOKED_AT = 5


@dataclass(frozen=True)
class Lines:
    """The lines of one entity: the file that they are in, and the member of an archive ('' for none)."""

    path: Path
    entity: str
    shown: str
    """How positions name it."""
    member: str = ""


def find(dump: Dump) -> list[Lines] | None:
    """The files of a JSON dump; None where it is none. Raises Usage for a path that cannot be read."""
    paths = [inner for path in dump.paths for inner in _inside(path)]
    shown = names(paths)
    found = [lines for path in paths for lines in _lines(path, shown[path])]
    known = {lines.path for lines in found}
    if not found or any(path not in known for path in paths if path in dump.paths):
        return None
    return sorted(found, key=lambda lines: ORDER.index(lines.entity))


def resolve(dump: Dump, found: Sequence[Lines]) -> Dump:
    """The dump with its folders replaced by their files."""
    return replace(dump, paths=tuple(dict.fromkeys(lines.path for lines in found)))


def _inside(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(inner for inner in path.rglob("*") if inner.is_file())
    elif path.is_file():
        yield path


def _lines(path: Path, shown: str) -> Iterator[Lines]:
    try:
        for member in unpack.members(path):
            if isinstance(member, Refused):
                continue
            entity = _entity(member.stream)
            if entity is not None:
                inner = "" if member.size is None and member.name == path.name else member.name
                yield Lines(path, entity, f"{shown}/{inner}" if inner else shown, inner)
                return
            if "/" in member.name:
                return  # the first file in a folder of the archive tells: others may be gigabytes behind it
    except (unpack.TornDump, Usage):
        return


def _entity(stream: IO[bytes]) -> str | None:
    for line in islice(iter(lambda: stream.readline(LIMITS.line), b""), _LOOKED_AT):
        if not line.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
            continue
        try:
            value = jsonlines.parse(line.decode("utf-8-sig", "replace").strip(), LIMITS)
        except (ValueError, RecursionError):
            continue
        return shapes.entity(value)
    return None


def open_lines(lines: Lines) -> Iterator[IO[bytes] | Refused]:
    """The bytes of the lines, and a refusal for each entry of the archive that no dump should have. Raises TornDump."""
    for member in unpack.members(lines.path):
        if isinstance(member, Refused):
            yield member
        elif not lines.member or member.name == lines.member:
            yield member.stream
