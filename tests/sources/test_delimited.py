"""Rows of CSV and TSV, whole and broken."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import pytest

from fonoteca.core.errors import Usage
from fonoteca.sources.limits import LIMITS, Limits
from fonoteca.sources.records import Refused
from fonoteca.sources.rows import AS_IT_IS, Reading, Row, describe

pytestmark = pytest.mark.core


def read(
    folder: Path, data: bytes, limits: Limits = LIMITS, reading: Reading = AS_IT_IS
) -> list[tuple[str, str, list[str]]]:
    """(position, code or '', values) of each row."""
    path = folder / "t"
    path.write_bytes(data)
    found = []
    for row in describe(path, reading, limits).rows():
        if isinstance(row, Row):
            found.append((row.position, "", list(row.values.values())))
        else:
            found.append((row.position, row.code, []))
    return found


def values(folder: Path, data: bytes) -> list[list[str]]:
    return [v for _, _, v in read(folder, data)]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_delimiter_is_found_from_the_header(tmp_path: Path, delimiter: str) -> None:
    lines = [["a", "b"], ["1", "x"], ["2", "y"]]
    data = "\n".join(delimiter.join(line) for line in lines).encode()
    assert values(tmp_path, data) == [["1", "x"], ["2", "y"]]


def test_mixed_line_ends_blank_lines_and_a_byte_order_mark(tmp_path: Path) -> None:
    assert values(tmp_path, b"\xef\xbb\xbf\r\na,b\r\n1,2\n3,4\r\r\n5,6") == [["1", "2"], ["3", "4"], ["5", "6"]]


def test_utf_16_is_read(tmp_path: Path) -> None:
    assert values(tmp_path, "a,b\r\nÄ,名\r\n".encode("utf-16")) == [["Ä", "名"]]


def test_a_quoted_line_end_is_in_the_row_and_positions_count_lines(tmp_path: Path) -> None:
    assert read(tmp_path, b'a,b\n"x\ny",2\n3,4\n') == [("t:2", "", ["x\ny", "2"]), ("t:4", "", ["3", "4"])]


def test_nul_is_kept_for_the_reader_of_values(tmp_path: Path) -> None:
    assert values(tmp_path, b"a,b\n1\x00,2\n") == [["1\x00", "2"]]


def test_tabs_do_not_quote_unless_the_header_does(tmp_path: Path) -> None:
    assert values(tmp_path, b'a\tb\n"Heroes\t2\n3\t"4"\n') == [['"Heroes', "2"], ["3", '"4"']]
    assert values(tmp_path, b'"a"\t"b"\n"x\ty"\t"2"\n') == [["x\ty", "2"]]


def test_an_unescaped_line_end_refuses_both_halves_and_nothing_else(tmp_path: Path) -> None:
    found = read(tmp_path, b"a,b,c\n1,bro\nken,3\n4,5,6\n")
    assert [(p, c) for p, c, _ in found] == [("t:2", "column-count"), ("t:3", "column-count"), ("t:4", "")]


def test_a_stray_quote_costs_its_own_line_only(tmp_path: Path) -> None:
    found = read(tmp_path, b'a,b\n1,"open\n3,4\n5,6\n')
    assert [(p, c) for p, c, _ in found] == [("t:2", "open-quote"), ("t:3", ""), ("t:4", "")]


def test_a_row_that_swallows_others_is_given_up_within_its_limit(tmp_path: Path) -> None:
    data = b'a,b\n1,"open\n' + b"3,4\n" * 2000
    found = read(tmp_path, data, Limits(row=1000))
    assert [(p, c) for p, c, _ in found[:2]] == [("t:2", "long-row"), ("t:3", "")]
    assert len(found) == 2001


def test_lines_made_to_be_read_over_and_over_are_not(tmp_path: Path) -> None:
    # Each of these lines ends inside a quote wherever it began, so every suffix of the file is one long row.
    limits = Limits(row=20_000)
    data = b"a,b\n" + b'x"y,"z\n' * 100_000
    found = read(tmp_path, data, limits)
    assert found
    assert all(code for _, code, _ in found)


def test_a_line_beyond_the_limit_is_refused_and_the_next_is_read(tmp_path: Path) -> None:
    data = b"a,b\n1," + b"x" * 5000 + b"\n3,4\n"
    assert [(p, c) for p, c, _ in read(tmp_path, data, Limits(line=1000))] == [("t:2", "long-row"), ("t:3", "")]


def test_a_field_beyond_the_limit_is_refused_and_the_next_row_is_read(tmp_path: Path) -> None:
    data = b'a,b\n1,"' + b"x\n" * 100_000 + b'"\n3,4\n'
    found = read(tmp_path, data)
    assert found[-1] == (found[-1][0], "", ["3", "4"])
    assert found[0][1] == "bad-row"


@pytest.mark.parametrize("cut", [9, 12, 30])
def test_a_packed_table_that_is_cut_ends_in_one_refusal_and_keeps_no_half_row(tmp_path: Path, cut: int) -> None:
    lines = [f"{n},title {n * n % 9973}" for n in range(2000)]
    data = gzip.compress("\n".join(["a,b", *lines]).encode())[:-cut]
    found = read(tmp_path, data)
    assert [c for _, c, _ in found if c] == ["truncated-file"]
    assert [",".join(v) for _, c, v in found if not c] == lines[: len(found) - 1]


def test_a_bomb_ends_in_one_refusal(tmp_path: Path) -> None:
    data = gzip.compress(b"a,b\n" + b"1,2\n" * 2_000_000)
    found = read(tmp_path, data, Limits(gzip_floor=1 << 16))
    assert found[-1][1] == "compression-bomb"
    assert found[0] == ("t:2", "", ["1", "2"])


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"a,b,a\n1,2,3\n", "duplicate-column"),
        (b",".join(b"c%d" % n for n in range(10_000)) + b"\n", "too-many-columns"),
        (b"c," * 10_000_000 + b"\n", "not-a-dump"),
        (b"\0\0\0\0" * 100, "not-a-dump"),
        (b"  \n \n", "not-a-dump"),
        (b'"never closed\n' + b"x\n" * 3, "not-a-dump"),
    ],
    ids=["duplicate", "10 thousand columns", "10 million columns", "binary", "blank", "open header"],
)
def test_bad_headers_are_refused_at_once(tmp_path: Path, data: bytes, code: str) -> None:
    path = tmp_path / "t"
    path.write_bytes(data)
    with pytest.raises(Usage) as caught:
        describe(path)
    assert caught.value.code == code


def test_stray_bytes_reach_the_reader_of_values_and_print_in_a_refusal(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_bytes(b"a,b\n\x80x,2\n\x80y\n")
    first, second = describe(path).rows()
    assert isinstance(first, Row)
    assert first.values["a"] == "\udc80x"
    assert isinstance(second, Refused)
    assert second.raw == "\\udc80y"


def test_equal_rows_have_equal_digests_whatever_the_order_of_columns(tmp_path: Path) -> None:
    assert Row("x:1", {"a": "1", "b": "2", "c": ""}).digest() == Row("y:2", {"b": "2", "a": "1"}).digest()


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "t.gz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(b"a,b\n" + b"".join(b"%d,%d\n" % (n, n * n * 7919) for n in range(100_000)))
    tracemalloc.start()
    try:
        assert sum(1 for _ in describe(path).rows()) == 100_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20
