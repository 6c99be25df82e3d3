"""A stranger's Parquet: read in batches, never trusted."""

from __future__ import annotations

import datetime
import decimal
import gzip
import struct
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fonoteca.core.errors import Usage
from fonoteca.sources.limits import Limits
from fonoteca.sources.records import Refused
from fonoteca.sources.rows import Row, describe

pytestmark = pytest.mark.core


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "t.bin"
    table = pa.table({"title": [f"title {n}" for n in range(5000)], "listens": list(range(5000))})
    pq.write_table(table, path, row_group_size=1000)
    return path


def test_rows_come_in_order_with_positions(path: Path) -> None:
    file = describe(path)
    rows = list(file.rows())
    assert file.columns == ("title", "listens")
    assert len(rows) == 5000
    assert isinstance(rows[4999], Row)
    assert (rows[4999].position, rows[4999].values) == ("t.bin:5000", {"title": "title 4999", "listens": 4999})


def test_a_packed_file_is_read_in_memory_up_to_a_limit(path: Path) -> None:
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert len(list(describe(path).rows())) == 5000
    with pytest.raises(Usage, match="gunzip it first"):
        describe(path, limits=Limits(parquet_in_memory=1000))


def test_arrow_values_become_plain_ones(path: Path) -> None:
    moment = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    values = {
        "date": moment, "price": decimal.Decimal("1.50"), "bytes": b"\xff", "text": b"abc", "nan": float("nan"),
        "list": ["a", None], "inner": {"x": 1}, "length": datetime.timedelta(seconds=3), "nothing": None,
    }  # fmt: skip
    pq.write_table(pa.Table.from_pylist([values]), path)
    (row,) = describe(path).rows()
    assert isinstance(row, Row)
    assert row.values == {
        "date": moment.isoformat(), "price": "1.50", "bytes": "ff", "text": "abc", "nan": None, "list": ["a", None],
        "inner.x": 1, "length": 3.0, "nothing": None,
    }  # fmt: skip
    assert row.digest()


@pytest.mark.parametrize("damage", ["no end", "huge footer", "footer of noise", "only magic", "no start"])
def test_files_that_lie_about_themselves_are_refused(path: Path, damage: str) -> None:
    data = bytearray(path.read_bytes())
    if damage == "no end":
        del data[-100:]
    elif damage == "huge footer":
        data[-8:-4] = struct.pack("<I", 0x7FFFFFFF)
    elif damage == "footer of noise":
        data[-200:-8] = bytes(range(192))
    elif damage == "only magic":
        data = bytearray(b"PAR1PAR1")
    else:
        data[:4] = b"PAR2"
    path.write_bytes(bytes(data))
    with pytest.raises(Usage) as caught:
        describe(path)
    assert caught.value.code == "not-a-dump"


@pytest.mark.parametrize(("kind", "far"), [(pa.timestamp("us"), 2**62), (pa.date32(), 2**31 - 1)])
def test_a_moment_beyond_the_calendar_costs_its_own_row_only(path: Path, kind: pa.DataType, far: int) -> None:
    moments = pa.array([0, far, None, 1], pa.int32() if pa.types.is_date32(kind) else pa.int64())
    pq.write_table(pa.table({"id": ["1", "2", "3", "4"], "at": moments.cast(kind)}), path)
    found = list(describe(path).rows())
    assert [type(row).__name__ for row in found] == ["Row", "Refused", "Row", "Row"]
    assert isinstance(found[1], Refused)
    assert (found[1].code, found[1].position) == ("bad-row", f"{path.name}:2")


def test_limits_on_what_the_footer_says(path: Path) -> None:
    for limits in (Limits(parquet_row_groups=2), Limits(parquet_group=100), Limits(parquet_footer=10)):
        with pytest.raises(Usage):
            describe(path, limits=limits)
    with pytest.raises(Usage) as caught:
        describe(path, limits=Limits(columns=1))
    assert caught.value.code == "too-many-columns"


@pytest.mark.parametrize("seed", range(20))
def test_damaged_pages_end_in_one_refusal_and_never_a_crash(path: Path, seed: int) -> None:
    data = bytearray(path.read_bytes())
    at = 4 + (seed * 7919) % (len(data) // 2)
    data[at : at + 64] = bytes((seed * 31 + i) % 256 for i in range(64))
    path.write_bytes(bytes(data))
    try:
        rows = list(describe(path).rows())
    except Usage:
        return
    refused = [r for r in rows if isinstance(r, Refused)]
    assert len(refused) <= 1
    assert all(r is rows[-1] and r.code == "damaged-parquet" for r in refused)


def test_one_long_text_in_every_row_does_not_fill_the_memory(path: Path) -> None:
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 1000 + [1], pa.int32()), pa.array(["x" * (1 << 21), "y"]))
    pq.write_table(pa.table({"title": texts}), path, compression="zstd", store_schema=False,
                   dictionary_pagesize_limit=64 << 20)  # fmt: skip
    assert path.stat().st_size < 1 << 20
    limits = Limits(row=1 << 20)
    tracemalloc.start()
    try:
        rows = list(describe(path, limits=limits).rows())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [type(r) for r in rows] == [Refused] * 1000 + [Row]
    assert peak < 100 << 20


def test_a_wrong_checksum_of_a_page_is_found(path: Path) -> None:
    table = pa.table({"title": [f"title {n}" for n in range(5000)]})
    pq.write_table(table, path, compression="none", use_dictionary=False, write_page_checksum=True)
    data = bytearray(path.read_bytes())
    data[data.index(b"title 77")] ^= 1
    path.write_bytes(bytes(data))
    (refusal,) = describe(path).rows()
    assert isinstance(refusal, Refused)
    assert refusal.code == "damaged-parquet"
