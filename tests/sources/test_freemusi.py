"""freemusi.cc: the contract, keys of rows without ids, the real tables."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest

from contracts.source_contract import Case, TableContract
from fonoteca.sources.freemusi import Freemusi
from fonoteca.sources.records import Dump, Duplicate, RecordingRecord, Refused, ReleaseRecord, Signal
from fonoteca.sources.tally import Tally

pytestmark = pytest.mark.core

RELEASES = """activity,album,artist,catalog,duration,genre,id,label,licenseurl,rating,style,totaldiscs,totaltracks,url,\
year
1.9,ANDES,Various Artists,?,4681,Electronic,r1,001 Records,http://creativecommons.org/licenses/by-nc-nd/3.0/,2.0,?,1,\
2,http://a/r1,2011
1.9,ANDES,Various Artists,?,4681,Electronic,r1,001 Records,http://creativecommons.org/licenses/by-nc-nd/3.0/,2.0,?,1,\
2,http://a/r1,2011
0,None,B,c2,1,Pop,r2,,,0,Pop,1,1,http://a/r2,0000
"""
TRACKS = """activity,disc,duration,id,rating,title,track,trackartist,trackurl
1,1,245,r1,4,Orange Horizon,1,(Val)liam,http://a/1.mp3
1,1,503,r1,0,,2,(Val)liam,http://a/2.mp3
1,1,245,r1,4,Orange Horizon,1,(Val)liam,http://a/1.mp3
1,1,246,r1,4,Orange Horizon,1,(Val)liam,http://a/1.mp3
1,1,10,r3,1,PrimoÅ¾ GraÅ¡iÄ\u008d,1,B,http://a/3.mp3
1,1,10,,1,x,1,B,http://a/4.mp3
"""


class TestContract(TableContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        folder = tmp_path / "dump"
        folder.mkdir()
        (folder / "b").write_bytes(gzip.compress(RELEASES.encode()))
        (folder / "a").write_text(TRACKS, "utf-8")
        keys = [
            "r1/1/1/Orange Horizon/http:%2F%2Fa%2F1.mp3",
            "r1/1/2//http:%2F%2Fa%2F2.mp3",
            "r3/1/1/PrimoÅ¾ GraÅ¡iÄ\u008d/http:%2F%2Fa%2F3.mp3",
        ]
        return Case(Freemusi(), Dump([folder]), 6, keys, 1, ["key-conflict", "no-key"])


def test_releases_claim_tracks_are_rated_and_zero_is_no_rating(tmp_path: Path) -> None:
    for name, text in (("r.csv", RELEASES), ("t.csv", TRACKS)):
        (tmp_path / name).write_text(text, "utf-8")
    tally = Tally()
    found = list(tally.watch(Freemusi().records(Dump([tmp_path / "t.csv", tmp_path / "r.csv"]))))
    releases = [r for r in found if isinstance(r, ReleaseRecord)]
    assert [r.key for r in releases] == ["r1", "r2", "r3"]
    assert [c.url for c in releases[0].claims] == ["http://creativecommons.org/licenses/by-nc-nd/3.0/"]
    assert releases[0].identifiers == (("url", "http://a/r1"),)
    assert (releases[1].claims, releases[1].year, releases[1].flags) == ((), None, ("year-0000",))
    recordings = [r for r in found if isinstance(r, RecordingRecord)]
    assert [r.signals for r in recordings[:2]] == [(Signal("rating", 4.0, "CC-BY-SA-4.0"),), ()]
    assert recordings[1].title is None
    assert (recordings[2].title, recordings[2].flags) == ("Primož Grašič", ("mended-encoding",))
    assert (tally.release_duplicates, tally.rows) == (1, 6)


def test_the_real_tables_reconcile(shared_data: Path) -> None:
    folder = shared_data / "catalogues" / "freemusi-cc"
    with gzip.open(folder / "tracks.csv.gz", "rt", encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))[1:]
    tally = Tally()
    found = list(tally.watch(Freemusi().records(Freemusi().resolve(Dump([folder])))))
    assert tally.rows == len(rows) == 17_172
    assert (tally.recordings, tally.duplicates, tally.refused, tally.releases) == (17_155, 13, 4, 1822)
    assert sum(isinstance(r, Duplicate) for r in found) == len(rows) - len(set(map(tuple, rows)))
    assert {r.code for r in found if isinstance(r, Refused)} == {"key-conflict"}
    untitled = sum(r.title is None for r in found if isinstance(r, RecordingRecord))
    assert untitled == sum(not row[5].strip() for row in rows)
