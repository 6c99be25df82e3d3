"""Find out from its content what a table file is: format, encoding, delimiter, columns."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

from fonoteca.core.errors import Usage
from fonoteca.sources import delimited
from fonoteca.sources.limits import Limits
from fonoteca.sources.rows import SAMPLE, Reading, TableFile, not_a_dump
from fonoteca.sources.stream import find_encoding, open_bytes, open_text, torn

ANY_TABLE = "a table (CSV, TSV, JSON lines or Parquet)"
_DELIMITERS = (",", "\t", ";", "|")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")


def describe(path: Path, reading: Reading, limits: Limits) -> TableFile:
    """As :func:`fonoteca.sources.rows.describe`, but OSError comes through."""
    if path.is_dir():
        raise not_a_dump(path, ANY_TABLE, "it is a folder")
    if path.exists() and not path.is_file():
        raise not_a_dump(path, ANY_TABLE, "it is no regular file")
    with open_bytes(path, limits) as stream:
        sample = stream.read(SAMPLE)
        trouble = torn(stream)
    if not sample:
        raise not_a_dump(path, ANY_TABLE, trouble.reason if trouble else "it is empty")
    if reading.format == "parquet" or (reading.format is None and sample.startswith(b"PAR1")):
        from fonoteca.sources import parquet

        return TableFile(path, "parquet", parquet.columns(path, limits), limits=limits)
    encoding = reading.encoding or find_encoding(sample)
    text = _text(path, sample, encoding)
    form = reading.format or _format(path, text)
    if form == "jsonl":
        return TableFile(path, "jsonl", (), encoding, limits=limits)
    return _delimited(path, encoding, reading, limits)


def _text(path: Path, sample: bytes, encoding: str) -> str:
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    text = decoder.decode(sample).lstrip("\ufeff")
    if len(_CONTROL.findall(text)) > len(text) // 100 + 8:
        raise not_a_dump(path, ANY_TABLE, "it holds binary data")
    if not text.strip():
        raise not_a_dump(path, ANY_TABLE, "it holds nothing but blanks")
    return text


def _format(path: Path, text: str) -> str:
    first = text.lstrip()[0]
    if first == "[":
        raise not_a_dump(path, ANY_TABLE, "it is one JSON array, not one JSON object a line")
    if first == "<":
        raise not_a_dump(path, ANY_TABLE, "it is XML or HTML")
    return "jsonl" if first == "{" else "csv"


def _delimited(path: Path, encoding: str, reading: Reading, limits: Limits) -> TableFile:
    first = _first_line(path, encoding, limits)
    delimiter = reading.delimiter or _delimiter(first)
    quoting = reading.quoting if reading.quoting is not None else delimiter != "\t" or '"' in first
    file = TableFile(path, "csv", (), encoding, delimiter, quoting, limits)
    try:
        cells = delimited.header(file)
    except ValueError as error:
        raise not_a_dump(path, ANY_TABLE, f"its header cannot be read: {error}") from None
    names = tuple(c.strip("\ufeff \t\r\n").encode("utf-8", "backslashreplace").decode() for c in cells)
    check_columns(path, names, limits)
    return replace(file, columns=names)


def _first_line(path: Path, encoding: str, limits: Limits) -> str:
    text, _ = open_text(path, encoding, limits)
    with text:
        while line := text.readline(limits.line + 1):
            if len(line) > limits.line:
                raise not_a_dump(path, ANY_TABLE, f"its first line is longer than {limits.line} characters")
            if line.strip("\ufeff\r\n\t ,;|"):
                return line
    raise not_a_dump(path, ANY_TABLE, "it holds nothing but blank lines")


def _delimiter(header: str) -> str:
    """The commonest delimiter outside quotes; a comma where there is none (a table of one column)."""
    bare = re.sub(r'"(?:[^"]++|"")*+"', "", header)
    counts = Counter({d: bare.count(d) for d in _DELIMITERS})
    best, count = counts.most_common(1)[0]
    return best if count else ","


def check_columns(path: Path, names: tuple[str, ...], limits: Limits) -> None:
    """Refuse a header that has too many columns, or one name twice.

    Raises:
        Usage: ``too-many-columns`` or ``duplicate-column``.
    """
    if len(names) > limits.columns:
        raise Usage("too-many-columns", f"{path.name} could not be read",
                    f"it has {len(names)} columns, more than {limits.columns}",
                    "check that the delimiter is right, or take out the columns that are not needed",
                    str(path))  # fmt: skip
    twice = sorted(name for name, count in Counter(names).items() if count > 1 and name)
    if twice:
        raise Usage("duplicate-column", f"{path.name} could not be read",
                    f"its header names {', '.join(map(repr, twice[:5]))} more than once",
                    "rename the columns so that each name stands once", str(path))  # fmt: skip
