"""Files made to cost time or memory, each in few bytes: no hang, no more than 512 MiB (promise H1)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from fonoteca.sources.jsonlines import depth
from sources.confined import Confined, confined

pytestmark = pytest.mark.core
LONG = 6_000_000
"""Characters: each took 120 bytes once."""
VALUES = 24_000_000
"""Characters of values that are few characters each."""
BRACKETS = ",".join(["[]"] * 40)


@pytest.fixture(name="reader")
def _reader() -> Iterator[Confined]:
    with confined() as process:
        yield process


@pytest.mark.parametrize("source", ["discogs", "oai_pmh"])
@pytest.mark.parametrize(
    "before", [b" " * 65_530, b"<!---->" * 60, b"<!--a--><?b?>\n" * 4000, b"<?a?>" * 12_000], ids=range(4)
)
def test_what_stands_before_the_root_is_looked_at_once(
    source: str, before: bytes, tmp_path: Path, reader: Confined
) -> None:
    path = tmp_path / "a.xml"
    path.write_bytes(before + b"x")
    assert reader.survive(source, path)["refused"] == "not-a-dump"
    root = {"discogs": b"<releases></releases>", "oai_pmh": b"<OAI-PMH></OAI-PMH>"}[source]
    path.write_bytes(before[:60_000] + root)
    assert "refused" not in reader.survive(source, path)


@pytest.mark.parametrize("text", ["x" * LONG, "\\n" * 300_000, "\\\\" * 300_000], ids=["text", "ends", "backslashes"])
def test_a_document_that_is_nearly_one_string(text: str, tmp_path: Path, reader: Confined) -> None:
    path = tmp_path / "a.json"
    path.write_text(f'{{"metadata":{{"identifier":"a","title":"{text}"}},"files":[{BRACKETS}]}}')
    assert "refused" not in reader.survive("internet_archive", path)


@pytest.mark.parametrize("value", ["[]", "{}", "0", '{"a":1}', '[{"":[]}]'])
def test_a_document_of_very_many_values(value: str, tmp_path: Path, reader: Confined) -> None:
    path = tmp_path / "a.json"
    path.write_text(f'[{{"identifier":"a"}},{",".join([value] * (VALUES // len(value)))}]')
    told = reader.survive("internet_archive", path)
    assert told["refused"] == "not-a-dump"


def test_strings_are_no_brackets_however_they_are_escaped() -> None:
    for text in ("[" * 50, '"' * 50, '\\"[' * 50, "\\" * 50 + '"[', 'é"\\[', '\\\\"]'):
        assert depth(json.dumps([[text] * 40]), 1) == 2
        assert depth(json.dumps([[text] * 40]), 2) == (2 if "[" in text else 0)
    assert depth("[" * 40, 32) == 33
    assert depth('{"a":' * 40 + '"' + "[" * 60, 64) == 40


def test_a_header_of_a_table_that_is_one_open_quote(tmp_path: Path, reader: Confined) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'"' + b"x" * 4_000_000 + b"\n1\n")
    assert reader.survive("table", path)["refused"] == "not-a-dump"
    path.write_bytes(b'title,"' + b"x;" * 60_000 + b'",artist\n1,2,3\n')
    assert "refused" not in reader.survive("table", path)
