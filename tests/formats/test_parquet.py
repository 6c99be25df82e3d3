from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fonoteca.core.errors import Damaged
from fonoteca.formats import parquet
from fonoteca.formats.parquet import ColumnNote, Limits, column_notes, note, read_table, write_table
from fonoteca.formats.tables import PUBLISHED, PUBLISHED_SORT, SNAPSHOT, SORT_KEYS

pytestmark = pytest.mark.core

SCHEMA = pa.schema([("id", pa.int64()), ("name", pa.string()), ("flags", pa.list_(pa.string()))])


def _rows(count: int, seed: int = 0) -> pa.Table:
    dice = random.Random(seed)
    rows = [{"id": i // 2, "name": f"name {i % 7}", "flags": ["x"] * (i % 3)} for i in range(count)]
    dice.shuffle(rows)
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_same_rows_in_any_order_and_chunking_give_the_same_bytes(tmp_path: Path) -> None:
    digests = set()
    for seed in range(4):
        table = _rows(5_000, seed)
        pieces = pa.concat_tables([table.slice(i, 700) for i in range(0, 5_000, 700)])
        path = tmp_path / str(seed) / "t.parquet"
        write_table(path, pieces, sort_by=("id",), row_group=1_000)
        digests.add(_sha256(path))
    assert len(digests) == 1


def test_rows_are_sorted_in_groups_with_statistics(tmp_path: Path) -> None:
    write_table(tmp_path / "t.parquet", _rows(5_000), sort_by=("id",), row_group=1_000)
    with pq.ParquetFile(tmp_path / "t.parquet") as file:
        assert file.metadata.num_row_groups == 5
        column = file.metadata.row_group(0).column(0)
        assert column.compression == "ZSTD"
        assert column.statistics.max < 501
        assert file.metadata.row_group(0).sorting_columns
    assert read_table(tmp_path / "t.parquet")["id"].to_pylist() == sorted(i // 2 for i in range(5_000))


def test_each_column_says_source_and_licence(tmp_path: Path) -> None:
    write_table(tmp_path / "t.parquet", _rows(3), sort_by=("id",), notes={"id": note(["b", "a", "b"], ["CC0-1.0"])})
    assert column_notes(tmp_path / "t.parquet") == {"id": ColumnNote(("a", "b"), ("CC0-1.0",))}


TABLES = [(SNAPSHOT[n], SORT_KEYS[n]) for n in SNAPSHOT] + [(PUBLISHED[n], PUBLISHED_SORT[n]) for n in PUBLISHED]


@pytest.mark.parametrize(("schema", "keys"), TABLES, ids=[*SNAPSHOT, *(f"edition {name}" for name in PUBLISHED)])
def test_every_published_table_can_be_written_empty(schema: pa.Schema, keys: tuple[str, ...], tmp_path: Path) -> None:
    write_table(tmp_path / "t.parquet", schema.empty_table(), sort_by=keys)
    assert read_table(tmp_path / "t.parquet", schema=schema).schema == schema


def test_columns_of_a_newer_writer_are_left_out(tmp_path: Path) -> None:
    write_table(tmp_path / "t.parquet", _rows(3), sort_by=("id",))
    old = pa.schema([("id", pa.int64())])
    assert read_table(tmp_path / "t.parquet", schema=old).schema == old


@pytest.mark.parametrize(
    ("schema", "limits"),
    [
        (pa.schema([("nowhere", pa.int64())]), parquet.DEFAULT),
        (pa.schema([("id", pa.string())]), parquet.DEFAULT),
        (None, Limits(rows=99)),
        (None, Limits(columns=2)),
        (None, Limits(file_bytes=10)),
        (None, Limits(memory_bytes=10)),
    ],
    ids=["missing_column", "other_type", "too_many_rows", "too_many_columns", "too_long", "unfolds_too_far"],
)
def test_what_was_not_promised_is_damage(tmp_path: Path, schema: pa.Schema | None, limits: Limits) -> None:
    write_table(tmp_path / "t.parquet", _rows(100), sort_by=("id",))
    with pytest.raises(Damaged) as refused:
        read_table(tmp_path / "t.parquet", schema=schema, limits=limits)
    assert refused.value.code == "bad-table"


def test_truncated_flipped_and_foreign_bytes_are_damage(tmp_path: Path) -> None:
    good = tmp_path / "t.parquet"
    write_table(good, _rows(500), sort_by=("id",))
    data = good.read_bytes()
    bad = tmp_path / "bad.parquet"
    for broken in (
        b"",
        b"PAR1",
        b"not a table",
        data[:-1],
        data[: len(data) // 2],
        data[:-9] + b"\xff\xff\xff\x7fPAR1",
    ):
        bad.write_bytes(broken)
        with pytest.raises(Damaged):
            read_table(bad)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_table(path, _rows(3), sort_by=("id",))
    before = path.read_bytes()
    with pytest.raises(pa.ArrowException):
        write_table(path, pa.table({"id": [1]}), sort_by=("missing",))
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["t.parquet"]


def test_other_readers_read_it(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    polars = pytest.importorskip("polars")
    pandas = pytest.importorskip("pandas")
    path = tmp_path / "t.parquet"
    write_table(path, _rows(2_000), sort_by=("id",), row_group=500)
    with duckdb.connect() as connection:
        assert connection.execute("SELECT count(*), max(id) FROM read_parquet(?)", [str(path)]).fetchone() == (
            2000,
            999,
        )
    assert polars.read_parquet(path).height == 2000
    assert len(pandas.read_parquet(path)) == 2000
