"""The ledger: what is written is read, in order, once; crashes cost nothing that was acknowledged."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from fonoteca.archive.holdings import Holdings, ledger_path
from fonoteca.archive.records import Holding, Place, Record, Refusal, Release, from_body, to_body
from fonoteca.core.errors import Damaged
from fonoteca.core.fixity import measure
from fonoteca.core.layout import ArchiveLayout
from fonoteca.formats.claim import Claim

pytestmark = pytest.mark.core

DATA = b"sound" * 9000
FIXITY = measure([DATA])
HOLDING = Holding(
    7, "fma:7", FIXITY.sha256, FIXITY.bytes, "audio/flac", "flac", "flac", 900_000, 44_100, 2, 1000, "flac",
    "Title", "Artist", "", None, 3, 1999, "a/b.flac", tags=(("title", "Title"),), flags=("cleaned-text",),
)  # fmt: skip
CLAIM = Claim("blob", FIXITY.sha256, "CC0-1.0", "", "README", "claims", "x.csv", "x.csv:2")
REFUSAL = Refusal("bad.mp3", "not-audio", "its content is text", "00" * 32, 5)
PLACE = Place(FIXITY.sha256, "tail-00", 0, "tail-free-0001-01", 2048)


@pytest.fixture
def layout(tmp_path: Path) -> ArchiveLayout:
    return ArchiveLayout(tmp_path)


@pytest.mark.parametrize("record", [FIXITY, HOLDING, CLAIM, REFUSAL, PLACE, Release(FIXITY.sha256)])
def test_every_record_survives_writing_and_reading(record: Record) -> None:
    assert from_body(to_body(record)) == record


def test_a_record_of_a_newer_version_is_left_alone() -> None:
    assert from_body({"type": "hologram", "depth": 3}) is None
    assert from_body(to_body(HOLDING) | {"mood": "blue"}) == HOLDING


def test_what_is_appended_is_there_after_opening_again_and_only_once(layout: ArchiveLayout) -> None:
    ledger = Holdings.open(layout)
    assert ledger.append([FIXITY, HOLDING, CLAIM, CLAIM, REFUSAL]) == 4
    before = ledger_path(layout).read_bytes()
    assert ledger.append([CLAIM, HOLDING]) == 0
    again = Holdings.open(layout)
    assert again.append([REFUSAL, FIXITY]) == 0
    assert ledger_path(layout).read_bytes() == before
    assert again.holdings() == [HOLDING]
    assert again.claims() == [CLAIM]
    assert again.refusals() == [REFUSAL]
    assert again.blobs() == {FIXITY.sha256: FIXITY}
    assert CLAIM in again


def test_golden_ledger(layout: ArchiveLayout, golden: Callable[[str, bytes], None]) -> None:
    """docs/formats/holdings.md: one record of each type."""
    ledger = Holdings.open(layout)
    ledger.append([FIXITY, HOLDING, CLAIM, REFUSAL])
    ledger.seal([PLACE])
    ledger.release([FIXITY.sha256])
    golden("holdings/holdings.jsonl", ledger_path(layout).read_bytes())


def test_places_follow_the_last_sealing(layout: ArchiveLayout) -> None:
    ledger = Holdings.open(layout)
    ledger.append([FIXITY, HOLDING])
    moved = Place(FIXITY.sha256, "tail-00", 1, "tail-free-0002-01", 2048)
    assert ledger.seal([PLACE]) == 1
    assert ledger.seal([PLACE]) == 0
    assert ledger.seal([moved]) == 1
    assert ledger.seal([PLACE]) == 1  # back to where it was: said again, and remembered
    assert Holdings.open(layout).places() == {FIXITY.sha256: PLACE}
    assert ledger.release([FIXITY.sha256, "00" * 32]) == 1
    assert ledger.release([FIXITY.sha256]) == 0
    assert Holdings.open(layout).places() == {}


def test_sealed_blobs_are_read_out_of_their_pack_and_their_loose_copy_goes(layout: ArchiveLayout) -> None:
    ledger = Holdings.open(layout)
    store = ledger.store()
    store.put(io.BytesIO(DATA))
    ledger.append([FIXITY, HOLDING])
    pack = layout.publication.packs / PLACE.file
    pack.parent.mkdir(parents=True)
    pack.write_bytes(bytes(2048) + DATA + bytes(1000))
    ledger.seal([PLACE])
    assert ledger.drop_sealed_loose() == [FIXITY.sha256]
    assert ledger.drop_sealed_loose() == []
    assert not store.is_loose(FIXITY.sha256)
    assert store.digest(FIXITY.sha256) == FIXITY.sha256
    store.copy_back(FIXITY.sha256)
    ledger.release([FIXITY.sha256])
    assert store.is_loose(FIXITY.sha256)
    assert ledger.drop_sealed_loose() == []


def test_a_pack_with_other_bytes_keeps_the_loose_copy(layout: ArchiveLayout) -> None:
    ledger = Holdings.open(layout)
    store = ledger.store()
    store.put(io.BytesIO(DATA))
    ledger.append([FIXITY])
    pack = layout.publication.packs / PLACE.file
    pack.parent.mkdir(parents=True)
    pack.write_bytes(bytes(len(DATA) + 9000))
    ledger.seal([PLACE])
    with pytest.raises(Damaged):
        ledger.drop_sealed_loose()
    assert store.is_loose(FIXITY.sha256)


def test_a_torn_tail_is_cut_off_by_the_next_writer_and_ends_in_the_same_bytes(layout: ArchiveLayout) -> None:
    ledger = Holdings.open(layout)
    ledger.append([FIXITY, HOLDING, CLAIM])
    whole = ledger_path(layout).read_bytes()
    for length in range(whole.index(b"\n") + 1, len(whole), 97):
        ledger_path(layout).write_bytes(whole[:length])
        Holdings.open(layout).append([FIXITY, HOLDING, CLAIM])
        assert ledger_path(layout).read_bytes() == whole


def test_damage_in_the_middle_is_an_error_with_a_remedy_and_nothing_is_written(layout: ArchiveLayout) -> None:
    Holdings.open(layout).append([FIXITY, HOLDING, CLAIM])
    path = ledger_path(layout)
    path.write_bytes(damaged := path.read_bytes().replace(b"CC0", b"CC1"))
    with pytest.raises(Damaged) as error:
        Holdings.open(layout)
    assert error.value.code == "ledger-damaged"
    assert "line 3" in error.value.why
    assert "backup" in error.value.remedy
    assert path.read_bytes() == damaged


def test_after_a_failed_write_the_ledger_is_read_again(layout: ArchiveLayout) -> None:
    ledger = Holdings.open(layout)
    ledger.append([FIXITY])
    path = ledger_path(layout)
    whole = path.read_bytes()
    path.rename(path.with_suffix(".aside"))
    path.mkdir()  # in the way
    with pytest.raises(Exception, match="could not be written"):
        ledger.append([HOLDING])
    path.rmdir()
    path.write_bytes(whole + b'{"half')
    assert ledger.append([HOLDING, CLAIM]) == 2
    assert Holdings.open(layout).holdings() == [HOLDING]
