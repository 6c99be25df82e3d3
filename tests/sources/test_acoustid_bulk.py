"""AcoustID by columns: what the record way says, whatever the lines hold and wherever they are cut."""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from fonoteca.catalogue import generation
from fonoteca.catalogue.bulk import Workbench
from fonoteca.catalogue.engine import DEFAULT, connect
from fonoteca.catalogue.ingest import execute, plan
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.query import Catalogue
from fonoteca.core.ids import Kind, make_id
from fonoteca.core.progress import SILENT
from fonoteca.core.settings import resolve
from fonoteca.sources import acoustid, acoustid_pieces, acoustid_rows
from fonoteca.sources.acoustid import AcoustId
from fonoteca.sources.acoustid_bulk import PIECE, AcoustIdBulk
from fonoteca.sources.limits import LIMITS
from fonoteca.sources.records import Dump, IdentifierRecord, Refused
from fonoteca.sources.tally import Tally
from simulators.tiny_catalogue import archive
from sources.test_acoustid import HOSTILE_PAIRS, HOSTILE_TRACKS, STAMP, M, pair, track, uuid, written

pytestmark = pytest.mark.core

Said = tuple[list[tuple[Any, ...]], list[tuple[str, ...]], dict[str, int]]


def by_lines(*paths: Path) -> Said:
    source, tally = AcoustId(), Tally()
    facts, refused = [], []
    for record in tally.watch(source.records(source.resolve(Dump(paths)))):
        if isinstance(record, Refused):
            refused.append((record.position, record.code, record.reason, record.raw, record.kind))
        elif isinstance(record, IdentifierRecord):
            entity = make_id(Kind.RECORDING, record.recording.source, record.recording.key)
            facts += [(*told, "recording", record.position, entity) for told in record.identifiers]
    return sorted(facts), refused, tally.told()


def by_columns(work: Path, *paths: Path, piece: int = PIECE) -> Said:
    source = AcoustId()
    bulk = source.bulk(source.resolve(Dump(paths)))
    assert isinstance(bulk, AcoustIdBulk)
    bulk.piece = piece
    work.mkdir(exist_ok=True)
    with connect(DEFAULT) as connection:
        bulk.prepare(Workbench(connection, work), SILENT)
        assert not bulk.tables()
        facts = connection.execute(bulk.flat()["identifier"]).fetchall()
        refused = connection.execute(bulk.refusals()).fetchall()
    counts = {name: n for name, n in bulk.counts().items() if name not in ("tracks", "artists", "synthetic")}
    return sorted(facts), refused, counts


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acoustid, "SMALLEST", 0)


def both(tmp_path: Path, *paths: Path, pieces: Sequence[int] = (PIECE,)) -> Said:
    lines = by_lines(*paths)
    for piece in pieces:
        assert by_columns(tmp_path / f"work-{piece}", *paths, piece=piece) == lines
    counts = lines[2]
    assert counts["rows"] == counts["references"] + counts["duplicates"] + counts["refused"]
    return lines


TRACKS = [track(1), track(2, new_id=1), track(3), track(4, new_id=2), track(5, new_id=5), track(6, new_id=7),
          track(7, new_id=6), track(8, new_id=6), track(9, new_id=77), track(10, uuid(3)),
          track(11, uuid(1).upper())]  # fmt: skip


def test_all_that_can_be_said_of_a_pair(tmp_path: Path) -> None:
    numbers = [1, 4, 2, 1, 3, 10, 11, 5, 6, 8, 9, 99]
    facts, refused, counts = both(
        tmp_path,
        written(tmp_path, "2026-01-01-track-update.jsonl.gz", *TRACKS),
        written(tmp_path, "2026-01-02-track-update.jsonl.gz", track(3, new_id=4), track(7, new_id=6)),
        written(tmp_path, "2026-01-01-track_mbid-update.jsonl.gz", *(pair(n, M[1]) for n in numbers), pair(3, M[2])),
        written(tmp_path, "2026-01-02-track_mbid-update.jsonl.gz", pair(1, M[1].upper()), pair(3, M[2], disabled=True),
                pair(2, M[3], disabled=False)),
        pieces=(PIECE, 1),
    )  # fmt: skip
    assert {code for _, code, *_ in refused} == {"disabled-pair", "dangling-reference", "redirect-loop"}
    assert counts["duplicates"] > 3
    assert {(v, p) for s, v, k, p, e in facts if v == uuid(4)} == {
        (uuid(4), "2026-01-01-track_mbid-update.jsonl.gz:2"), (uuid(4), "2026-01-02-track_mbid-update.jsonl.gz:3"),
    }  # fmt: skip


@pytest.mark.parametrize("row", HOSTILE_PAIRS)
def test_a_hostile_pair(row: Any, tmp_path: Path) -> None:
    tracks = written(tmp_path, "2026-01-01-track-update.jsonl.gz", track(1))
    pairs = written(tmp_path, "2026-01-01-track_mbid-update.jsonl.gz", pair(1, M[2]), row, pair(1, M[3]))
    assert len(both(tmp_path, tracks, pairs)[1]) == 1


@pytest.mark.parametrize("row", HOSTILE_TRACKS)
def test_a_hostile_track(row: Any, tmp_path: Path) -> None:
    tracks = written(tmp_path, "2026-01-01-track-update.jsonl.gz", track(9), row)
    pairs = written(tmp_path, "2026-01-01-track_mbid-update.jsonl.gz", pair(9, M[1]))
    assert both(tmp_path, tracks, pairs)[2]["release_refused"] == 1


ODD = [
    b"", b"  \t", b"\xef\xbb\xbf" + json.dumps(pair(1, M[2])).encode(), b"\r\r", b"{}\r", b"\0",
    json.dumps(pair(1, M[3])).encode() + b"\r", b'{"track_id":1,"mbid":"' + M[4].encode() + b'"}\r{"track_id":1',
    b'{"mbid":"http://musicbrainz.org/recording/' + M[5].encode() + b'", "track_id" : 1}',
    b'{"track_id":1,"mbid":"' + M[6].encode() + b'","x":{"track_id":2}}', b"-" * (LIMITS.line + 1),
    b'{"track_id":1,"mbid":"' + M[7].encode() + b'","x":"\xff\\u0000\xe2\x80\xa8"}',
    b"{" + b" " * (2 * acoustid_pieces.BLOCK),
    b'{"track_id":1,"mbid":"' + M[8].encode() + b'","submission_count":' + b"9" * 101 + b"}",
    b'{"track_id":1,"mbid":"' + M[8].encode() + b'","submission_count":01,"created":""}',
    b'{"track_id":9223372036854775807,"mbid":"' + M[8].encode() + b'","disabled":true}',
]  # fmt: skip


@pytest.mark.parametrize("at", range(len(ODD)))
def test_odd_lines_keep_the_numbers_of_those_behind_them(at: int, tmp_path: Path) -> None:
    tracks = written(tmp_path, "2026-01-01-track-update.jsonl.gz", track(1))
    name = "2026-01-01-track_mbid-update.jsonl"
    pairs = written(tmp_path, name, pair(1, M[0]), pair(1, M[1]), ODD[at], pair(1, M[2]), pair(1, M[3]))
    both(tmp_path, tracks, pairs)
    for number, end in enumerate((b"", b"\r")):
        folder = tmp_path / str(number)
        folder.mkdir()
        plain = folder / "2026-01-02-pairs"
        plain.write_bytes(b'{"track_id":3,"mbid":"' + M[9].encode() + b'"}\n' + ODD[at] + end)
        both(folder, tracks, plain, pairs)


@pytest.mark.parametrize("tail", [b"", b"\n", b"  ", b"x\r", b"\r \t", b"y" * (LIMITS.line + 9), b'{"track_id":1}'])
def test_a_torn_file(tail: bytes, tmp_path: Path) -> None:
    tracks = written(tmp_path, "2026-01-01-track-update.jsonl.gz", track(1))
    whole = [json.dumps(pair(1, uuid(n, "c"))).encode() for n in range(50)]
    torn = tmp_path / "2026-01-02-pairs.gz"
    with torn.open("wb") as stream:
        # Whole blocks, then a stream that ends in the middle.
        packer = zlib.compressobj(6, wbits=31)
        stream.write(packer.compress(b"\n".join([*whole, tail])) + packer.flush(zlib.Z_SYNC_FLUSH))
    later = written(tmp_path, "2026-01-03-track_mbid-update.jsonl.gz", pair(1, M[1]), pair(7, M[1]))
    assert "truncated-file" in {code for _, code, *_ in both(tmp_path, tracks, torn, later)[1]}


@pytest.mark.parametrize("seed", range(3))
def test_a_random_dump_with_noise(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    paths = []
    for day in range(4):
        tracks = [track(draw.randrange(1, 60), draw.choice([None, uuid(draw.randrange(9), "d")]),
                        draw.choice([None, None, draw.randrange(1, 70)])) for _ in range(60)]  # fmt: skip
        pairs = [pair(draw.randrange(1, 60), uuid(draw.randrange(40), "b"), **draw.choice(MORE)) for _ in range(300)]
        paths.append(written(tmp_path, f"2026-01-0{day}-track-update.jsonl.gz", *tracks))
        data = bytearray(gzip.decompress(written(tmp_path, "pairs", *pairs).read_bytes()))
        for _ in range(day * 20):
            at = draw.randrange(600, len(data))
            data[at : at + draw.randrange(3)] = draw.choice(NOISE)
        paths.append(tmp_path / f"2026-01-0{day}-track_mbid-update.jsonl")
        paths[-1].write_bytes(data)
    (tmp_path / "pairs").unlink()
    facts, refused, _ = both(tmp_path, *paths, pieces=(PIECE, 1))
    assert len(facts) > 100
    assert len(refused) > 100


MORE: list[dict[str, Any]] = [{}, {"disabled": True}, {"disabled": False, "updated": STAMP}, {"updated": None}]
NOISE = [b"\n", b'"', b",", b"\r", b"\0", b"\xff", b"\\", b"A", "\u2028".encode(), b"{", b"}", b":", b"1", b"0", b""]


def test_lines_like_one_that_was_seen_are_not_looked_at_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone: list[object] = []

    def meaning(kind: str, row: Any) -> Any:
        alone.append(row.position)
        return acoustid_rows.meaning(kind, row)

    monkeypatch.setattr(acoustid_pieces, "meaning", meaning)
    pairs = [pair(n, M[n % 9], **MORE[n % 4]) for n in range(1, 400)]
    tracks = [track(n, new_id=n % 3 or None) for n in range(1, 400)]
    paths = [written(tmp_path, "2026-01-01-track-update.jsonl", *tracks),
             written(tmp_path, "2026-01-01-track_mbid-update.jsonl", *pairs)]  # fmt: skip
    by_columns(tmp_path / "w", *paths)
    assert len(alone) < 20


def test_an_interrupted_reading_goes_on(tmp_path: Path) -> None:
    paths = [written(tmp_path, "2026-01-01-track-update.jsonl.gz", *TRACKS),
             written(tmp_path, "2026-01-01-track_mbid-update.jsonl.gz", pair(1, M[1]), pair(9, M[2]), b"{"),
             ]  # fmt: skip
    first = by_columns(tmp_path / "w", *paths, piece=1)
    assert by_columns(tmp_path / "w", *paths, piece=1) == first
    (tmp_path / "w" / "acoustid.json").unlink()  # as if stopped before all was staged
    for name in ("acoustid_track_mbid_00001", "acoustid_pair", "acoustid_told"):
        (tmp_path / "w" / f"{name}.parquet").unlink(missing_ok=True)
    assert by_columns(tmp_path / "w", *paths, piece=1) == first


def test_chains_of_any_length_are_followed(tmp_path: Path) -> None:
    size = 300
    facts, refused, _ = both(
        tmp_path,
        written(tmp_path, "2026-01-01-track-update.jsonl.gz", *(track(n, new_id=n + 1) for n in range(1, size)),
                track(size), *(track(size + n, new_id=size + 1 + n % 100) for n in range(1, 101))),
        written(tmp_path, "2026-01-01-track_mbid-update.jsonl.gz", pair(1, M[1]), pair(size + 5, M[2])),
    )  # fmt: skip
    assert len(facts) == size
    assert [code for _, code, *_ in refused] == ["redirect-loop"]


def test_a_large_dump_is_read_by_columns_and_found(tmp_path: Path) -> None:
    layout = archive(tmp_path / "archive")
    paths = [written(tmp_path, "2026-01-01-track-update.jsonl.gz", track(1), track(2, new_id=1)),
             written(tmp_path, "2026-01-01-track_mbid-update.jsonl.gz", pair(2, M[1]), pair(9, M[2]))]  # fmt: skip
    source = AcoustId()
    result = execute(plan(layout, source, source.resolve(Dump(paths)), resolve([])))
    assert (result.read, result.records, result.refused) == (2, 1, 1)
    assert generation.load(Places.of(layout)).direct("identifier")
    assert result.quarantine is not None
    assert "dangling-reference" in (layout.root / result.quarantine).read_text("utf-8")
    with Catalogue.open(layout) as catalogue:
        wanted = (Kind.RECORDING, make_id(Kind.RECORDING, "musicbrainz", M[1]))
        assert [catalogue.resolve(f"acoustid:{uuid(n)}") for n in (1, 2)] == [[wanted], [wanted]]


def test_a_small_dump_goes_record_by_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    paths = [written(tmp_path, "2026-01-01-track-update.jsonl.gz", track(1))]
    assert AcoustId().bulk(AcoustId().resolve(Dump(paths))) is None


GROWN = """
import resource, sys
from pathlib import Path
from fonoteca.catalogue.bulk import Workbench
from fonoteca.catalogue.engine import Engine, connect
from fonoteca.core.progress import SILENT
from fonoteca.sources import acoustid
from fonoteca.sources.records import Dump
acoustid.SMALLEST = 0
folder, work = map(Path, sys.argv[1:])
source = acoustid.AcoustId()
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with connect(Engine(memory=128 << 20), work) as connection:
    connection.execute("SELECT 1").fetchall()
    before = peak()
    bulk = source.bulk(source.resolve(Dump([folder])))
    bulk.piece = 4 << 20
    bulk.prepare(Workbench(connection, work), SILENT)
    assert bulk.counts()["references"] == 300_000, bulk.counts()
print(peak() - before)
"""


def test_memory_does_not_grow_with_the_pairs(tmp_path: Path) -> None:
    folder, work = tmp_path / "dump", tmp_path / "work"
    folder.mkdir()
    work.mkdir()
    each = range(1, 300_001)
    for name, row in (("track", '{{"id":{0},"gid":"aaaaaaaa-0000-4000-8000-{0:012}"}}\n'),
                      ("track_mbid", '{{"track_id":{0},"mbid":"bbbbbbbb-0000-4000-8000-{0:012}"}}\n')):  # fmt: skip
        (folder / f"2026-01-01-{name}-update.jsonl").write_text("".join(map(row.format, each)))
    done = subprocess.run([sys.executable, "-c", GROWN, folder, work], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # Record by record it is more than 200 MB.
    assert int(done.stdout) < 150 << 10
