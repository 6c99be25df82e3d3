"""Pages of a hostile Parquet file: held against the footer before the library sees them, whichever way reads them."""

from __future__ import annotations

import struct as packing
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fonoteca.core.errors import Usage
from fonoteca.sources import table_bulk
from fonoteca.sources.limits import LIMITS, Limits
from fonoteca.sources.parquet import is_sound
from fonoteca.sources.records import Dump, Refused
from fonoteca.sources.rows import Row, describe
from fonoteca.sources.table import Table
from sources.confined import Confined, confined
from sources.parquet_maker import (
    BINARY,
    BYTE_ARRAY,
    DATA_V2,
    DICTIONARY,
    I32,
    I64,
    INDEX,
    STRUCT,
    Column,
    Page,
    numbers,
    struct,
    texts,
    write,
)

pytestmark = pytest.mark.core
MAPPING = {"about": "signals", "source": "musicbrainz", "key": ["mbid"], "licence": "CC0-1.0", "dataset": "heard",
           "signals": {"listens": "n"}}  # fmt: skip
COUNTS = [10, 20, 30, 40]
KEYS = Column("mbid", [numbers(1, 2, 3, 4)])


@pytest.fixture(name="reader", scope="module")
def _reader() -> Iterator[Confined]:
    with confined() as reader:
        yield reader


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    return tmp_path / "heard.parquet"


def halves(**lies: int) -> list[Page]:
    """The counts in two pages; the second one lies."""
    page = numbers(*COUNTS[2:])
    for name, value in lies.items():
        setattr(page, name, value)
    return [numbers(*COUNTS[:2]), page]


def dictionary(*values: int) -> Page:
    page = numbers(*values)
    return Page(page.data, page.values, DICTIONARY)


ONE = len(numbers(*COUNTS).encode())
BEHIND = "ends behind its column"
HOSTILE: dict[str, tuple[Column, str]] = {
    "a page that claims 2 GiB": (Column("n", halves(unpacked=2**31 - 1), told={6: 900}), "unpack to 2147483647, more"),
    "a page that claims 4 GiB": (Column("n", halves(unpacked=2**32 - 1), told={6: 80}), "more than 32 bits"),
    "a page larger than the footer says": (
        Column("n", [Page(bytes(32), 4, unpacked=9_000)], told={6: 90}, codec="zstd"), "to 90 bytes, its pages 9000"),
    "a page that is not packed and has two sizes": (Column("n", halves(unpacked=17)), "not packed"),
    "a page that ends behind its column": (Column("n", halves(packed=17, unpacked=17), told={6: 900}), BEHIND),
    "a page of 2 GiB packed": (Column("n", halves(packed=2**31 - 1, unpacked=9), told={6: 900}), BEHIND),
    "a page packed to less than nothing": (Column("n", halves(packed=-16, unpacked=16)), "-16 packed"),
    "a page that leads back to itself": (Column("n", halves(packed=-len(numbers(1, 2).encode()))), "packed"),
    "a page that unpacks to less than nothing": (Column("n", halves(unpacked=-1)), "has -1 bytes"),
    "a page of less than no values": (Column("n", halves(values=-2), told={5: 4}), "-2 values"),
    "a page whose header is within the last page": (
        Column("n", [Page(numbers(*COUNTS[:2]).data, 2, packed=8), *halves()[1:]]), "field 1 has another type"),
    "more values than the footer says": (Column("n", halves(values=3), told={5: 4}), "4 values, its pages 5"),
    "fewer values than the footer says": (Column("n", halves(values=1), told={5: 4}), "begins where the column ends"),
    "two dictionaries": (
        Column("n", [dictionary(1), dictionary(1), numbers(*COUNTS)]), "second dict"),
    "a dictionary behind its values": (
        Column("n", [numbers(1, 2), dictionary(1), numbers(3, 4)]), "second dict"),
    "a dictionary of more values than bytes": (
        Column("n", [Page(bytes(8), 2**31 - 1, DICTIONARY), numbers(*COUNTS)]), "has 2147483647 values in 8 bytes"),
    "a page without values": (Column("n", [numbers(1, 2), Page(b"", 0), numbers(3, 4)]), "a page without values"),
    "endless pages without bytes": (
        Column("n", [*[Page(b"", 0, INDEX)] * 9_000], told={5: 4}), "pages that are no values"),
    "endless pages of a kind that nobody knows": (
        Column("n", [numbers(1, 2), *[Page(b"", 0, INDEX)] * 1_001, numbers(3, 4)]), "pages that are no values"),
    "levels beyond the page": (
        Column("n", [Page(numbers(*COUNTS).data, 4, DATA_V2, levels=33)]), "33 bytes of levels in 32"),
    "levels of less than no bytes": (
        Column("n", [Page(numbers(*COUNTS).data, 4, DATA_V2, levels=-1)]), "less than no levels"),
    "a size told twice": (Column("n", [Page(bytes(32), 4, extra=[(2, I32, 2**30)])]), "field 2 is there twice"),
    "a size of another type": (Column("n", [Page(bytes(32), 4, extra=[(4, I32, 0), (1, I64, 0)])]), "field 1"),
    "a column behind the file's end": (Column("n", [numbers(*COUNTS)], told={7: 1 << 40}), "says that it is at"),
    "a column that begins behind the file's end": (Column("n", [numbers(*COUNTS)], told={9: 1 << 40}), "that it is at"),
    "a column that begins before the file": (Column("n", [numbers(*COUNTS)], told={9: -8}), "says that it is at -8"),
    "a column of less than no bytes": (Column("n", [numbers(*COUNTS)], told={7: -ONE}), "says that it is at"),
    "a column that unpacks to less than nothing": (Column("n", [numbers(*COUNTS)], told={6: -1}), "values in -1 bytes"),
    "a column that is another's": (Column("n", [numbers(*COUNTS)], told={9: 4}), "within another column"),
    "a column of fewer values than rows": (Column("n", [numbers(*COUNTS)], told={5: 3}), "3 values for 4 rows"),
    "a column of more values than rows": (Column("n", [numbers(*COUNTS)], told={5: 1 << 40}), "values for 4 rows"),
    "a column that unpacks to terabytes": (Column("n", [numbers(*COUNTS)], told={6: 1 << 42}), "unpack to 4398046"),
    "a column in another file": (Column("n", [numbers(*COUNTS)], chunk=[(1, BINARY, b"/etc/passwd")]), "another file"),
    "a column that is encrypted": (Column("n", [numbers(*COUNTS)], chunk=[(8, STRUCT, struct((1, STRUCT, b"\0")))]),
                                   "encrypted|another type|library"),
}  # fmt: skip


def test_the_files_that_are_made_here_are_sound_where_nothing_lies(path: Path) -> None:
    for column in (Column("n", [numbers(*COUNTS)]), Column("n", halves()), Column("n", [*halves(), numbers(7)]),
                   Column("n", [numbers(1, 2), *[Page(b"", 0, INDEX)] * 9, numbers(3, 4)])):  # fmt: skip
        rows = sum(page.values for page in column.pages)
        write(path, Column("mbid", [numbers(*range(rows))]), column, rows=rows)
        assert is_sound(path, LIMITS)
        found = [row.values["n"] for row in describe(path).rows() if isinstance(row, Row)]
        assert len(found) == rows
        assert duckdb.sql(f"SELECT n FROM '{path}'").fetchall() == [(n,) for n in found]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_lie_is_refused_by_name_before_a_page_is_read(
    name: str, path: Path, reader: Confined, monkeypatch: pytest.MonkeyPatch
) -> None:
    column, reason = HOSTILE[name]
    write(path, KEYS, column, rows=4)
    assert reader.survive("table", path).get("refused") == "not-a-dump" or not is_sound(path, LIMITS)
    monkeypatch.setattr(table_bulk.bulk, "__defaults__", (0,))
    try:
        file = describe(path)
    except Usage as error:  # the library refused the footer itself
        assert error.code == "not-a-dump"
        return
    assert table_bulk.bulk([(file, Table()._files(Dump([path], options={"mapping": MAPPING}))[0][1])]) is None
    (refusal,) = file.rows()
    assert isinstance(refusal, Refused)
    assert refusal.code == "damaged-parquet"
    assert refusal.reason.startswith("the rest cannot be read (")
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(refusal.reason)


def test_the_group_and_the_column_are_named_and_groups_before_are_read(path: Path) -> None:
    rows = 10_000
    pq.write_table(pa.table({"title": [f"title {n}" for n in range(rows)]}), path, compression="none",
                   use_dictionary=False, row_group_size=5_000)  # fmt: skip
    data = bytearray(path.read_bytes())
    start = pq.read_metadata(path).row_group(1).column(0).data_page_offset
    data[start + 1] ^= 1  # the type of the second group's page
    path.write_bytes(data)
    *read, refusal = describe(path).rows()
    assert len(read) == 5_000
    assert isinstance(refusal, Refused)
    assert "row group 2, column 'title'" in refusal.reason


def test_pages_that_would_be_held_together_have_a_limit(path: Path) -> None:
    columns = [Column(f"c{n}", [numbers(*range(100))]) for n in range(20)]
    write(path, *columns, rows=100)
    assert is_sound(path, Limits(parquet_pages=16_000))
    assert not is_sound(path, Limits(parquet_pages=15_999))
    (refusal,) = describe(path, limits=Limits(parquet_pages=15_999)).rows()
    assert isinstance(refusal, Refused)
    assert "column 'c19': its largest page" in refusal.reason


def test_a_header_without_end_has_a_limit(path: Path) -> None:
    page = Page(bytes(32), 4, extra=[(40, BINARY, bytes(1 << 20))])
    write(path, KEYS, Column("n", [page]), rows=4)
    assert is_sound(path, LIMITS)
    assert not is_sound(path, Limits(parquet_page_header=1 << 20))


PACKED = ["snappy", "gzip", "brotli", "zstd", "lz4_raw"]
TOLD, GIVEN = 4_000, 200 << 20


def bomb(path: Path, codec: str) -> Path:
    """A page that says it unpacks to ``TOLD`` bytes, and gives ``GIVEN``: one long text."""
    data = packing.pack("<I", GIVEN) + bytes(GIVEN)
    packed = pa.compress(data, codec=codec, asbytes=True)
    return write(path, Column("title", [Page(packed, 1, unpacked=TOLD)], BYTE_ARRAY, codec), rows=1)


@pytest.mark.parametrize("codec", PACKED)
def test_packed_bytes_that_give_more_than_the_header_says_are_an_error_and_no_memory(codec: str, path: Path) -> None:
    """The libraries take as many bytes as the header says, and no more: what we checked is what is held."""
    bomb(path, codec)
    assert is_sound(path, LIMITS)
    with confined() as reader:
        told, _, peak = reader.read("table", path)
    assert told["codes"] == ["damaged-parquet"]
    assert peak < 100 << 20
    with pytest.raises(duckdb.Error):
        duckdb.sql(f"SELECT title FROM '{path}'").fetchall()


@pytest.mark.parametrize("codec", PACKED)
def test_packed_bytes_that_give_less_than_the_header_says_do_no_harm(codec: str, path: Path, reader: Confined) -> None:
    packed = pa.compress(texts("abc").data, codec=codec, asbytes=True)
    write(path, Column("title", [Page(packed, 1, unpacked=TOLD)], BYTE_ARRAY, codec), rows=1)
    told = reader.survive("table", path)
    assert told["codes"] in ([], ["damaged-parquet"])


MADE: dict[str, Callable[[Path], None]] = {
    "lists": lambda p: pq.write_table(pa.table({"x": [["a", None, str(n)] for n in range(9_000)]}), p),
    "nothing": lambda p: pq.write_table(pa.table({"x": pa.array([], pa.string())}), p),
    "nulls": lambda p: pq.write_table(pa.table({"x": pa.array([None] * 9_000, pa.string())}), p),
    "structs": lambda p: pq.write_table(pa.table({"x": [{"a": n, "b": [{"c": "d"}]} for n in range(9_000)]}), p),
    "version 2": lambda p: pq.write_table(pa.table({"x": [str(n % 7) for n in range(9_000)]}), p,
                                          data_page_version="2.0", compression="zstd", data_page_size=500),
    "an index": lambda p: pq.write_table(pa.table({"x": [str(n) for n in range(9_000)]}), p, write_page_index=True,
                                         write_page_checksum=True, compression="gzip", row_group_size=700),
    "duckdb": lambda p: duckdb.sql(f"COPY (SELECT range AS x, [range::VARCHAR] AS l FROM range(9000)) TO '{p}' "
                                   "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 2048)"),
    "duckdb version 2": lambda p: duckdb.sql(f"COPY (SELECT range AS x, 'é' AS t FROM range(9000)) TO '{p}' "
                                             "(FORMAT parquet, COMPRESSION snappy, PARQUET_VERSION v2)"),
}  # fmt: skip


@pytest.mark.parametrize("name", MADE)
def test_what_writers_write_is_sound_and_read_whole(name: str, path: Path) -> None:
    MADE[name](path)
    assert is_sound(path, LIMITS)
    rows = list(describe(path).rows())
    assert not [row for row in rows if isinstance(row, Refused)]
    assert len(rows) == pq.read_metadata(path).num_rows


@pytest.mark.parametrize("inner", ["list", "map", "struct"])
def test_a_long_text_that_a_list_names_a_thousand_times_is_never_copied(
    inner: str, path: Path, reader: Confined
) -> None:
    """A file of some hundred bytes, each of whose rows would be a gigabyte."""
    names = pa.DictionaryArray.from_arrays(pa.array([0] * 4_000 + [1], pa.int32()), pa.array(["x" * (1 << 20), "y"]))
    if inner == "struct":
        names = pa.StructArray.from_arrays([names], ["a"])
    ends = pa.array([0, 1_000, 2_000, 3_000, 4_000, 4_001], pa.int32())
    if inner == "map":
        lists = pa.MapArray.from_arrays(ends, pa.array([f"k{n}" for n in range(4_001)]), names)
    else:
        lists = pa.ListArray.from_arrays(ends, names)
    pq.write_table(pa.table({"title": list("abcde"), "x": lists}), path, compression="zstd", store_schema=False)
    assert path.stat().st_size < 64 << 10
    told = reader.survive("table", path)
    assert (told["rows"], told["refused_rows"], told["codes"]) == (5, 4, ["long-row"])
