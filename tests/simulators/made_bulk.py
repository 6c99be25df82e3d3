"""A source of made-up rows that can be read both ways: record by record, and in bulk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fonoteca.core.errors import Failed
from fonoteca.core.progress import Progress
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

    def result(self) -> int:
        return 500

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
