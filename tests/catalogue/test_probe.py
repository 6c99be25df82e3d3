"""Binary search in files that are read, whatever lies in them."""

from __future__ import annotations

import collections
import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fonoteca.catalogue.keys import joined
from fonoteca.catalogue.keys import packed as of_chunk
from fonoteca.catalogue.probe import Keys, Sorted

pytestmark = pytest.mark.core


def packed(hashes: object, rows: object) -> np.ndarray:  # type: ignore[type-arg]
    return np.concatenate(list(joined([of_chunk(hashes, rows)])))


def hashes(kind: str, count: int) -> list[int]:
    rng = random.Random(7)
    if kind == "even":
        return [rng.getrandbits(63) for _ in range(count)]
    if kind == "crowded":
        return [rng.getrandbits(40) for _ in range(count)]
    if kind == "the same":
        return [5 << 40] * count
    return [(1 << 63) - 1 - rng.getrandbits(30) for _ in range(count)] + [0, (1 << 63) - 1]


@pytest.mark.parametrize("count", [0, 1, 2, 4_095, 50_000])
@pytest.mark.parametrize("kind", ["even", "crowded", "the same", "at the ends"])
def test_all_rows_of_a_hash_are_found_and_no_others(kind: str, count: int, tmp_path: Path) -> None:
    given = hashes(kind, count)
    keys = packed(np.array(given, "<u8"), np.arange(len(given), dtype="<u8"))
    path = tmp_path / "x.keys"
    path.write_bytes(keys.tobytes())
    read, expected = Keys(path, len(given)), collections.defaultdict[int, list[int]](list)
    for row, value in enumerate(given):
        expected[value >> 27].append(row)
    rng = random.Random(1)
    some = rng.sample(given, min(2 if kind == "the same" else 4_000, len(given)))
    asked = [*given[:2], *given[-2:], *some, 0, 1, (1 << 63) - 1, *[rng.getrandbits(63) for _ in range(50)]]
    for one in asked:
        assert read.rows(one) == expected[one >> 27]
    read.close()


@pytest.mark.parametrize("group", [7, 100, 5_000])
def test_rows_of_a_sorted_table_by_a_number_and_by_a_text(group: int, tmp_path: Path) -> None:
    rows = [{"id": n // 3 * 2, "name": f"é{n // 5:05d}", "n": n} for n in range(3_000)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "x.parquet", row_group_size=group)
    by_id, by_name = Sorted(tmp_path / "x.parquet", "id"), Sorted(tmp_path / "x.parquet", "name")
    for value in (-1, 0, 1, 2, 998, 1_998, 2_000):
        assert by_id.rows(value) == [r for r in rows if r["id"] == value]
        assert by_id.has(value) == any(r["id"] == value for r in rows)
    for name in ("", "é00000", "é00599", "é1", "ü"):
        assert by_name.rows(name) == [r for r in rows if r["name"] == name]
    by_id.close()
    by_name.close()


def test_a_table_that_is_not_sorted_or_tells_no_bounds_is_read_all_the_same(tmp_path: Path) -> None:
    rows = [{"id": n * 7_919 % 1_000, "n": n} for n in range(1_000)]
    for name, statistics in (("a", True), ("b", False)):
        path = tmp_path / f"{name}.parquet"
        pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=64, write_statistics=statistics)
        table = Sorted(path, "id")
        assert [table.rows(value) for value in (0, 5, 999)] == [
            [r for r in rows if r["id"] == value] for value in (0, 5, 999)
        ]
        table.close()


def test_a_key_is_found_in_two_reads_of_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = hashes("even", 300_000)
    (tmp_path / "x.keys").write_bytes(packed(np.array(given, "<u8"), np.arange(len(given), dtype="<u8")).tobytes())
    file, once = Keys(tmp_path / "x.keys", len(given)), Keys._read
    read: list[int] = []

    def counted(self: Keys, start: int, end: int) -> object:
        read.append(end - start)
        return once(self, start, end)

    monkeypatch.setattr(Keys, "_read", counted)
    for value in given[:500]:
        assert file.rows(value)
    assert max(read) <= 512
    assert len(read) < 500 * 3
    file.close()


def test_the_bounds_of_a_table_are_kept_and_not_its_footer(tmp_path: Path) -> None:
    rows = [{"id": n, "n": n} for n in range(5_000)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "x.parquet", row_group_size=500)
    table = Sorted(tmp_path / "x.parquet", "id")
    assert not any(isinstance(value, pq.ParquetFile | pq.FileMetaData) for value in vars(table).values())
    assert table.rows(4_321) == [{"id": 4_321, "n": 4_321}]
    table.close()
