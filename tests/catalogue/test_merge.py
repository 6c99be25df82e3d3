"""Whose value stands, and what is made of several rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fonoteca.catalogue.merge import shown
from fonoteca.catalogue.query import Catalogue
from fonoteca.catalogue.tables import MERGED, POPULARITY
from fonoteca.core.ids import MAX_ID, Kind, make_id, show_id
from fonoteca.formats.tables import SORT_KEYS
from fonoteca.sources.records import Credit, RecordingRecord, ReleaseRecord, TrackRecord
from simulators.tiny_catalogue import archive, filled, ingest

pytestmark = pytest.mark.core


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    with Catalogue.open(filled(tmp_path_factory.mktemp("world"))) as catalogue:
        yield catalogue


def recording(catalogue: Catalogue, key: str, source: str = "fma") -> dict[str, object]:
    rows = catalogue.select("SELECT * FROM recordings WHERE id = ?", [make_id(Kind.RECORDING, source, key)])
    return rows[0]


def test_the_display_credit_joins_names_as_the_source_says(world: Catalogue) -> None:
    assert recording(world, "1")["artist"] == "Ana feat. Bó"
    assert recording(world, "2")["artist"] == "Ana, Bó"


def test_composers_are_credits_but_not_the_artist(world: Catalogue) -> None:
    rows = world.select("SELECT name, role FROM credits WHERE kind = 'recording' AND entity_id = ? ORDER BY ordinal",
                        [make_id(Kind.RECORDING, "fma", "1")])  # fmt: skip
    assert [(r["name"], r["role"]) for r in rows] == [("Ana", "artist"), ("Bó", "artist"), ("Cy", "composer")]


def test_the_first_release_is_the_oldest_and_lends_its_year(world: Catalogue) -> None:
    dawn = recording(world, "1")
    assert (dawn["release"], dawn["year"]) == ("First Light", 2009)
    assert dawn["release_id"] == make_id(Kind.RELEASE, "fma", "9")
    assert recording(world, "2")["year"] == 2008


def test_a_recording_on_no_release_has_none(world: Catalogue) -> None:
    row = recording(world, "3")
    assert (row["release"], row["release_id"], row["year"]) == (None, None, None)
    assert row["flags"] == ["zero-duration"]


def test_names_in_credits_become_artists(world: Catalogue) -> None:
    names = {r["id"]: (r["name"], r["sort_name"]) for r in world.select("SELECT * FROM artists")}
    assert names[make_id(Kind.ARTIST, "fma", "a1")] == ("Ana", "Ana, the")
    assert names[make_id(Kind.ARTIST, "fma", "name:Bó")] == ("Bó", None)
    assert names[make_id(Kind.ARTIST, "fma", "c7")] == ("Cy", None)
    known = {r["artist_id"] for r in world.select("SELECT artist_id FROM credits")}
    assert known <= set(names)


def test_releases_count_their_tracks(world: Catalogue) -> None:
    rows = {r["title"]: (r["tracks"], r["artist"]) for r in world.select("SELECT * FROM releases")}
    assert rows["First Light"] == (2, "Ana")
    assert rows["Best of"] == (1, "Ana")


def test_claims_name_their_subject_as_shown(world: Catalogue) -> None:
    rows = world.select("SELECT kind, subject, source FROM claims")
    subjects = {(r["kind"], r["subject"], r["source"]) for r in rows}
    assert ("release", show_id(Kind.RELEASE, make_id(Kind.RELEASE, "fma", "9")), "fma") in subjects
    assert ("recording", show_id(Kind.RECORDING, make_id(Kind.RECORDING, "fma", "2")), "table") in subjects


@pytest.mark.parametrize("value", [0, 1, 31, 32, 2**62, MAX_ID, 5_169_723_793_042_558_454])
def test_the_engine_shows_ids_as_the_library_does(world: Catalogue, value: int) -> None:
    for kind in Kind:
        expression = shown("'" + kind.word + "'", f"{value}::BIGINT")
        found = world.select(f"SELECT {expression} AS id")
        assert found[0]["id"] == show_id(kind, value)


def test_every_table_has_its_published_columns_and_order(world: Catalogue) -> None:
    for name, schema in {**MERGED, "popularity": POPULARITY}.items():
        table = world.table(name)
        assert table.schema.equals(schema)
        keys = [tuple((v is None, v) for v in row) for row in zip(
            *[table.column(c).to_pylist() for c in SORT_KEYS[name]], strict=True)]  # fmt: skip
        assert keys == sorted(keys), name


def test_a_field_comes_from_the_first_dataset_that_has_it(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    ingest(layout, "fma", [RecordingRecord("1", "b:1", "From b", 5_000, flags=["y"])], dataset="b", dump="db")
    ingest(layout, "fma", [RecordingRecord("1", "a:1", None, 7_000, language="en", flags=["x"])],
           dataset="a", dump="da")  # fmt: skip
    with Catalogue.open(layout) as catalogue:
        row = recording(catalogue, "1")
    assert (row["title"], row["duration_ms"], row["language"]) == ("From b", 7_000, "en")
    assert row["flags"] == ["x", "y"]
    assert (row["dump"], row["position"]) == ("da", "a:1")


def test_earlier_positions_win_by_number_not_by_letter(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    ingest(layout, "fma", [RecordingRecord("1", "t:10", "Later"), RecordingRecord("1", "t:9", "Earlier")])
    with Catalogue.open(layout) as catalogue:
        assert recording(catalogue, "1")["title"] == "Earlier"


def test_a_list_of_credits_is_taken_whole_from_one_row(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    ingest(layout, "fma", [RecordingRecord("1", "a:1", "T", credits=[Credit("A"), Credit("B")])], dataset="a", dump="a")
    ingest(layout, "fma", [RecordingRecord("1", "b:1", "T", credits=[Credit("C")])], dataset="b", dump="b")
    with Catalogue.open(layout) as catalogue:
        assert recording(catalogue, "1")["artist"] == "A, B"


def test_a_release_without_a_year_comes_last(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    ingest(layout, "fma", [
        RecordingRecord("1", "t:1", "T"), ReleaseRecord("u", "t:1", "Undated"),
        ReleaseRecord("d", "t:1", "Dated", 1999),
        TrackRecord("u", "1", "t:1"), TrackRecord("d", "1", "t:1"), TrackRecord("unknown", "1", "t:1"),
    ])  # fmt: skip
    with Catalogue.open(layout) as catalogue:
        assert recording(catalogue, "1")["release"] == "Dated"


def test_text_that_utf8_cannot_hold_is_mended_not_fatal(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    ingest(layout, "fma", [RecordingRecord("1", "t:1", "bad \ud800 half", flags=["\udc00"])])
    with Catalogue.open(layout) as catalogue:
        row = recording(catalogue, "1")
    assert str(row["title"]).startswith("bad ")
    assert "�" in str(row["title"])
