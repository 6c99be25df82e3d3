"""XML and JSON of any bytes: refused by ``check``, or read to the end with every row accounted for."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest

from fonoteca.core.errors import Usage
from fonoteca.sources.discogs import Discogs
from fonoteca.sources.internet_archive import InternetArchive
from fonoteca.sources.listenbrainz import ListenBrainz
from fonoteca.sources.oai_pmh import OaiPmh
from fonoteca.sources.records import Dump, Record, Source
from fonoteca.sources.tally import Tally

pytestmark = pytest.mark.core

_OAI = (b'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords>' + b"".join(
    b"<record><header><identifier>%d</identifier><datestamp>2020</datestamp></header><metadata>"
    b'<d xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>T</dc:title><dc:rights>R</dc:rights></d></metadata>'
    b"</record>\n" % n for n in range(3)) + b"</ListRecords></OAI-PMH>")  # fmt: skip
SPECIMENS: list[tuple[Source, bytes]] = [
    (Discogs(), b"<releases>\n" + b"".join(
        b'<release id="%d"><artists><artist><id>1</id><name>A</name><join>,</join></artist></artists><title>T</title>'
        b"<released>1999-00-00</released><tracklist><track><position>A1</position><title>B</title>"
        b'<duration>4:45</duration></track></tracklist><identifiers><identifier type="ISRC" value="ITJ040100240"/>'
        b"</identifiers></release>\n" % n for n in range(1, 4)) + b"</releases>"),
    (Discogs(), b"<labels><label><id>1</id><sublabels><label id='2'>B</label></sublabels></label>\n</labels>"),
    (OaiPmh(), _OAI),
    (InternetArchive(), (b'{"metadata":{"identifier":"a","creator":["x"]},"files":[{"name":"b","format":"Flac"}]}\n'
                        b'{"identifier":"c","title":"t","downloads":3,"licenseurl":"u"}\n')),
    (InternetArchive(), b'{"items":[{"identifier":"c","title":["t"],"downloads":"3"}],"count":1}'),
    (ListenBrainz(), (b'{"user_id":1,"listened_at":15,"recording_mbid":"7133862a-0fd3-4d1c-9cb6-3be5e051af13"}\n'
                     b'{"user_id":2,"listened_at":"2020-01-04","recording_mbid":"7133862a-0fd3-4d1c-9cb6-3be5e051af13"}\n')),
    (ListenBrainz(), (b'[{"data":[{"user_id":1,"data":[{"recording_mbid":"7133862a-0fd3-4d1c-9cb6-3be5e051af13",'
                     b'"listen_count":2}]}]}]')),
]  # fmt: skip
PIECES = [
    b"\0", b"\x07", b'"', b"\n", b"<", b">", b"/>", b"&", b"&#0;", b"&#x110000;", b"&x;", b"<![CDATA[", b"]]>", b"<!--",
    b"<!DOCTYPE a>", b"<release id='1'>", b"</release>", b"<record><header>", b"</record>", b"\xff\xfe",
    b"\xed\xa0\x80",
    b"{", b"[", b"]", b"}", b"null", b"{}", b"[]", b"-1", b"1e999", b"NaN", b"9" * 400, b"\\ud800", b"true", b",", b":",
]  # fmt: skip


def read(source: Source, path: Path) -> Tally | None:
    """The counts, or None where ``check`` refused the file."""
    dump = Dump([path])
    try:
        dump = source.resolve(dump)
        source.check(dump)
    except Usage as error:
        assert error.remedy
        return None
    tally = Tally()
    first: list[Record] = list(tally.watch(source.records(dump)))
    assert tally.rows == tally.recordings + tally.references + tally.duplicates + tally.refused
    assert list(source.records(dump)) == first
    return tally


def mutated(data: bytes, seed: int) -> bytes:
    rng = random.Random(seed)
    out = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(out) + 1)
        if rng.random() < 0.6:
            out[at:at] = rng.choice(PIECES)
        else:
            del out[at : at + rng.randint(1, 12)]
    return bytes(out)


@pytest.mark.parametrize("number", range(len(SPECIMENS)))
@pytest.mark.parametrize("packed", [False, True])
def test_mutations_of_good_files_are_refused_or_accounted_for(tmp_path: Path, number: int, *, packed: bool) -> None:
    source, data = SPECIMENS[number]
    path = tmp_path / "t"
    path.write_bytes(data)
    assert read(source, path) is not None
    for seed in range(300):
        changed = mutated(gzip.compress(data) if packed and seed % 2 else data, seed)
        path.write_bytes(gzip.compress(changed) if packed and not seed % 2 else changed)
        read(source, path)


@pytest.mark.parametrize("number", range(len(SPECIMENS)))
def test_files_cut_anywhere_are_refused_or_accounted_for(tmp_path: Path, number: int) -> None:
    source, data = SPECIMENS[number]
    path = tmp_path / "t"
    for end in range(0, len(data), 3):
        path.write_bytes(data[:end])
        read(source, path)


@pytest.mark.parametrize(("head", "why"), [
    (b'<?xml version="1.0"?>\n<!DOCTYPE releases [<!ENTITY a "b">]>\n<releases>', "document type declaration"),
    (b'<?xml version="1.0" encoding="ISO-8859-1"?>\n<releases>', "its text is in ISO-8859-1"),
    ('<?xml version="1.0" encoding="UTF-16"?>\n<releases>'.encode("utf-16"), "UTF-16"),
    (b"<nothing>", "it is none of artists, labels, masters, releases"),
])  # fmt: skip
def test_xml_that_no_dump_is_written_in_is_refused_with_its_reason(head: bytes, why: str, tmp_path: Path) -> None:
    path = tmp_path / "releases.xml"
    path.write_bytes(head + b'<release id="1"><title>x</title></release></releases>')
    with pytest.raises(Usage) as caught:
        Discogs().records(Dump([path])).__next__()
    assert caught.value.code == "not-a-dump"
    assert why in caught.value.why
