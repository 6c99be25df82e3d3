"""MTG-Jamendo: the contract, ragged rows of tags, the real table."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from contracts.source_contract import Case, TableContract
from fonoteca.core.errors import Usage
from fonoteca.sources.jamendo import Jamendo
from fonoteca.sources.records import Dump, RecordingRecord
from fonoteca.sources.tally import Tally

pytestmark = pytest.mark.core

HEADER = "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS\n"
ROW = (
    "track_0000214\tartist_000014\talbum_000031\t14/214.mp3\t124.6\tgenre---punkrock\tmood/theme---happy\tgenre---ska\n"
)
ROWS = [
    ROW,
    "track_0000215\tartist_000014\talbum_000031\t15/215.mp3\t151.4\tgenre---metal\n",
    ROW,
    ROW.replace("124.6", "124.7"),
    "215\tartist_000014\talbum_000031\t15/215.mp3\t151.4\tgenre---metal\n",
    "track_0000216\tartist_000014\n",
    'track_0000217\t\t\t17/217.mp3\tn/a\t"genre---rock\n',
]


class TestContract(TableContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        path = tmp_path / "dump.tsv.gz"
        path.write_bytes(gzip.compress((HEADER + "".join(ROWS)).encode()))
        refused = ["key-conflict", "no-key", "column-count"]
        return Case(Jamendo(), Dump([path]), 7, ["214", "215", "217"], 1, refused)


def test_tags_of_genre_are_genres_and_a_recording_needs_no_title(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_text(HEADER + ROW)
    recording, *_ = Jamendo().records(Dump([path]))
    assert isinstance(recording, RecordingRecord)
    assert (recording.title, recording.genres, recording.duration_ms) == (None, ("punkrock", "ska"), 124_600)
    assert recording.credits[0].key == "14"


def test_two_tables_at_once_are_refused(tmp_path: Path) -> None:
    for name in ("a.tsv", "b.tsv"):
        (tmp_path / name).write_text(HEADER + ROW)
    with pytest.raises(Usage) as caught:
        Jamendo().check(Dump([tmp_path]))
    assert caught.value.code == "several-tables"
    assert "a.tsv, b.tsv" in caught.value.why


def test_the_real_table_reconciles(shared_data: Path) -> None:
    tally = Tally()
    path = shared_data / "catalogues" / "mtg-jamendo" / "tracks_union.tsv.gz"
    for record in Jamendo().records(Dump([path])):
        tally.add(record)
    with gzip.open(path, "rb") as stream:
        assert tally.rows == sum(1 for _ in stream) - 1 == 55_525
    assert (tally.recordings, tally.duplicates, tally.refused, tally.releases) == (55_525, 0, 0, 11_256)
