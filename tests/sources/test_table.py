"""Any table through a mapping: the contract for each format, references to other sources, drift."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contracts.source_contract import Case, SourceContract, TableContract
from fonoteca.core.errors import Usage
from fonoteca.sources.records import (
    ArtistRecord,
    ClaimRecord,
    ClaimText,
    Credit,
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
from fonoteca.sources.table import Table
from fonoteca.sources.tally import Tally

pytestmark = pytest.mark.core

MAPPING: dict[str, Any] = {
    "licence": "CC0-1.0",
    "key": ["id"],
    "columns": {"title": "song", "artist": "by", "release": "album", "track": "no", "duration": "len", "isrc": "isrc"},
    "signals": {"listens": "plays"},
    "constants": {"licence": "CC-BY-4.0"},
}
FIRST = {"id": "1", "song": "One", "by": "A", "album": "X", "no": "1", "len": "03:45", "isrc": "it-j04-01-00240",
         "plays": "7"}  # fmt: skip
ROWS = [
    FIRST,
    {"id": "2", "song": "Two\x00", "by": "A", "album": "X", "no": "2", "len": "n/a", "isrc": "bad", "plays": ""},
    FIRST,
    {"id": "2", "song": "Two, other", "by": "A", "album": "X", "no": "2", "len": "", "isrc": "", "plays": "1"},
    {"id": "", "song": "Nameless", "by": "", "album": "", "no": "", "len": "", "isrc": "", "plays": ""},
    {"id": "3", "song": "", "by": "Ö", "album": "Y", "no": "0", "len": "0", "isrc": "", "plays": "-4"},
]
REFUSED = ["key-conflict", "no-key"]


def csv_bytes(delimiter: str, rows: list[dict[str, str]] = ROWS) -> bytes:
    lines = [delimiter.join(rows[0])]
    lines += [delimiter.join(f'"{v}"' if delimiter in v else v for v in row.values()) for row in rows]
    return "\n".join(lines).encode() + b"\n"


def make(path: Path, kind: str) -> Path:
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), path)
        return path
    data = {
        "csv": csv_bytes(","), "tsv": csv_bytes("\t"), "csv.gz": gzip.compress(csv_bytes(";")),
        "jsonl": b"".join(json.dumps(row).encode() + b"\n" for row in ROWS),
    }[kind]  # fmt: skip
    path.write_bytes(data)
    return path


class TestCsv(TableContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        path = tmp_path / "list.csv"
        path.write_bytes(csv_bytes(",") + b"9,cut\n")
        dump = Dump([path], options={"mapping": MAPPING})
        return Case(Table(), dump, 7, ["1", "2", "3"], 1, [*REFUSED, "column-count"])


class TestJsonLines(TableContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        path = make(tmp_path / "list", "jsonl")
        path.write_bytes(path.read_bytes() + b'{"id": 1e400}\n')
        return Case(Table(), Dump([path], options={"mapping": MAPPING}), 7, ["1", "2", "3"], 1, [*REFUSED, "bad-json"])


class TestParquet(SourceContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        path = make(tmp_path / "list.parquet", "parquet")
        return Case(Table(), Dump([path], options={"mapping": MAPPING}), 6, ["1", "2", "3"], 1, REFUSED)


def table(folder: Path, content: str | bytes, mapping: dict[str, Any] | None = None, name: str = "t.csv") -> Dump:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return Dump([path], options={} if mapping is None else {"mapping": mapping})


def read(dump: Dump) -> list[Record]:
    return list(Table().records(Table().resolve(dump)))


@pytest.mark.parametrize("kind", ["csv", "tsv", "csv.gz", "jsonl", "parquet"])
def test_every_format_gives_the_same_records(tmp_path: Path, kind: str) -> None:
    dump = Dump([make(tmp_path / "list", kind)], options={"mapping": MAPPING})
    expected = Dump([make(tmp_path / "other", "csv")], options={"mapping": MAPPING})

    def bare(records: list[Record]) -> list[tuple[str, dict[str, Any]]]:
        return [
            (type(r).__name__, {k: v for k, v in vars(r).items() if k not in {"position", "raw", "reason"}})
            for r in records
        ]

    assert bare(read(dump)) == bare(read(expected))


def test_a_row_gives_recording_release_and_place(tmp_path: Path) -> None:
    first, release, track = read(Dump([make(tmp_path / "list", "csv")], options={"mapping": MAPPING}))[:3]
    assert isinstance(first, RecordingRecord)
    assert first == RecordingRecord(
        "1", "list:2", "One", 225_000, None, None, (Credit("A"),), (("isrc", "ITJ040100240"),), (),
        (Signal("listens", 7.0, "CC0-1.0"),), (ClaimText("CC-BY-4.0"),), (),
    )  # fmt: skip
    assert isinstance(release, ReleaseRecord)
    assert isinstance(track, TrackRecord)
    assert (track.release, track.recording, track.number) == (release.key, "1", 1)


def test_suspicious_values_are_flagged(tmp_path: Path) -> None:
    found = read(Dump([make(tmp_path / "list", "csv")], options={"mapping": MAPPING}))
    flags = {r.key: r.flags for r in found if isinstance(r, RecordingRecord)}
    assert flags == {"1": (), "2": ("bad-isrc", "control-characters"), "3": ("bad-listens", "zero-duration")}


def test_a_conflict_names_both_places(tmp_path: Path) -> None:
    found = read(Dump([make(tmp_path / "list", "csv")], options={"mapping": MAPPING}))
    (conflict,) = [r for r in found if isinstance(r, Refused) and r.code == "key-conflict"]
    assert "list:3" in conflict.reason
    assert "list:5" in conflict.reason


def test_without_a_key_equal_rows_are_one(tmp_path: Path) -> None:
    dump = table(tmp_path, "title,artist\nA,B\nA,B\nA,C\n")
    assert [type(r) for r in read(dump)] == [RecordingRecord, Duplicate, RecordingRecord]
    first = next(r for r in read(dump) if isinstance(r, RecordingRecord))
    moved = table(tmp_path, "artist,title,note\nB,A,\n", name="u.csv")
    assert next(r for r in read(moved) if isinstance(r, RecordingRecord)).key == first.key


def test_a_key_of_several_columns_keeps_them_apart(tmp_path: Path) -> None:
    mapping = {"key": ["a", "b"], "columns": {"title": "title"}}
    dump = table(tmp_path, "a,b,title\nx/y,z,T\nx,y/z,T\n", mapping)
    assert [r.key for r in read(dump) if isinstance(r, RecordingRecord)] == ["x%2Fy/z", "x/y%2Fz"]


def test_several_artists_with_keys(tmp_path: Path) -> None:
    mapping = {"columns": {"title": "t", "artist": "a", "artist_key": "k"}, "artist_separator": ";"}
    recording, *artists = read(table(tmp_path, "t,a,k\nT,A;B,1;2\n", mapping))
    assert isinstance(recording, RecordingRecord)
    assert recording.credits == (Credit("A", "1", "artist", ", "), Credit("B", "2"))
    assert [(a.key, a.name) for a in artists if isinstance(a, ArtistRecord)] == [("1", "A"), ("2", "B")]


def test_a_table_of_listens_refers_to_another_source(tmp_path: Path) -> None:
    mapping = {"about": "signals", "source": "fma", "key": ["id"], "signals": {"listens": "n"}, "licence": "CC0-1.0",
               "synthetic": True}  # fmt: skip
    dump = table(tmp_path, "id,n\n141,7\n142,x\n141,7\n141,8\n", mapping)
    tally = Tally()
    found = list(tally.watch(read(dump)))
    assert found[0] == SignalRecord(Ref("fma", "141"), "t.csv:2", Signal("listens", 7.0, "CC0-1.0", True))
    assert [getattr(r, "code", type(r).__name__) for r in found[1:]] == ["no-content", "Duplicate", "key-conflict"]
    assert (tally.rows, tally.references, tally.duplicates, tally.refused) == (4, 1, 1, 2)


def test_a_table_of_claims_may_name_its_sources_row_by_row(tmp_path: Path) -> None:
    mapping = {"about": "claims", "columns": {"recording": "key", "source": "src", "licence": "l", "evidence": "e"}}
    dump = table(tmp_path, "src,key,l,e\nfma,1,CC-BY-4.0,page\njamendo,1,CC-BY-SA-4.0,page\n", mapping)
    assert read(dump) == [
        ClaimRecord(Ref("fma", "1"), "t.csv:2", ClaimText("CC-BY-4.0", "", "page")),
        ClaimRecord(Ref("jamendo", "1"), "t.csv:3", ClaimText("CC-BY-SA-4.0", "", "page")),
    ]


def test_a_signal_and_a_claim_in_one_row_are_one_row(tmp_path: Path) -> None:
    mapping = {"about": "signals", "source": "fma", "key": ["id"], "signals": {"listens": "n", "rating": "r"},
               "columns": {"licence": "l"}, "licence": "CC0-1.0"}  # fmt: skip
    tally = Tally()
    assert len(list(tally.watch(read(table(tmp_path, "id,n,r,l\n1,7,3,CC0\n2,1,1,\n", mapping))))) == 5
    assert tally.rows == tally.references == 2


def test_missing_columns_are_named(tmp_path: Path) -> None:
    dump = table(tmp_path, "id,song\n1,One\n", MAPPING)
    with pytest.raises(Usage) as caught:
        Table().check(dump)
    assert caught.value.code == "missing-columns"
    assert all(f"'{name}'" in caught.value.why for name in ("by", "album", "no", "len", "isrc", "plays"))


def test_unknown_columns_are_counted_in_a_warning(tmp_path: Path) -> None:
    dump = table(tmp_path, "title,artist,mood,colour\nA,B,c,d\n")
    assert Table().warnings(dump) == ["t.csv: 2 columns are not known and left out: mood, colour"]


def test_the_dataset_is_the_dump_s_else_the_mapping_s_else_the_file_s_name(tmp_path: Path) -> None:
    plain = table(tmp_path, "title\nA\n", name="My songs!.csv.gz")
    assert Table().resolve(plain).dataset == "My-songs-"
    mapped = Dump(plain.paths, options={"mapping": {"dataset": "mine", "columns": {"title": "title"}}})
    assert Table().resolve(mapped).dataset == "mine"
    assert Table().resolve(Dump(plain.paths, "given", mapped.options)).dataset == "given"


def test_the_licence_of_the_metadata_is_the_mapping_s(tmp_path: Path) -> None:
    dump = table(tmp_path, "title\nA\n", {"licence": "CC0-1.0", "credit": "me", "columns": {"title": "title"}})
    (licence,) = Table().describe(dump).licences
    assert (licence.fields, licence.licence, licence.credit) == ("*", "CC0-1.0", "me")
    (none,) = Table().describe(Dump(dump.paths)).licences
    assert none.licence == ""


def test_a_mapping_may_be_given_by_its_path_and_resolves_to_values(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_text('licence = "CC0-1.0"\n[columns]\ntitle = "song"\n')
    dump = Table().resolve(Dump(table(tmp_path, "song\nA\n").paths, options={"mapping": path}))
    assert dump.options == {"mapping": {"licence": "CC0-1.0", "columns": {"title": "song"}}}
    assert isinstance(read(dump)[0], RecordingRecord)


def test_legacy_encodings_are_read_and_stray_bytes_flagged(tmp_path: Path) -> None:
    latin = read(table(tmp_path, "title,artist\nCafé,Renée\n".encode("latin-1")))[0]
    assert isinstance(latin, RecordingRecord)
    assert (latin.title, latin.flags) == ("Café", ())
    stray = read(table(tmp_path, b"title,artist\nCaf\x80,Ren\n"))[0]
    assert isinstance(stray, RecordingRecord)
    assert (stray.title, stray.flags) == ("Caf\ufffd", ("bad-encoding",))


def test_json_lists_give_lists(tmp_path: Path) -> None:
    line = {"title": "T", "artist": ["A", "B"], "genres": ["x", "y"], "isrc": ["USRC17607839", "usrc17607839"]}
    recording = read(table(tmp_path, json.dumps(line) + "\n"))[0]
    assert isinstance(recording, RecordingRecord)
    assert recording.genres == ("x", "y")
    assert recording.identifiers == (("isrc", "USRC17607839"),)
    assert recording.credits == (Credit("A", joined_by=", "), Credit("B"))


def test_the_real_audio_index_reads_with_a_mapping(shared_data: Path) -> None:
    mapping = {"dataset": "audio", "key": ["sha256"], "columns": {
        "title": "title", "artist": "artist", "release": "album_or_source", "licence": "licence_spdx",
        "licence_url": "licence_url", "evidence": "licence_evidence", "duration": "duration_s"}}  # fmt: skip
    dump = Dump([shared_data / "audio" / "INDEX.csv"], options={"mapping": mapping})
    tally = Tally()
    found = list(tally.watch(read(dump)))
    assert tally.rows == 92
    assert all(r.claims for r in found if isinstance(r, RecordingRecord))
