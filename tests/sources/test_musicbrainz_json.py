"""MusicBrainz's JSON dumps: both ways say the same, of good lines and of hostile ones."""

from __future__ import annotations

import io
import json
import lzma
import random
import tarfile
import uuid
from pathlib import Path
from typing import Any

import pytest

from contracts.source_contract import Case, SourceContract
from fonoteca.catalogue.bulk import Workbench
from fonoteca.catalogue.engine import DEFAULT, connect
from fonoteca.core.ids import Kind, make_id
from fonoteca.core.progress import SILENT
from fonoteca.sources.musicbrainz import MusicBrainz
from fonoteca.sources.musicbrainz_json import Lines, find
from fonoteca.sources.musicbrainz_json_bulk import JsonBulk
from fonoteca.sources.musicbrainz_json_rows import records
from fonoteca.sources.records import (
    ArtistRecord,
    Dump,
    RecordingRecord,
    Refused,
    ReleaseRecord,
    TrackRecord,
)
from fonoteca.sources.tally import Tally

pytestmark = pytest.mark.core
Rows = dict[str, dict[int, dict[str, Any]]]


def mbid(number: int) -> str:
    return str(uuid.UUID(int=number * 7919 + (1 << 120)))


def credit(*names: str, join: str = " & ") -> list[dict[str, Any]]:
    return [
        {"name": name, "joinphrase": join if n + 1 < len(names) else "",
         "artist": {"id": mbid(9000 + len(name)), "name": name.upper(), "sort-name": f"{name}, The", "tags": []}}
        for n, name in enumerate(names)
    ]  # fmt: skip


def recording(number: int, **told: Any) -> dict[str, Any]:
    return {
        "id": mbid(number), "title": f"Title {number}", "length": 200_000 + number, "video": False, "isrcs": [],
        "first-release-date": "2014-06-20", "artist-credit": credit("Ann", "Bob"), "relations": [], "tags": [{"n": 1}],
    } | told  # fmt: skip


def release(number: int, *recordings: dict[str, Any], **told: Any) -> dict[str, Any]:
    tracks = [{"id": mbid(10**6 + n), "position": n + 1, "number": f"A{n + 1}", "title": r["title"], "recording": r}
              for n, r in enumerate(recordings)]  # fmt: skip
    return {
        "id": mbid(5000 + number), "title": f"Release {number}", "date": "1999-05", "country": "DE", "barcode": "",
        "status": "Official", "artist-credit": credit("Ann"), "label-info": [],
        "release-group": {"id": mbid(7000), "primary-type": "Album"},
        "media": [{"position": 1, "track-count": len(tracks), "tracks": tracks}],
    } | told  # fmt: skip


def lines(*objects: Any) -> bytes:
    return b"".join((o if isinstance(o, bytes) else json.dumps(o).encode()) + b"\n" for o in objects)


def packed(name: str, data: bytes) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as tar:
        for member, content in (("COPYING", b"CC0"), (f"mbdump/{name}", data), ("SCHEMA_SEQUENCE", b"31")):
            info = tarfile.TarInfo(member)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return lzma.compress(target.getvalue(), preset=0)


def found(*paths: Path) -> list[Lines]:
    listed = find(Dump(paths))
    assert listed is not None
    return listed


def by_lines(*paths: Path) -> tuple[Rows, list[tuple[str, ...]], dict[str, int]]:
    rows: Rows = {"artist": {}, "release": {}, "recording": {}}
    refused = []
    tally = Tally()
    for record in tally.watch(records(found(*paths))):
        match record:
            case Refused():
                refused.append((record.position, record.code, record.kind))
            case ArtistRecord():
                row = {"name": record.name, "sort_name": record.sort_name, "identifiers": [*record.identifiers]}
                rows["artist"][make_id(Kind.ARTIST, "musicbrainz", record.key)] = row | {"position": record.position}
            case ReleaseRecord():
                row = described(record) | {"date": record.date, "kind": record.kind, "label": record.label,
                                           "country": record.country, "year": record.year}  # fmt: skip
                rows["release"][make_id(Kind.RELEASE, "musicbrainz", record.key)] = row
            case RecordingRecord():
                row = described(record) | {"duration_ms": record.duration_ms, "year": record.year, "tracks": []}
                rows["recording"][make_id(Kind.RECORDING, "musicbrainz", record.key)] = row
            case TrackRecord():
                of = rows["recording"][make_id(Kind.RECORDING, "musicbrainz", record.recording)]
                release_id = make_id(Kind.RELEASE, "musicbrainz", record.release)
                of["tracks"].append((release_id, record.disc, record.number, record.title))
            case _:
                pass
    for row in rows["recording"].values():
        row["tracks"].sort(key=repr)
    return rows, refused, tally.told()


def described(record: RecordingRecord | ReleaseRecord) -> dict[str, Any]:
    last = len(record.credits) - 1
    shown = "".join(c.name + (", " if c.name and not c.joined_by and n < last else c.joined_by)
                    for n, c in enumerate(record.credits))  # fmt: skip
    names = [(make_id(Kind.ARTIST, "musicbrainz", c.key) if c.key else None, c.name, c.role, c.joined_by)
             for c in record.credits]  # fmt: skip
    return {"key": record.key, "title": record.title, "artist": shown or None, "flags": [*record.flags],
            "credits": names, "identifiers": [*record.identifiers], "position": record.position}  # fmt: skip


def by_columns(
    work: Path, *paths: Path, chunk: int = 1 << 22, piece: int = 1 << 28
) -> tuple[Rows, list[tuple[str, ...]], dict[str, int]]:
    bulk = JsonBulk(found(*paths), chunk, piece)
    rows: Rows = {"artist": {}, "release": {}, "recording": {}}
    work.mkdir(exist_ok=True)
    with connect(DEFAULT) as connection:
        bulk.prepare(Workbench(connection, work), SILENT)
        for table, chunks in bulk.tables().items():
            for number in range(chunks):
                cursor = connection.execute(bulk.rows(table, number))
                names = [column[0] for column in cursor.description or ()]
                told = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
                assert len(told) <= chunk
                assert [row["line"] for row in told] or not told
                rows[table] |= {row["id"]: plain(table, row) for row in told if row["key_scheme"] is not None}
        query = bulk.refusals()
        refused = [(p, c, k) for p, c, _, _, k in connection.execute(query).fetchall()] if query else []
    return rows, refused, dict(bulk.counts())


def plain(table: str, row: dict[str, Any]) -> dict[str, Any]:
    wanted = {
        "artist": ("name", "sort_name"),
        "release": ("title", "artist", "date", "kind", "label", "country", "year", "flags"),
        "recording": ("title", "artist", "duration_ms", "year", "flags"),
    }[table]
    shown = {name: row[name] for name in wanted} | {"position": f"{row['member']}:{row['line']}"}
    shown["identifiers"] = [(name["scheme"], name["value"]) for name in row["identifiers"]]
    if table != "artist":
        shown["key"] = str(row["key"])
        shown["credits"] = [(c["artist_id"], c["name"], c["role"],
                             c["joined_by"]) for c in row["credits"]]  # fmt: skip
    if table == "recording":
        tracks = [(t["release_id"], t["disc"], t["number"], t["title"]) for t in row["tracks"]]
        shown["tracks"] = sorted(tracks, key=repr)
    return shown


def same(tmp_path: Path, *paths: Path, **sizes: int) -> tuple[Rows, list[tuple[str, ...]], dict[str, int]]:
    """Read both ways, compare, and give what came out."""
    work = tmp_path / f"work{len(list(tmp_path.iterdir()))}"
    left, right = by_lines(*paths), by_columns(work, *paths, **sizes)
    for table in left[0]:
        assert set(right[0][table]) == set(left[0][table]), table
        for key, row in left[0][table].items():
            assert right[0][table][key] == row, table
    assert sorted(right[1]) == sorted(left[1])
    counted = {name: value for name, value in right[2].items() if name in left[2] and name != "records"}
    assert counted == {name: left[2][name] for name in counted}
    return right


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dump"


class TestContract(SourceContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        path = tmp_path / "dump"
        same_again = recording(2)
        path.write_bytes(packed("recording", lines(
            recording(1, title="a\x00b"), same_again, b"{broken", same_again, recording(2, title="Other"),
            recording(3, title=None), b'{"id": "x"}',
        )))  # fmt: skip
        refused = ["bad-json", "key-conflict", "no-key"]
        return Case(MusicBrainz(), Dump([path]), 7, [mbid(1), mbid(2), mbid(3)], 1, refused)


class TestContractOfReleases(SourceContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        path = tmp_path / "dump"
        path.write_bytes(lines(release(1, recording(1), recording(2)), release(2, recording(2), recording(3))))
        return Case(MusicBrainz(), Dump([path]), 3, [mbid(1), mbid(2), mbid(3)], 0, [])


def test_recordings_as_published_and_as_lines(tmp_path: Path, path: Path) -> None:
    data = lines(
        recording(1, isrcs=["GBAHS1400099", "gb-ahs-14-00100", "GBAHS1400099"]),
        recording(2, length=None, title=None, **{"first-release-date": ""}),
        recording(3, video=True, length=0, **{"artist-credit": credit("Zoë", "Bob", "Ann", join="")}),
        recording(4, length=36_000_000, isrcs=["nonsense", ""], **{"first-release-date": "0000-13-01"}),
        recording(5, relations=[{"target-type": "work", "work": {"id": mbid(1), "iswcs": ["t-909.748.367-5", ""]}},
                                {"target-type": "artist", "artist": {"id": mbid(2)}}]),
        recording(6, title="a\x00b \u202e\u00a0 c  ", length="281000", **{"first-release-date": "2014"}),
        recording(7, length=-5, **{"first-release-date": "2014-02-31"}), recording(8, length="3:45"),
    )  # fmt: skip
    path.write_bytes(data)
    rows, refused, counts = same(tmp_path, path)
    assert (refused, counts["recordings"], counts["rows"]) == ([], 8, 8)
    told = {row["position"]: row for row in rows["recording"].values()}
    assert told["dump:1"]["identifiers"] == [("isrc", "GBAHS1400099"), ("isrc", "GBAHS1400100")]
    assert told["dump:1"]["artist"] == "Ann & Bob"
    assert told["dump:4"]["flags"] == ["bad-isrc", "ten-hours", "year-0000"]
    assert told["dump:5"]["identifiers"] == [("iswc", "T-909.748.367-5"), ("work_mbid", mbid(1))]
    assert told["dump:3"]["flags"] == ["video", "zero-duration"]
    assert {row["sort_name"] for row in rows["artist"].values()} >= {"Ann, The"}
    (tmp_path / "recording.tar.xz").write_bytes(packed("recording", data))
    archived, _, told_counts = same(tmp_path, tmp_path / "recording.tar.xz")
    assert told_counts == counts
    positions = {row["position"] for row in archived["recording"].values()}
    assert "recording.tar.xz/mbdump/recording:1" in positions


def test_releases_give_recordings_tracks_and_artists(tmp_path: Path, path: Path) -> None:
    one, two, three = recording(1), recording(2, length=None), recording(3)
    media = [
        {"position": 1, "pregap": {"position": 0, "title": "Hidden", "recording": recording(4)},
         "tracks": [{"position": 1, "title": "Other title", "recording": one},
                    {"position": 2, "title": "No recording", "recording": None}]},
        {"position": 2, "tracks": [{"position": "1", "title": two["title"], "recording": two}],
         "data-tracks": [{"position": 2, "title": "Film", "recording": recording(5)}]},
    ]  # fmt: skip
    path.write_bytes(lines(
        release(1, one, two, one, barcode="5099902894225", status="Bootleg"),
        release(2, media=media, date="1985", barcode="123", **{"label-info": [
            {"catalog-number": " AB 1 ", "label": {"name": "Label"}}, {"catalog-number": "[none]", "label": None},
            {"catalog-number": None, "label": {"name": "Label"}}, {"label": {"name": "Another"}}]}),
        release(3, three, date=None, country=None, **{"release-group": None}),
    ))  # fmt: skip
    rows, refused, counts = same(tmp_path, path)
    assert (refused, counts["recordings"], counts["releases"], counts["tracks"]) == ([], 5, 3, 8)
    releases = {row["position"]: row for row in rows["release"].values()}
    assert releases["dump:1"]["identifiers"] == [("release_group_mbid", mbid(7000)), ("upc", "5099902894225")]
    assert releases["dump:1"]["flags"] == ["bootleg"]
    assert (releases["dump:2"]["label"], releases["dump:2"]["flags"]) == ("Label; Another", ["bad-upc"])
    assert ("catalogue_number", "AB 1") in releases["dump:2"]["identifiers"]
    recordings = {row["key"]: row for row in rows["recording"].values()}
    assert len(recordings[mbid(1)]["tracks"]) == 3
    assert [t[3] for t in recordings[mbid(1)]["tracks"] if t[3]] == ["Other title"]
    assert recordings[mbid(5)]["flags"] == ["data-track"]


def test_a_recording_s_own_line_counts_before_releases_and_an_artist_s_before_credits(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(lines(release(1, recording(1, title="On the release"), recording(2))))
    (tmp_path / "c").write_bytes(lines(recording(1, isrcs=["GBAHS1400099"]), recording(9)))
    artist = {"id": mbid(9003), "name": "Ann", "sort-name": "Ann S.", "isnis": ["0000000364434564"], "ipis": ["00600"]}
    (tmp_path / "d").write_bytes(lines(artist))
    rows, _, counts = same(tmp_path, *(tmp_path / name for name in "bcd"))
    assert (counts["recordings"], counts["tracks"]) == (3, 2)
    told = {row["key"]: row for row in rows["recording"].values()}
    assert (told[mbid(1)]["title"], told[mbid(1)]["tracks"][0][3]) == ("Title 1", "On the release")
    assert "Ann S." in {row["sort_name"] for row in rows["artist"].values()}


HOSTILE = {
    "depth 100,000": b'{"id": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "key twice": b'{"id": "%s", "id": "x", "title": "t"}' % mbid(50).encode(),
    "lone surrogate": b'{"id": "%s", "title": "a\\ud800b", "isrcs": []}' % mbid(51).encode(),
    "a nul": b'{"id": "%s", "title": "a\\u0000b", "isrcs": []}' % mbid(52).encode(),
    "a bare nul": b'{"id": "%s", "title": "a\x00b"}' % mbid(53).encode(),
    "not UTF-8": b'{"id": "%s", "title": "a\xffb", "isrcs": []}' % mbid(54).encode(),
    "no object": b"[1]", "null": b"null", "a number": b"5", "two": b'{"id": "a"}{"id": "b"}', "broken": b"{broken",
    "no id": b"{}", "bad id": b'{"id": "x"}', "another kind": b'{"id": "%s", "isrcs": "x"}' % mbid(55).encode(),
    "deep another kind": b'{"id": "%s", "artist-credit": ["x"]}' % mbid(56).encode(),
    "400 digits": b'{"id": "%s", "length": %s}' % (mbid(57).encode(), b"9" * 90),
    "numbers as text": b'{"id": "%s", "length": "200", "video": "true"}' % mbid(58).encode(),
    "a long line": b'{"id": "%s", "title": "%s"}' % (mbid(59).encode(), b"x" * (5 << 20)),
    "blank": b"   ",
}  # fmt: skip


@pytest.mark.parametrize("line", HOSTILE.values(), ids=HOSTILE)
def test_hostile_lines(tmp_path: Path, path: Path, line: bytes) -> None:
    path.write_bytes(lines(recording(1), line, recording(2)))
    rows, refused, counts = same(tmp_path, path)
    told = {row["key"]: row["position"] for row in rows["recording"].values()}
    assert (told[mbid(1)], told[mbid(2)]) == ("dump:1", "dump:3")
    assert {position for position, *_ in refused} <= {"dump:2"}
    assert counts["rows"] == counts["recordings"] + counts["refused"]


def link(url: object, **told: Any) -> dict[str, Any]:
    """A relation with an address, as the dumps write it."""
    return {"target-type": "url", "type": "discogs", "ended": False, "url": {"id": mbid(1), "resource": url}, **told}


def test_addresses_are_the_keys_of_other_sources_whether_ended_or_not(tmp_path: Path, path: Path) -> None:
    odd = [link(None), link(7), link("no address"), {"target-type": "url", "url": None}, {"target-type": "url"}, None]
    here = recording(1, isrcs=["GBAHS1400099"], relations=[
        link("https://www.jamendo.com/track/12"), *odd, {"target-type": "work", "work": {"id": mbid(9), "iswcs": []}},
        link("https://archive.org/download/item/a%20b.mp3", ended=True), link("https://www.discogs.com/release/1"),
    ])  # fmt: skip
    path.write_bytes(lines(here, recording(2, relations=[link("https://www.jamendo.com/track/13")])))
    (tmp_path / "r").write_bytes(lines(
        release(3, recording(4, relations=[link("https://acoustid.org/track/" + mbid(5))]),
                relations=[link("http://www.discogs.com/Somebody-Title/release/1873013", ended=True), *odd,
                           link("https://www.jamendo.com/track/12")])))  # fmt: skip
    (tmp_path / "a").write_bytes(lines({
        "id": mbid(6), "name": "Ann", "sort-name": "Ann", "isnis": ["1"], "ipis": [],
        "relations": [link("https://www.discogs.com/artist/0108713-Ann"), *odd, link("https://jamendo.com/artist/9")],
    }))  # fmt: skip
    rows, refused, _ = same(tmp_path, path, tmp_path / "r", tmp_path / "a")
    assert refused == []
    told = {row["key"]: row["identifiers"] for row in rows["recording"].values()}
    assert told[mbid(1)] == [("internet_archive", "item/a b.mp3"), ("isrc", "GBAHS1400099"), ("jamendo", "12"),
                             ("work_mbid", mbid(9))]  # fmt: skip
    assert {("jamendo", "13")} <= set(told[mbid(2)])
    assert ("acoustid", mbid(5)) in told[mbid(4)]
    (issue,) = rows["release"].values()
    found = {pair for pair in issue["identifiers"] if pair[0] in ("discogs", "jamendo")}
    assert found == {("discogs", "1873013")}, "a track's page on a release says nothing"
    linked = [row["identifiers"] for row in rows["artist"].values() if row["identifiers"]]
    assert linked == [[("discogs", "108713"), ("isni", "1"), ("jamendo", "9")]]


def test_what_nobody_reads_is_not_judged_by_the_engine(tmp_path: Path, path: Path) -> None:
    """NaN and 1e400 where a length belongs are no lengths; elsewhere they are not looked at. The record way refuses."""
    start = b'{"title": "t", "artist-credit": [], "id": "%s", "length": '
    path.write_bytes(lines(recording(3), start % mbid(1).encode() + b"NaN}",
                           start % mbid(2).encode() + b'1e400, "tags": {"a": 1, "a": 2}}'))  # fmt: skip
    rows, refused, _ = by_columns(tmp_path / "w", path)
    assert refused == []
    told = [(row["duration_ms"], row["flags"]) for row in rows["recording"].values() if row["key"] != mbid(3)]
    assert told == [(None, ["bad-duration"])] * 2
    assert [code for _, code, _ in by_lines(path)[1]] == ["bad-json"] * 2


def test_a_mark_of_byte_order_and_a_cut_last_line(tmp_path: Path, path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + lines(recording(1)) + lines(recording(2))[:-30])
    _, refused, counts = same(tmp_path, path)
    assert (refused, counts["recordings"]) == ([("dump:2", "bad-json", "recording")], 1)


def test_keys_that_come_again(tmp_path: Path, path: Path) -> None:
    path.write_bytes(lines(recording(1), recording(1), recording(1, title="Other"), recording(2)))
    _, refused, counts = same(tmp_path, path)
    assert refused == [("dump:3", "key-conflict", "recording")]
    assert (counts["duplicates"], counts["recordings"]) == (1, 2)
    path.write_bytes(lines(release(1, recording(1)), release(1, recording(1)), release(1, recording(2))))
    _, refused, counts = same(tmp_path, path)
    assert (refused, counts["release_duplicates"]) == ([("dump:3", "key-conflict", "release")], 1)


@pytest.mark.parametrize("piece", [1 << 10, 1 << 13, 1 << 28])
@pytest.mark.parametrize("chunk", [3, 10, 1 << 22])
def test_pieces_and_chunks_change_nothing(tmp_path: Path, path: Path, piece: int, chunk: int) -> None:
    rng = random.Random(8)
    recordings = [recording(n, isrcs=[f"GBAHS14{n:05d}"]) for n in range(1, 40)]
    path.write_bytes(lines(*recordings, b"{", *(recording(n) for n in range(50, 60))))
    (tmp_path / "releases").write_bytes(
        lines(*(release(n, *rng.sample(recordings, rng.randrange(5))) for n in range(30)))
    )
    for paths in ([path], [path, tmp_path / "releases"]):
        rows, refused, counts = same(tmp_path, *paths, chunk=chunk, piece=piece)
        assert (refused, counts["recordings"]) == ([("dump:40", "bad-json", "recording")], 49)
        assert len(rows["recording"]) == 49


def test_an_interrupted_reading_goes_on(tmp_path: Path, path: Path) -> None:
    path.write_bytes(lines(*(recording(n) for n in range(50)), b"{broken"))
    first = by_columns(tmp_path / "w", path, piece=1 << 10)
    assert by_columns(tmp_path / "w", path, piece=1 << 10) == first


def test_real_answers(shared_data: Path, tmp_path: Path, path: Path) -> None:
    folder = shared_data / "musicbrainz" / "ws2-json"
    read = {name: json.loads((folder / f"{name}.json").read_text("utf-8"))
            for name in ("recording", "recording_multiple_works", "release", "artist", "artist_arabic")}  # fmt: skip
    path.write_bytes(lines(read["recording"], read["recording_multiple_works"]))
    (tmp_path / "r").write_bytes(lines(read["release"]))
    (tmp_path / "a").write_bytes(lines(read["artist"], read["artist_arabic"]))
    rows, refused, counts = same(tmp_path, path, tmp_path / "r", tmp_path / "a")
    tracks = [t["recording"]["id"] for m in read["release"]["media"] for t in m["tracks"]]
    assert (refused, counts["recordings"]) == ([], 2 + len(set(tracks)))
    told = {row["key"]: row for row in rows["recording"].values()}
    assert told["cb2cc207-8125-445c-9ef9-6ea44eee959a"]["title"] == "Thinking Out Loud"
    assert ("isrc", "GBAHS1400099") in told["cb2cc207-8125-445c-9ef9-6ea44eee959a"]["identifiers"]
    (issue,) = rows["release"].values()
    assert ("discogs", "1873013") in issue["identifiers"]


def test_other_files_are_no_dump(path: Path) -> None:
    for data in (b"", b"\n", b"{}", b'{"id": 5}', b"<html>", b"[1]", bytes(100), b"a,b\n1,2\n"):
        path.write_bytes(data)
        assert find(Dump([path])) is None


def test_a_large_file_is_cut_only_where_it_does_not_parse_as_a_whole(tmp_path: Path) -> None:
    good = [recording(n) for n in range(20)]
    for name, given in (("whole", good), ("broken", [*good[:9], b"{not JSON", *good[9:], good[0]])):
        path = tmp_path / name
        path.write_bytes(lines(*given))
        told, expected = by_columns(tmp_path / f"{name}-w", path, piece=1 << 10), by_lines(path)
        assert told[:2] == expected[:2]
        assert told[2].items() >= expected[2].items()
    assert [p.name for p in (tmp_path / "whole-w").glob("json_*0*.parquet")] == ["json_whole_00000.parquet"]
    assert [p.name for p in (tmp_path / "broken-w").glob("json_*0*.parquet")] == ["json_00000.parquet"]
    assert not [*(tmp_path / "broken-w").glob("*.tsv")]
