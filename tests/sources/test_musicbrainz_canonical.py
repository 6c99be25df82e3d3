"""MusicBrainz's canonical dump: both ways say the same, of good rows and of hostile ones."""

from __future__ import annotations

import io
import random
import tarfile
import uuid
from pathlib import Path
from typing import Any

import pytest

from contracts.source_contract import Case, TableContract
from fonoteca.catalogue.bulk import Workbench
from fonoteca.catalogue.engine import DEFAULT, connect
from fonoteca.core.errors import Usage
from fonoteca.core.ids import Kind, make_id
from fonoteca.core.progress import SILENT
from fonoteca.sources import musicbrainz_canonical as canonical
from fonoteca.sources.limits import LIMITS
from fonoteca.sources.musicbrainz import MusicBrainz
from fonoteca.sources.musicbrainz_canonical_bulk import CanonicalBulk
from fonoteca.sources.records import Dump, RecordingRecord, Refused, ReleaseRecord
from fonoteca.sources.tally import Tally
from harness import ok

pytestmark = pytest.mark.core

SOURCE = MusicBrainz()
DATA = ",".join(canonical.COLUMNS[canonical.NAMES]) + "\n"
HEAD = {kind: ",".join(canonical.COLUMNS[kind]) for kind in canonical.KINDS}


def mbid(number: int) -> str:
    return str(uuid.UUID(int=number * 7919 + (1 << 120)))


def table(kind: str, *rows: tuple[int, int] | str, head: str | None = None) -> bytes:
    lines = [row if isinstance(row, str) else f"{mbid(row[0])},{mbid(row[1])},{mbid(3)}" for row in rows]
    return "".join(f"{line}\n" for line in (head or HEAD[kind], *lines)).encode("utf-8", "surrogateescape")


def archive(path: Path, **members: bytes) -> Path:
    with tarfile.open(path, "w:xz") as tar:
        files = {"TIMESTAMP": b"2026", "COPYING": b"CC0"} | {f"canonical/{n}.csv": data for n, data in members.items()}
        for name, data in files.items():
            info = tarfile.TarInfo(f"musicbrainz-canonical-dump-2026/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def file(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


Said = tuple[dict[tuple[str, int], tuple[str, str]], list[tuple[str, ...]], dict[str, int]]


def by_lines(*paths: Path) -> Said:
    tally = Tally()
    facts: dict[tuple[str, int], tuple[str, str]] = {}
    refused: list[tuple[str, ...]] = []
    for record in tally.watch(SOURCE.records(SOURCE.resolve(Dump(paths)))):
        match record:
            case Refused():
                refused.append((record.position, record.code, record.reason, record.raw, record.kind))
            case RecordingRecord() | ReleaseRecord():
                kind = Kind.RECORDING if isinstance(record, RecordingRecord) else Kind.RELEASE
                [(scheme, value)] = record.identifiers
                assert scheme == "canonical_mbid"
                facts[kind.word, make_id(kind, "musicbrainz", record.key)] = (value, record.position)
            case _:
                pass
    told = tally.told()
    told["references"], told["recordings"] = told["recordings"], 0  # a record has no other way to tell identifiers
    return facts, refused, told


def by_columns(work: Path, *paths: Path, piece: int = 1 << 28) -> Said:
    files = canonical.find(Dump(paths))
    assert files is not None
    bulk = CanonicalBulk(files, piece)
    work.mkdir(exist_ok=True)
    with connect(DEFAULT) as connection:
        bulk.prepare(Workbench(connection, work), SILENT)
        assert not bulk.tables()
        rows: list[tuple[Any, ...]] = connection.execute(bulk.flat()["identifier"]).fetchall()
        refused = connection.execute(bulk.refusals()).fetchall()
    facts = {(kind, entity): (value, position) for _, value, entity, kind, position in rows}
    assert len(facts) == len(rows)
    assert {scheme for scheme, *_ in rows} <= {"canonical_mbid"}
    counts = {name: n for name, n in bulk.counts().items() if name not in ("tracks", "artists", "synthetic")}
    return facts, refused, counts


def both(tmp_path: Path, *paths: Path, piece: int = 1 << 28) -> Said:
    lines = by_lines(*paths)
    assert by_columns(tmp_path / f"work-{piece}", *paths, piece=piece) == lines
    return lines


ROWS = (
    (1, 2), (4, 2), (1, 2), (1, 5), (6, 6), "no-mbid,x,y", f"{mbid(7)},,", "", f'"{mbid(8)}","{mbid(2)}",""',
    f"{mbid(9).upper()},{mbid(2).upper()},", f"{mbid(10)},{mbid(2)}", f'"{mbid(11)}', f"{mbid(12)},{mbid(2)},\udcff",
    (20, 21), (21, 22), (22, 20), (23, 20), (24, 24), (25, 24), f" {mbid(26)} , {mbid(2)} ,\r",
)  # fmt: skip


class TestContract(TableContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        path = file(tmp_path / "canonical.csv", table("recording", *ROWS))
        keys = [mbid(n) for n in (1, 4, 8, 9, 12, 23, 25, 26)]
        refused = ["key-conflict", "redirect-loop", "no-key", "no-content", "column-count", "open-quote",
                   *["redirect-loop"] * 4]  # fmt: skip
        return Case(SOURCE, Dump([path]), 19, keys, 1, refused)


def test_both_ways_say_the_same_of_each_row(tmp_path: Path) -> None:
    paths = [
        file(tmp_path / "a.csv", table("recording", *ROWS)),
        file(tmp_path / "b.csv", table("release", *ROWS, (1, 77))),
        file(tmp_path / "c.csv", table("recording", (31, 4), (1, 2), (4, 9))),
    ]
    facts, refused, counts = both(tmp_path, *paths)
    assert facts["recording", make_id(Kind.RECORDING, "musicbrainz", mbid(1))] == (mbid(2), "a.csv:2")
    assert facts["release", make_id(Kind.RELEASE, "musicbrainz", mbid(9))] == (mbid(2), "b.csv:11")
    assert ("c.csv:4", "key-conflict", canonical.CONFLICT[1], f"{mbid(4)},{mbid(9)}", "recording") in refused
    assert counts["rows"] == counts["references"] + counts["duplicates"] + counts["refused"] == 22
    assert (counts["releases"], counts["release_duplicates"], counts["release_refused"]) == (8, 1, 11)
    assert both(tmp_path, *paths, piece=1)[0] == facts


def test_the_archive_as_published(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "musicbrainz-canonical-dump-2026.tar.xz", canonical_musicbrainz_data=DATA.encode(),
        canonical_recording_redirect=table("recording", (1, 2), (3, 2)),
        canonical_release_redirect=table("release", (5, 6)),
    )  # fmt: skip
    dump = SOURCE.resolve(Dump([path]))
    assert dump.dataset == "canonical"
    assert {f.licence for f in SOURCE.describe(dump).licences} == {"CC0-1.0"}
    facts, refused, counts = both(tmp_path, path)
    member = f"{path.name}/musicbrainz-canonical-dump-2026/canonical/canonical_release_redirect.csv"
    assert facts["release", make_id(Kind.RELEASE, "musicbrainz", mbid(5))] == (mbid(6), f"{member}:2")
    assert (len(facts), refused, counts["references"], counts["releases"]) == (3, [], 2, 1)


def test_a_folder_stands_for_its_files_whatever_they_are_called(tmp_path: Path) -> None:
    folder = tmp_path / "dump"
    folder.mkdir()
    file(folder / "x", table("recording", (1, 2)))
    file(folder / "data.csv", DATA.encode())
    file(folder / "README", b"read me")
    dump = SOURCE.resolve(Dump([folder]))
    assert [path.name for path in dump.paths] == ["data.csv", "x"]
    assert SOURCE.warnings(dump) == [
        canonical.passed("data.csv"), "there is no canonical_release_redirect.csv: no release gets its canonical MBID",
    ]  # fmt: skip
    assert len(both(tmp_path, folder)[0]) == 1


def test_columns_in_another_order_and_unknown_ones_are_named_and_left_out(tmp_path: Path) -> None:
    head = "score,canonical_recording_mbid,note,recording_mbid"
    rows = [f"7,{mbid(2)},n,{mbid(1)}", f'8,{mbid(2)},"a, b",{mbid(3)}', f"8,{mbid(2)},é,{mbid(4)}"]
    path = file(tmp_path / "a.csv", b"\xef\xbb\xbf" + table("recording", *rows, head=head))
    assert "a.csv: columns that are not known are left out: score, note" in SOURCE.warnings(Dump([path]))
    assert len(both(tmp_path, path)[0]) == 3


def test_a_table_without_its_columns_stops_the_work(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.tar", canonical_recording_redirect=b"recording_mbid,canonical_mbid\n1,2\n")
    with pytest.raises(Usage) as caught:
        by_lines(path)
    assert caught.value.code == "unknown-columns"
    with pytest.raises(Usage) as caught:
        by_columns(tmp_path / "w", path)
    assert caught.value.code == "unknown-columns"


def test_names_alone_say_nothing_of_canonical_mbids(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.tar", canonical_musicbrainz_data=DATA.encode())
    with pytest.raises(Usage) as caught:
        by_lines(path)
    assert caught.value.code == "missing-table"
    with pytest.raises(Usage) as caught:
        by_columns(tmp_path / "w", path)
    assert caught.value.code == "missing-table"


def test_a_column_twice_is_no_dump(tmp_path: Path) -> None:
    path = file(tmp_path / "a.csv", table("recording", head=HEAD["recording"] + ",recording_mbid"))
    with pytest.raises(Usage) as caught:
        SOURCE.check(Dump([path]))
    assert caught.value.code == "not-a-dump"


@pytest.mark.parametrize("size", [1, 2, 3, 8, 1000])
def test_a_loop_of_any_length_is_refused_but_not_what_leads_to_it(tmp_path: Path, size: int) -> None:
    rows: list[tuple[int, int] | str] = [(n, (n + 1) % size) for n in range(size)]
    chain: list[tuple[int, int] | str] = [(2000 + n, 2001 + n) for n in range(size)]  # long, but it ends
    facts, refused, _ = both(tmp_path, file(tmp_path / "a.csv", table("release", *rows, (9999, 0), *chain)))
    assert len(refused) == size
    assert {code for _, code, *_ in refused} == {"redirect-loop"}
    assert len(facts) == size + 1


def test_a_line_that_is_too_long_is_refused_and_the_next_one_read(tmp_path: Path) -> None:
    for size in (LIMITS.line, canonical.BLOCK + LIMITS.line + 10, 3 * canonical.BLOCK + 5):
        long = f"{mbid(1)},{mbid(2)}," + "x" * size
        folder = tmp_path / str(size)
        folder.mkdir()
        facts, refused, _ = both(folder, file(folder / "a.csv", table("recording", (5, 6), long, (7, 8))))
        assert [(r[0], r[1]) for r in refused] == [("a.csv:3", "long-row")]
        assert len(facts) == 2


def test_a_file_without_a_final_line_end_or_with_no_rows(tmp_path: Path) -> None:
    path = file(tmp_path / "a.csv", table("recording", (1, 2)).removesuffix(b"\n"))
    empty = file(tmp_path / "b.csv", table("release").removesuffix(b"\n"))
    assert len(both(tmp_path, path, empty)[0]) == 1


@pytest.mark.parametrize("seed", range(8))
def test_noise_is_refused_alike_on_both_ways(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    data = bytearray(table("recording", *[(draw.randrange(40), draw.randrange(40)) for _ in range(300)]))
    start = len(HEAD["recording"]) + 1
    for _ in range(60):
        at = draw.randrange(start, len(data))
        data[at : at + draw.randrange(3)] = draw.choice(
            [b"\n", b'"', b",", b"\r", b"\0", b"\xff", b"\\N", b"A", "\u2028".encode(), b"'", b""]
        )
    both(tmp_path, file(tmp_path / "a.csv", bytes(data)))


def test_an_interrupted_reading_goes_on(tmp_path: Path) -> None:
    path = file(tmp_path / "a.csv", table("recording", *ROWS))
    first = by_columns(tmp_path / "w", path, piece=1)
    assert by_columns(tmp_path / "w", path, piece=1) == first
    (tmp_path / "w" / "musicbrainz-canonical.json").unlink()  # as if stopped before all was staged
    (tmp_path / "w" / "canonical_00000.parquet").unlink()
    assert by_columns(tmp_path / "w", path, piece=1) == first


def test_canonical_mbids_are_shown_beside_the_recordings(tmp_path: Path) -> None:
    place = tmp_path / "archive"
    place.mkdir()
    ok("init", ".", cwd=place)
    line = f'{{"id": "{mbid(1)}", "title": "Song", "length": 1, "artist-credit": [], "isrcs": []}}\n'
    ok("ingest", "musicbrainz", file(tmp_path / "recording", line.encode()), cwd=place)
    ok("ingest", "musicbrainz", file(tmp_path / "c.csv", table("recording", (1, 2), (3, 2))), cwd=place)
    query = (
        "SELECT r.title, i.value FROM identifiers i JOIN recordings r ON r.id = i.entity_id "
        "WHERE i.scheme = 'canonical_mbid'"
    )
    assert ok("sql", query, cwd=place).stdout.splitlines()[1:] == [f"Song\t{mbid(2)}"]
    assert mbid(2) in ok("show", f"mbid:{mbid(1)}", cwd=place).stdout
    ok("verify", cwd=place)
