"""The Internet Archive: the contract, fields of any form, files and results, real answers."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from contracts.source_contract import Case, TableContract
from fonoteca.core.errors import Usage
from fonoteca.sources.internet_archive import InternetArchive
from fonoteca.sources.records import (
    ClaimText,
    Dump,
    Duplicate,
    Record,
    RecordingRecord,
    Ref,
    Refused,
    ReleaseRecord,
    Signal,
    SignalRecord,
    TrackRecord,
)
from fonoteca.sources.tally import Tally

pytestmark = pytest.mark.core

BY = "http://creativecommons.org/licenses/by/3.0/"
FILES: list[Any] = [
    {"name": "a/1.flac", "source": "original", "format": "Flac", "title": ["One", "Uno"], "length": "245.5",
     "track": "1/9", "external-identifier": ["urn:mb_recording_id:8F6BD1E4-fbe1-4f50-aa9b-94c450ec0f11", "urn:x"]},
    {"name": "a/1.mp3", "source": "derivative", "original": "a/1.flac", "format": "VBR MP3"},
    {"name": "2.mp3", "source": "derivative", "original": "2.mov", "format": "128Kbps MP3", "length": "4:05",
     "artist": "C", "track": 2, "disc": "1", "genre": "Jazz"},
    {"name": "2.mp3", "source": "derivative", "original": "2.mov", "format": "128Kbps MP3", "length": "4:06"},
    {"format": "VBR MP3"}, {"name": "x.m3u", "format": "VBR M3U"}, {"name": "f.ffp", "format": "Flac FingerPrint"}, 7,
]  # fmt: skip
ITEM = {
    "created": 1, "server": "a", "files": FILES,
    "metadata": {"identifier": "item", "title": "T", "creator": ["A", "B"], "licenseurl": BY, "date": "2004-00-00",
                 "rights": ["Free", "See " + BY + "."], "subject": "x; y", "language": ["eng"], "downloads": 9},
}  # fmt: skip
SINGLE = {"files": [{"name": "s.ogg", "format": "Ogg Vorbis"}], "metadata": {"identifier": ["single"]}}
RESULTS = [
    {"identifier": "single", "downloads": "12"},
    {"identifier": "item", "downloads": 3},
    {"identifier": "song", "title": "S", "mediatype": "audio", "downloads": 0, "licenseurl": [BY], "year": 1999},
    {"identifier": "song", "title": "S", "mediatype": "audio", "downloads": 0, "licenseurl": [BY], "year": 1999},
    {"identifier": "film", "mediatype": "movies"},
    {"identifier": "bare"},
    {"identifier": []},
]


def lines(*objects: Any) -> bytes:
    return b"".join(json.dumps(o).encode() + b"\n" for o in objects)


def read(*paths: Path) -> list[Record]:
    tally = Tally()
    dump = InternetArchive().resolve(Dump(paths))
    found = list(tally.watch(InternetArchive().records(dump)))
    assert tally.rows == tally.recordings + tally.references + tally.duplicates + tally.refused
    return found


class TestContract(TableContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        folder = tmp_path / "dump"
        folder.mkdir()
        later = {**ITEM, "created": 2, "server": "b"}
        (folder / "a.json").write_text(json.dumps(ITEM, indent=2))
        (folder / "b.jsonl.gz").write_bytes(gzip.compress(lines(later, SINGLE) + b"{broken\n"))
        (folder / "c.json").write_text(json.dumps({"items": RESULTS, "count": 7, "total": 7}))
        (folder / "README.md").write_text("# no answer")
        keys = ["item/a%2F1.flac", "item/2.mp3", "single/s.ogg", "song"]
        refused = ["key-conflict", "no-key", "bad-json", "no-audio", "no-content", "no-key"]
        return Case(InternetArchive(), Dump([folder]), 13, keys, 2, refused)


def test_files_are_recordings_and_derivatives_are_not(tmp_path: Path) -> None:
    (tmp_path / "i").write_bytes(lines(ITEM))
    found = read(tmp_path / "i")
    release = found[0]
    assert isinstance(release, ReleaseRecord)
    assert (release.key, release.title, release.date, release.genres) == ("item", "T", "2004", ("x", "y"))
    assert release.claims == (
        ClaimText("", BY, "licenseurl at the Internet Archive"),
        ClaimText("Free", "", "rights at the Internet Archive"),
        ClaimText(f"See {BY}.", BY, "rights at the Internet Archive"),
    )
    one, two = [r for r in found if isinstance(r, RecordingRecord)]
    assert (one.title, one.duration_ms, one.year, one.language) == (
        "One; Uno",
        245_500,
        2004,
        "eng",
    ) or one.title == "One"
    assert [c.name for c in one.credits] == ["A", "B"]
    assert one.credits[0].joined_by == ", "
    assert one.identifiers == (
        ("url", "https://archive.org/download/item/a/1.flac"), ("mbid", "8f6bd1e4-fbe1-4f50-aa9b-94c450ec0f11"),
    )  # fmt: skip
    assert (two.duration_ms, two.genres, two.credits[0].name, two.signals) == (245_000, ("Jazz",), "C", ())
    assert [(t.disc, t.number) for t in found if isinstance(t, TrackRecord)] == [(None, 1), (1, 2)]


def test_downloads_of_an_item_are_those_of_its_only_recording(tmp_path: Path) -> None:
    (tmp_path / "r").write_text(json.dumps(RESULTS))
    (tmp_path / "s").write_text(json.dumps(SINGLE))
    (tmp_path / "t").write_text(json.dumps(ITEM))
    found = read(tmp_path / "r", tmp_path / "s", tmp_path / "t")
    signals = [r for r in found if isinstance(r, SignalRecord)]
    assert signals == [
        SignalRecord(Ref("internet_archive", "single/s.ogg"), "r:1", Signal("downloads", 12.0, "CC0-1.0"))
    ]
    assert [r.position for r in found if isinstance(r, Duplicate)] == ["r:2", "r:4"]
    song = next(r for r in found if isinstance(r, RecordingRecord) and r.key == "song")
    assert (song.signals[0].value, song.year, song.claims[0].url) == (0.0, 1999, BY)


@pytest.mark.parametrize("content", [
    b"{" * 100_000, b'{"identifier": ' + b"[" * 100_000, b'[{"identifier": "a"}', b'{"identifier": NaN}',
    b'{"identifier": 1e400}', b'{"identifier": "a", "identifier": "b"}', b'{"items": 7}', b"[]", b"{}", b"[7]",
    b'{"identifier": "\xff', b'{"identifier": ' + b"9" * 400 + b"}",
])  # fmt: skip
def test_hostile_json_is_no_dump(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(Usage) as caught:
        InternetArchive().check(Dump([tmp_path / "x"]))
    assert caught.value.code == "not-a-dump"


def test_bad_lines_among_good_ones_are_refused(tmp_path: Path) -> None:
    bad = [b'{"identifier": "x", "a": ' + b"[" * 100_000 + b"}\n", b'{"identifier": "\\ud800", "title": "\\ud800"}\n',
           b'{"identifier": "y", "title": {"a": {"b": 1}}, "downloads": "many", "creator": [[1]]}\n', b'["z"]\n',
           b'{"identifier": "e", "title": "caf\xe9"}\n']  # fmt: skip
    (tmp_path / "x").write_bytes(lines(RESULTS[2]) + b"".join(bad) + b'{"identifier": "cut", "ti')
    found = read(tmp_path / "x")
    assert [r.code for r in found if isinstance(r, Refused)] == ["bad-json", "bad-json", "bad-json"]
    assert [r.key for r in found if isinstance(r, RecordingRecord)] == ["song", "\\ud800", "y", "e"]
    assert [r.flags for r in found if isinstance(r, RecordingRecord)][1:] == [
        ("bad-encoding",), ("bad-downloads",), ("bad-encoding",)
    ]  # fmt: skip


def test_a_truncated_gzip_keeps_its_whole_lines(tmp_path: Path) -> None:
    packed = gzip.compress(lines(*({"identifier": f"i{n}", "title": f"t{n * 7919}"} for n in range(5000))))
    (tmp_path / "x").write_bytes(packed[: len(packed) // 2])
    found = read(tmp_path / "x")
    assert [r.code for r in found if isinstance(r, Refused)] == ["truncated-file"]
    assert 100 < len(found) < 5000


def test_real_answers_reconcile(shared_data: Path) -> None:
    folder = shared_data / "catalogues" / "internet-archive"
    tally = Tally()
    found = list(tally.watch(InternetArchive().records(InternetArchive().resolve(Dump([folder])))))
    results = json.loads((folder / "advanced_search_response.json").read_text())["response"]["docs"]
    scraped = json.loads((folder / "scrape_response.json").read_text())["items"]
    assert tally.rows == len(results) + len(scraped) == 150
    codes = [r.code for r in found if isinstance(r, Refused) and r.kind == "recording"]
    films = sum(d["mediatype"] not in {"audio", "etree"} for d in results)
    assert codes.count("no-audio") == films == 50
    assert codes.count("no-content") == len(scraped) == 100
    assert (tally.release_refused, tally.recordings) == (1, 0)


def test_fields_of_real_results_that_are_called_sound(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "catalogues" / "internet-archive"
    results = json.loads((folder / "advanced_search_response.json").read_text())["response"]["docs"]
    (tmp_path / "x").write_bytes(lines(*({**d, "mediatype": "audio"} for d in results)))
    found = {r.key: r for r in read(tmp_path / "x") if isinstance(r, RecordingRecord)}
    assert len(found) == len({d["identifier"] for d in results})
    for told in results:
        record = found[told["identifier"]]
        assert record.signals[0].value == told["downloads"]
        assert [c.name for c in record.credits] == told.get("creator", [])
        assert record.year == (told.get("year") or (int(told["date"][:4]) if "date" in told else None))
