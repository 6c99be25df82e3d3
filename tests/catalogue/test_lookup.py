"""From what a person types to ids."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fonoteca.catalogue.lookup import spellings
from fonoteca.catalogue.query import Catalogue
from fonoteca.core.errors import Usage
from fonoteca.core.ids import Kind, make_id, show_id
from fonoteca.sources.records import RecordingRecord, ReleaseRecord
from simulators.tiny_catalogue import archive, filled, ingest

pytestmark = pytest.mark.core
DAWN = make_id(Kind.RECORDING, "fma", "1")
LIGHT = make_id(Kind.RELEASE, "fma", "9")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    with Catalogue.open(filled(tmp_path_factory.mktemp("world"))) as catalogue:
        yield catalogue


@pytest.mark.parametrize("words", [
    "isrc:PTAAA0900001", "isrc:pt-aaa-09-00001", "ISRC: PT AAA 09 00001 ", "fma:1", show_id(Kind.RECORDING, DAWN),
    show_id(Kind.RECORDING, DAWN).upper(),
])  # fmt: skip
def test_a_recording_is_found_by_every_name(world: Catalogue, words: str) -> None:
    assert world.resolve(words) == [(Kind.RECORDING, DAWN)]


@pytest.mark.parametrize("words", ["upc:0602517745674", "ean:602517745674", "barcode:0-602517-745674", "fma:9"])
def test_a_release_is_found_by_its_barcode_with_or_without_zeros(world: Catalogue, words: str) -> None:
    assert world.resolve(words) == [(Kind.RELEASE, LIGHT)]


@pytest.mark.parametrize("words", [
    "isrc:XXXXX0000000", "mbid:00000000-0000-0000-0000-000000000000", "sha256:00", "nowhere:1", "fma:none",
    "r0000000000000", "isrc:' OR 1=1 --", "x:" + "é" * 5_000,
])  # fmt: skip
def test_what_is_not_there_is_an_empty_list(world: Catalogue, words: str) -> None:
    assert world.resolve(words) == []


@pytest.mark.parametrize("words", ["", "  ", "isrc:", ":x:"[:1], "r123", "z0000000000000", "r000000000000u", "Dawn"])
def test_what_has_no_known_form_is_refused_with_the_forms(world: Catalogue, words: str) -> None:
    with pytest.raises(Usage) as caught:
        world.resolve(words)
    assert caught.value.code == "bad-id"
    assert "isrc:" in caught.value.remedy


def test_one_isrc_on_two_recordings_names_both(tmp_path_factory: pytest.TempPathFactory) -> None:
    layout = archive(tmp_path_factory.mktemp("twins"))
    ingest(layout, "fma", [RecordingRecord(k, f"t:{k}", k, identifiers=[("isrc", "QQAAA0000001")]) for k in "ab"])
    with Catalogue.open(layout) as catalogue:
        found = catalogue.resolve("isrc:QQAAA0000001")
    assert found == sorted(found, key=lambda pair: pair[1])
    assert {value for _, value in found} == {make_id(Kind.RECORDING, "fma", k) for k in "ab"}


def test_a_sources_key_names_its_own_entity_and_what_others_link_to_it(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    layout = archive(tmp_path_factory.mktemp("linked"))
    ingest(layout, "discogs", [ReleaseRecord("249504", "d:1", "Never")])
    ingest(layout, "musicbrainz", [
        ReleaseRecord("m1", "m:1", "Never", identifiers=[("discogs", "249504")]),
        ReleaseRecord("m2", "m:2", "Other", identifiers=[("discogs", "1")]),
    ])  # fmt: skip
    with Catalogue.open(layout) as catalogue:
        found = catalogue.resolve("discogs:249504")
        assert catalogue.resolve("discogs:1") == [(Kind.RELEASE, make_id(Kind.RELEASE, "musicbrainz", "m2"))]
    own, other = (make_id(Kind.RELEASE, *pair) for pair in (("discogs", "249504"), ("musicbrainz", "m1")))
    assert found == [(Kind.RELEASE, value) for value in sorted((own, other))]


@given(st.text(), st.text())
def test_spellings_always_hold_the_value_itself(scheme: str, value: str) -> None:
    assert value in spellings(scheme, value)[1]
