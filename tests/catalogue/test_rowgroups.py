"""Single rows of large files: the footer cut into row groups says what the whole says."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fonoteca.catalogue.rowgroups import RowGroups

pytestmark = pytest.mark.core
COLUMNS = ("id", "key", "title", "nothing", "flags", "names", "late")


def written(path: Path, rows: int, group: int) -> list[dict[str, object]]:
    query = f"""
        SELECT range AS id, md5(range::VARCHAR)::UUID AS key, 'Title ' || range % 90 AS title, NULL::VARCHAR AS nothing,
            CASE WHEN range % 3 = 0 THEN NULL WHEN range % 3 = 1 THEN [] ELSE ['x'] END AS flags,
            CASE WHEN range > 5 THEN [{{'scheme': 'id', 'value': chr(25) || chr(252) || '&id' || range}}] END AS names,
            CASE WHEN range >= {group} THEN range END AS late, {", ".join(f"{n} AS c{n}" for n in range(12))}
        FROM range({rows})"""
    with duckdb.connect() as database:
        database.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet, PARQUET_VERSION V2, ROW_GROUP_SIZE {group})")
    found: list[dict[str, object]] = pq.read_table(path, columns=list(COLUMNS)).to_pylist()
    return found


def alike(row: dict[str, object], expected: dict[str, object]) -> bool:
    """Of lists other than flags, null and empty are one."""
    return {k: v if k == "flags" else v or None for k, v in row.items()} == {
        k: v if k == "flags" else v or None for k, v in expected.items()
    }


@pytest.mark.parametrize(("rows", "group"), [(1, 2_048), (2_048, 2_048), (2_049, 2_048), (70_000, 2_048)])
def test_every_row_is_the_one_of_the_whole_file(rows: int, group: int, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    expected = written(path, rows, group)
    file = RowGroups(path, rows, exact=("flags",))
    assert file._whole is None, "the footer was not cut"
    for number in {0, 1, 5, 6, 7, group - 1, group, rows // 2, rows - 2, rows - 1} & set(range(rows)):
        assert alike(file.row(number, COLUMNS), expected[number])
    run = file.run(rows // 2, 9, COLUMNS)
    assert run == expected[rows // 2 : rows // 2 + len(run)]
    file.close()


@pytest.mark.parametrize("number", [0, 1, 2_047, 2_048, 4_095, 4_096, 6_000, 6_999])
def test_a_column_of_one_value_is_known_without_reading(number: int, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    query = """
        SELECT range AS id, 'same' AS text, 7 AS number, CASE WHEN range <> 3 THEN 'all but one' END AS gaps,
            (range >= 4096)::INTEGER AS each_group, repeat('long ', 100) || 'x' AS long, true AS yes,
            CASE WHEN range < 4096 THEN 'a' ELSE chr(97 + (range % 2)::INTEGER) END AS late, ['x'] AS list,
            1.5::DOUBLE AS real
        FROM range(7000)"""
    with duckdb.connect() as database:
        database.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet, PARQUET_VERSION V2, ROW_GROUP_SIZE 2048)")
        expected = database.sql(f"FROM '{path}' WHERE id = {number}").to_arrow_table().to_pylist()
    file = RowGroups(path, 7_000)
    columns = tuple(expected[0])
    told = file._opened(number // 2_048).told(columns, frozenset())
    known = {"text", "number", "each_group"} | ({"gaps"} if number >= 2_048 else set())
    assert set(told) - {"late"} == known, "no more, or it would be guessed, and no less, or it would be read"
    assert ("late" in told) == (number < 4_096)
    assert file.row(number, columns) == expected[0]
    assert file.run(number, 5_000, ("text", "number")) == [{"text": "same", "number": 7}] * (
        min(7_000, (number // 2_048 + 1) * 2_048) - number
    )
    file.close()


def test_a_footer_of_another_writer_is_parsed_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    table = pa.table({"id": range(1_000), "title": [f"T{n}" for n in range(1_000)]})
    pq.write_table(table, path, row_group_size=100)
    file = RowGroups(path, 1_000)
    assert [file.row(n, ("id", "title")) for n in (0, 99, 100, 999)] == [
        {"id": n, "title": f"T{n}"} for n in (0, 99, 100, 999)
    ]
    file.close()


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1" + b"\xff\xff\xff\x7fPAR1", b"no parquet at all"])
def test_what_is_no_parquet_file_is_said(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(data)
    with pytest.raises(pa.ArrowInvalid):
        RowGroups(path, 10)


def test_what_is_kept_of_a_footer_is_small(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    written(path, 200_000, 2_048)
    file = RowGroups(path, 200_000)
    for number in range(0, 200_000, 10_000):
        file.row(number, COLUMNS)
    kept = len(file._head) + file._places.itemsize * len(file._places)
    assert kept < 3_000 < pq.read_metadata(path).serialized_size // 10
    file.close()
