"""The FMA's tables: the contract, the oddities of the real thing, drift."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pytest

from contracts.source_contract import Case, TableContract
from fonoteca.core.errors import Usage
from fonoteca.sources.fma import ALBUMS, TRACKS, Fma
from fonoteca.sources.records import (
    ArtistRecord,
    ClaimText,
    Dump,
    Record,
    RecordingRecord,
    Refused,
    ReleaseRecord,
    Signal,
    TrackRecord,
)
from fonoteca.sources.tally import Tally

pytestmark = pytest.mark.core

TRACK_COLUMNS = sorted(TRACKS.known)
ALBUM_COLUMNS = sorted(ALBUMS.known)
GOOD = {
    "track_id": "2", "album_id": "1", "album_title": "A Way", "album_url": "http://fma.test/a", "artist_id": "9",
    "artist_name": "AWOL", "artist_url": "http://fma.test/AWOL", "license_title": "Attribution",
    "license_url": "http://creativecommons.org/licenses/by/4.0/", "track_duration": "168",
    "track_date_created": "11/26/2008 01:43:26 AM", "track_date_recorded": "11/26/2008", "track_disc_number": "1",
    "track_number": "3", "track_listens": "1293", "track_favorites": "2", "track_interest": "4656",
    "track_language_code": "en", "track_title": "Food", "track_url": "http://fma.test/Food",
    "track_genres": "[{'genre_id': '21', 'genre_title': 'Hip-Hop', 'genre_url': 'http://fma.test/Hip-Hop/'}]",
}  # fmt: skip
ALBUM = {
    "album_id": "1", "album_title": "AWOL - A Way Of Life", "album_listens": "6073", "album_type": "Album",
    "album_year_released": "2009", "artist_name": "AWOL", "artist_url": "http://fma.test/AWOL",
}  # fmt: skip


def table(columns: list[str], rows: list[dict[str, str]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def write(folder: Path, *rows: dict[str, str]) -> Dump:
    path = folder / "whatever.bin"
    path.write_bytes(table(TRACK_COLUMNS, [GOOD | row for row in rows]))
    return Dump([path])


def read(dump: Dump) -> list[Record]:
    return list(Fma().records(dump))


def one(folder: Path, **changed: str) -> RecordingRecord:
    return next(r for r in read(write(folder, changed)) if isinstance(r, RecordingRecord))


class TestContract(TableContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        folder = tmp_path / "dump"
        folder.mkdir()
        rows = [
            GOOD,
            GOOD | {"track_id": "3", "track_title": "Elec\x80 tric\x00\x1b[31m", "album_id": "77"},
            GOOD,
            GOOD | {"track_title": "Other food"},
            GOOD | {"track_id": "x"},
            GOOD | {"track_id": "5", "track_title": ""},
        ]
        (folder / "tracks.csv").write_bytes(table(TRACK_COLUMNS, rows) + b"6,too,few\n")
        (folder / "albums.csv.gz").write_bytes(gzip.compress(table(ALBUM_COLUMNS, [ALBUM])))
        (folder / "README.md").write_text("# not a table\n")
        return Case(Fma(), Dump([folder]), 7, ["2", "3", "5"], 1, ["key-conflict", "no-key", "column-count"])


def test_a_track_row_gives_recording_artist_and_place(tmp_path: Path) -> None:
    recording, artist, track, release = read(write(tmp_path, {}))
    assert isinstance(recording, RecordingRecord)
    assert (recording.key, recording.title, recording.duration_ms) == ("2", "Food", 168_000)
    assert (recording.year, recording.language, recording.genres) == (2008, "en", ("Hip-Hop",))
    assert recording.signals == (
        Signal("listens", 1293, "CC-BY-4.0"),
        Signal("favourites", 2, "CC-BY-4.0"),
        Signal("interest", 4656, "CC-BY-4.0"),
    )
    assert [(c.licence, c.url) for c in recording.claims] == [
        ("Attribution", "http://creativecommons.org/licenses/by/4.0/")
    ]
    assert isinstance(artist, ArtistRecord)
    assert (artist.key, artist.name) == ("9", "AWOL")
    assert isinstance(track, TrackRecord)
    assert (track.release, track.disc, track.number) == ("1", 1, 3)
    assert isinstance(release, ReleaseRecord)
    assert release.title == "A Way"
    assert release.claims == ()


def test_an_album_row_wins_over_what_tracks_say_of_it_and_has_the_artist_s_id(tmp_path: Path) -> None:
    dump = write(tmp_path, {})
    albums = tmp_path / "a.csv"
    albums.write_bytes(table(ALBUM_COLUMNS, [ALBUM, ALBUM, ALBUM | {"album_title": "Else"}, ALBUM | {"album_id": ""}]))
    found = read(Dump([albums, *dump.paths]))
    (release,) = [r for r in found if isinstance(r, ReleaseRecord)]
    assert (release.title, release.year, release.credits[0].key) == ("AWOL - A Way Of Life", 2009, "9")
    tally = Tally()
    for record in found:
        tally.add(record)
    assert (tally.rows, tally.recordings, tally.releases) == (1, 1, 1)
    assert (tally.release_duplicates, tally.release_refused) == (1, 2)


@pytest.mark.parametrize(
    ("text", "milliseconds", "flag"),
    [("305.8333333", 305_833, None), ("03:45", 225_000, None), ("0", 0, "zero-duration"), ("n/a", None, None),
     ("", None, None), ("-3", None, "bad-duration"), ("1e999", None, "bad-duration")],
)  # fmt: skip
def test_durations_as_text(tmp_path: Path, text: str, milliseconds: int | None, flag: str | None) -> None:
    recording = one(tmp_path, track_duration=text)
    assert recording.duration_ms == milliseconds
    assert recording.flags == ((flag,) if flag else ())


@pytest.mark.parametrize(
    "genres",
    [
        "__import__('os').system('touch owned')",
        "[" * 5000,
        "[{'genre_title': 'x'}" + ", {'genre_title': 'x'}" * 5_000 + "]",
        "[1]",
        "{'genre_title': 'x'}",
        "[{'genre_title'",
        "9" * 6000,
    ],
)
def test_hostile_genre_lists_are_flagged_and_the_row_is_kept(tmp_path: Path, genres: str) -> None:
    recording = one(tmp_path, track_genres=genres)
    assert recording.genres == ()
    assert recording.flags == ("bad-genres",)


def test_an_empty_licence_is_no_claim_and_a_copyright_line_with_an_address_is_a_second_one(tmp_path: Path) -> None:
    assert one(tmp_path, license_title="", license_url="").claims == ()
    line = "2004 Someone. Licensed under http://creativecommons.org/licenses/by-nc-nd/2.0/ verify there"
    second = one(tmp_path, track_copyright_c=line).claims[1]
    assert isinstance(second, ClaimText)
    assert second.url == "http://creativecommons.org/licenses/by-nc-nd/2.0/"


def test_two_digit_years_are_those_before_the_upload(tmp_path: Path) -> None:
    assert one(tmp_path, track_date_recorded="1/01/06").year == 2006
    assert one(tmp_path, track_date_recorded="1/01/81").year == 1981


def test_a_renamed_column_is_named_in_the_error(tmp_path: Path) -> None:
    path = tmp_path / "raw_tracks.csv"
    path.write_bytes(table(TRACK_COLUMNS, [GOOD]).replace(b"track_duration", b"duration", 1))
    with pytest.raises(Usage) as caught:
        Fma().check(Dump([path]))
    assert caught.value.code == "missing-columns"
    assert "track_duration" in caught.value.why


def test_a_new_column_is_counted_in_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "raw_tracks.csv"
    path.write_bytes(table([*TRACK_COLUMNS, "mood"], [GOOD | {"mood": "blue"}]))
    assert Fma().warnings(Dump([path])) == ["raw_tracks.csv: 1 column is not known and left out: mood"]


def test_album_table_alone_is_no_track_table(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(table(ALBUM_COLUMNS, [ALBUM]))
    assert [type(r) for r in read(Dump([path]))] == [ReleaseRecord]


def test_the_real_excerpt_reconciles(shared_data: Path) -> None:
    folder = shared_data / "catalogues" / "fma-excerpt"
    with gzip.open(folder / "raw_tracks_excerpt.csv.gz", "rt", encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    source, tally = Fma(), Tally()
    records = list(tally.watch(source.records(source.resolve(Dump([folder])))))
    assert tally.rows == len(rows) == 1436 == tally.recordings + tally.duplicates + tally.refused
    assert tally.releases - tally.release_refused - 1 == 327  # one album is named by its tracks only
    assert source.warnings(Dump([folder])) == []
    listens = sum(s.value for r in records if isinstance(r, RecordingRecord) for s in r.signals if s.kind == "listens")
    assert listens == sum(int(row["track_listens"]) for row in rows)
    damaged = [r for r in records if isinstance(r, ReleaseRecord) and "bad-encoding" in r.flags]
    assert len(damaged) == 8
    assert not [r for r in records if isinstance(r, Refused)]
