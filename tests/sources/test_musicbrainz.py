"""MusicBrainz tables: the contract, both ways of reading held against each other, hostile dumps, the real sample."""

from __future__ import annotations

import bz2
import io
import lzma
import tarfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from contracts.source_contract import Case, SourceContract
from fonoteca.catalogue.bulk import Workbench
from fonoteca.catalogue.engine import DEFAULT, connect
from fonoteca.core.errors import Failed, Usage
from fonoteca.core.ids import Kind, make_id
from fonoteca.core.progress import SILENT
from fonoteca.sources import musicbrainz_pieces
from fonoteca.sources.musicbrainz import MusicBrainz
from fonoteca.sources.musicbrainz_bulk import TablesBulk
from fonoteca.sources.musicbrainz_files import find
from fonoteca.sources.musicbrainz_tables import CORE, DERIVED
from fonoteca.sources.records import (
    ArtistRecord,
    Credit,
    Dump,
    Duplicate,
    Record,
    RecordingRecord,
    Refused,
    ReleaseRecord,
    TrackRecord,
)
from fonoteca.sources.tally import Tally

pytestmark = pytest.mark.core

SOURCE = MusicBrainz()


def gid(kind: str, number: int) -> str:
    """An MBID that says what it is of."""
    return f"{kind}0000000-0000-4000-8000-{number:012d}"


def line(table: str, **given: Any) -> str:
    """A line of a table as published; columns that are not given are null."""
    cells = {name: "\\N" if value is None else str(value) for name, value in given.items()}
    form = (CORE | DERIVED)[table].forms[0]
    assert set(cells) <= set(form)
    return "\t".join(cells.get(name, "\\N") for name in form)


def recording(number: int, name: str = "Song", **given: Any) -> str:
    filled = {"id": number, "gid": gid("a", number), "name": name, "artist_credit": 1, "length": 200_000, "video": "f"}
    return line("recording", **filled | given)


def track(recording: int, medium: int, position: int = 1, name: str = "Song", **given: Any) -> str:
    filled = {"recording": recording, "medium": medium, "position": position, "name": name, "is_data_track": "f"}
    return line("track", **filled | given)


def release(number: int, name: str = "Album", **given: Any) -> str:
    filled = {"id": number, "gid": gid("b", number), "name": name, "artist_credit": 1, "status": 1}
    return line("release", **filled | given)


def artist(number: int, name: str = "Ann") -> str:
    return line("artist", id=number, gid=gid("c", number), name=name, sort_name=name)


def name(credit: int, position: int, artist: int, name: str = "Ann", join_phrase: str = "") -> str:
    return line("artist_credit_name", artist_credit=credit, position=position, artist=artist, name=name,
                join_phrase=join_phrase)  # fmt: skip


GOOD: dict[str, list[str]] = {
    "recording": [recording(1), recording(2, "Tune", artist_credit=2, length=None)],
    "artist": [artist(1), artist(2, "Bob")],
    "artist_credit_name": [name(1, 0, 1), name(2, 1, 2, "Bobby", ""), name(2, 0, 1, "Ann", " feat. ")],
    "release": [release(1, release_group=1, barcode="4942463511227"), release(2, status=3)],
    "release_group": [line("release_group", id=1, gid=gid("d", 1), type=1)],
    "medium": [line("medium", id=10, release=1, position=1), line("medium", id=20, release=2, position=2)],
    "track": [track(1, 10), track(1, 20, 7, "Song (live)"), track(2, 10, 2, "Tune")],
    "isrc": [line("isrc", id=1, recording=1, isrc="GBAAA9900303"), line("isrc", id=2, recording=2, isrc="GBAAA9900303"),
             line("isrc", id=3, recording=1, isrc="GBAAA9900301")],
    "release_country": [line("release_country", release=1, country=222, date_year=1999),
                        line("release_country", release=1, country=81, date_year=1999, date_month=5, date_day=31)],
    "iso_3166_1": [line("iso_3166_1", area=222, code="US"), line("iso_3166_1", area=81, code="DE")],
    "release_unknown_country": [line("release_unknown_country", release=2, date_year=2007)],
    "release_label": [line("release_label", id=2, release=1, label=2, catalog_number="B 2"),
                      line("release_label", id=1, release=1, label=1, catalog_number="[none]"),
                      line("release_label", id=3, release=1, label=1)],
    "label": [line("label", id=1, gid=gid("e", 1), name="Warp"), line("label", id=2, gid=gid("e", 2), name="Ninja")],
    "artist_isni": [line("artist_isni", artist=1, isni="000000010934066x")],
    "artist_ipi": [line("artist_ipi", artist=2, ipi="00012345678")],
    "work": [line("work", id=5, gid=gid("f", 5), name="Work")],
    "l_recording_work": [line("l_recording_work", id=1, entity0=1, entity1=5)],
    "iswc": [line("iswc", id=1, work=5, iswc="T-070.246.800-1")],
    "recording_gid_redirect": [line("recording_gid_redirect", gid=gid("a", 99), new_id=1)],
    "release_gid_redirect": [line("release_gid_redirect", gid=gid("b", 99), new_id=2)],
    "artist_gid_redirect": [line("artist_gid_redirect", gid=gid("c", 99), new_id=2)],
}  # fmt: skip


HOSTILE: dict[str, list[str]] = GOOD | {
    "recording": [
        *GOOD["recording"],
        recording(1),  # a repetition
        recording(2, "Other"),  # another row of that id
        recording(3, gid=gid("a", 1)),  # another row of that MBID
        recording(4, gid=None),
        recording(5, gid="no-mbid"),
        recording(6, id="six"),
        recording(7, length="long"),
        recording(8).replace("\t", "", 1),
        recording(9) + "\tmore",
        "",
        "\ufeff",
        recording(10, "a\\tb\\\\nc\\\\ d\\n\\q", length=0, video="t"),
        recording(11, "  wide\u3000", length=36_000_000),
        recording(12, "PrimoÅ\x85¾ and PrimoÅ\x85¾\x00", length=-1),
        recording(13, "\u202eright\u202c", artist_credit=77, length=1_000_000_000_001),
        recording(14, ""),
        recording(15, "Ħello " + "é" * 200, artist_credit=None),
        recording(16, '"quoted\' # text'),
        recording(17, gid="{A0000000-0000-4000-8000-00000000AB17}"),
        recording(18, "two  blanks\u00a0"),
        recording(19, "naïve"),
        recording(9_000_000_000_000_000, "large", gid=gid("a", 500)),
        recording(-5, "below", gid=gid("a", 501)),
        recording(10**20, "too large", gid=gid("a", 502)),
    ],
    "artist": [*GOOD["artist"], artist(1), artist(2, "Bobbie"), artist(3, "\\N"), artist(4, "")],
    "artist_credit_name": [
        *GOOD["artist_credit_name"], name(3, 0, 8, "Nobody\x07"), name(3, 1, 9, "E\u0301ve", "  &  "),
        name(3, 2, 8, ""), name(4, 0, 1, "Ann", "\\t/\\t"), name(4, 1, 8, "Nobody"), name(1, 0, 1), name(1, 0, 2),
    ],
    "release": [
        *GOOD["release"], release(1, release_group=1, barcode="4942463511227"), release(1), release(3, barcode="none"),
        release(4, "Four\\\\", barcode="4942463511228", status=4, artist_credit=4),
        release(5, barcode=" 5024900-001498"), release(6, artist_credit=3, release_group=9),
        release(7, "", barcode="96385074"), release(8, barcode=""),
    ],
    "medium": [*GOOD["medium"], line("medium", id=30, release=77, position=1),
               line("medium", id=40, release=4, position=0)],
    "track": [
        *GOOD["track"], track(1, 10), track(1, 30), track(77, 10, 9), track(2, 77),
        track(10, 40, 0, " x ", is_data_track="t"), track(18, 40, 3, "two blanks"), track(18, 40, 3, "Two"),
        track(11, 10, 2**31), track(14, 10, 5, ""),
        track(14, 20, 5, "named"), "x",
    ],
    "isrc": [
        *GOOD["isrc"], line("isrc", id=4, recording=1, isrc="gb-aaa-99-00302"),
        line("isrc", id=5, recording=1, isrc="no"), line("isrc", id=6, recording=77, isrc="GBAAA9900303"),
        line("isrc", id=7, recording=1, isrc="GBAAA9900303"),
        line("isrc", id=8, recording=1), line("isrc", id=9, recording=2, isrc="ISRC GBAAA9900305"),
    ],
    "release_country": [
        *GOOD["release_country"],
        line("release_country", release=3, country=5, date_year=0, date_month=1),
        line("release_country", release=4, country=222, date_year=1999, date_month=13),
        line("release_country", release=4, country=222, date_year=2000, date_month=2, date_day=31),
        line("release_country", release=5, country=81, date_year=99),
        line("release_country", release=6, country=81, date_month=3),
        line("release_country", release=7, country=81, date_year=2020, date_day=3),
        line("release_country", release=77, country=81, date_year=2020),
    ],
    "release_unknown_country": [
        *GOOD["release_unknown_country"],
        line("release_unknown_country", release=8, date_year=2012, date_month=-1),
        line("release_unknown_country", release=8, date_year=2013, date_month=2, date_day=0),
    ],
    "release_label": [*GOOD["release_label"], line("release_label", id=5, release=4, label=77, catalog_number=" 7 "),
                      line("release_label", id=6, release=77, label=1)],
    "recording_gid_redirect": [
        *GOOD["recording_gid_redirect"],
        line("recording_gid_redirect", gid=gid("a", 99), new_id=2),  # twice
        line("recording_gid_redirect", gid=gid("a", 98), new_id=77),  # to nothing
        line("recording_gid_redirect", gid=gid("a", 2), new_id=1),  # from one that is there
        line("recording_gid_redirect", gid=gid("a", 1), new_id=1),  # round in a ring
    ],
    "l_recording_work": [*GOOD["l_recording_work"], line("l_recording_work", id=2, entity0=2, entity1=77),
                         line("l_recording_work", id=3, entity0=1, entity1=5)],
}  # fmt: skip


def folder(where: Path, tables: Mapping[str, list[str]], **files: str) -> Path:
    """A folder as one has it after unpacking."""
    (where / "mbdump").mkdir(parents=True)
    for table, lines in tables.items():
        (where / "mbdump" / table).write_bytes(
            "".join(f"{text}\n" for text in lines).encode("utf-8", "surrogateescape")
        )
    for file, text in files.items():
        (where / file).write_text(text)
    return where


def archive(path: Path, tables: Mapping[str, list[str]], schema: str = "31\n", packed: str = "") -> Path:
    """An archive as published: what it is about first, then the tables."""
    files = {"TIMESTAMP": "2026-09-02 00:00:00+00\n", "COPYING": "CC0\n", "README": "\n", "REPLICATION_SEQUENCE": "1\n",
             "SCHEMA_SEQUENCE": schema, "mbdump/alternative_medium": "1\t2\n"}  # fmt: skip
    files |= {f"mbdump/{table}": "".join(f"{text}\n" for text in lines) for table, lines in tables.items()}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for member, text in files.items():
            data = text.encode("utf-8", "surrogateescape")
            info = tarfile.TarInfo(member)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    pack = {"bz2": bz2.compress, "xz": lzma.compress}.get(packed, bytes)
    path.write_bytes(pack(out.getvalue()))
    return path


# --- both ways as the same facts --------------------------------------------------------------------------------------


def by_rows(*paths: Path) -> tuple[dict[str, dict[int, Any]], list[tuple[Any, ...]], dict[str, int]]:
    """What the records say, in the shape of wide rows."""
    dump = SOURCE.resolve(Dump(paths))
    tally = Tally()
    found = list(tally.watch(SOURCE.records(dump)))
    named: dict[int, Any] = {}
    releases = {r.key: r for r in found if isinstance(r, ReleaseRecord)}
    tracks: dict[str, list[TrackRecord]] = defaultdict(list)
    for record in found:
        if isinstance(record, TrackRecord):
            tracks[record.recording].append(record)
    rows: dict[str, dict[int, Any]] = {"artist": named, "release": {}, "recording": {}}
    for record in found:
        if isinstance(record, RecordingRecord | ReleaseRecord):
            named |= {i: {"name": n} for i, n, *_ in credited(record) if n and i == artist_id(f"name:{n}", raw=True)}
    for record in found:
        if isinstance(record, ArtistRecord):
            named[artist_id(record.key)] = {
                "key": record.key, "name": record.name, "sort_name": record.sort_name,
                "identifiers": [*record.identifiers], "position": record.position,
            }  # fmt: skip
        elif isinstance(record, ReleaseRecord):
            count = len({t for ts in tracks.values() for t in ts if t.release == record.key})
            rows["release"][make_id(Kind.RELEASE, "musicbrainz", record.key)] = shared(record) | {
                "date": record.date, "year": record.year, "kind": record.kind, "label": record.label,
                "country": record.country, "track_count": count,
            }  # fmt: skip
        elif isinstance(record, RecordingRecord):
            places = sorted({place(t) for t in tracks[record.key]}, key=str)
            first = min(
                ((releases[t.release].year or 32767, make_id(Kind.RELEASE, "musicbrainz", t.release), t.release)
                 for t in tracks[record.key]), default=None)  # fmt: skip
            rows["recording"][make_id(Kind.RECORDING, "musicbrainz", record.key)] = shared(record) | {
                "duration_ms": record.duration_ms, "tracks": places, "release_id": first[1] if first else None,
                "release": releases[first[2]].title if first else None,
                "release_year": releases[first[2]].year if first else None,
            }  # fmt: skip
    refused = [(r.position, r.code, r.reason, r.raw, r.kind) for r in found if isinstance(r, Refused)]
    counts = {name: value for name, value in vars(tally).items() if not name.startswith("_")}
    counts |= {"tracks": sum(map(len, tracks.values())), "synthetic": 0,
               "artists": sum(isinstance(r, ArtistRecord) for r in found)}  # fmt: skip
    return rows, refused, counts


def artist_id(key: str, *, raw: bool = False) -> int:
    from fonoteca.catalogue.spool import artist_key

    return make_id(Kind.ARTIST, "musicbrainz", artist_key(Credit(key[5:])) if raw else key)


def place(record: TrackRecord) -> tuple[Any, ...]:
    release_id = make_id(Kind.RELEASE, "musicbrainz", record.release)
    return release_id, record.disc, record.number, record.title


def credited(record: RecordingRecord | ReleaseRecord) -> list[tuple[Any, ...]]:
    return [(artist_id(c.key) if c.key else artist_id(f"name:{c.name}", raw=True), c.name, c.role, c.joined_by)
            for c in record.credits]  # fmt: skip


def shared(record: RecordingRecord | ReleaseRecord) -> dict[str, Any]:
    last = len(record.credits) - 1
    names = [c.name + (", " if c.name and not c.joined_by and n < last else c.joined_by)
             for n, c in enumerate(record.credits)]  # fmt: skip
    return {
        "key": record.key, "title": record.title, "artist": "".join(names) if names else None,
        "flags": list(record.flags), "credits": credited(record), "identifiers": [*record.identifiers],
        "position": record.position,
    }  # fmt: skip


def by_columns(
    work: Path, *paths: Path, chunk: int = 1 << 22, piece: int = musicbrainz_pieces.PIECE
) -> tuple[dict[str, dict[int, Any]], list[tuple[Any, ...]], dict[str, int]]:
    """What the queries say, in the same shape."""
    files = find(SOURCE.resolve(Dump(paths)))
    assert files is not None
    bulk = TablesBulk(files, chunk, piece)
    rows: dict[str, dict[int, Any]] = {}
    work.mkdir(exist_ok=True)
    with connect(DEFAULT) as connection:
        bulk.prepare(Workbench(connection, work), SILENT)
        for table, chunks in bulk.tables().items():
            rows[table] = {}
            for number in range(chunks):
                cursor = connection.execute(bulk.rows(table, number))
                names = [column[0] for column in cursor.description or ()]
                found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
                assert len(found) <= chunk
                assert not {row["id"] for row in found} & set(rows[table])
                rows[table] |= {row["id"]: plain(table, row) for row in found}
        query = bulk.refusals()
        refused = connection.execute(query).fetchall() if query else []
    assert bulk.flat() == {}
    return rows, refused, dict(bulk.counts())


def plain(table: str, row: dict[str, Any]) -> dict[str, Any]:
    position = f"{row['member']}:{row['line']}"
    if table == "artist" and row["key_scheme"] is None:
        return {"name": row["name"]}
    wanted = {
        "artist": ("name", "sort_name"),
        "release": ("title", "artist", "flags", "date", "year", "kind", "label", "country", "track_count"),
        "recording": ("title", "artist", "flags", "duration_ms", "release_id", "release", "release_year"),
    }[table]
    found = {name: row[name] for name in wanted}
    found |= {"key": str(row["key"]), "position": position}
    found["identifiers"] = [tuple(i.values()) for i in row["identifiers"]]
    if table != "artist":
        found["credits"] = [tuple(c.values()) for c in row["credits"]]
    if table == "recording":
        found["tracks"] = sorted((tuple(t.values()) for t in row["tracks"]), key=str)
    return found


def same(work: Path, *paths: Path, **options: int) -> tuple[dict[str, dict[int, Any]], list[tuple[Any, ...]]]:
    """Read both ways, compare, and give what was read."""
    rows, refused, counts = by_rows(*paths)
    wide, wide_refused, wide_counts = by_columns(work, *paths, **options)
    for table in ("artist", "release", "recording"):
        assert wide.get(table, {}) == rows[table], table
    assert wide_refused == refused
    assert wide_counts == counts
    return wide, refused


class TestContract(SourceContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        where = folder(tmp_path / "dump", {
            "recording": [*GOOD["recording"], recording(1), recording(2, "Other"), recording(4, gid=None), "torn"],
            "artist": GOOD["artist"], "artist_credit_name": GOOD["artist_credit_name"], "release": GOOD["release"],
            "medium": GOOD["medium"], "track": [*GOOD["track"], track(77, 10, 9)],
        })  # fmt: skip
        keys = [gid("a", 1), gid("a", 2)]
        codes = ["key-conflict", "no-key", "column-count", "dangling-reference"]
        return Case(SOURCE, Dump([where]), 7, keys, 1, codes)


def test_fields_of_a_good_dump(tmp_path: Path) -> None:
    wide, refused = same(tmp_path / "w", folder(tmp_path / "dump", GOOD))
    assert not refused
    first = wide["recording"][make_id(Kind.RECORDING, "musicbrainz", gid("a", 1))]
    later = make_id(Kind.RELEASE, "musicbrainz", gid("b", 2))
    assert first["identifiers"] == [
        ("isrc", "GBAAA9900301"), ("isrc", "GBAAA9900303"), ("iswc", "T-070.246.800-1"), ("mbid", gid("a", 99)),
        ("work_mbid", gid("f", 5)),
    ]  # fmt: skip
    assert (first["release"], first["release_year"]) == ("Album", 1999)
    assert (later, 2, 7, "Song (live)") in first["tracks"]
    second = wide["recording"][make_id(Kind.RECORDING, "musicbrainz", gid("a", 2))]
    assert (second["artist"], second["duration_ms"]) == ("Ann feat. Bobby", None)
    album = wide["release"][make_id(Kind.RELEASE, "musicbrainz", gid("b", 1))]
    assert (album["date"], album["country"], album["label"], album["kind"]) == (
        "1999-05-31",
        "DE",
        "Warp; Ninja",
        "Album",
    )
    assert album["identifiers"] == [
        ("catalogue_number", "B 2"),
        ("release_group_mbid", gid("d", 1)),
        ("upc", "4942463511227"),
    ]
    assert (album["track_count"], wide["release"][later]["flags"]) == (2, ["bootleg"])


@pytest.mark.parametrize("options", [{}, {"chunk": 3}, {"piece": 300}, {"chunk": 1, "piece": 1}])
@pytest.mark.parametrize("packed", ["folder", "", "bz2", "xz"])
def test_a_hostile_dump_gives_the_same_facts_both_ways(tmp_path: Path, packed: str, options: dict[str, int]) -> None:
    path = folder(tmp_path / "d", HOSTILE) if packed == "folder" else archive(tmp_path / "a", HOSTILE, packed=packed)
    wide, refused = same(tmp_path / "w", path, **options)
    codes = {(position, code) for position, code, *_ in refused}
    recordings = ["key-conflict"] * 2 + ["no-key"] * 3 + ["bad-row"] + ["column-count"] * 4 + ["no-key"]
    assert [code for position, code, *_ in refused if position.startswith("mbdump/recording:")] == recordings
    assert ("mbdump/recording:4", "key-conflict") in codes
    assert ("mbdump/track:6", "dangling-reference") in codes
    assert ("mbdump/recording_gid_redirect:5", "key-conflict") in codes
    titles = {row["title"] for row in wide["recording"].values()}
    assert {"a b\\nc\\ d q", "wide", "Primož and Primož", None, "two blanks"} <= titles | {"Primož and Primož"}


def test_flags_of_odd_values(tmp_path: Path) -> None:
    wide, _ = same(tmp_path / "w", folder(tmp_path / "d", HOSTILE))
    found = {row["key"][-2:]: row["flags"] for row in wide["recording"].values()}
    assert found["10"] == ["data-track", "video", "zero-duration"]
    assert found["11"] == ["ten-hours"]
    assert found["13"] == ["bad-duration", "bidi-control", "unresolved-credit"]
    of_releases = {row["key"][-1]: row["flags"] for row in wide["release"].values()}
    assert of_releases == {
        "1": [], "2": ["bootleg"], "3": ["year-0000"], "4": ["bad-date", "bad-upc", "pseudo-release"],
        "5": ["bad-date"], "6": [], "7": [], "8": ["bad-date"],
    }  # fmt: skip


def test_bytes_that_are_no_utf_8_are_flagged(tmp_path: Path) -> None:
    tables = {"recording": [recording(1, "a\udcffb"), recording(2, "plain\r"), recording(3, "x") + "\r"]}
    wide, refused = same(tmp_path / "w", folder(tmp_path / "d", tables))
    assert not refused
    assert {row["title"]: row["flags"] for row in wide["recording"].values()} == {
        "a\ufffdb": ["bad-encoding"], "plain": [], "x": []
    }  # fmt: skip


def test_a_line_that_is_too_long_is_refused(tmp_path: Path) -> None:
    tables = {"recording": [recording(1), recording(2, "x" * (4 << 20)), recording(3)]}
    wide, refused = same(tmp_path / "w", folder(tmp_path / "d", tables))
    assert [(position, code) for position, code, *_ in refused] == [("mbdump/recording:2", "long-row")]
    assert len(wide["recording"]) == 2


def test_a_last_line_without_its_end_counts(tmp_path: Path) -> None:
    where = folder(tmp_path / "d", GOOD)
    path = where / "mbdump" / "recording"
    path.write_bytes(path.read_bytes()[:-1])
    assert len(same(tmp_path / "w", where)[0]["recording"]) == 2


def test_one_table_is_enough_and_the_others_are_named(tmp_path: Path) -> None:
    where = folder(tmp_path / "d", {"recording": GOOD["recording"], "track": GOOD["track"], "isrc": []})
    dump = SOURCE.resolve(Dump([where]))
    warned = " ".join(SOURCE.warnings(dump))
    assert "no table medium: recordings have no place on a release" in warned
    assert "table isrc" not in warned
    wide, refused = same(tmp_path / "w", where)
    assert not refused
    assert all(not row["credits"] and not row["tracks"] and not row["flags"] for row in wide["recording"].values())


@pytest.mark.parametrize("bulk", [True, False])
def test_a_dump_without_recordings_is_refused(tmp_path: Path, bulk: bool) -> None:
    path = archive(tmp_path / "a.tar", {"artist": GOOD["artist"]})
    with pytest.raises(Usage) as caught:
        by_columns(tmp_path / "w", path) if bulk else by_rows(path)
    assert caught.value.code == "missing-table"


@pytest.mark.parametrize("bulk", [True, False])
def test_columns_of_another_schema_are_told_not_guessed(tmp_path: Path, bulk: bool) -> None:
    tables = GOOD | {"recording": [text + "\t1" for text in GOOD["recording"]]}
    path = archive(tmp_path / "a.tar", tables, schema="33\n")
    assert "SCHEMA_SEQUENCE is 33" in SOURCE.warnings(SOURCE.resolve(Dump([path])))[0]
    with pytest.raises(Usage) as caught:
        by_columns(tmp_path / "w", path) if bulk else by_rows(path)
    assert caught.value.code == "unknown-columns"
    assert "mbdump/recording" in caught.value.what


def test_columns_of_an_earlier_schema_are_read(tmp_path: Path) -> None:
    old = {"medium": ["10\t1\t1\t\\N\t\t0\t\\N\t3", "20\t2\t2\t\\N\t\t0\t\\N\t3"],
           "isrc": ["1\t1\tGBAAA9900303\t\\N\t0\t\\N"]}  # fmt: skip
    wide, refused = same(tmp_path / "w", folder(tmp_path / "d", GOOD | old, SCHEMA_SEQUENCE="28\n"))
    assert not refused
    assert sum(len(row["tracks"]) for row in wide["recording"].values()) == 3


@pytest.mark.parametrize("at", [0, 1])
@pytest.mark.parametrize("odd", ["1", "1\t" * 40, ""])
def test_one_odd_line_of_two_is_refused_alone(tmp_path: Path, odd: str, at: int) -> None:
    lines = [artist(1)]
    lines.insert(at, odd)
    wide, refused = same(tmp_path / "w", folder(tmp_path / "d", GOOD | {"artist": lines}))
    assert [(position, code) for position, code, *_ in refused if "artist:" in position] == [
        (f"mbdump/artist:{at + 1}", "column-count")
    ]
    assert make_id(Kind.ARTIST, "musicbrainz", gid("c", 1)) in wide["artist"]


@pytest.mark.parametrize("bulk", [True, False])
def test_one_line_of_a_known_form_among_many_of_another_is_no_reason_to_guess(tmp_path: Path, bulk: bool) -> None:
    lines = [artist(1), *(artist(number) + "\t1" for number in range(2, 5))]
    path = folder(tmp_path / "d", GOOD | {"artist": lines})
    with pytest.raises(Usage) as caught:
        by_columns(tmp_path / "w", path) if bulk else by_rows(path)
    assert caught.value.code == "unknown-columns"
    assert "20 columns" in caught.value.why


PAGES = {
    "url": [
        line("url", id=1, gid=gid("9", 1), url="https://www.discogs.com/release/4711"),
        line("url", id=2, gid=gid("9", 2), url="https://www.discogs.com/artist/12"),
        line("url", id=3, gid=gid("9", 3), url="https://www.jamendo.com/track/99/song"),
        line("url", id=4, gid=gid("9", 4), url="https://archive.org/details/an_item"),
        line("url", id=5, gid=gid("9", 5), url="https://example.org/"),
        line("url", id=6, gid=gid("9", 6), url=f"https://musicbrainz.org/release/{gid('b', 2)}"),
    ],
    "l_release_url": [line("l_release_url", id=n, link=1, entity0=1, entity1=url)
                      for n, url in enumerate([1, 2, 4, 5, 6, 1])],
    "l_artist_url": [line("l_artist_url", id=1, link=1, entity0=1, entity1=2)],
    "l_recording_url": [line("l_recording_url", id=1, link=1, entity0=1, entity1=3)],
}  # fmt: skip


@pytest.mark.parametrize("options", [{}, {"chunk": 1, "piece": 1}])
def test_pages_of_other_sources_give_their_keys_to_what_they_are_about(tmp_path: Path, options: dict[str, int]) -> None:
    wide, refused = same(tmp_path / "w", folder(tmp_path / "d", GOOD | PAGES), **options)
    assert not refused

    def added(kind: Kind, letter: str) -> list[tuple[str, str]]:
        known = {"catalogue_number", "release_group_mbid", "upc", "isni", "isrc", "iswc", "work_mbid", "mbid"}
        row = wide[kind.word][make_id(kind, "musicbrainz", gid(letter, 1))]
        return [pair for pair in row["identifiers"] if pair[0] not in known]

    assert added(Kind.RELEASE, "b") == [("discogs", "4711"), ("internet_archive", "an_item")]
    assert added(Kind.ARTIST, "c") == [("discogs", "12")]
    assert added(Kind.RECORDING, "a") == [("jamendo", "99")]
    # Its own pages are no redirects.
    album = wide["release"][make_id(Kind.RELEASE, "musicbrainz", gid("b", 1))]
    assert ("mbid", gid("b", 2)) not in album["identifiers"]


def test_pages_that_are_related_to_nothing_are_refused(tmp_path: Path) -> None:
    lost = {"l_artist_url": [line("l_artist_url", id=1, link=1, entity0=1, entity1=99),
                             line("l_artist_url", id=2, link=1, entity0=99, entity1=2)]}  # fmt: skip
    _, refused = same(tmp_path / "w", folder(tmp_path / "d", GOOD | PAGES | lost))
    assert [(position, code) for position, code, *_ in refused] == [
        ("mbdump/l_artist_url:1", "dangling-reference"), ("mbdump/l_artist_url:2", "dangling-reference"),
    ]  # fmt: skip


def test_relations_without_the_table_of_addresses_say_so_and_harm_nothing(tmp_path: Path) -> None:
    where = folder(tmp_path / "d", GOOD | {name: lines for name, lines in PAGES.items() if name != "url"})
    assert any("no table url: " in text for text in SOURCE.warnings(SOURCE.resolve(Dump([where]))))
    _, refused = same(tmp_path / "w", where)
    assert not refused


@pytest.mark.parametrize("packed", ["bz2", "xz"])
def test_a_torn_archive_stops_and_says_so(tmp_path: Path, packed: str) -> None:
    path = archive(
        tmp_path / "a", GOOD | {"recording": [recording(n, f"{n * 7919}") for n in range(30_000)]}, packed=packed
    )
    dump = SOURCE.resolve(Dump([path]))
    path.write_bytes(path.read_bytes()[:-200])
    files = find(dump)
    assert files is not None
    (tmp_path / "w").mkdir()
    with connect(DEFAULT) as connection, pytest.raises(Failed) as caught:
        TablesBulk(files).prepare(Workbench(connection, tmp_path / "w"), SILENT)
    assert caught.value.code == "torn-dump"


class Dies(Workbench):
    """Is interrupted when so many stages are begun."""

    def __init__(self, connection: Any, work: Path, stages: int) -> None:
        super().__init__(connection, work)
        self.stages = stages

    def stage(self, name: str, query: str) -> None:
        self.stages -= 1
        if not self.stages:
            raise KeyboardInterrupt
        super().stage(name, query)


def test_an_interrupted_reading_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = archive(tmp_path / "a", HOSTILE, packed="bz2")
    work = tmp_path / "w"
    work.mkdir()
    whole = by_columns(tmp_path / "whole", path, piece=500)
    for limit in (2, 5, 17):
        files = find(SOURCE.resolve(Dump([path])))
        assert files is not None
        with connect(DEFAULT) as connection, pytest.raises(KeyboardInterrupt):
            TablesBulk(files, piece=500).prepare(Dies(connection, work, limit), SILENT)
    assert by_columns(work, path, piece=500) == whole
    assert by_columns(work, path, piece=500) == whole
    assert not list(work.glob("*.tsv"))


def test_other_archives_are_no_dump(tmp_path: Path) -> None:
    path = tmp_path / "other.tar"
    with tarfile.open(path, "w") as tar:
        tar.addfile(tarfile.TarInfo("readme"), io.BytesIO())
    for data in (path.read_bytes(), b"", b"text\n", bz2.compress(b"text"), b"BZh9 rubbish"):
        path.write_bytes(data)
        with pytest.raises(Usage) as caught:
            SOURCE.check(Dump([path]))
        assert caught.value.code == "not-a-dump"


# --- the real rows ----------------------------------------------------------------------------------------------------


@pytest.fixture
def sample(shared_data: Path) -> Path:
    return shared_data / "musicbrainz" / "mbdump"


@pytest.mark.shared_data
def test_real_rows_are_the_same_both_ways_and_all_come(sample: Path, tmp_path: Path) -> None:
    wide, refused = same(tmp_path / "w", sample)
    assert not refused
    for table, kind in (("recording", "recording"), ("release", "release"), ("artist", "artist")):
        assert len(wide[kind]) >= len((sample / table).read_bytes().splitlines())


@pytest.mark.shared_data
def test_fields_of_real_rows(sample: Path, tmp_path: Path) -> None:
    found: list[Record] = list(SOURCE.records(SOURCE.resolve(Dump([sample]))))
    recordings = {r.key: r for r in found if isinstance(r, RecordingRecord)}
    bus = recordings["44704dda-b877-4551-a2a8-c1f764476e65"]
    assert (bus.title, bus.duration_ms, bus.credits[0].name, bus.position) == (
        "On My Bus", 267_560, "Plone", "mbdump/recording:1"
    )  # fmt: skip
    releases = {r.key: r for r in found if isinstance(r, ReleaseRecord)}
    reggae = releases["0385f276-5f4f-4c81-a7a4-6bd7b8d85a7e"]
    assert reggae.title == "サマーれげぇ!レインボー"
    assert (reggae.date, reggae.country, reggae.kind) == ("2001-07-04", "JP", "Single")
    assert dict(reggae.identifiers)["upc"] == "4942463511227"
    assert ("catalogue_number", "EPCE-5112") in reggae.identifiers
    isrcs = [value for r in recordings.values() for scheme, value in r.identifiers if scheme == "isrc"]
    assert len(isrcs) == 18
    assert "GBAAA9900303" in isrcs
    assert sum(isinstance(r, TrackRecord) for r in found) == 248
    assert not [r for r in found if isinstance(r, Duplicate | Refused)]
