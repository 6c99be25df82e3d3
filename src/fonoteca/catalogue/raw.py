"""The raw record behind a value: read again from its dump, at its position (promise I12).

Each file must be one that was read, by its digest. A position is a name and a number: of a line, or of a record of
XML; what stands behind ``#`` (a track of a release) is inside that record. Only what a person asks for is looked up:
every file is read through once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from fonoteca.catalogue.generation import PartitionEntry
from fonoteca.core.errors import Usage
from fonoteca.sources import unpack, xmlrecords
from fonoteca.sources.discogs_shapes import SHAPES
from fonoteca.sources.limits import LIMITS
from fonoteca.sources.records import Refused

_READ = 1 << 20
_HEAD = 4096
_XML = b"<"
_PARQUET = b"PAR1"


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
    for path in paths:
        dumps = _dumps(path, partitions)
        wanted = _Wanted()
        for raw in found:
            if raw.dump in dumps and raw.text is None:
                wanted.add(raw)
        if wanted.by_name:
            _read(path, wanted.by_name)
    return found


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


def _read(path: Path, wanted: Mapping[str, list[tuple[int, Raw]]]) -> None:
    if path.name in wanted and not unpack.is_archive(path):
        with unpack.plain(path) as stream:
            head = stream.peek(_HEAD)[:_HEAD]
            if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(_XML):
                _elements(path, wanted[path.name])
            elif head.startswith(_PARQUET):
                for _, raw in wanted[path.name]:
                    raw.file, raw.why = path.name, "rows of Parquet are not read again yet"
            else:
                _lines(stream, path.name, wanted[path.name])
        return
    for member in unpack.members(path):
        if isinstance(member, Refused):
            continue
        name = member.name.rpartition("/")[2]
        if name in wanted:
            _lines(member.stream, name, wanted[name])


def _lines(stream: IO[bytes], name: str, wanted: list[tuple[int, Raw]]) -> None:
    """Lines, as they are; a quoted cell of a table goes on over line ends."""
    table = ".csv" in name.lower() or ".tsv" in name.lower()
    left = {number: [raw for n, raw in wanted if n == number] for number, _ in wanted}
    open_rows: list[tuple[bytearray, list[Raw]]] = []
    for number, line in enumerate(_split(stream), start=1):
        if number in left:
            open_rows.append((bytearray(), left.pop(number)))
        for row, _ in open_rows:
            row.extend(line)
        done = [pair for pair in open_rows if not table or pair[0].count(b'"') % 2 == 0 or len(pair[0]) > LIMITS.row]
        open_rows = [pair for pair in open_rows if pair not in done]
        for row, raws in done:
            _say(raws, name, bytes(row))
        if not left and not open_rows:
            break
    for row, raws in open_rows:
        _say(raws, name, bytes(row))
    for raws in left.values():
        _say(raws, name, None)


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


def _elements(path: Path, wanted: list[tuple[int, Raw]]) -> None:
    """Records of the dumps of Discogs, numbered as they are read."""
    root = xmlrecords.root_of(path)
    shape = SHAPES.get(root[0].decode("ascii", "replace")) if root else None
    left = {number: [raw for n, raw in wanted if n == number] for number, _ in wanted}
    for found in xmlrecords.records(path, shape) if shape else ():
        number = int(found.position.rpartition(":")[2])
        if number in left and isinstance(found, xmlrecords.Fragment):
            _say(left.pop(number), path.name, found.raw)
        if not left:
            return
    for raws in left.values():
        _say(raws, path.name, None)
        if shape is None:
            for raw in raws:
                raw.why = "records of this kind of XML are not read again yet"


def _say(raws: Sequence[Raw], name: str, data: bytes | None) -> None:
    for raw in raws:
        raw.file = name
        raw.why = "the file has no such line or record" if data is None else None
        if data is not None:
            raw.text = data.decode("utf-8", "replace").rstrip("\r\n")
