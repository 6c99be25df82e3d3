"""A table's bytes, cut into pieces that the engine parses at once; broken lines found and taken out, numbers kept.

The engine parses a whole piece in one go and says how many lines it took. Only where that is not every line, the
piece is read again here, line by line: a broken line is kept as a refusal and leaves a line of nulls, so that the
number of a row in the piece stays the number of its line.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fonoteca.core import durable
from fonoteca.sources.bulk import Sql, columns, literal
from fonoteca.sources.limits import LIMITS, Limits
from fonoteca.sources.musicbrainz_tables import Table
from fonoteca.sources.musicbrainz_text import unescaped_sql, uuid

PIECE = 256 << 20
"""Bytes of a piece: large enough for all cores, small enough to lie on the disk twice."""
_BLOCK = 4 << 20
_NUMBER = re.compile(rb"[+-]?\d{1,18}")
_NULL = b"\\N"
_SAMPLE = 1000


@dataclass(frozen=True)
class Piece:
    """Whole lines of one table on the disk. ``lines`` are counted, ``plain`` says that no carriage return is in."""

    path: Path
    size: int
    lines: int
    plain: bool


@dataclass(frozen=True)
class Broken:
    """A line that cannot be read: its number in the piece from 0."""

    line: int
    code: str
    reason: str
    raw: str


def cut(stream: IO[bytes], folder: Path, name: str, size: int = PIECE) -> Iterator[Piece]:
    """Write pieces of about ``size`` bytes that end where a line ends. The caller deletes each."""
    carried = b""
    number = 0
    while True:
        path = folder / f"{name}-{number:05d}.tsv"
        with durable.scratch(path) as out:
            piece, carried = _fill(stream, carried, out, path, size)
        if not piece.lines:
            durable.remove(path)
            return
        yield piece
        number += 1


def _fill(stream: IO[bytes], carried: bytes, out: IO[bytes], path: Path, size: int) -> tuple[Piece, bytes]:
    written = lines = 0
    plain = True
    block = carried
    while block or (block := stream.read(_BLOCK)):
        rest = b""
        if written + len(block) >= size and (end := block.rfind(b"\n") + 1):
            block, rest = block[:end], block[end:]
        out.write(block)
        written += len(block)
        lines += block.count(b"\n")
        plain = plain and b"\r" not in block
        last = block
        block = b""
        if rest or (written >= size and last.endswith(b"\n")):
            return Piece(path, written, lines, plain), rest
    if written and not last.endswith(b"\n"):
        out.write(b"\n")
        lines += 1
    return Piece(path, written, lines, plain), b""


def whole(path: Path) -> Iterator[Piece]:
    """A file of its own as one piece, where it lies; none for an empty one."""
    size = lines = 0
    plain, last = True, b"\n"
    with path.open("rb", buffering=0) as stream:
        while block := stream.read(_BLOCK):
            size += len(block)
            lines += block.count(b"\n")
            plain = plain and b"\r" not in block
            last = block
    if size:
        yield Piece(path, size, lines + (not last.endswith(b"\n")), plain)


def widths(path: Path) -> Counter[int]:
    """Numbers of columns that a file's first lines have, and how many of them have each; none for an empty file."""
    with path.open("rb") as stream:
        return widths_of(stream)


def widths_of(stream: IO[bytes]) -> Counter[int]:
    """The same, of a stream at its beginning."""
    lines = (stream.readline(LIMITS.line) for _ in range(_SAMPLE))
    return Counter(line.count(b"\t") + 1 for line in lines if line)


def reading(path: Path, table: Table, form: tuple[str, ...]) -> str:
    """The query that parses a piece. Names of columns that are not kept do not matter: they are not read."""
    types = columns([(name, table.kept.get(name, "VARCHAR")) for name in form])
    kept = ", ".join(
        f"{unescaped_sql(name)} AS {name}" if kind == "VARCHAR" else name for name, kind in table.kept.items()
    )
    return f"""SELECT {kept} FROM read_csv({literal(path)}, columns={types}, auto_detect=false, header=false,
        delim='\t', quote='', escape='', comment='', nullstr='\\N', new_line='\\n', ignore_errors=true,
        strict_mode=true, max_line_size={LIMITS.line})"""


def stage(sql: Sql, name: str, piece: Piece, table: Table, form: tuple[str, ...]) -> int:
    """Have a piece parsed and kept as ``name``; broken lines are kept beside it. Returns how many are broken."""
    mark = _mark(sql.work, name)
    if not (mark.exists() or piece.plain):
        _mend(sql, name, piece, table, form)
    if not mark.exists():
        sql.stage(name, reading(piece.path, table, form))
        if _whole(sql, name, piece, table):
            return 0
        sql.drop(name)
        _mend(sql, name, piece, table, form)
    _stage_mended(sql, name, piece, table, form)
    return int(mark.read_text("utf-8"))


def _mark(work: Path, name: str) -> Path:
    """Says, once it is there, how many broken lines were taken out of a piece."""
    return work / f"{name}.broken"


def refusals_path(work: Path, name: str) -> Path:
    """Where the broken lines of a piece are; no file, no broken lines."""
    return work / f"{name}.refused.csv"


def _whole(sql: Sql, name: str, piece: Piece, table: Table) -> bool:
    counted = ", ".join(f"count({column})" for column in table.needed)
    return all(found == piece.lines for found in sql.rows(f"SELECT count(*), {counted} FROM {name}")[0])


def _mended_path(work: Path, name: str) -> Path:
    return work / f"{name}.mended.tsv"


def _mend(sql: Sql, name: str, piece: Piece, table: Table, form: tuple[str, ...]) -> None:
    """Write the piece without its broken lines, and those apart; the count last, since it says that all is there."""
    refused = refusals_path(sql.work, name)
    broken = 0
    with (
        durable.writing(_mended_path(sql.work, name)) as out,
        durable.writing(refused) as binary,
        piece.path.open("rb") as stream,
    ):
        text = io.TextIOWrapper(binary, "utf-8", newline="", write_through=True)
        rows = csv.writer(text, lineterminator="\n")
        for line in mended(stream, table, form):
            if isinstance(line, Broken):
                rows.writerow((line.line, line.code, line.reason, line.raw))
                broken += 1
                out.write(b"\t".join([_NULL] * len(form)) + b"\n")
            else:
                out.write(line)
        text.flush()
        text.detach()
    durable.write_bytes(_mark(sql.work, name), str(broken).encode())


def _stage_mended(sql: Sql, name: str, piece: Piece, table: Table, form: tuple[str, ...]) -> None:
    path = _mended_path(sql.work, name)
    if not path.exists() and not (sql.work / f"{name}.parquet").exists():
        _mend(sql, name, piece, table, form)
    sql.stage(name, reading(path, table, form))
    durable.remove(path)


def mended(stream: IO[bytes], table: Table, form: tuple[str, ...], limits: Limits = LIMITS) -> Iterator[bytes | Broken]:
    """Each line as it can be parsed, its bytes UTF-8, or what is wrong with it."""
    number = 0
    while line := stream.readline(limits.line + 1):
        whole = line
        while len(line) > limits.line and not line.endswith(b"\n"):
            line = stream.readline(limits.line + 1)
        if len(whole) > limits.line:
            raw = whole[: limits.raw].decode("utf-8", "replace")
            yield Broken(number, "long-row", f"the line is longer than {limits.line} bytes", raw)
        else:
            yield _checked(whole, number, table, form, limits)
        number += 1


def _checked(line: bytes, number: int, table: Table, form: tuple[str, ...], limits: Limits) -> bytes | Broken:
    text = line.removesuffix(b"\n").removesuffix(b"\r").replace(b"\r", b"\\r")
    cells = text.split(b"\t")
    wrong = fault(cells, table, form)
    if wrong is None:
        return text.decode("utf-8", "replace").encode() + b"\n"
    raw = line.removesuffix(b"\n")[: limits.raw].decode("utf-8", "replace")
    return Broken(number, wrong[0], wrong[1], raw)


def fault(cells: list[bytes], table: Table, form: tuple[str, ...]) -> tuple[str, str] | None:
    """Why a line is no row of the table (code and reason); None for a good one."""
    if len(cells) != len(form):
        return "column-count", f"{table.member} has {len(form)} columns, this line {len(cells)}"
    for name, cell in zip(form, cells, strict=True):
        kind = table.kept.get(name)
        if kind is None or (cell == _NULL and name not in table.needed):
            continue
        if cell == _NULL:
            return "no-key", f"{name} is null"
        if kind == "UUID" and uuid(cell.decode("ascii", "replace")) is None:
            return "no-key", f"{name} is no MBID"
        if kind == "BIGINT" and not _NUMBER.fullmatch(cell):
            return "no-key" if name in table.needed else "bad-row", f"{name} is no number"
    return None
