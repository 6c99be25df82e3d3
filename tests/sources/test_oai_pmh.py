"""OAI-PMH: the contract, versions and deletions, languages, broken and hostile pages, real answers."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from contracts.source_contract import Case, TableContract
from fonoteca.core.errors import Usage
from fonoteca.sources.oai_pmh import OaiPmh
from fonoteca.sources.records import ClaimText, Credit, Dump, Duplicate, Record, RecordingRecord, Refused
from fonoteca.sources.tally import Tally

pytestmark = pytest.mark.core

ROOT = ('<?xml version="1.0" encoding="UTF-8"?>\n<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n<responseDate>x</responseDate>'
        "<ListRecords>\n")  # fmt: skip
END = '<resumptionToken cursor="0">next</resumptionToken></ListRecords></OAI-PMH>\n'
BY = "https://creativecommons.org/licenses/by/4.0/"
DC = ('<oai_dc:dc xmlns:dc="http://purl.org/dc/elements/1.1/" '
      'xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" '
      'xsi:schemaLocation="a b">{}</oai_dc:dc>')  # fmt: skip
BODY = ('<dc:title xml:lang="en">Song</dc:title><dc:title xml:lang="de">Lied</dc:title><dc:language>ger</dc:language>'
        "<dc:language>eng</dc:language><dc:creator>A</dc:creator><dc:creator>B</dc:creator><dc:creator>A</dc:creator>"
        "<dc:contributor>C</dc:contributor><dc:contributor>B</dc:contributor><dc:date>1999-00</dc:date>"
        "<dc:type>Sound</dc:type><dc:subject>Folk</dc:subject><dc:identifier>https://x.org/1</dc:identifier>"
        "<dc:identifier>urn:isrc:IT-J04-01-00240</dc:identifier><dc:identifier>doi:10.5/x</dc:identifier>"
        f"<dc:identifier>shelf 7</dc:identifier><dc:rights>Free, {BY}</dc:rights><dc:rights>http://r.org/r</dc:rights>"
        "<dc:rights>In copyright</dc:rights>")  # fmt: skip


def record(key: str, title: str | None = "T", stamp: str = "2020-01-01", body: str = "") -> str:
    header = f"<identifier>{key}</identifier><datestamp>{stamp}</datestamp>"
    if title is None:
        return f'<record><header status="deleted">{header}</header></record>\n'
    inner = DC.format(body or f"<dc:title>{title}</dc:title>")
    return f"<record>\n <header>{header}</header><metadata>{inner}</metadata></record>\n"


def page(*records: str) -> bytes:
    return (ROOT + "".join(records) + END).encode()


def read(*paths: Path) -> list[Record]:
    tally = Tally()
    found = list(tally.watch(OaiPmh().records(OaiPmh().resolve(Dump(paths)))))
    assert tally.rows == tally.recordings + tally.duplicates + tally.refused
    return found


def titles(found: list[Record]) -> list[str | None]:
    return [r.title for r in found if isinstance(r, RecordingRecord)]


def codes(found: list[Record]) -> list[str]:
    return [r.code for r in found if isinstance(r, Refused)]


class TestContract(TableContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        folder = tmp_path / "dump"
        folder.mkdir()
        broken = "<record><header><a></header></record>"
        pages = (
            page(record("k1"), record("k2"), record("k3", None)),
            page(record("k1"), record("k2", "Other"), record("", "x"), broken),
        )
        for number, data in enumerate(pages):
            (folder / f"{number}.xml").write_bytes(data)
        (folder / "2.xml.gz").write_bytes(
            gzip.compress(page(record("k3", "Born again", "2021-01-01"), record("k4", body=BODY)))
        )
        (folder / "error.html").write_text("<html><body>503</body></html>")
        keys = ["k1", "k2", "k3", "k4"]
        return Case(OaiPmh(), Dump([folder]), 8, keys, 1, ["key-conflict", "no-key", "bad-xml"])


def test_fields_of_a_record(tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(page(record("k", body=BODY)))
    [found] = read(tmp_path / "p")
    assert found == RecordingRecord(
        "k", "p:1", "Song", None, 1999, "ger",
        (Credit("A", joined_by="; "), Credit("B"), Credit("C", role="contributor")),
        (("url", "https://x.org/1"), ("isrc", "ITJ040100240"), ("doi", "10.5/x")), ("Folk",), (),
        (ClaimText(f"Free, {BY}", BY, "dc:rights"), ClaimText("http://r.org/r", "http://r.org/r", "dc:rights"),
         ClaimText("In copyright", "", "dc:rights")),
    )  # fmt: skip


def test_a_title_in_the_language_of_the_record_comes_first(tmp_path: Path) -> None:
    body = BODY.replace("ger", "de").replace("Sound", "text")
    (tmp_path / "p").write_bytes(page(record("k", body=body)))
    [found] = read(tmp_path / "p")
    assert isinstance(found, RecordingRecord)
    assert (found.title, found.flags) == ("Lied", ("not-sound",))


def test_the_latest_version_counts_and_deletions_hold(tmp_path: Path) -> None:
    (tmp_path / "1").write_bytes(page(record("a", "Old"), record("b", "Gone"), record("c", "New", "2021-01-01")))
    (tmp_path / "2").write_bytes(
        page(record("a", "Newer", "2020-05-05T01:02:03Z"), record("b", None, "2020-02-02"), record("c", "Older"))
    )
    found = read(tmp_path / "1", tmp_path / "2")
    assert titles(found) == ["New", "Newer"]
    assert [(r.position, r.key) for r in found if isinstance(r, Duplicate)] == [
        ("1:1", "a"),
        ("1:2", "b"),
        ("2:3", "c"),
    ]


def test_names_with_a_prefix_are_read(tmp_path: Path) -> None:
    text = page(record("k")).decode().replace("xmlns=", "xmlns:o=")
    for name in ("OAI-PMH", "record", "header", "identifier", "datestamp", "metadata", "ListRecords"):
        text = text.replace(f"<{name}", f"<o:{name}").replace(f"</{name}", f"</o:{name}")
    (tmp_path / "p").write_text(text)
    assert titles(read(tmp_path / "p")) == ["T"]


@pytest.mark.parametrize("broken", [
    record("x").replace("</dc:title>", "</dc:tilte>"),
    record("x").replace("<dc:title>", "<dc:title><b:c>"),
    record("x", "&xxe;"),
    record("x", "<a>" * 100_000 + "</a>" * 100_000),
    record("x").replace("</record>", ""),
    "stray text",
])  # fmt: skip
def test_a_broken_record_is_refused_and_its_neighbours_stay(tmp_path: Path, broken: str) -> None:
    (tmp_path / "p").write_bytes(page(record("k1"), broken, record("k2", "U")))
    found = read(tmp_path / "p")
    assert (titles(found), codes(found)) == (["T", "U"], ["bad-xml"])


def test_a_broken_page_loses_no_other_page(tmp_path: Path) -> None:
    (tmp_path / "1.xml").write_bytes(page(record("k1"), record("k2"))[:-350])
    (tmp_path / "2.xml").write_bytes(page(record("k3", "U")).replace(b"U", b"\xe4\x07"))
    packed = gzip.compress(page(*(record(f"n{n * 7919}") for n in range(2000))))
    (tmp_path / "3.xml").write_bytes(packed[: len(packed) // 2])
    found = read(tmp_path)
    assert titles(found)[:2] == ["T", "\ufffd"]
    assert codes(found) == ["truncated-file", "truncated-file"]
    assert 10 < len(titles(found)) < 2000


@pytest.mark.parametrize(
    "entity", ['<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;">', '<!ENTITY b SYSTEM "file:///CANARY">']
)
def test_document_types_are_refused(tmp_path: Path, entity: str) -> None:
    data = page(record("k", "&b;")).replace(b"<OAI-PMH", f"<!DOCTYPE x [{entity}]><OAI-PMH".encode(), 1)
    (tmp_path / "p").write_bytes(data)
    with pytest.raises(Usage) as caught:
        OaiPmh().check(Dump([tmp_path / "p"]))
    assert caught.value.code == "not-a-dump"


def test_the_licence_is_that_of_the_mapping(tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(page(record("k")))
    dump = Dump([tmp_path / "p"], options={"mapping": {"licence": "CC0-1.0", "credit": "A library"}})
    assert OaiPmh().describe(dump).licences[0].licence == "CC0-1.0"


def test_real_answers_reconcile(shared_data: Path) -> None:
    found = read(shared_data / "oai-pmh")
    text = "".join(p.read_text() for p in sorted((shared_data / "oai-pmh").glob("*.xml")))
    live = text.count("<record>") - text.count('<record>\n            <header status="deleted">')
    assert len(found) == live == 3
    assert titles(found) == ["Sample Title", "Sample Title"]
    first, second, repeated = found
    assert isinstance(first, RecordingRecord)
    assert isinstance(second, RecordingRecord)
    assert isinstance(repeated, Duplicate)
    assert first.key == "oai:test.example.com:1996652"
    assert first.identifiers == (("url", "http://test.example.com/publication/1996652"),)
    assert (first.year, second.year, second.language) == (2011, 2010, "eng")
    assert second.credits == (Credit("John Doe"),)
    assert second.flags == ("not-sound",)
