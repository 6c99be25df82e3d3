"""JSON lines: strict, under limits, a bad line costs itself only."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from fonoteca.sources.limits import LIMITS, Limits
from fonoteca.sources.records import Refused
from fonoteca.sources.rows import Row, describe

pytestmark = pytest.mark.core
FIRST = b'{"title": "first", "artist": {"name": "A", "ids": [1, 2]}}\n'


def read(folder: Path, data: bytes, limits: Limits = LIMITS) -> list[Row | Refused]:
    path = folder / "t"
    path.write_bytes(data)
    return list(describe(path, limits=limits).rows())


def test_nested_objects_have_dotted_names(tmp_path: Path) -> None:
    (row,) = read(tmp_path, FIRST)
    assert isinstance(row, Row)
    assert row.values == {"title": "first", "artist.name": "A", "artist.ids": [1, 2]}


def test_byte_order_mark_blank_lines_and_utf_16(tmp_path: Path) -> None:
    assert len(read(tmp_path, b"\xef\xbb\xbf" + FIRST + b"\r\n\n" + FIRST)) == 2
    assert len(read(tmp_path, FIRST.decode().encode("utf-16"))) == 1


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 2}}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e400}',
        b'{"a": ' + b"9" * 400 + b"}",
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[1]",
        b"12",
        b'"text"',
        b'{"a": "cut',
        b"{'a': 1}",
        b'{"a": "\x00"}',
        b'{"a": "tab\there"}',
    ],
)
def test_a_line_that_is_not_strict_json_is_refused_and_the_next_is_read(tmp_path: Path, line: bytes) -> None:
    first, bad, last = read(tmp_path, FIRST + line + b"\n" + FIRST)
    assert isinstance(first, Row)
    assert isinstance(last, Row)
    assert isinstance(bad, Refused)
    assert (bad.code, bad.position) == ("bad-json", "t:2")
    assert len(bad.raw) <= LIMITS.raw


def test_brackets_inside_text_are_not_nesting(tmp_path: Path) -> None:
    _, row = read(tmp_path, FIRST + json.dumps({"a": "[{" * 1000 + '\\"'}).encode() + b"\n")
    assert isinstance(row, Row)


def test_a_huge_line_is_refused_in_bounded_memory(tmp_path: Path) -> None:
    _, bad, last = read(tmp_path, FIRST + b'{"a": "' + b"x" * 50_000 + b'"}\n' + FIRST, Limits(line=10_000))
    assert isinstance(bad, Refused)
    assert bad.code == "long-row"
    assert isinstance(last, Row)


def test_lone_surrogates_come_through_to_the_reader_of_values(tmp_path: Path) -> None:
    _, row = read(tmp_path, FIRST + b'{"title": "\\ud800"}\n')
    assert isinstance(row, Row)
    assert row.values["title"] == "\ud800"
    assert row.digest()


def test_a_cut_packed_file_ends_in_one_refusal(tmp_path: Path) -> None:
    data = gzip.compress(b"".join(b'{"title": "%d"}\n' % (n * n) for n in range(3000)))
    found = read(tmp_path, data[:-20])
    assert [r.code for r in found if isinstance(r, Refused)] == ["truncated-file"]
    assert isinstance(found[-1], Refused)
