"""The raw record behind a value: read again from its dump, at its position (promise I12).

Each file must be one that was read, by its digest. A position is a name and a number: of a line, a row, or a record
of XML; what stands behind ``#`` (a track of a release) is inside that record. Only what a person asks for is looked up:
every file is read through once, by the reader that gave it its positions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, TypeVar

from fonoteca.catalogue.generation import PartitionEntry
from fonoteca.core import canonical
from fonoteca.core.errors import Usage
from fonoteca.sources import internet_archive, jsondocs, listenbrainz, oai_pmh, unpack, xmlrecords
from fonoteca.sources.discogs_shapes import SHAPES
from fonoteca.sources.documents import shown_name
from fonoteca.sources.limits import LIMITS
from fonoteca.sources.records import Refused
from fonoteca.sources.rows import Row, describe
from fonoteca.sources.xmlrecords import Fragment

_T = TypeVar("_T")
_READ = 1 << 20
_LINES = frozenset({"musicbrainz", "acoustid"})
"""Sources whose positions are lines that end at LF, in files and in archives."""
_DOCUMENTS = {"internet_archive": internet_archive.parts, "listenbrainz": listenbrainz.parts}
"""Sources whose files may be one JSON document; how each finds the rows in it."""


@dataclass
class Raw:
    """The record at a position. ``text`` is None where it could not be read again; ``why`` then says so."""

    source: str
    dump: str
    position: str
    file: str | None = None
    text: str | None = None
    why: str | None = "none of the files is the one that this was read from"

    def as_json(self) -> dict[str, Any]:
        """The fields by name."""
        return dict(vars(self))


@dataclass
class _Wanted:
    """The positions of one dump, by the last part of the file's name."""

    by_name: dict[str, list[tuple[int, Raw]]] = field(default_factory=dict)

    def add(self, raw: Raw) -> None:
        """Take a position, where it has the form of one."""
        name, _, number = raw.position.partition("#")[0].rpartition(":")
        if name and number.isdigit():
            self.by_name.setdefault(name.rpartition("/")[2], []).append((int(number), raw))
        else:
            raw.why = "the position names no line and no record"


def find(value: Any, partitions: Sequence[PartitionEntry], paths: Iterable[Path]) -> list[Raw]:
    """The raw records of everything in an object of ``show`` that names a position.

    Args:
        value: the object.
        partitions: of the generation that it comes from.
        paths: files of dumps that were ingested.

    Raises:
        Usage: ``not-a-dump``: a file is not one that was read, or not as it was; ``unreadable-dump``.
        Failed: ``torn-dump``.
    """
    found = [Raw(*place) for place in sorted(set(_places(value)))]
    for path in _files(paths, partitions):
        dumps = _dumps(path, partitions)
        wanted = _Wanted()
        for raw in found:
            if raw.dump in dumps and raw.text is None:
                wanted.add(raw)
        if wanted.by_name:
            _read(path, wanted.by_name, {raw.source for named in wanted.by_name.values() for _, raw in named})
    return found


def _files(paths: Iterable[Path], partitions: Sequence[PartitionEntry]) -> Iterator[Path]:
    """The files; a folder stands for those in it that have the name and size of one that was read."""
    known = {(f.name, f.bytes) for p in partitions for f in p.dump.files}
    for path in paths:
        within = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else []
        read = [p for p in within if (shown_name(p), p.stat().st_size) in known]
        yield from read or [path]


def _places(value: Any) -> Iterator[tuple[str, str, str]]:
    """Source, dump and position wherever they stand in an object."""
    if isinstance(value, Mapping):
        told = tuple(value.get(name) for name in ("source", "dump", "position"))
        if all(isinstance(part, str) and part for part in told):
            yield told  # type: ignore[misc]
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _places(part)


def _dumps(path: Path, partitions: Sequence[PartitionEntry]) -> set[str]:
    """Ids of the dumps that this very file belongs to."""
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise Usage("unreadable-dump", f"{path.name} could not be read", error.strerror or str(error),
                    "check the path and its permissions", str(path)) from error  # fmt: skip
    found = {p.dump.id for p in partitions if digest in {f.sha256 for f in p.dump.files}}
    if not found:
        raise Usage("not-a-dump", f"{path.name} is not a file that this catalogue was read from",
                    "its SHA-256 is that of none of them", "name the file as it was ingested, not a newer one; "
                    "catalogue/generations/ lists names and digests", str(path))  # fmt: skip
    return found


def _read(path: Path, wanted: Mapping[str, list[tuple[int, Raw]]], sources: set[str]) -> None:
    name = shown_name(path)
    if name in wanted and not unpack.is_archive(path):
        rows = _rows(path, sources)
        if rows is not None:
            _numbered(rows, name, wanted[name])
            return
        with unpack.plain(path) as stream:
            _lines(stream, name, wanted[name])
        return
    for member in unpack.members(path):
        if isinstance(member, Refused):
            continue
        name = member.name.rpartition("/")[2]
        if name in wanted:
            _lines(member.stream, name, wanted[name])


def _rows(path: Path, sources: set[str]) -> Iterator[Fragment | Row | Refused] | None:
    """The rows or records of a file as its source reads them; None where they are lines of bytes."""
    if sources & _LINES:
        return None
    if (root := xmlrecords.root_of(path)) is not None:
        shape = SHAPES.get(root[0].decode("ascii", "replace")) or oai_pmh.shape_of(path)
        return xmlrecords.records(path, shape)
    parts = next((_DOCUMENTS[source] for source in sorted(sources) if source in _DOCUMENTS), None)
    try:
        file = describe(path)
    except Usage:
        return None if parts is None else jsondocs.rows(path, parts)
    return file.rows() if file.format == "parquet" or parts is None else jsondocs.rows(path, parts)


def _numbered(rows: Iterable[Fragment | Row | Refused], name: str, wanted: list[tuple[int, Raw]]) -> None:
    _find(((int(row.position.rpartition(":")[2]), row) for row in rows), _written, name, wanted)


def _find(
    found: Iterable[tuple[int, _T]], written: Callable[[_T], str], name: str, wanted: list[tuple[int, Raw]]
) -> None:  # fmt: skip
    """Say what stands under each number, up to the last that is wanted."""
    left = {number: [raw for n, raw in wanted if n == number] for number, _ in wanted}
    for number, one in found:
        if number in left:
            _say(left.pop(number), name, written(one))
        if not left:
            return
    for raws in left.values():
        _say(raws, name, None)


def _written(row: Fragment | Row | Refused) -> str:
    """The row as it stands there; of Parquet, which has no text, its columns as JSON."""
    if isinstance(row, Row) and row.raw is None:
        return canonical.encode(dict(row.values)).decode("utf-8", "replace")
    return row.raw.decode("utf-8", "replace") if isinstance(row, Fragment) else row.raw or ""


def _lines(stream: IO[bytes], name: str, wanted: list[tuple[int, Raw]]) -> None:
    """Lines, as they are."""
    _find(enumerate(_split(stream), start=1), lambda line: line.decode("utf-8", "replace"), name, wanted)


def _split(stream: IO[bytes]) -> Iterator[bytes]:
    """Lines with their ends, none longer than a line may be."""
    held = bytearray()
    while data := stream.read(_READ):
        held += data
        *whole, rest = held.split(b"\n")
        yield from (bytes(line) + b"\n" for line in whole)
        held = bytearray(rest[: LIMITS.line])
    if held:
        yield bytes(held)


def _say(raws: Sequence[Raw], name: str, data: str | None) -> None:
    for raw in raws:
        raw.file = name
        raw.why = "the file has no such line or record" if data is None else None
        if data is not None:
            raw.text = data.encode("utf-8", "surrogateescape").decode("utf-8", "replace").rstrip("\r\n")
