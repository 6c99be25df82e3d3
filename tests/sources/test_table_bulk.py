"""Which tables of counts go by columns: those of many rows that both ways would read alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fonoteca.sources.records import Dump
from fonoteca.sources.table import Table
from fonoteca.sources.table_bulk import SMALLEST

pytestmark = pytest.mark.core
MAPPING = {"about": "signals", "source": "musicbrainz", "key": ["mbid"], "licence": "CC0-1.0", "dataset": "heard",
           "signals": {"listens": "n"}}  # fmt: skip
KEYS = [f"{i:08d}-0000-4000-8000-000000000000" for i in range(SMALLEST)]
COUNTS = pa.table({"mbid": KEYS, "n": range(SMALLEST)})


def by_columns(path: Path, table: pa.Table, change: dict[str, Any] | None = None) -> bool:
    pq.write_table(table, path)
    return Table().bulk(Dump([path], options={"mapping": MAPPING | (change or {})})) is not None


def test_a_table_of_counts_goes_by_columns_from_so_many_rows_on(tmp_path: Path) -> None:
    assert by_columns(tmp_path / "x.parquet", COUNTS)
    assert not by_columns(tmp_path / "x.parquet", COUNTS.slice(1))


@pytest.mark.parametrize("change", [
    {"source": "", "columns": {"source": "x"}}, {"key": ["mbid", "x"]},
    {"about": "claims", "columns": {"licence": "x"}}, {},
])  # fmt: skip
def test_other_tables_go_record_by_record(change: dict[str, Any], tmp_path: Path) -> None:
    table = COUNTS.append_column("x", [["y"] * SMALLEST])
    assert not by_columns(tmp_path / "x.parquet", table, change)


def test_names_that_the_engine_takes_for_others_go_record_by_record(tmp_path: Path) -> None:
    cased, taken = COUNTS.rename_columns(["n", "N"]), COUNTS.rename_columns(["file_row_number", "n"])
    assert not by_columns(tmp_path / "x.parquet", cased, {"key": ["n"], "signals": {"listens": "N"}})
    assert not by_columns(tmp_path / "x.parquet", taken, {"key": ["file_row_number"]})
    assert not by_columns(tmp_path / "x[1].parquet", COUNTS)


@pytest.mark.parametrize("kind", [pa.binary(36), pa.int8(), pa.dictionary(pa.int32(), pa.string())])
def test_keys_of_other_types_go_record_by_record(kind: pa.DataType, tmp_path: Path) -> None:
    keys = pa.array([None] * SMALLEST, kind)
    assert not by_columns(tmp_path / "x.parquet", COUNTS.set_column(0, "mbid", keys))


def damaged(path: Path) -> None:
    """A byte of the last page's values is another: no header says so."""
    whole = bytearray(path.read_bytes())
    at = whole.rindex(KEYS[-1].encode())
    whole[at : at + 8] = b"\xff" * 8
    path.write_bytes(whole)


def test_text_that_is_none_goes_record_by_record(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(COUNTS, path, compression="none", use_dictionary=False, write_statistics=False)
    dump = Dump([path], options={"mapping": MAPPING})
    assert Table().bulk(dump) is not None
    damaged(path)
    assert Table().bulk(dump) is None


def test_a_long_text_in_a_dictionary_is_not_unpacked_in_every_row(tmp_path: Path) -> None:
    keys = pa.DictionaryArray.from_arrays(pa.array([1, *[0] * (SMALLEST - 1)]), ["x" * 3_000_000, "y"])
    pq.write_table(COUNTS.set_column(0, "mbid", keys), tmp_path / "x.parquet", store_schema=False)
    before = pa.total_allocated_bytes()
    pool = pa.default_memory_pool()
    assert Table().bulk(Dump([tmp_path / "x.parquet"], options={"mapping": MAPPING})) is None
    assert pool.max_memory() - before < 200_000_000
