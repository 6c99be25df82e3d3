"""MusicBrainz's canonical dump: for a recording or release that has a more usual twin, the MBID of that one.

``musicbrainz-canonical-dump-*.tar.zst`` as published, or its CSV files. All of an entity that comes of it is one
identifier, ``canonical_mbid``; the names in ``canonical_musicbrainz_data.csv`` are a dump of their own, told in
:mod:`fonoteca.sources.musicbrainz_names`. Only MBIDs are read here, and those have no line end in them, so a row is a
line whatever quotes are around it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from fonoteca.core.errors import Usage
from fonoteca.sources import unpack
from fonoteca.sources.documents import names
from fonoteca.sources.limits import LIMITS
from fonoteca.sources.musicbrainz_json_shapes import mbid
from fonoteca.sources.records import Dump, Duplicate, Record, RecordingRecord, Refused, ReleaseRecord
from fonoteca.sources.rows import refused

SCHEME = "canonical_mbid"
KINDS = ("recording", "release")
NAMES = "names"
"""The kind of the table that is not of redirects."""
DATA = "canonical_musicbrainz_data.csv"
MEMBERS = {**{f"canonical_{kind}_redirect.csv": kind for kind in KINDS}, DATA: NAMES}
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "recording": ("recording_mbid", "canonical_recording_mbid", "canonical_release_mbid"),
    "release": ("release_mbid", "canonical_release_mbid", "release_group_mbid"),
    NAMES: ("recording_mbid", "recording_name", "release_mbid", "release_name", "artist_mbids", "artist_credit_name",
            "id", "artist_credit_id", "combined_lookup", "score"),
}  # fmt: skip
"""Kind → the columns that are known; first those that are needed: of redirects the MBID and the canonical one."""
NEEDED: Mapping[str, tuple[str, ...]] = {kind: known[: 6 if kind == NAMES else 2] for kind, known in COLUMNS.items()}
"""Kind → the columns without which it cannot be read."""
BLOCK = 4 << 20
_LOOKED_AT = 16
_SMALL = 1 << 20
ITSELF = "redirect-loop", "it leads to itself"
LOOP = "redirect-loop", "following it leads back to it"
CONFLICT = "key-conflict", "the MBID came before with another canonical one"


@dataclass(frozen=True)
class File:
    """A file of the dump: a table, or an archive of them (``kind`` None)."""

    path: Path
    shown: str
    kind: str | None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One table of redirects; the stream stands after the header and lasts until the next one is asked for."""

    kind: str
    shown: str
    columns: tuple[str, ...]
    stream: IO[bytes]


@dataclass(frozen=True)
class Redirect:
    """One line: an MBID and the canonical one, both in lower case."""

    line: int
    key: str
    target: str


# --- finding ----------------------------------------------------------------------------------------------------------


def find(dump: Dump) -> list[File] | None:
    """The files of a canonical dump; None where it is none. Raises Usage ``unknown-columns`` for changed names."""
    paths = [inner for path in dump.paths for inner in _inside(path)]
    shown = names(paths)
    found = [file for path in paths if (file := _look(path, shown[path])) is not None]
    known = {file.path for file in found}
    if not found or any(path not in known for path in paths if path in dump.paths):
        return None
    return found


def _inside(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(inner for inner in path.rglob("*") if inner.is_file())
    elif path.is_file():
        yield path


def _look(path: Path, shown: str) -> File | None:
    try:
        for member in islice(unpack.members(path), _LOOKED_AT):
            if isinstance(member, Refused):
                continue
            base = member.name.rpartition("/")[2]
            if member.size is None:
                columns = _header(member.stream)
                kind = NAMES if _are_like_names(columns) else _kind(columns)
                return None if kind is None else File(path, shown, kind, _checked(columns, kind, shown))
            if base in MEMBERS:
                return File(path, shown, None)
            if member.size > _SMALL:
                return None  # its first large file tells what an archive is: others may be gigabytes behind it
    except unpack.TornDump:
        return None
    except Usage as error:
        if error.code == "unknown-columns":
            raise
    return None


def _header(stream: IO[bytes]) -> tuple[str, ...]:
    line = stream.readline(LIMITS.line).decode("utf-8-sig", "replace").rstrip("\r\n")
    cells = _cells(line)
    return () if cells is None else tuple(cell.strip() for cell in cells)


def _kind(columns: Sequence[str]) -> str | None:
    if len(set(columns)) < len(columns):
        return None
    return next((kind for kind, needed in NEEDED.items() if set(needed) <= set(columns)), None)


def _are_like_names(columns: Sequence[str]) -> bool:
    """Whether most of the columns of names are there: where another is not, they have changed."""
    return 2 * len(set(columns) & set(NEEDED[NAMES])) > len(NEEDED[NAMES])


def warnings(files: Sequence[File]) -> Iterator[str]:
    """What is known before anything is read."""
    for file in files:
        if file.kind == NAMES:
            yield passed(file.shown)
        elif file.kind:
            yield from drift(file.shown, file.kind, file.columns)
    if all(file.kind is not None for file in files):
        yield from lacking({file.kind for file in files if file.kind})


def drift(shown: str, kind: str, columns: Sequence[str]) -> Iterator[str]:
    """A sentence about columns that are not known."""
    unknown = [name for name in columns if name not in COLUMNS[kind]]
    if unknown:
        yield f"{shown}: columns that are not known are left out: {', '.join(unknown)}"


def lacking(kinds: Iterable[str]) -> Iterator[str]:
    """Sentences about tables that are not there."""
    for name, kind in MEMBERS.items():
        if kind != NAMES and kind not in kinds:
            yield f"there is no {name}: no {kind} gets its canonical MBID"


def passed(shown: str) -> str:
    """A sentence about names that nobody asked for."""
    return (f"{shown}: names of recordings, releases and artists are in it and are left out: with --dataset "
            "canonical-data they are read, and only they")  # fmt: skip


def no_table(files: Sequence[File], kinds: Sequence[str] = KINDS) -> Usage:
    """What is said of a dump in which none of these tables is."""
    where = ", ".join(file.shown for file in files[:3])
    wanted = [name for name, kind in MEMBERS.items() if kind in kinds]
    what = "names" if kinds == (NAMES,) else "redirects"
    return Usage("missing-table", f"The dump has no table of {what}", f"{where} has none of {', '.join(wanted)}",
                 "fetch musicbrainz-canonical-dump-*.tar.zst whole, and name no other --dataset than its own",
                 where)  # fmt: skip


# --- reading ----------------------------------------------------------------------------------------------------------


def tables(files: Sequence[File], kinds: Sequence[str] = KINDS) -> Iterator[Table | Refused]:
    """The tables of these kinds, and a refusal for each entry of an archive that no dump should have.

    Other tables of an archive come, too, but without columns: not to be read.

    Raises:
        Usage: ``unknown-columns``; TornDump, also while a table is read.
    """
    for file in files:
        if file.kind is not None and file.kind not in kinds:
            continue
        for member in unpack.members(file.path):
            if isinstance(member, Refused):
                yield member
                continue
            kind = file.kind or MEMBERS.get(member.name.rpartition("/")[2])
            if kind is not None:
                shown = f"{file.shown}/{member.name}" if file.kind is None else file.shown
                columns = _checked(_header(member.stream), kind, shown) if kind in kinds else ()
                yield Table(kind, shown, columns, member.stream)


def _checked(columns: tuple[str, ...], kind: str, shown: str) -> tuple[str, ...]:
    if _kind(columns) != kind:
        raise Usage("unknown-columns", f"{shown} has other columns than MusicBrainz publishes",
                    f"it has {', '.join(columns)[:200]}; needed are {' and '.join(NEEDED[kind])}, each once",
                    "see whether a newer fonoteca knows this table; nothing was changed", shown)  # fmt: skip
    return columns


def blocks(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Whole lines, some megabytes at a time, with the number of the first. A line that is too long is cut off."""
    number = 2
    while block := stream.read(BLOCK):
        if not block.endswith(b"\n"):
            block += stream.readline(LIMITS.line + 1)
            while not block.endswith(b"\n") and (rest := stream.readline(LIMITS.line + 1)):
                block += b"\n" if rest.endswith(b"\n") else b""
        if not block.endswith(b"\n"):
            block += b"\n"
        yield number, block
        number += block.count(b"\n")


def pattern(table: Table) -> re.Pattern[bytes]:
    """What a block matches whose lines all can be read, and give what :func:`line` gives."""
    one = rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    cells = [one if name in NEEDED[table.kind] else rb"[ !#-+\--~]{0,99}+" for name in table.columns]
    return re.compile(rb"(?:" + b",".join(cells) + rb"\n)*+")


def line(data: bytes, number: int, table: Table) -> Redirect | Refused | None:
    """One line, without its end; None for a blank one."""
    text = data.decode("utf-8", "replace").strip(" \t\r\ufeff")
    if not text:
        return None
    if len(data) > LIMITS.line:
        return _refused(table, number, "long-row", f"the line is longer than {LIMITS.line} bytes", text)
    cells = _cells(text)
    if cells is None:
        return _refused(table, number, "open-quote", "a quoted cell has no end on its line", text)
    if len(cells) != len(table.columns):
        reason = f"the header has {len(table.columns)} columns, this line {len(cells)}"
        return _refused(table, number, "column-count", reason, text)
    row = dict(zip(table.columns, cells, strict=True))
    key, target = (mbid(row[name].strip()) for name in NEEDED[table.kind])
    if key is None:
        return _refused(table, number, "no-key", f"{NEEDED[table.kind][0]} is no MBID", text)
    if target is None:
        return _refused(table, number, "no-content", f"{NEEDED[table.kind][1]} is no MBID", text)
    return Redirect(number, key, target)


def _cells(text: str) -> list[str] | None:
    if '"' not in text:
        return text.split(",")
    try:
        found = list(csv.reader([text], strict=True))
    except csv.Error:
        return None
    return found[0] if len(found) == 1 else None


def _refused(table: Table, number: int, code: str, reason: str, raw: str) -> Refused:
    return refused(f"{table.shown}:{number}", code, reason, raw, LIMITS, table.kind)


# --- record by record -------------------------------------------------------------------------------------------------


def records(files: Sequence[File]) -> Iterator[Record]:
    """All redirects, held in memory: for small dumps. Raises Usage, TornDump."""
    seen: dict[str, dict[str, str]] = {}
    found: list[tuple[str, str, Redirect] | Refused] = []
    for table in tables(files):
        if isinstance(table, Refused):
            found.append(table)
            continue
        if not table.columns:
            continue
        seen.setdefault(table.kind, {})
        for one in _lines(table):
            found.append(one if isinstance(one, Refused) else (table.kind, table.shown, one))
            if isinstance(one, Redirect) and one.key != one.target:
                seen[table.kind].setdefault(one.key, one.target)
    if not seen:
        raise no_table(files)
    loops = {kind: set(loop(leads)) for kind, leads in seen.items()}
    given: set[tuple[str, str]] = set()
    for told in found:
        yield told if isinstance(told, Refused) else _record(*told, seen[told[0]], loops[told[0]], given)


def _lines(table: Table) -> Iterator[Redirect | Refused]:
    for first, block in blocks(table.stream):
        for number, data in enumerate(block.split(b"\n")[:-1], first):
            found = line(data, number, table)
            if found is not None:
                yield found


def _record(
    kind: str, shown: str, one: Redirect, leads: Mapping[str, str], loops: set[str], given: set[tuple[str, str]]
) -> Record:
    position, raw = f"{shown}:{one.line}", f"{one.key},{one.target}"
    if one.key == one.target:
        return refused(position, *ITSELF, raw, LIMITS, kind)
    if (kind, one.key) in given:
        if leads[one.key] == one.target:
            return Duplicate(position, one.key, kind)
        return refused(position, *CONFLICT, raw, LIMITS, kind)
    given.add((kind, one.key))
    if one.key in loops:
        return refused(position, *LOOP, raw, LIMITS, kind)
    identifiers = ((SCHEME, one.target),)
    if kind == "release":
        return ReleaseRecord(one.key, position, identifiers=identifiers)
    return RecordingRecord(one.key, position, identifiers=identifiers)


def loop(leads: Mapping[str, str]) -> Iterator[str]:
    """The MBIDs that one gets back to by following redirects; not those that only lead to such."""
    done: set[str] = set()
    for start in leads:
        path: dict[str, None] = {}
        at = start
        while at in leads and at not in done and at not in path:
            path[at] = None
            at = leads[at]
        if at in path:
            listed = list(path)
            yield from listed[listed.index(at) :]
        done |= path.keys()
