"""AcoustID: the contract, merges, later days, hostile lines, and what a catalogue makes of it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from contracts.source_contract import Case, TableContract
from fonoteca.catalogue import generation
from fonoteca.catalogue.engine import Engine
from fonoteca.catalogue.ingest import execute, ingest_records, plan
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.query import Catalogue
from fonoteca.core.ids import Kind, make_id
from fonoteca.core.progress import SILENT
from fonoteca.core.settings import resolve
from fonoteca.publish import snapshot
from fonoteca.sources.acoustid import AcoustId
from fonoteca.sources.records import Dump, Duplicate, IdentifierRecord, Record, RecordingRecord, Ref, Refused
from fonoteca.sources.tally import Tally
from simulators.tiny_catalogue import archive, info

pytestmark = pytest.mark.core
STAMP = "2026-07-22T12:00:00+00:00"


def uuid(number: int, kind: str = "a") -> str:
    return f"{kind * 8}-0000-4000-8000-{number!s:0>12}"


def track(number: Any, gid: Any = None, new_id: Any = None) -> dict[str, Any]:
    row = {"id": number, "gid": gid or uuid(number), "created": STAMP}
    return row | ({"new_id": new_id, "updated": STAMP} if new_id is not None else {})


def pair(track_id: Any, mbid: Any, **more: Any) -> dict[str, Any]:
    return {"track_id": track_id, "mbid": mbid, "submission_count": 1, "created": STAMP} | more


def written(folder: Path, name: str, *rows: Any) -> Path:
    lines = [row if isinstance(row, bytes) else json.dumps(row, separators=(",", ":")).encode() for row in rows]
    path = folder / name
    path.write_bytes(gzip.compress(b"\n".join([*lines, b""]), mtime=0))
    return path


def read(*paths: Path) -> tuple[list[Record], Tally]:
    tally = Tally()
    found = list(tally.watch(AcoustId().records(AcoustId().resolve(Dump(paths)))))
    assert tally.rows == tally.references + tally.duplicates + tally.refused
    return found, tally


def told(found: list[Record]) -> dict[str, list[str]]:
    return {r.recording.key: [v for _, v in r.identifiers] for r in found if isinstance(r, IdentifierRecord)}


M = [uuid(n, "b") for n in range(10)]


@pytest.fixture
def day(tmp_path: Path) -> Path:
    """One track merged into another; a pair taken back, one twice, one of no track, one broken."""
    folder = tmp_path / "day"
    folder.mkdir()
    written(folder, "2026-07-22-track-update.jsonl.gz", track(1), track(2, new_id=1), track(3))
    written(
        folder, "2026-07-22-track_mbid-update.jsonl.gz",
        pair(1, M[1]), pair(3, M[2].upper()), pair(3, M[3], disabled=True), pair(3, M[2]), pair(99, M[4]),
        pair(1, "x"), b"{",
    )  # fmt: skip
    written(folder, "2026-07-22-fingerprint-update.jsonl.gz", {"id": 1, "fingerprint": [1, 2], "length": 3})
    written(folder, "2026-07-22-track_puid-update.jsonl.gz")
    return folder


class TestAcoustId(TableContract):
    @pytest.fixture
    def case(self, day: Path) -> Case:
        codes = ["no-key", "bad-json", "disabled-pair", "dangling-reference"]
        return Case(AcoustId(), Dump([day]), 7, [], 1, codes)


def test_pairs_are_identifiers_of_recordings_of_musicbrainz(day: Path) -> None:
    found, _ = read(day)
    first = next(r for r in found if isinstance(r, IdentifierRecord))
    assert first.recording == Ref("musicbrainz", M[1])
    assert first.position == "2026-07-22-track_mbid-update.jsonl.gz:1"
    assert told(found) == {M[1]: [uuid(1), uuid(2)], M[2]: [uuid(3)]}


def test_a_later_day_takes_the_place_of_an_earlier_one_whatever_the_order_of_the_files(tmp_path: Path) -> None:
    paths = [
        written(tmp_path, "2026-07-23-track-update.jsonl.gz", track(2, new_id=1)),
        written(tmp_path, "2026-07-23-track_mbid-update.jsonl.gz", pair(1, M[1], disabled=True), pair(1, M[2])),
        written(tmp_path, "2026-07-22-track-update.jsonl.gz", track(1), track(2)),
        written(tmp_path, "2026-07-22-track_mbid-update.jsonl.gz", pair(1, M[1]), pair(2, M[2])),
    ]
    found, tally = read(*paths)
    assert told(found) == {M[2]: [uuid(1), uuid(2)]}
    assert [r.code for r in found if isinstance(r, Refused)] == ["disabled-pair"]
    # The pair of the first day that was taken back, and the pair of the track that was merged.
    assert len([r for r in found if isinstance(r, Duplicate)]) == 2
    assert read(*reversed(paths)) == (found, tally)


def test_merges_that_lead_in_a_circle_or_nowhere_are_refused(tmp_path: Path) -> None:
    found, _ = read(
        written(tmp_path, "2026-01-01-track-update.jsonl.gz", track(1, new_id=2), track(2, new_id=1),
                track(3, new_id=3), track(4, new_id=77), track(5)),
        written(tmp_path, "2026-01-01-track_mbid-update.jsonl.gz", *(pair(n, M[n]) for n in range(1, 6))),
    )  # fmt: skip
    assert told(found) == {M[5]: [uuid(5)]}
    assert [r.code for r in found if isinstance(r, Refused)] == ["redirect-loop"] * 4


HOSTILE_PAIRS = [
    pair(True, M[1]), pair("1", M[1]), pair(-1, M[1]), pair(2**63, M[1]), pair(1.0, M[1]), pair(1, None),
    pair(1, 7), pair(1, M[1][:-1]), pair(1, M[1], disabled="t"), pair(1, [M[1]]), [1], b"null", b'{"track_id":1,',
    b'{"track_id":1,"track_id":1,"mbid":"x"}', b'{"track_id":NaN,"mbid":"x"}', b"\xff\xfe", b"[" * 99_999,
]  # fmt: skip
HOSTILE_TRACKS = [track("1"), track(0), track(1, "x"), track(1, new_id="2"), b"{", [1]]


@pytest.mark.parametrize("row", HOSTILE_PAIRS)
def test_a_hostile_pair_is_refused_and_the_next_one_is_read(row: Any, tmp_path: Path) -> None:
    tracks = written(tmp_path, "2026-01-01-track-update.jsonl.gz", track(1))
    pairs = written(tmp_path, "2026-01-01-track_mbid-update.jsonl.gz", pair(1, M[2]), row, pair(1, M[3]))
    found, tally = read(tracks, pairs)
    assert told(found) == {M[2]: [uuid(1)], M[3]: [uuid(1)]}
    assert (tally.rows, tally.refused) == (3, 1)


@pytest.mark.parametrize("row", HOSTILE_TRACKS)
def test_a_hostile_track_is_refused_and_is_no_row_of_a_recording(row: Any, tmp_path: Path) -> None:
    tracks = written(tmp_path, "2026-01-01-track-update.jsonl.gz", track(9), row)
    pairs = written(tmp_path, "2026-01-01-track_mbid-update.jsonl.gz", pair(9, M[1]))
    found, tally = read(tracks, pairs)
    assert told(found) == {M[1]: [uuid(9)]}
    assert (tally.rows, tally.refused, tally.release_refused) == (1, 0, 1)


def test_a_torn_file_gives_what_came_before(tmp_path: Path) -> None:
    tracks = written(tmp_path, "2026-01-01-track-update.jsonl.gz", track(1))
    pairs = written(tmp_path, "2026-01-01-track_mbid-update.jsonl.gz", *(pair(1, uuid(n, "c")) for n in range(5000)))
    pairs.write_bytes(pairs.read_bytes()[:-100])
    found, tally = read(tracks, pairs)
    assert 0 < len(told(found)) < 5000
    assert tally.refused == 1


def test_a_missing_table_is_told(tmp_path: Path) -> None:
    tracks = written(tmp_path, "2026-01-01-track-update.jsonl.gz", track(1))
    assert "track_mbid" in AcoustId().warnings(Dump([tracks]))[0]
    pairs = written(tmp_path, "2026-01-01-track_mbid-update.jsonl.gz", pair(1, M[1]))
    assert "track" in AcoustId().warnings(Dump([pairs]))[0]
    assert AcoustId().warnings(Dump([tracks, pairs])) == []
    assert [r.code for r in read(pairs)[0] if isinstance(r, Refused)] == ["dangling-reference"]


def test_a_recording_is_found_by_its_acoustid_and_editions_carry_it_with_its_licences(
    day: Path, tmp_path: Path
) -> None:
    layout = archive(tmp_path / "archive")
    ingest_records(layout, info("musicbrainz"), "", "d", [RecordingRecord(M[1], "m:1", "Dawn")])
    source = AcoustId()
    result = execute(plan(layout, source, source.resolve(Dump([day])), resolve([])))
    assert result.read == 7
    recording = (Kind.RECORDING, make_id(Kind.RECORDING, "musicbrainz", M[1]))
    told = generation.load(Places.of(layout))
    content = snapshot.build(layout, told, snapshot.commercial, Engine(), SILENT)
    rows = [row for row in content.tables["identifiers"].to_pylist() if row["source"] == "acoustid"]
    assert {(row["scheme"], row["value"]) for row in rows} == {("acoustid", uuid(n)) for n in (1, 2, 3)}
    assert {"CC-BY-SA-3.0", "CC-PDDC"} <= set(content.notes["identifiers"]["value"].licences)
    assert not snapshot.restricted(told, snapshot.noncommercial).partitions
    with Catalogue.open(layout) as catalogue:
        for number in (1, 2):
            assert catalogue.resolve(f"acoustid:{uuid(number).upper()}") == [recording]
        shown = catalogue.show(*recording)
    schemes = {(i["value"], i["source"]) for i in shown["identifiers"] if i["scheme"] == "acoustid"}
    assert schemes == {(uuid(1), "acoustid"), (uuid(2), "acoustid")}
