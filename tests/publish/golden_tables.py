"""Golden Parquet files: byte for byte with the library version that wrote them, row for row with any other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from fonoteca.formats.parquet import write_table

GOLDENS = Path(__file__).resolve().parent.parent / "goldens"


def compare(
    golden: Callable[[str, bytes], None], name: str, table: pa.Table, keys: Sequence[str], folder: Path
) -> None:
    """The table, written as an edition writes it, against the golden file."""
    path = folder / "table.parquet"
    write_table(path, table, sort_by=keys)
    there = GOLDENS / name
    if there.is_file() and _writer(there) != _writer(path):
        assert pq.read_table(there).equals(pq.read_table(path))
    else:
        golden(name, path.read_bytes())


def _writer(path: Path) -> str:
    return str(pq.read_metadata(path).created_by)
