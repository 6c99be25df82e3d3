"""Which Parquet tables of counts about another source's recordings (``about = "signals"``) go by columns.

Such tables have a row for each recording that anybody listened to; record by record they would take hours. Everything
else that a table can be goes record by record. Both ways say the same (docs/formats/mapping.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fonoteca.sources import parquet
from fonoteca.sources.bulk import Bulk
from fonoteca.sources.mapping import Mapping
from fonoteca.sources.rows import TableFile
from fonoteca.sources.table_counts import ROW_NUMBER, CountsBulk

SMALLEST = 10_000
"""Rows from which on a table goes by columns. That is faster from a thousand on, but what comes of it stands in the
catalogue as no table of a small catalogue does: programs that know only such could not read it."""
_NUMBERS = ("int", "uint", "float", "double")
_KEYS = ("string", "large_string", "extension<arrow.uuid>", "int32", "int64")
_PATTERN = frozenset("*?[")
"""In a path, the engine takes them for a pattern."""


def bulk(files: Sequence[tuple[TableFile, Mapping]], smallest: int = SMALLEST) -> Bulk | None:
    """The bulk way of one plain Parquet file of keys and counts; None for any other table."""
    if len(files) != 1:
        return None
    file, meaning = files[0]
    if not _is_counts(file, meaning) or not _is_plain(file):
        return None
    rows, kinds = _shape(file.path)
    if rows < smallest or kinds[meaning.key[0]] not in _KEYS:
        return None
    if any(not kinds[column].startswith(_NUMBERS) for column in meaning.signals.values()):
        return None
    # Where it is not, record by record says why; the rows before the damage are read.
    if not parquet.is_sound(file.path, file.limits) or not parquet.is_plain(file.path, file.limits):
        return None
    return CountsBulk(file.path, meaning, kinds, rows)


def _is_plain(file: TableFile) -> bool:
    """A Parquet file, not gzipped, of which the engine sees what we see: it does not tell 'n' from 'N'."""
    names = {name.casefold() for name in file.columns}
    if file.format != "parquet" or len(names) < len(file.columns) or ROW_NUMBER in names:
        return False
    if _PATTERN & set(str(file.path)):
        return False
    with file.path.open("rb") as stream:
        return stream.read(4) == b"PAR1"


def _is_counts(file: TableFile, meaning: Mapping) -> bool:
    """Nothing but a key of a named source, and counts: then two rows are equal where these are."""
    return (
        meaning.about == "signals" and bool(meaning.source) and len(meaning.key) == 1 and bool(meaning.signals)
        and not meaning.columns and not meaning.constants and set(file.columns) == set(meaning.needed)
    )  # fmt: skip


def _shape(path: Path) -> tuple[int, dict[str, str]]:
    """Rows, and the types of the columns."""
    import pyarrow.parquet as pq

    return int(pq.read_metadata(path).num_rows), {field.name: str(field.type) for field in pq.read_schema(path)}
