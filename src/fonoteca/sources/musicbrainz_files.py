"""Which files of a dump hold tables: archives as published, and the table files of a folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from fonoteca.core.errors import Usage
from fonoteca.core.progress import SILENT, Progress
from fonoteca.sources import unpack
from fonoteca.sources.musicbrainz_tables import CORE, DERIVED, FOLDER, KNOWN_SCHEMAS, SCHEMA, TABLES, Table
from fonoteca.sources.records import Dump, Refused

COLUMNS = "COLUMNS.tsv"
"""A file beside table files that names their columns, one table a line: where it is, it counts."""
SEQUENCE = "SCHEMA_SEQUENCE"
DERIVED_NAMES = frozenset(
    f"{entity}_{what}"
    for entity in ("area", "artist", "event", "instrument", "label", "place", "recording", "release", "release_group",
                   "series", "work")
    for what in ("annotation", "meta", "tag")
) | {"annotation", "medium_index", "tag", "tag_relation"}  # fmt: skip
"""All tables of mbdump-derived."""


_RATIO = 5
"""Bytes of tables for one of a packed archive, as bzip2 and Zstandard make them."""
_MAGIC = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")


@dataclass(frozen=True)
class File:
    """One table's bytes: a file where it lies (``path``), or a stream that lasts until the next one is asked for."""

    name: str
    path: Path | None
    _stream: IO[bytes] | None = None

    def stream(self) -> IO[bytes]:
        """The bytes of an archive's member."""
        if self._stream is None:
            raise ValueError("a file is read where it lies")
        return self._stream


@dataclass(frozen=True)
class Files:
    """The files of a dump of tables."""

    archives: Sequence[Path] = ()
    plain: Sequence[Path] = ()
    schema: int | None = None
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    derived: bool = False

    @property
    def name(self) -> str:
        """What messages call the dump."""
        return ", ".join(path.name for path in (*self.archives, *self.plain)[:3])

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(path.stat().st_size for path in (*self.archives, *self.plain))

    @property
    def unpacked(self) -> int:
        """Bytes of their tables, about: what packed ones come to is a guess."""
        return sum(path.stat().st_size * (_RATIO if _is_packed(path) else 1) for path in (*self.archives, *self.plain))

    @property
    def tables(self) -> set[str]:
        """Tables that lie as files of their own."""
        return {path.name for path in self.plain}

    def open(self, progress: Progress = SILENT) -> Iterator[File]:
        """Each table's bytes. Raises TornDump."""
        for path in self.plain:
            if path.name in TABLES:
                yield File(path.name, path)
        for archive in self.archives:
            for member in unpack.members(archive):
                if isinstance(member, Refused):
                    progress.warn(f"{archive.name}: {member.position}: {member.reason}")
                elif member.name.removeprefix("./").startswith(FOLDER + "/"):
                    yield File(member.name.rpartition("/")[2], None, member.stream)

    def form(self, table: Table, widths: Counter[int]) -> tuple[str, ...]:
        """The columns of a table whose first lines have so many cells; an odd line among them does not count.

        Raises:
            Usage: ``unknown-columns``.
        """
        found = self.columns.get(table.name) or table.form(widths)
        if found is None or not set(table.needed) <= set(found):
            expected = " or ".join(str(len(form)) for form in table.forms)
            width = max(sorted(widths), key=lambda number: widths[number], default=0)
            raise Usage("unknown-columns", f"{table.member} has other columns than MusicBrainz publishes",
                        f"its lines have {width} columns, schema {SCHEMA} has {expected}",
                        "see whether a newer fonoteca knows this schema; nothing was changed", self.name)  # fmt: skip
        return found

    def warnings(self) -> Iterator[str]:
        """What is known before anything is read."""
        if self.schema is not None and self.schema not in KNOWN_SCHEMAS:
            yield (f"SCHEMA_SEQUENCE is {self.schema}, known are {KNOWN_SCHEMAS.start} to {SCHEMA}: tables with other "
                   "numbers of columns are not read")  # fmt: skip
        if self.plain and not self.archives:
            yield from lacking(self.tables, derived=self.derived)


def lacking(present: set[str], *, derived: bool) -> Iterator[str]:
    """Sentences about tables that are not there."""
    for table in (DERIVED if derived else CORE).values():
        if table.name not in present and table.lack:
            yield f"there is no table {table.name}: {table.lack}"


def find(dump: Dump) -> Files | None:
    """The files of a dump of tables; None where it is none.

    Raises:
        Usage: ``unreadable-dump``.
    """
    archives: list[Path] = []
    plain: list[Path] = []
    beside: list[Path] = []
    for path in dump.paths:
        if path.is_dir():
            inside = path / FOLDER if (path / FOLDER).is_dir() else path
            plain += sorted(p for p in inside.iterdir() if p.is_file() and p.name in TABLES)
            beside += [p for folder in (path, inside) for p in (folder / COLUMNS, folder / SEQUENCE) if p.is_file()]
        elif path.name in (COLUMNS, SEQUENCE):
            beside.append(path)
        elif path.name in TABLES and path.is_file():
            plain.append(path)
        else:
            archives.append(path)
    heads = [_head(path) for path in archives]
    if not (archives or plain) or not all(heads):
        return None
    return _files(dump, archives, plain, beside, [head for head in heads if head])


def _files(dump: Dump, archives: list[Path], plain: list[Path], beside: list[Path], heads: list[_Head]) -> Files:
    schemas = [head.schema for head in heads] + [_sequence(p.read_bytes()) for p in beside if p.name == SEQUENCE]
    columns: dict[str, tuple[str, ...]] = {}
    for path in (p for p in beside if p.name == COLUMNS):
        lines = (line.split("\t") for line in path.read_text("utf-8").splitlines())
        columns |= {line[0]: tuple(line[1:]) for line in lines}
    derived = dump.dataset == "derived" or any(head.derived for head in heads)
    derived = derived or bool(plain and all(p.name in DERIVED_NAMES for p in plain) and not archives)
    return Files(archives, plain, next((s for s in schemas if s is not None), None), columns, derived)


@dataclass(frozen=True)
class _Head:
    schema: int | None
    derived: bool


def _is_packed(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(5).startswith(_MAGIC)


def _sequence(data: bytes) -> int | None:
    text = data.strip()
    return int(text) if text.isdigit() and len(text) < 9 else None


def _head(path: Path) -> _Head | None:
    """What an archive's first members tell: its schema and the first table; None where it is no such archive."""
    schema: int | None = None
    try:
        for member in unpack.members(path):
            if isinstance(member, Refused):
                continue
            name = member.name.removeprefix("./")
            if name == SEQUENCE:
                schema = _sequence(member.stream.read(64))
            elif name.startswith(FOLDER + "/"):
                return _Head(schema, name.rpartition("/")[2] in DERIVED_NAMES)
            elif "/" in name or member.size is None:
                return None
    except unpack.TornDump:
        return None
    return None


def beside(dump: Dump) -> list[Path]:
    """Files of a folder that belong to its tables: names of columns, number of the schema."""
    found = []
    for path in dump.paths:
        if path.is_dir():
            inside = path / FOLDER if (path / FOLDER).is_dir() else path
            found += [p for f in dict.fromkeys((path, inside)) for p in (f / COLUMNS, f / SEQUENCE) if p.is_file()]
        elif path.name in (COLUMNS, SEQUENCE):
            found.append(path)
    return found


def no_recordings(files: Files) -> Usage:
    """What is said of a dump that lacks the table without which it says nothing."""
    return Usage("missing-table", "The dump has no table of recordings", f"{files.name} has no mbdump/recording",
                 "fetch mbdump.tar.bz2 whole; mbdump-derived.tar.bz2 needs it besides, for the MBIDs",
                 files.name)  # fmt: skip
