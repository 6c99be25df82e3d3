"""One entity with the source of each field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from fonoteca.catalogue.query import Catalogue
from fonoteca.core.ids import Kind, make_id, show_id
from fonoteca.sources.records import RecordingRecord
from simulators.tiny_catalogue import archive, filled, ingest

pytestmark = pytest.mark.core
DAWN = make_id(Kind.RECORDING, "fma", "1")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    with Catalogue.open(filled(tmp_path_factory.mktemp("world"))) as catalogue:
        yield catalogue


def test_a_recording_has_the_fields_of_the_contract(world: Catalogue) -> None:
    found = world.show(Kind.RECORDING, DAWN)
    assert set(found) >= {"id", "kind", "fields", "identifiers", "credits", "claims", "verdict", "holdings", "locator"}
    assert (found["id"], found["kind"]) == (show_id(Kind.RECORDING, DAWN), "recording")
    assert (found["verdict"], found["holdings"], found["locator"]) == (None, None, None)
    assert {name: f["value"] for name, f in found["fields"].items()} == {
        "title": "Dawn", "year": 2009, "duration_ms": 180_000, "language": "pt", "flags": [],
        "artist": "Ana feat. Bó", "release": "First Light",
        "release_id": show_id(Kind.RELEASE, make_id(Kind.RELEASE, "fma", "9")),
    }  # fmt: skip
    assert json.dumps(found)


def test_every_value_has_a_source_with_dump_and_position(world: Catalogue) -> None:
    for kind, source, key in [(Kind.RECORDING, "fma", "1"), (Kind.RELEASE, "fma", "9"), (Kind.ARTIST, "fma", "a1")]:
        for name, field in world.show(kind, make_id(kind, source, key))["fields"].items():
            assert bool(field["sources"]) == (field["value"] not in (None, [])), name
            for told in field["sources"]:
                assert told["source"] == "fma"
                assert told["dump"] == "d1"
                assert ".csv:" in told["position"]


def test_a_year_that_comes_from_the_release_says_so(world: Catalogue) -> None:
    sources = world.show(Kind.RECORDING, DAWN)["fields"]["year"]["sources"]
    assert sources == [{"source": "fma", "dump": "d1", "position": "albums.csv:2"}]


def test_credits_keep_their_order_and_roles(world: Catalogue) -> None:
    credits_ = world.show(Kind.RECORDING, DAWN)["credits"]
    assert [(c["ordinal"], c["name"], c["role"]) for c in credits_] == [
        (0, "Ana", "artist"), (1, "Bó", "artist"), (2, "Cy", "composer"),
    ]  # fmt: skip
    assert credits_[0]["artist_id"] == show_id(Kind.ARTIST, make_id(Kind.ARTIST, "fma", "a1"))


def test_claims_signals_tracks_and_popularity_are_listed(world: Catalogue) -> None:
    found = world.show(Kind.RECORDING, DAWN)
    assert [c["kind"] for c in found["claims"]] == ["recording", "release"]
    assert {(s["kind"], s["value"], s["synthetic"]) for s in found["signals"]} == {
        ("listens", 90.0, False), ("listens", 5.0, True), ("favourites", 7.0, False), ("rating", 4.5, False),
    }  # fmt: skip
    assert {t["title"] for t in found["tracks"]} == {"Dawn", "Dawn (remaster)"}
    assert found["popularity"]["rank"] == 1


def test_every_partitions_value_is_listed_the_winner_first(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    for dataset, title in (("b", "Second"), ("a", "First"), ("c", None)):
        ingest(layout, "fma", [RecordingRecord("1", f"{dataset}:1", title)], dataset=dataset, dump=dataset)
    with Catalogue.open(layout) as catalogue:
        field = catalogue.show(Kind.RECORDING, DAWN)["fields"]["title"]
    assert field["value"] == "First"
    assert [(s["dataset"], s["value"]) for s in field["sources"]] == [("a", "First"), ("b", "Second")]


def test_a_release_lists_its_tracks_in_order(world: Catalogue) -> None:
    found = world.show(Kind.RELEASE, make_id(Kind.RELEASE, "fma", "9"))
    assert [(t["number"], t["title"]) for t in found["tracks"]] == [(1, "Dawn"), (2, "Dusk")]
    assert found["fields"]["artist"]["value"] == "Ana"


def test_what_is_not_there_is_a_key_error(world: Catalogue) -> None:
    with pytest.raises(KeyError):
        world.show(Kind.RECORDING, 1)
