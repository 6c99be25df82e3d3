"""Same rows, same bytes, and the name says which."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fonoteca.catalogue.files import FileRef, row_groups, write
from fonoteca.catalogue.places import Places

pytestmark = pytest.mark.core

SCHEMA = pa.schema([("id", pa.int64()), ("name", pa.string())])


def batches(count: int, each: int) -> list[pa.RecordBatch]:
    whole = pa.table({"id": range(count), "name": [f"n{i}" for i in range(count)]}, schema=SCHEMA)
    return whole.to_batches(max_chunksize=each)


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 25])
def test_row_groups_have_one_size_however_the_rows_come(count: int) -> None:
    for each in (1, 3, 10, 11, 100):
        sizes = [t.num_rows for t in row_groups(batches(count, each), SCHEMA, 10)]
        assert sizes == [10] * (count // 10) + ([count % 10] if count % 10 else [])


def test_the_name_is_the_digest_and_the_cut_of_batches_does_not_matter(tmp_path: Path) -> None:
    refs = {write(Places(tmp_path), "x", batches(70_000, each), SCHEMA) for each in (1_000, 65_536, 70_000)}
    assert len(refs) == 1
    ref = refs.pop()
    path = Places(tmp_path).file(ref.sha256)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == ref.sha256
    assert path.stat().st_size == ref.bytes
    assert pq.read_metadata(path).num_rows == ref.rows == 70_000
    assert [p.name for p in Places(tmp_path).spool.iterdir()] == []


def test_writing_again_heals_a_damaged_file(tmp_path: Path) -> None:
    ref = write(Places(tmp_path), "x", batches(10, 10), SCHEMA)
    path = Places(tmp_path).file(ref.sha256)
    path.write_bytes(b"\0" * ref.bytes)
    write(Places(tmp_path), "x", batches(10, 10), SCHEMA)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == ref.sha256


def test_no_rows_make_a_file_with_columns(tmp_path: Path) -> None:
    ref = write(Places(tmp_path), "x", [], SCHEMA)
    assert ref.rows == 0
    assert pq.read_schema(Places(tmp_path).file(ref.sha256)).names == ["id", "name"]


def test_a_reference_survives_json() -> None:
    ref = FileRef("ab", 3, 1)
    assert FileRef.from_json(ref.as_json()) == ref
