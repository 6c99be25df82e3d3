"""Genres and ratings of MusicBrainz: both ways, refusals, and that they stay apart from what is CC0."""

from __future__ import annotations

import bz2
import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from fonoteca.catalogue.bulk import Workbench
from fonoteca.catalogue.engine import DEFAULT, connect
from fonoteca.core.errors import Usage
from fonoteca.core.ids import Kind, make_id
from fonoteca.core.progress import SILENT
from fonoteca.sources.musicbrainz import MusicBrainz
from fonoteca.sources.records import Dump, Duplicate, RecordingRecord, Refused, SignalRecord
from harness import ok

pytestmark = pytest.mark.core

SOURCE = MusicBrainz()
GIDS = [f"a0000000-0000-4000-8000-{n:012d}" for n in range(4)]
RECORDINGS = "".join(f"{n}\t{GIDS[n]}\tSong\t1\t1000\t\t0\t\\N\tf\n" for n in (1, 2, 3))
GENRES = f"1\t{GIDS[0]}\trock\t\t0\t\\N\n2\t{GIDS[1]}\thip hop\t\t0\t\\N\n"
CORE = {"recording": RECORDINGS, "genre": GENRES}
DERIVED = {
    "tag": "7\trock\t1\n8\tseen live\t2\n9\t hip  hop\t3\n",
    "recording_tag": "1\t7\t3\t\\N\n1\t8\t9\t\\N\n2\t9\t1\t\\N\n2\t7\t-1\t\\N\n1\t7\t3\t\\N\n1\t7\t4\t\\N\n"
    "77\t7\t1\t\\N\n1\t77\t1\t\\N\nx\t7\t1\t\\N\n",
    "recording_meta": "1\t80\t5\n2\t\\N\t\\N\n3\t101\t1\n77\t20\t1\n1\t80\t5\n",
}


def archive(path: Path, tables: dict[str, str]) -> Path:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, text in {"SCHEMA_SEQUENCE": "31\n", **{f"mbdump/{t}": lines for t, lines in tables.items()}}.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    path.write_bytes(bz2.compress(out.getvalue()))
    return path


@pytest.fixture
def dumps(tmp_path: Path) -> list[Path]:
    return [archive(tmp_path / "mbdump-derived.tar.bz2", DERIVED), archive(tmp_path / "mbdump.tar.bz2", CORE)]


def bulk(
    work: Path, paths: list[Path]
) -> tuple[dict[str, list[tuple[Any, ...]]], list[tuple[Any, ...]], dict[str, int]]:
    found = SOURCE.bulk(SOURCE.resolve(Dump(paths)))
    assert found is not None
    work.mkdir()
    with connect(DEFAULT) as connection:
        found.prepare(Workbench(connection, work), SILENT)
        flat = {name: sorted(connection.execute(query).fetchall()) for name, query in found.flat().items()}
        query = found.refusals()
        refused = connection.execute(query).fetchall() if query else []
    assert not found.tables()
    return flat, refused, dict(found.counts())


def test_both_ways_give_the_same_genres_and_ratings(tmp_path: Path, dumps: list[Path]) -> None:
    flat, refused, counts = bulk(tmp_path / "w", dumps)
    records = list(SOURCE.records(SOURCE.resolve(Dump(dumps))))
    ids = {gid: make_id(Kind.RECORDING, "musicbrainz", gid) for gid in GIDS}
    told = {(ids[r.key], genre) for r in records if isinstance(r, RecordingRecord) for genre in r.genres}
    assert told == {(entity, genre) for entity, _, genre, _ in flat["genre"]} == {
        (ids[GIDS[1]], "rock"), (ids[GIDS[2]], "hip hop"),
    }  # fmt: skip
    rated = [(ids[r.recording.key], r.signal.kind, r.signal.value, r.signal.licence, False, r.recording.source,
              r.recording.key, r.position) for r in records if isinstance(r, SignalRecord)]  # fmt: skip
    assert flat["signal"] == rated == [
        (ids[GIDS[1]], "rating", 80.0, "CC-BY-NC-SA-3.0", False, "musicbrainz", GIDS[1], "mbdump/recording_meta:1")
    ]  # fmt: skip
    assert refused == [(r.position, r.code, r.reason, r.raw, r.kind) for r in records if isinstance(r, Refused)]
    assert [code for _, code, *_ in refused] == [
        "key-conflict", "dangling-reference", "dangling-reference", "no-key", "no-content", "dangling-reference",
    ]  # fmt: skip
    assert counts["duplicates"] == sum(isinstance(r, Duplicate) for r in records) == 2
    assert counts["rows"] == counts["references"] + counts["duplicates"] + counts["refused"] == 11


def test_all_tags_count_where_no_genres_are_listed(tmp_path: Path, dumps: list[Path]) -> None:
    core = archive(tmp_path / "core.tar.bz2", {"recording": RECORDINGS})
    flat, _, _ = bulk(tmp_path / "w", [dumps[0], core])
    assert {genre for _, _, genre, _ in flat["genre"]} == {"rock", "seen live", "hip hop"}
    records = SOURCE.records(SOURCE.resolve(Dump([dumps[0], core])))
    assert {g for r in records if isinstance(r, RecordingRecord) for g in r.genres} == {"rock", "seen live", "hip hop"}


def test_the_licence_is_that_of_the_tables_whatever_the_dataset_is_called(dumps: list[Path]) -> None:
    for dataset in ("", "derived", "mine"):
        dump = SOURCE.resolve(Dump(dumps, dataset))
        assert dump.dataset == (dataset or "derived")
        assert {f.licence for f in SOURCE.describe(dump).licences} == {"CC-BY-NC-SA-3.0"}
    core = SOURCE.resolve(Dump(dumps[1:]))
    assert core.dataset == ""
    assert {f.licence for f in SOURCE.describe(core).licences} == {"CC0-1.0"}


def test_numbers_of_recordings_mean_nothing_without_mbdump(tmp_path: Path, dumps: list[Path]) -> None:
    with pytest.raises(Usage) as caught:
        bulk(tmp_path / "w", dumps[:1])
    assert caught.value.code == "missing-table"
    assert "mbdump" in caught.value.remedy


def test_genres_and_ratings_are_a_partition_beside_the_other(tmp_path: Path) -> None:
    derived = {table: "".join(text.splitlines(keepends=True)[:1]) for table, text in DERIVED.items()}
    archives = [archive(tmp_path / "d.tar.bz2", derived), archive(tmp_path / "c.tar.bz2", CORE)]
    place = tmp_path / "archive"
    place.mkdir()
    ok("init", ".", cwd=place)
    ok("ingest", "musicbrainz", archives[1], cwd=place)
    ok("ingest", "musicbrainz", *archives, cwd=place)
    query = "SELECT g.genre, r.title FROM genres g JOIN recordings r ON r.id = g.entity_id"
    assert ok("sql", query, cwd=place).stdout.splitlines()[1:] == ["rock\tSong"]
    query = "SELECT s.kind, s.value, s.licence FROM signals s JOIN recordings r ON r.id = s.recording_id"
    assert ok("sql", query, cwd=place).stdout.splitlines()[1:] == ["rating\t80.0\tCC-BY-NC-SA-3.0"]
