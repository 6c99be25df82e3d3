"""The names in MusicBrainz's canonical dump: both ways say the same, of good rows and of hostile ones."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import random
import tarfile
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from contracts.source_contract import Case, TableContract
from fonoteca.catalogue import generation
from fonoteca.catalogue.bulk import Workbench
from fonoteca.catalogue.engine import DEFAULT, connect
from fonoteca.catalogue.ingest import execute, ingest_records, plan
from fonoteca.catalogue.places import Places
from fonoteca.core.errors import Usage
from fonoteca.core.ids import Kind, make_id
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.progress import SILENT
from fonoteca.core.settings import resolve
from fonoteca.sources import musicbrainz_canonical as canonical
from fonoteca.sources import musicbrainz_names as names
from fonoteca.sources.limits import LIMITS
from fonoteca.sources.musicbrainz import INFO, MusicBrainz
from fonoteca.sources.musicbrainz_names_bulk import NamesBulk
from fonoteca.sources.records import (
    ArtistRecord,
    Credit,
    Dump,
    RecordingRecord,
    Refused,
    ReleaseRecord,
    TrackRecord,
)
from fonoteca.sources.tally import Tally
from harness import fonoteca, ok

pytestmark = pytest.mark.core

SOURCE = MusicBrainz()
PUBLISHED = ("id", "artist_credit_id", "artist_mbids", "artist_credit_name", "release_mbid", "release_name",
             "recording_mbid", "recording_name", "combined_lookup", "score")  # fmt: skip
HEAD = ",".join(PUBLISHED)
ORDER = ("artist", "release", "recording")
Said = tuple[dict[str, dict[int, dict[str, Any]]], list[tuple[str, ...]], dict[str, int]]


def mbid(number: int) -> str:
    return str(uuid.UUID(int=number * 7919 + (1 << 120)))


def row(
    recording: int, title: str | None = None, release: int = 50, album: str = "Album",
    artists: Sequence[int] = (90,), credit: str = "Ann", **told: str,
) -> str:  # fmt: skip
    """A row as PostgreSQL writes it, with its end."""
    cells = {
        "id": str(recording), "artist_credit_id": "7", "artist_mbids": ",".join(map(mbid, artists)),
        "artist_credit_name": credit, "release_mbid": mbid(release), "release_name": album,
        "recording_mbid": mbid(recording), "recording_name": f"Song {recording}" if title is None else title,
        "combined_lookup": "x", "score": "1",
    }  # fmt: skip
    target = io.StringIO()
    csv.writer(target, lineterminator="\n").writerow((cells | told)[name] for name in PUBLISHED)
    return target.getvalue()


def table(*rows: str | bytes, head: str = HEAD) -> bytes:
    return f"{head}\n".encode() + b"".join(r if isinstance(r, bytes) else r.encode("utf-8", "surrogateescape")
                                           for r in rows)  # fmt: skip


def file(path: Path, *rows: str | bytes, head: str = HEAD) -> Path:
    path.write_bytes(table(*rows, head=head))
    return path


def archive(path: Path, data: bytes) -> Path:
    """As published: the names first."""
    redirects = f"recording_mbid,canonical_recording_mbid,canonical_release_mbid\n{mbid(1)},{mbid(2)},{mbid(50)}\n"
    members = {"canonical_musicbrainz_data": data, "canonical_recording_redirect": redirects.encode(),
               "canonical_release_redirect": b"release_mbid,canonical_release_mbid,release_group_mbid\n"}  # fmt: skip
    with tarfile.open(path, "w:xz") as tar:
        files = {"COPYING": b"CC0"} | {f"canonical/{name}.csv": content for name, content in members.items()}
        for name, content in files.items():
            info = tarfile.TarInfo(f"musicbrainz-canonical-dump-2026/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def found(*paths: Path) -> list[canonical.File]:
    files = canonical.find(Dump(paths))
    assert files is not None
    return names.find(files)


def by_rows(*paths: Path) -> Said:
    rows: dict[str, dict[int, dict[str, Any]]] = {table: {} for table in ORDER}
    refused: list[tuple[str, ...]] = []
    tally = Tally()
    titles: dict[str, str | None] = {}
    for record in tally.watch(names.records(found(*paths))):
        match record:
            case Refused():
                refused.append((record.position, record.code, record.reason, record.raw, record.kind))
            case ArtistRecord():
                told = {"name": record.name, "position": record.position}
                rows["artist"][make_id(Kind.ARTIST, "musicbrainz", record.key)] = told
            case ReleaseRecord():
                titles[record.key] = record.title
                assert not record.credits
                told = {"title": record.title, "flags": [*record.flags], "position": record.position, "tracks": 0}
                rows["release"][make_id(Kind.RELEASE, "musicbrainz", record.key)] = told
            case RecordingRecord():
                credits_ = [(make_id(Kind.ARTIST, "musicbrainz", c.key or ""), c.name, c.role, c.joined_by)
                            for c in record.credits]  # fmt: skip
                told = {"key": record.key, "title": record.title, "flags": [*record.flags], "credits": credits_,
                        "position": record.position, "tracks": [],
                        "artist": "".join(c.name + c.joined_by for c in record.credits) or None}  # fmt: skip
                rows["recording"][make_id(Kind.RECORDING, "musicbrainz", record.key)] = told
            case TrackRecord():
                assert (record.disc, record.number, record.title) == (None, None, None)
                release = make_id(Kind.RELEASE, "musicbrainz", record.release)
                rows["release"][release]["tracks"] += 1
                of = rows["recording"][make_id(Kind.RECORDING, "musicbrainz", record.recording)]
                of["tracks"].append(release)
                of["release"] = titles[record.release]
            case _:
                pass
    return rows, refused, tally.told()


def by_columns(work: Path, *paths: Path, chunk: int = 1 << 22, piece: int = 1 << 28) -> Said:
    bulk = NamesBulk(found(*paths), chunk, piece)
    rows: dict[str, dict[int, dict[str, Any]]] = {table: {} for table in ORDER}
    work.mkdir(exist_ok=True)
    with connect(DEFAULT) as connection:
        bulk.prepare(Workbench(connection, work), SILENT)
        for kind, chunks in bulk.tables().items():
            for number in range(chunks):
                cursor = connection.execute(bulk.rows(kind, number))
                columns = [column[0] for column in cursor.description or ()]
                told = [dict(zip(columns, values, strict=True)) for values in cursor.fetchall()]
                assert len(told) <= chunk
                assert all(one["key_scheme"] == "mbid" for one in told)
                rows[kind] |= {one["id"]: plain(kind, one) for one in told}
        query = bulk.refusals()
        refused = connection.execute(query).fetchall() if query else []
    assert not bulk.flat()
    return rows, refused, {n: v for n, v in bulk.counts().items() if n not in ("tracks", "artists", "synthetic")}


def plain(kind: str, told: dict[str, Any]) -> dict[str, Any]:
    shown = {"position": f"{told['member']}:{told['line']}"}
    if kind == "artist":
        return shown | {"name": told["name"]}
    shown |= {"title": told["title"], "flags": told["flags"]}
    if kind == "release":
        return shown | {"tracks": told["track_count"]}
    tracks = [(t["release_id"], t["disc"], t["number"], t["title"]) for t in told["tracks"]]
    assert tracks == [(told["release_id"], None, None, None)]
    return shown | {
        "key": str(told["key"]), "artist": told["artist"], "release": told["release"], "tracks": [told["release_id"]],
        "credits": [(c["artist_id"], c["name"], c["role"], c["joined_by"]) for c in told["credits"]],
    }  # fmt: skip


def both(tmp_path: Path, *paths: Path, **sizes: int) -> Said:
    """Read both ways, compare, and give what came out."""
    left = by_rows(*paths)
    right = by_columns(tmp_path / f"work{len(list(tmp_path.iterdir()))}", *paths, **sizes)
    for kind in ORDER:
        assert right[0][kind] == left[0][kind], kind
    assert right[1] == left[1]
    assert right[2] == left[2]
    assert left[2]["rows"] == left[2]["recordings"] + left[2]["duplicates"] + left[2]["refused"]
    return right


ROWS: tuple[str | bytes, ...] = (
    row(1), row(2, artists=(90, 91, 92), credit="Ann feat. Bob & Cy"), row(1), row(1, "Other"),
    row(3, 'So, "what"', 51, 'An "album", two', credit="Cy, the"), row(4, "Two\nlines", 51, "Later title", (92,), "Cy"),
    row(5, recording_mbid="x"), row(6, release_mbid=""), row(7, artist_mbids=""), row(8, artist_mbids=f"{mbid(1)},x"),
    "\n", "1,2,3\n", row(9).replace("\n", ",more\n"), row(10, "nul\0 \udcff"), row(11, "", album="", credit=""),
    row(12, artists=(93,), credit="A\r\nB"), row(13, recording_mbid=mbid(13).upper()),
    row(14, artist_mbids=f"{{{mbid(90)},{mbid(90)}}}"), row(15, artist_mbids=f"{{{mbid(94)}}}", credit="  Dee "),
    row(16, "PrimoÅ\xbe", 52, "a\u202eb"), row(17, "n/a", recording_mbid=f" {mbid(17)} "), row(18, " b "),
    f'19,7,{mbid(90)},Ann,{mbid(50)},Album,{mbid(19)},a"b,x,1\n',
    f'20,7,{mbid(90)},"Ann,{mbid(50)},Album,{mbid(20)},c,x,1\n', row(21), row(22).replace("\n", "\r\n"),
)  # fmt: skip
REFUSED = ["key-conflict", "no-key", "no-key", "no-key", "no-key", "column-count", "column-count", "open-quote"]
KEPT = [1, 2, 3, 4, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 21, 22]


class TestContract(TableContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        path = file(tmp_path / "names.csv", *ROWS)
        return Case(SOURCE, Dump([path]), 25, [mbid(n) for n in KEPT], 1, REFUSED)


@pytest.mark.parametrize("piece", [1, 1000, 1 << 28])
@pytest.mark.parametrize("chunk", [2, 1 << 22])
def test_both_ways_say_the_same_of_each_row(tmp_path: Path, piece: int, chunk: int) -> None:
    path = file(tmp_path / "a.csv", *ROWS)
    _, refused, counts = both(tmp_path, path, piece=piece, chunk=chunk)
    assert [code for _, code, *_ in refused] == REFUSED
    assert (counts["recordings"], counts["duplicates"], counts["releases"]) == (16, 1, 3)


def test_what_a_row_says(tmp_path: Path) -> None:
    path = file(tmp_path / "a.csv", *ROWS)
    rows, _, _ = both(tmp_path, path)
    told = {one["position"]: one for one in rows["recording"].values()}
    ann, bob, cy = (make_id(Kind.ARTIST, "musicbrainz", mbid(n)) for n in (90, 91, 92))
    assert told["a.csv:2"]["credits"] == [(ann, "Ann", "artist", "")]
    whole = "Ann feat. Bob & Cy"
    assert told["a.csv:3"]["credits"] == [(ann, "", "artist", whole), (bob, "", "artist", ""), (cy, "", "artist", "")]
    assert (told["a.csv:3"]["artist"], told["a.csv:6"]["artist"]) == (whole, "Cy, the")
    assert (told["a.csv:6"]["title"], told["a.csv:6"]["release"]) == ('So, "what"', 'An "album", two')
    assert (told["a.csv:7"]["title"], told["a.csv:7"]["release"]) == ("Two lines", 'An "album", two')
    odd = next(one for one in told.values() if one["key"] == mbid(10))
    assert (odd["title"], odd["flags"]) == ("nul \ufffd", ["bad-encoding", "control-characters"])
    assert {one["name"] for one in rows["artist"].values()} == {"Ann", "Cy", "A B", "Dee"}, "never of several"
    [album] = [one for one in rows["release"].values() if one["title"] == "Album"]
    assert (album["position"], album["tracks"]) == ("a.csv:2", 13)


def test_unusual_rows_are_read_alone_and_give_the_same_as_usual_ones(tmp_path: Path) -> None:
    given = [row(n, f"T {n}", 10**6 + n % 7, artists=range(10**7, 10**7 + 1 + n % 3)) for n in range(300)]
    odd = [line.replace(mbid(n), f'"{mbid(n)}"') if n % 5 else line.rstrip() + "\r\n" for n, line in enumerate(given)]
    (tmp_path / "odd").mkdir()
    usual = both(tmp_path, file(tmp_path / "a.csv", *given))
    unusual = both(tmp_path, file(tmp_path / "odd" / "a.csv", *odd))
    assert usual == unusual


PACKED = {"gzip": gzip.compress, "bzip2": bz2.compress}


@pytest.mark.parametrize("form", PACKED)
def test_a_packed_file(tmp_path: Path, form: str) -> None:
    path = tmp_path / "canonical_musicbrainz_data.csv.packed"
    path.write_bytes(PACKED[form](table(*ROWS)))
    dump = SOURCE.resolve(Dump([path]))
    assert dump.dataset == "canonical-data"
    assert {f.licence for f in SOURCE.describe(dump).licences} == {"CC0-1.0"}
    assert both(tmp_path, path)[2]["recordings"] == len(KEPT)


def test_the_archive_gives_redirects_and_says_how_its_names_are_read(tmp_path: Path) -> None:
    path = archive(tmp_path / "musicbrainz-canonical-dump-2026.tar.xz", table(*ROWS))
    place = tmp_path / "place"
    place.mkdir()
    ok("init", ".", cwd=place)
    first = ok("ingest", "musicbrainz", path, "--json", cwd=place)
    assert (first.json["dataset"], first.json["records"]) == ("canonical", 1)
    assert first.stdout.count("--dataset canonical-data") == 1
    ran = fonoteca("ingest", "musicbrainz", path, "--dataset", "canonical-data", "--json", cwd=place)
    assert (ran.code, ran.json["dataset"], ran.json["records"], ran.json["refused"]) == (3, "canonical-data", 16, 8)
    assert ran.json["read"] == ran.json["records"] + ran.json["duplicates"] + ran.json["refused"]
    assert len((place / ran.json["quarantine"]).read_text().splitlines()) == 8
    member = f"{path.name}/musicbrainz-canonical-dump-2026/canonical/canonical_musicbrainz_data.csv"
    assert set(both(tmp_path, path)[0]["recording"]) and f"{member}:2" in {
        one["position"] for one in by_rows(path)[0]["recording"].values()
    }
    shown = ok("show", f"mbid:{mbid(2)}", "--raw", path, cwd=place).stdout
    assert "Ann feat. Bob & Cy" in shown
    ok("verify", cwd=place)


def test_a_folder_gives_its_names_where_they_are_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / "dump"
    folder.mkdir()
    file(folder / "names", row(1))
    (folder / "r.csv").write_text(f"recording_mbid,canonical_recording_mbid\n{mbid(1)},{mbid(2)}\n")
    (folder / "README").write_text("read me")
    dump = SOURCE.resolve(Dump([folder], dataset="canonical-data"))
    assert [path.name for path in dump.paths] == ["names"]
    assert SOURCE.resolve(dump) == dump
    other = SOURCE.resolve(Dump([folder]))
    assert (other.dataset, [path.name for path in other.paths]) == ("canonical", ["names", "r.csv"])
    with pytest.raises(Usage) as caught:
        SOURCE.check(Dump([folder / "r.csv"], dataset="canonical-data"))
    assert caught.value.code == "missing-table"


def test_columns_in_another_order_and_unknown_ones_are_named_and_left_out(tmp_path: Path) -> None:
    head = "year,recording_name,artist_mbids,recording_mbid,release_mbid,artist_credit_name,release_name"
    lines = [f'1999,"One, two",{mbid(90)},{mbid(1)},{mbid(50)},Ann,Album\n', f"é,Two,,{mbid(2)},{mbid(50)},Ann,Album\n"]
    path = file(tmp_path / "a.csv", *lines, head=f"\ufeff{head}")
    assert SOURCE.warnings(Dump([path])) == ["a.csv: columns that are not known are left out: year"]
    rows, refused, _ = both(tmp_path, path)
    assert [one["title"] for one in rows["recording"].values()] == ["One, two"]
    assert [one[:2] for one in refused] == [("a.csv:3", "no-key")]


@pytest.mark.parametrize("packed", [False, True])
def test_a_changed_header_stops_the_work_and_says_what_is_needed(tmp_path: Path, packed: bool) -> None:
    data = table(row(1), head=HEAD.replace("recording_name", "title"))
    path = archive(tmp_path / "a.tar", data) if packed else tmp_path / "a.csv"
    if not packed:
        path.write_bytes(data)
    dump = Dump([path], dataset="canonical-data")
    with pytest.raises(Usage) as caught:
        list(SOURCE.records(SOURCE.resolve(dump)))
    assert caught.value.code == "unknown-columns"
    assert "recording_name" in str(caught.value)
    if packed:
        with pytest.raises(Usage) as caught:
            by_columns(tmp_path / "w", path)
        assert caught.value.code == "unknown-columns"


def test_an_archive_without_names(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as tar:
        tar.addfile(tarfile.TarInfo("x/canonical/canonical_recording_redirect.csv"), io.BytesIO(b""))
    for read in (lambda: by_rows(path), lambda: by_columns(tmp_path / "w", path)):
        with pytest.raises(Usage) as caught:
            read()
        assert caught.value.code == "missing-table"


def test_long_cells_and_lines_cost_their_own_row(tmp_path: Path) -> None:
    long = [row(n, "x" * size) for n, size in enumerate((900, 20_000, 131_072, 131_073, LIMITS.line, 9 << 20), 1)]
    wide = row(7, "é" * 60_000)
    spread = row(8, "a\n" * (LIMITS.row // 2))
    path = file(tmp_path / "a.csv", row(20), *long, wide, '"' + "y" * (5 << 20) + "\n", row(21), spread[:1000], "\n")
    rows, refused, _ = both(tmp_path, path)
    assert {one["key"] for one in rows["recording"].values()} == {mbid(n) for n in (1, 2, 3, 7, 20, 21)}
    assert [one[1] for one in refused][:4] == ["bad-row", "long-row", "long-row", "long-row"]


@pytest.mark.parametrize("line", [b'"\n', b'"a\n', b"\xff\n", b'a"b\n', b'","\n', b"\n"])
def test_ten_thousand_odd_lines_take_no_longer_each_than_ten(tmp_path: Path, line: bytes) -> None:
    """What is read again and again would take minutes here."""
    path = file(tmp_path / "a.csv", *[line, row(1).encode()] * 5000, row(2))
    counts = both(tmp_path, path)[2]
    assert counts["rows"] >= 5000


def test_a_file_without_a_final_line_end_or_with_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(table(row(1), row(2)).removesuffix(b"\n"))
    empty = tmp_path / "b.csv"
    empty.write_bytes(table())
    assert both(tmp_path, path, empty)[2]["recordings"] == 2
    assert both(tmp_path, empty)[2]["recordings"] == 0


@pytest.mark.parametrize("seed", range(8))
def test_noise_is_refused_alike_on_both_ways(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    data = bytearray(table(*[row(draw.randrange(90), draw.choice(["a", 'b "c"', "d, e"]), 50 + draw.randrange(9))
                             for _ in range(200)]))  # fmt: skip
    for _ in range(60):
        at = draw.randrange(len(HEAD) + 1, len(data))
        data[at : at + draw.randrange(3)] = draw.choice(
            [b"\n", b'"', b",", b"\r", b"\0", b"\xff", b"\\N", b"A", "\u2028".encode(), b"'", b'""', b"{", b""]
        )
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    both(tmp_path, path, piece=draw.choice([1, 5000, 1 << 28]), chunk=draw.choice([7, 1 << 22]))


def test_an_interrupted_reading_goes_on(tmp_path: Path) -> None:
    path = file(tmp_path / "a.csv", *ROWS)
    first = by_columns(tmp_path / "w", path, piece=1)
    assert by_columns(tmp_path / "w", path, piece=1) == first
    (tmp_path / "w" / "musicbrainz-names.json").unlink()  # as if stopped before all was staged
    (tmp_path / "w" / "names_00001.parquet").unlink()
    (tmp_path / "w" / "names_release.parquet").unlink()
    assert by_columns(tmp_path / "w", path, piece=1) == first


def test_bytes_do_not_depend_on_threads_and_memory(tmp_path: Path) -> None:
    draw = random.Random(3)
    lines = [row(n, f"Song {draw.random()}", 10**6 + draw.randrange(4000),
                 artists=[10**7 + draw.randrange(999)] * (1 + n % 3)) for n in range(20_000)]  # fmt: skip
    path = file(tmp_path / "a.csv", *lines, row(7, "twice"), "odd\n")
    made = []
    for threads, memory in ((1, 1 << 28), (2, 1 << 31), (4, 1 << 29)):
        layout = ArchiveLayout(tmp_path / f"with-{threads}")
        layout.root.mkdir()
        settings = resolve([]).replaced(catalogue__threads=threads, catalogue__memory=memory)
        result = execute(plan(layout, SOURCE, Dump([path]), settings), SILENT)
        assert (result.records, result.refused) == (20_000, 2)
        made.append(generation.load(Places.of(layout)).as_json())
    assert made[0] == made[1] == made[2]


def test_a_whole_credit_stays_whole_in_merged_tables(tmp_path: Path) -> None:
    """By records, so that all tables are made of facts; and where two dumps describe a recording."""
    credit = (Credit("", mbid(90), joined_by="A, B & C"), Credit("", mbid(91)), Credit("", mbid(92)))
    place = tmp_path / "place"
    place.mkdir()
    ok("init", ".", cwd=place)
    record = RecordingRecord(mbid(5), "x:1", "By record", credits=credit)
    ingest_records(ArchiveLayout(place), INFO, "records", "one", [record])
    path = file(tmp_path / "a.csv", row(1, "Alone", artists=(90, 91, 92), credit="A, B & C"),
                row(2, "Both", artists=(90, 91, 92), credit="A, B & C"))  # fmt: skip
    ok("ingest", "musicbrainz", path, cwd=place)
    other = file(tmp_path / "b.csv", row(2, "Both", artists=(90, 91, 92), credit="A, B & C"))
    ok("ingest", "musicbrainz", other, "--dataset", "more", cwd=place)
    told = ok("sql", "SELECT title, artist FROM recordings ORDER BY title", cwd=place).stdout.splitlines()[1:]
    assert told == ["Alone\tA, B & C", "Both\tA, B & C", "By record\tA, B & C"]
    ok("verify", cwd=place)
