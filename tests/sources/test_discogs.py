"""Discogs: the contract, tracklists, damaged and hostile XML, the real dumps."""

from __future__ import annotations

import gzip
from pathlib import Path
from xml.etree import ElementTree

import pytest

from contracts.discogs_samples import ARTISTS, BROKEN, FIRST, LABELS, MASTERS, SECOND, releases
from contracts.source_contract import Case, TableContract
from fonoteca.core.errors import Usage
from fonoteca.sources.discogs import Discogs
from fonoteca.sources.records import (
    ArtistRecord,
    Credit,
    Dump,
    Duplicate,
    Record,
    RecordingRecord,
    Refused,
    ReleaseRecord,
    TrackRecord,
)
from fonoteca.sources.tally import Tally

pytestmark = pytest.mark.core


def read(path: Path, data: bytes, *, packed: bool = False) -> list[Record]:
    path.write_bytes(gzip.compress(data) if packed else data)
    dump = Discogs().resolve(Dump([path]))
    tally = Tally()
    found = list(tally.watch(Discogs().records(dump)))
    assert tally.rows == tally.recordings + tally.references + tally.duplicates + tally.refused
    return found


def titles(found: list[Record]) -> list[str | None]:
    return [r.title for r in found if isinstance(r, ReleaseRecord)]


def codes(found: list[Record]) -> list[str]:
    return [r.code for r in found if isinstance(r, Refused)]


class TestContract(TableContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        folder = tmp_path / "dump"
        folder.mkdir()
        (folder / "d").write_text(ARTISTS)
        (folder / "c").write_text(LABELS)
        (folder / "b").write_text(MASTERS)
        other = FIRST.replace("A &amp; B", "Other")
        no_key = SECOND.replace('"10"', '"ten"')
        (folder / "a").write_bytes(gzip.compress(releases(FIRST, BROKEN, FIRST, other, no_key, SECOND)))
        (folder / "INDEX.csv").write_text("path,bytes\n")
        keys = ["9:A1", "9:A1:2", "9:B1.a", "9:2-07", "10:"]
        refused = ["no-content", "bad-xml", "key-conflict", "no-key"]
        return Case(Discogs(), Dump([folder]), 6, keys, 0, refused)


def test_fields_of_a_release(tmp_path: Path) -> None:
    release = next(r for r in read(tmp_path / "r", releases(FIRST)) if isinstance(r, ReleaseRecord))
    assert release == ReleaseRecord(
        "9", "r:1", "A & B", 1999, "1999", "Album", "Svek; None", "Sweden",
        (Credit("GENESIS", "2", "artist", " Feat. "), Credit("Nobody"), Credit("The Persuader", "1", "Written-By")),
        (("upc", "5024900001498"), ("catalogue_number", "SK032"), ("discogs_master", "113"), ("isrc", "ITJ040100241")),
        ("Electronic", "House"), (), ("bad-upc",),
    )  # fmt: skip


def test_headings_are_no_recordings_and_index_tracks_are_their_parts(tmp_path: Path) -> None:
    found = read(tmp_path / "r", releases(FIRST, SECOND))
    recordings = [r for r in found if isinstance(r, RecordingRecord)]
    assert [r.title for r in recordings] == ["One", "One again", "Part", "Late", "Only"]
    assert [r.duration_ms for r in recordings] == [285_000, None, 0, None, None]
    assert [r.flags for r in recordings] == [(), (), ("zero-duration",), ("bad-duration",), ()]
    assert recordings[0].credits == (Credit("The Persuader", "1"), Credit("X", None, "Remix"))
    assert [c.name for c in recordings[1].credits] == ["GENESIS", "Nobody"]
    assert [r.identifiers for r in recordings[3:]] == [(("isrc", "ITJ040100240"),), (("isrc", "ITJ040100242"),)]
    places = [(t.disc, t.number) for t in found if isinstance(t, TrackRecord)]
    assert places == [(None, 1), (None, 2), (None, 3), (2, 7), (None, 1)]


def test_a_track_put_in_changes_no_other_key(tmp_path: Path) -> None:
    added = SECOND.replace("<track>", "<track><position>A</position><title>New</title></track><track>", 1)
    first = FIRST.replace("<track><position>A1", "<track><position>A0</position><title>New</title></track>"
                          "<track><position>A1", 1)  # fmt: skip
    before = [r.key for r in read(tmp_path / "r", releases(FIRST)) if isinstance(r, RecordingRecord)]
    after = [r.key for r in read(tmp_path / "s", releases(first)) if isinstance(r, RecordingRecord)]
    assert set(after) - set(before) == {"9:A0"}
    assert set(before) <= set(after)
    assert [r.title for r in read(tmp_path / "t", releases(added)) if isinstance(r, RecordingRecord)] == ["New"]


def test_masters_artists_and_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "m").write_text(MASTERS)
    (tmp_path / "a").write_text(ARTISTS)
    dump = Discogs().resolve(Dump([tmp_path]))
    artist, genesis, refused, master = list(Discogs().records(dump))
    assert artist == ArtistRecord(
        "1", "a:1", "The Persuader", None, (("mbid", "8f6bd1e4-fbe1-4f50-aa9b-94c450ec0f11"),)
    )
    assert isinstance(genesis, ArtistRecord)
    assert genesis.name == "Genesis"
    assert isinstance(refused, Refused)
    assert isinstance(master, ReleaseRecord)
    assert (master.key, master.kind, master.year, master.flags) == ("master:113", "master", None, ())
    assert [w.partition(":")[0] for w in Discogs().warnings(dump)] == ["there is no dump of releases"]
    (tmp_path / "l").write_text(LABELS)
    assert len(Discogs().warnings(Dump([tmp_path / "l"]))) == 4


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (BROKEN, ["bad-xml"]),
        ('<release id="11"><title>no end', ["bad-xml"]),
        ('<release id="11"><title a=1>x</title></release>', ["bad-xml"]),
        ('<release id="11"><title>&xxe;</title></release>', ["bad-xml"]),
        ('<release id="11"><title><![CDATA[ </release>', ["bad-xml"]),
        ("stray text", ["bad-xml"]),
        ('<relaese id="11"><title>x</title></relaese>', ["bad-xml"]),
        ("<release>" + "<a>" * 100_000 + "</a>" * 100_000 + "</release>", ["bad-xml"]),
        ('<release id="11">' + "<a>" * 100_000 + "</a>" * 100_000 + "</release>", ["bad-xml"]),
        ('<release id="11">' + "<a/>" * 400_001 + "</release>", ["bad-xml"]),
        ('<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><release id="11"><title>&b;</title></release>',
         ["bad-xml", "bad-xml"]),
    ],
)  # fmt: skip
def test_a_broken_record_is_refused_and_its_neighbours_stay(
    tmp_path: Path, broken: str, expected: list[str], *, packed: bool
) -> None:
    found = read(tmp_path / "r", releases(FIRST, broken, SECOND), packed=packed)
    assert titles(found) == ["A & B", "Bare"]
    assert codes(found) == expected


def test_control_characters_and_bytes_that_are_no_utf_8_are_flagged(tmp_path: Path) -> None:
    data = releases(SECOND.replace("Bare", "B\x07a&#8;re"), SECOND.replace('"10"', '"12"').replace("Bare", "B@re"))
    found = read(tmp_path / "r", data.replace(b"B@re", b"B\xe4re"))
    assert titles(found) == ["Bare", "B\ufffdre"]
    flags = [r.flags for r in found if isinstance(r, ReleaseRecord)]
    assert flags == [("control-characters",), ("bad-encoding",)]


def test_an_attribute_of_twenty_megabytes_is_refused(tmp_path: Path) -> None:
    long = '<release id="11" a="' + "x" * (20 << 20) + '"><title>Long</title></release>'
    found = read(tmp_path / "r", releases(FIRST, long, SECOND))
    assert titles(found) == ["A & B", "Bare"]
    assert codes(found) == ["long-row"]
    assert len(next(r for r in found if isinstance(r, Refused)).raw) <= 16 << 10


@pytest.mark.parametrize("declared", [
    '<!DOCTYPE releases [<!ENTITY lol "lol"><!ENTITY a "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]>',
    '<!DOCTYPE releases SYSTEM "http://127.0.0.1:9/x.dtd">',
    '<?xml version="1.0" encoding="UTF-16"?>',
])  # fmt: skip
def test_document_types_and_other_encodings_are_refused(tmp_path: Path, declared: str) -> None:
    path = tmp_path / "r"
    path.write_bytes(declared.encode() + releases(FIRST))
    with pytest.raises(Usage) as caught:
        Discogs().check(Dump([path]))
    assert caught.value.code == "not-a-dump"


def test_an_external_entity_reads_no_file(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    canary.write_text("CANARY")
    entity = f'<!DOCTYPE release [<!ENTITY xxe SYSTEM "{canary.as_uri()}">]>'
    found = read(tmp_path / "r", releases(entity, FIRST.replace("A &amp; B", "&xxe;"), SECOND))
    assert titles(found) == ["Bare"]
    assert codes(found) == ["bad-xml"]
    assert not any("CANARY" in repr(r) for r in found)


@pytest.mark.parametrize("end", ["", '<release id="11"><title>Half', "</release"])
def test_a_missing_end_is_told(tmp_path: Path, end: str) -> None:
    found = read(tmp_path / "r", releases(FIRST, SECOND, end=end))
    assert titles(found) == ["A & B", "Bare"]
    assert codes(found) == ["truncated-file"]
    assert found[-1].position == "r:3"


@pytest.mark.parametrize("tail", ["trailing", "<releases/>"])
def test_what_follows_the_end_is_told(tmp_path: Path, tail: str) -> None:
    found = read(tmp_path / "r", releases(FIRST) + tail.encode())
    assert codes(found)
    assert titles(found) == ["A & B"]


def test_a_truncated_gzip_keeps_its_whole_records(tmp_path: Path) -> None:
    path = tmp_path / "r"
    packed = gzip.compress(releases(*(SECOND.replace('"10"', f'"{n}"') for n in range(1, 2000))))
    path.write_bytes(packed[: len(packed) // 2])
    found = list(Discogs().records(Dump([path])))
    assert codes(found) == ["truncated-file"]
    assert 10 < len(titles(found)) < 1999
    assert found[-1] == next(r for r in found if isinstance(r, Refused))


def test_a_bomb_of_gzip_stops(tmp_path: Path) -> None:
    path = tmp_path / "r"
    path.write_bytes(gzip.compress(releases(SECOND, " " * (40 << 20))))
    assert codes(list(Discogs().records(Dump([path])))) == ["compression-bomb"]


def test_the_real_dumps_reconcile(shared_data: Path) -> None:
    folder = shared_data / "discogs"
    tally = Tally()
    found = list(tally.watch(Discogs().records(Discogs().resolve(Dump([folder])))))
    assert not codes(found)
    roots = {name: _parsed(folder / f"discogs_20200806_{name}.first650.xml.gz") for name in ("releases", "artists")}
    tracks = roots["releases"].findall(".//tracklist//track")
    positioned = [t for t in tracks if (t.findtext("position") or "").strip()]
    unpositioned = [
        t for r in roots["releases"] if not any((p.text or "").strip() for p in r.iterfind(".//tracklist//position"))
        for t in r.iterfind("tracklist/track") if (t.findtext("title") or "").strip()
    ]  # fmt: skip
    indexed = [t for t in positioned if t.find("sub_tracks") is not None]
    assert len(tracks) == 5658
    assert tally.recordings == len(positioned) + len(unpositioned) - len(indexed) == 5533
    assert (tally.releases, tally.release_refused) == (1300, 0)
    assert [r.name for r in found if isinstance(r, ArtistRecord)][:2] == ["The Persuader", "Mr. James Barth & A.D."]
    assert len([r for r in found if isinstance(r, ArtistRecord)]) == len(roots["artists"]) == 650


def test_fields_of_real_releases(shared_data: Path) -> None:
    path = shared_data / "discogs" / "discogs_20200806_releases.first650.xml.gz"
    found = list(Discogs().records(Dump([path])))
    by_key = {r.key: r for r in found if isinstance(r, RecordingRecord)}
    first = next(r for r in found if isinstance(r, ReleaseRecord))
    assert (first.title, first.date, first.country, first.label) == ("Stockholm", "1999-03", "Sweden", "Svek")
    assert first.credits[1] == Credit("Jesper Dahlbäck", "239", "Music By [All Tracks By]")
    assert (by_key["1:A"].title, by_key["1:A"].duration_ms) == ("Östermalm", 285_000)
    assert by_key["1586402:A1"].identifiers == (("isrc", "ITJ040100240"),)
    assert "3019999:1-5.2" in by_key
    assert not [r for r in found if isinstance(r, Duplicate)]
    barcodes = {v for r in found if isinstance(r, ReleaseRecord) for s, v in r.identifiers if s == "upc"}
    assert {"074646362822", "7961220922684"} <= barcodes


def _parsed(path: Path) -> ElementTree.Element:
    return ElementTree.fromstring(gzip.decompress(path.read_bytes()))
