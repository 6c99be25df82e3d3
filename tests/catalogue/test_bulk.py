"""The bulk way: the same facts give the same answers as record by record; interrupted and continued, the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from fonoteca.catalogue import generation
from fonoteca.catalogue.ingest import IngestResult, execute, ingest_records, plan
from fonoteca.catalogue.keys import RELEASE, KeyFile, name_hash
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.query import VIEWS, Catalogue
from fonoteca.core.errors import Failed
from fonoteca.core.ids import Kind, make_id
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.progress import SILENT, Progress
from fonoteca.core.settings import resolve
from fonoteca.sources.bulk import Bulk, Sql
from fonoteca.sources.records import (
    ArtistRecord,
    ClaimText,
    Credit,
    Dump,
    FieldLicence,
    Record,
    RecordingRecord,
    Refused,
    ReleaseRecord,
    Signal,
    SourceInfo,
    TrackRecord,
)

pytestmark = pytest.mark.core
INFO = SourceInfo("musicbrainz", "catalogue", "x", (FieldLicence("*", "CC0-1.0"),), "x", "x", "x")
RECORDINGS, RELEASES = 230, 23


class Made:
    """A source of made-up rows that can be read both ways; ``chunks`` says in how many files they stand."""

    info = INFO

    def __init__(self, chunks: int = 2, stop: int | None = None, first: int = 0) -> None:
        self.chunks, self.stop, self.first = chunks, stop, first

    def resolve(self, dump: Dump) -> Dump:
        return dump

    def describe(self, dump: Dump) -> SourceInfo:
        return INFO

    def warnings(self, dump: Dump) -> list[str]:
        return []

    def check(self, dump: Dump) -> None:
        pass

    def records(self, dump: Dump) -> Iterator[Record]:
        return records(self.first)

    def bulk(self, dump: Dump) -> Bulk | None:
        return MadeBulk(self.chunks, self.stop, self.first)


def records(first: int = 0) -> Iterator[Record]:
    for n in range(RELEASES):
        yield ArtistRecord(f"a{n}", f"artist:{n + 1}", f"Artist {n}", None, [("isni", f"isni{n}")])
    for n in range(RELEASES):
        credit = Credit(f"Artist {n}", f"a{n}")
        yield ReleaseRecord(f"l{n}", f"release:{n + 1}", f"Release {n}", 1990 + n, f"{1990 + n}", "Album",
                            country="DE", credits=[credit], identifiers=[("upc", f"{n:012d}")])  # fmt: skip
    for n in range(first, RECORDINGS):
        release = n // 10
        yield RecordingRecord(
            f"k{n}", f"recording:{n + 1}", f"Title {n}", None if n % 7 == 0 else 1000 * n,
            credits=[Credit(f"Artist {release}", f"a{release}", joined_by=" & "), Credit("Guest", "a0")],
            identifiers=[("mbid", f"k{n}"), ("isrc", f"ISRC{n // 2}")], genres=["folk"] if n % 2 else [],
            signals=[Signal("listens", n * n, "CC0-1.0")] if n % 3 else [],
            claims=[ClaimText("CC-BY-4.0", "https://x", "tag")] if n % 5 == 0 else [],
            flags=["zero-duration"] if n == 0 else [],
        )  # fmt: skip
        yield TrackRecord(f"l{release}", f"k{n}", f"recording:{n + 1}", 1, n % 10 + 1)
    yield Refused("recording:999", "no-key", "it has no key", "raw")


class MadeBulk:
    def __init__(self, chunks: int, stop: int | None, first: int) -> None:
        self.chunks, self.stop, self.first = chunks, stop, first

    def space(self) -> int:
        return 1000

    def prepare(self, sql: Sql, progress: Progress) -> None:
        sql.stage("numbers", f"SELECT i AS n, i // 10 AS r FROM range({self.first}, {RECORDINGS}) t(i)")

    def tables(self) -> Mapping[str, int]:
        return {"artist": 1, "release": 1, "recording": self.chunks}

    def rows(self, table: str, chunk: int) -> str:
        if table == "artist":
            return f"""SELECT entity_id('artist', 'musicbrainz', 'a' || i) AS id, 'a' || i AS key,
                'Artist ' || i AS name, [{{'scheme': 'isni', 'value': 'isni' || i}}] AS identifiers,
                'artist' AS member, i + 1 AS line FROM range({RELEASES}) t(i) ORDER BY i"""
        if table == "release":
            return f"""SELECT entity_id('release', 'musicbrainz', 'l' || i) AS id, 'l' || i AS key,
                'Release ' || i AS title, 'Artist ' || i AS artist, (1990 + i)::INTEGER AS year,
                (1990 + i)::VARCHAR AS date, 'Album' AS kind, 'DE' AS country,
                (SELECT count(*) FROM numbers WHERE r = i)::INTEGER AS track_count, []::VARCHAR[] AS flags,
                [{{'artist_id': entity_id('artist', 'musicbrainz', 'a' || i), 'name': 'Artist ' || i, 'role': 'artist',
                   'joined_by': ''}}] AS credits,
                [{{'scheme': 'upc', 'value': lpad(i::VARCHAR, 12, '0')}}] AS identifiers,
                'release' AS member, i + 1 AS line FROM range({RELEASES}) t(i) ORDER BY i"""
        if self.stop == chunk:
            raise Failed("stopped", "It was interrupted", "the test says so", "run it again", "x")
        low, high = chunk * RECORDINGS // self.chunks, (chunk + 1) * RECORDINGS // self.chunks
        return f"""SELECT entity_id('recording', 'musicbrainz', 'k' || n) AS id, 'k' || n AS key, 'mbid' AS key_scheme,
            'Title ' || n AS title, 'Artist ' || r || ' & ' || 'Guest' AS artist, 'Release ' || r AS release,
            entity_id('release', 'musicbrainz', 'l' || r) AS release_id, (1990 + r)::INTEGER AS release_year,
            CASE WHEN n % 7 <> 0 THEN 1000 * n END AS duration_ms,
            CASE WHEN n = 0 THEN ['zero-duration'] ELSE []::VARCHAR[] END AS flags,
            [{{'artist_id': entity_id('artist', 'musicbrainz', 'a' || r), 'name': 'Artist ' || r, 'role': 'artist',
               'joined_by': ' & '}},
             {{'artist_id': entity_id('artist', 'musicbrainz', 'a0'), 'name': 'Guest', 'role': 'artist',
               'joined_by': ''}}] AS credits,
            [{{'release_id': entity_id('release', 'musicbrainz', 'l' || r), 'disc': 1, 'number': n % 10 + 1,
               'title': NULL}}] AS tracks,
            [{{'scheme': 'isrc', 'value': 'ISRC' || n // 2}}] AS identifiers,
            CASE WHEN n % 2 = 1 THEN ['folk'] ELSE []::VARCHAR[] END AS genres,
            CASE WHEN n % 3 <> 0 THEN n * n END AS listens, 'CC0-1.0' AS listens_licence,
            CASE WHEN n % 5 = 0 THEN [{{'licence': 'CC-BY-4.0', 'url': 'https://x', 'evidence': 'tag'}}]
                ELSE [] END AS claims,
            'recording' AS member, n + 1 AS line FROM numbers WHERE n BETWEEN {low} AND {high - 1} ORDER BY n"""

    def flat(self) -> Mapping[str, str]:
        return {}

    def refusals(self) -> str | None:
        return "SELECT 'recording:999', 'no-key', 'it has no key', 'raw', 'recording'"

    def counts(self) -> Mapping[str, int]:
        return {"rows": RECORDINGS + 1 - self.first, "recordings": RECORDINGS - self.first, "refused": 1}


def archive(tmp_path: Path, name: str = "a") -> ArchiveLayout:
    layout = ArchiveLayout(tmp_path / name)
    layout.root.mkdir()
    (tmp_path / "dump").write_bytes(b"made up")
    return layout


def bulk(layout: ArchiveLayout, source: Made, dataset: str = "", threads: int = 2) -> IngestResult:
    dump = Dump([layout.root.parent / "dump"], dataset)
    settings = resolve([]).replaced(catalogue__threads=threads)
    return execute(plan(layout, source, dump, settings), SILENT)


def answers(layout: ArchiveLayout) -> dict[str, list[dict[str, object]]]:
    with Catalogue.open(layout) as catalogue:
        return {name: catalogue.select(f"SELECT * EXCLUDE (dump) FROM {name} ORDER BY ALL") if name != "popularity" else
                catalogue.select("SELECT * FROM popularity ORDER BY ALL") for name in VIEWS}  # fmt: skip


def shown(layout: ArchiveLayout, kind: Kind, key: str) -> dict[str, object]:
    with Catalogue.open(layout) as catalogue:
        return catalogue.show(kind, make_id(kind, "musicbrainz", key))


def test_both_ways_give_the_same_tables(tmp_path: Path) -> None:
    wide, flat = archive(tmp_path, "wide"), archive(tmp_path, "flat")
    result = bulk(wide, Made())
    ingest_records(flat, INFO, "", "d", records())
    assert (result.records, result.refused) == (RECORDINGS, 1)
    ours, theirs = answers(wide), answers(flat)
    for name in VIEWS:
        assert ours[name] == theirs[name], name
        assert ours[name], name


def test_several_partitions_that_describe_the_same_merge_as_flat_ones_do(tmp_path: Path) -> None:
    wide, flat = archive(tmp_path, "wide"), archive(tmp_path, "flat")
    bulk(wide, Made(3), "x")
    bulk(wide, Made(1, first=200), "y")
    ingest_records(flat, INFO, "x", "dx", records())
    ingest_records(flat, INFO, "y", "dy", records(200))
    ours, theirs = answers(wide), answers(flat)
    for name in VIEWS:
        if name in {"identifiers", "genres"}:
            continue
        assert ours[name] == theirs[name], name
    assert generation.load(Places.of(wide)).overlaps["recording"][0].rows == RECORDINGS


def test_a_flat_partition_takes_over_what_it_describes_too(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    bulk(layout, Made())
    own = [RecordingRecord("k5", "f:1", "Another title", year=1950, signals=[Signal("listens", 7, "CC0-1.0")])]
    ingest_records(layout, INFO, "more", "d", own)
    found = shown(layout, Kind.RECORDING, "k5")
    assert found["fields"]["title"]["value"] == "Title 5"  # type: ignore[index]
    assert found["fields"]["year"]["value"] == 1950  # type: ignore[index]
    assert found["fields"]["release"]["value"] == "Release 0"  # type: ignore[index]
    assert found["popularity"]["listens"] == 32  # type: ignore[index]
    ingest_records(layout, INFO, "more", "e", [])
    assert not generation.load(Places.of(layout)).overlaps
    assert shown(layout, Kind.RECORDING, "k5")["fields"]["year"]["value"] == 1990  # type: ignore[index]


def test_bytes_do_not_depend_on_threads_or_on_order(tmp_path: Path) -> None:
    one, two = archive(tmp_path, "one"), archive(tmp_path, "two")
    bulk(one, Made(), "x", threads=1)
    bulk(one, Made(1, first=100), "y", threads=1)
    bulk(two, Made(1, first=100), "y", threads=4)
    bulk(two, Made(), "x", threads=4)
    assert generation.load(Places.of(one)).same_content(generation.load(Places.of(two)))


def test_an_interrupted_ingest_goes_on_and_ends_in_the_same_bytes(tmp_path: Path) -> None:
    whole, cut = archive(tmp_path, "whole"), archive(tmp_path, "cut")
    bulk(whole, Made(4))
    with pytest.raises(Failed, match="interrupted"):
        bulk(cut, Made(4, stop=2))
    assert generation.load(Places.of(cut)).number == 0
    done = sorted(p.name for p in next(Places.of(cut).work.iterdir()).glob("done-recording-*"))
    assert len(done) == 2
    bulk(cut, Made(4))
    assert generation.load(Places.of(cut)).same_content(generation.load(Places.of(whole)))
    assert not Places.of(cut).work.exists()
    assert {p.name for p in Places.of(cut).files.iterdir()} == {p.name for p in Places.of(whole).files.iterdir()}


def test_the_same_dump_again_changes_nothing(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    bulk(layout, Made())
    before = {p: p.stat().st_mtime_ns for p in layout.root.rglob("*") if p.is_file()}
    assert not bulk(layout, Made()).changed
    assert {p: p.stat().st_mtime_ns for p in layout.root.rglob("*") if p.is_file()} == before


def test_keys_lead_to_rows(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    bulk(layout, Made(1))
    places = Places.of(layout)
    chunk = generation.load(places).chunks("recording")[0]
    ids, names = KeyFile.open(places.path(chunk.ids)), KeyFile.open(places.path(chunk.names))
    for n in (0, 5, RECORDINGS - 1):
        assert ids.rows(make_id(Kind.RECORDING, "musicbrainz", f"k{n}")) == [n]
    assert names.rows(name_hash("isrc", "ISRC3")) == [6, 7]
    assert names.rows(name_hash(RELEASE, str(make_id(Kind.RELEASE, "musicbrainz", "l4")))) == [40]
    assert ids.rows(make_id(Kind.RECORDING, "musicbrainz", "nobody")) == []
