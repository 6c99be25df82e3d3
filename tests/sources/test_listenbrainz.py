"""ListenBrainz: the contract, listens counted once, both forms, real samples."""

from __future__ import annotations

import gzip
import io
import json
import random
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from contracts.source_contract import Case, TableContract
from fonoteca.core.errors import Usage
from fonoteca.sources.listenbrainz import ListenBrainz, seconds
from fonoteca.sources.packed import zstd_module
from fonoteca.sources.records import Dump, Duplicate, Record, Ref, Refused, SignalRecord
from fonoteca.sources.tally import Tally

pytestmark = pytest.mark.core
ZSTD: Any = zstd_module()

A = "7133862a-0fd3-4d1c-9cb6-3be5e051af13"
B = "0ca2a698-7280-4b40-a357-ca966bbd3a96"


def listen(user: int | None, at: Any, mbid: str | None, *, mapped: bool = True) -> dict[str, Any]:
    track: dict[str, Any] = {"track_name": "T", "artist_name": "N", "additional_info": {"recording_msid": "m"}}
    if mbid is not None and mapped:
        track["mbid_mapping"] = {"recording_mbid": mbid, "artist_mbids": []}
    elif mbid is not None:
        track["additional_info"]["recording_mbid"] = mbid
    return {"user_id": user, "user_name": None, "listened_at": at, "track_metadata": track}


LISTENS = [
    listen(1, 1578152311, A), listen(1, 1578152312, A.upper()), listen(2, 1578152311, A, mapped=False),
    listen(1, 1578152311, A), listen(1, 1, None), listen(1, 2, B), listen(1, 3, "x"), listen(None, 4, B),
    listen(1, "noon", B),
]  # fmt: skip


def lines(*objects: Any) -> bytes:
    return b"".join(json.dumps(o).encode() + b"\n" for o in objects)


def read(*paths: Path) -> tuple[list[Record], Tally]:
    tally = Tally()
    dump = ListenBrainz().resolve(Dump(paths))
    found = list(tally.watch(ListenBrainz().records(dump)))
    assert tally.rows == tally.references + tally.duplicates + tally.refused
    return found, tally


def counts(found: list[Record], kind: str = "listens") -> dict[str, float]:
    return {r.recording.key: r.signal.value for r in found if isinstance(r, SignalRecord) and r.signal.kind == kind}


def archive(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return target.getvalue()


class TestContract(TableContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        folder = tmp_path / "dump" / "2020"
        folder.mkdir(parents=True)
        (folder / "1.listens").write_bytes(lines(*LISTENS) + b"{broken\n")
        (folder / "2.listens").write_bytes(gzip.compress(lines(LISTENS[5], listen(3, 9, B))))
        (folder.parent / "SCHEMA_SEQUENCE").write_text("2")
        refused = ["no-key", "no-key", "no-key", "bad-json"]
        return Case(ListenBrainz(), Dump([tmp_path / "dump"]), 8, [], 2, refused)


def test_each_listen_is_counted_once(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(lines(*LISTENS))
    found, _ = read(tmp_path / "x")
    assert counts(found) == {A: 3.0, B: 1.0}
    assert counts(found, "listeners") == {A: 2.0, B: 1.0}
    first = next(r for r in found if isinstance(r, SignalRecord) and r.recording.key == A)
    assert (first.recording, first.position) == (Ref("musicbrainz", A), "x:1")
    assert [(r.position, r.key) for r in found if isinstance(r, Duplicate)] == [("x:4", A)]


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    for year in ("2019", "2020"):
        (tmp_path / year).mkdir()
        (tmp_path / year / "1.listens").write_bytes(lines(listen(int(year), 1, A)))
    found, _ = read(tmp_path)
    assert counts(found) == {A: 2.0}
    assert found[0].position == "2019/1.listens:1"


def test_times_are_read_in_all_their_forms() -> None:
    assert seconds(1578152311) == seconds("1578152311") == seconds("2020-01-04T15:38:31") == 1578152311
    assert seconds("2020-01-04T15:38:31+00:00") == 1578152311
    assert [seconds(v) for v in (None, True, "noon", "9" * 400)] == [None] * 4


def test_top_lists_are_summed_over_users(tmp_path: Path) -> None:
    rows = [{"recording_mbid": A, "listen_count": 5}, {"recording_mbid": None, "listen_count": 9},
            {"recording_mbid": A, "listen_count": 5}, {"recording_mbid": B, "listen_count": "many"}]  # fmt: skip
    other = [{"recording_mbid": A, "listen_count": 2}]
    users = [{"user_id": 1, "data": rows}, {"user_id": 2, "data": other}]
    (tmp_path / "t").write_text(json.dumps([{"entity": "recordings", "data": users}]))
    found, tally = read(tmp_path / "t")
    assert counts(found) == {A: 7.0}
    assert (tally.duplicates, tally.refused) == (1, 1)
    (tmp_path / "l").write_bytes(lines(LISTENS[0]))
    with pytest.raises(Usage) as caught:
        ListenBrainz().check(Dump([tmp_path]))
    assert caught.value.code == "several-tables"


class TestContractOfAnArchive(TableContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        dump = archive({
            "d/COPYING": b"CC0", "d/listens/2020/1.listens": lines(*LISTENS) + b"{broken\n", "../x": b"{}",
            "d/listens/2020/2.listens": lines(LISTENS[5], listen(3, 9, B)),
        })  # fmt: skip
        (tmp_path / "dump").write_bytes(ZSTD.compress(dump))
        refused = ["no-key", "no-key", "no-key", "bad-json", "archive-name"]
        return Case(ListenBrainz(), Dump([tmp_path / "dump"]), 9, [], 2, refused)


def test_an_archive_and_its_files_count_the_same(tmp_path: Path) -> None:
    rng = random.Random(4)
    files = {f"listens/2020/{n}.listens": lines(*(listen(rng.randrange(9), rng.randrange(99), rng.choice([A, B]))
                                                 for _ in range(300))) for n in range(4)}  # fmt: skip
    for form in (bytes, gzip.compress, ZSTD.compress):
        (tmp_path / "dump").write_bytes(form(archive(files)))
        found, tally = read(tmp_path / "dump")
        for name, data in files.items():
            (tmp_path / "files" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "files" / name).write_bytes(data)
        other, told = read(tmp_path / "files")
        assert tally.told() == told.told()
        assert [counts(found, kind) for kind in ("listens", "listeners")] == [
            counts(other, kind) for kind in ("listens", "listeners")
        ]
        at = next(r for r in found if isinstance(r, SignalRecord)).position
        assert at.startswith("dump/listens/2020/0.listens:")


def test_the_form_for_spark_in_an_archive(tmp_path: Path, shared_data: Path) -> None:
    folder = shared_data / "listenbrainz" / "spark"
    paths = sorted((folder / "full-dump-1").iterdir())
    (tmp_path / "a.tar").write_bytes(archive({f"dump/{p.name}": p.read_bytes() for p in paths}))
    packed, plain = read(tmp_path / "a.tar"), read(folder / "full-dump-1")
    assert packed[1].told() == plain[1].told()
    assert counts(packed[0]) == counts(plain[0]) != {}
    assert counts(packed[0], "listeners") == counts(plain[0], "listeners")


def test_a_torn_archive_counts_what_came_before(tmp_path: Path) -> None:
    files = {f"{n}.listens": lines(*(listen(m * 7919, m, A) for m in range(n * 3000, n * 3000 + 3000))) for n in (0, 1)}
    whole = ZSTD.compress(archive(files))
    for data in (whole[: len(whole) * 3 // 4], archive(files)[:-2000]):
        (tmp_path / "x").write_bytes(data)
        found, _ = read(tmp_path / "x")
        codes = [r.code for r in found if isinstance(r, Refused)]
        assert codes[-1] == "truncated-file" and set(codes[:-1]) <= {"bad-json"}
        assert 3000 < counts(found)[A] <= 6000


def test_other_archives_are_no_dump(tmp_path: Path) -> None:
    for number, data in enumerate((archive({"a": b"CC0"}), archive({"a": b'{"b": 1}\n'}), archive({"a": b"PAR1"}))):
        (tmp_path / str(number)).write_bytes(data)
        with pytest.raises(Usage) as caught:
            ListenBrainz().check(Dump([tmp_path / str(number)]))
        assert caught.value.code == "not-a-dump"


def test_hostile_lines_are_refused_and_others_counted(tmp_path: Path) -> None:
    bad = [b"[" * 100_000 + b"\n", b'{"user_id": NaN}\n', b'{"user_id": 1, "user_id": 2}\n', b"\xff\xfe\n",
           b'{"listened_at": ' + b"9" * 400 + b"}\n"]  # fmt: skip
    (tmp_path / "x").write_bytes(lines(LISTENS[0]) + b"".join(bad) + lines(LISTENS[5]) + b'{"cut": ')
    found, _ = read(tmp_path / "x")
    assert counts(found) == {A: 1.0, B: 1.0}
    assert [r.code for r in found if isinstance(r, Refused)] == ["bad-json"] * 6


def test_a_truncated_gzip_counts_its_whole_lines(tmp_path: Path) -> None:
    packed = gzip.compress(lines(*(listen(n * 7919, n, A) for n in range(5000))))
    (tmp_path / "x").write_bytes(packed[: len(packed) // 2])
    found, _ = read(tmp_path / "x")
    assert [r.code for r in found if isinstance(r, Refused)] == ["truncated-file"]
    assert 100 < counts(found)[A] < 5000


def test_the_real_parquet_reconciles(shared_data: Path) -> None:
    import pyarrow.parquet as pq

    folder = shared_data / "listenbrainz" / "spark"
    paths = [folder / "full-dump-1", folder / "incremental-dump-2"]
    rows = [row for f in paths for p in sorted(f.iterdir()) for row in pq.read_table(p).to_pylist()]
    matched = [r for r in rows if r["recording_mbid"]]
    unique = {(r["recording_mbid"], r["user_id"], r["listened_at"], r["recording_msid"]) for r in matched}
    found, tally = read(*paths)
    assert len(rows) == 77
    assert counts(found) == Counter(mbid for mbid, *_ in unique)
    assert (tally.refused, tally.duplicates) == (0, len(matched) - len(unique))
    assert sum(counts(found).values()) == len(unique)


@pytest.mark.parametrize(
    "name", ["spark/user_top_recordings_output.json", "web/user_top_recordings_db_data_for_api_test.json"]
)
def test_real_top_lists_reconcile(shared_data: Path, name: str) -> None:
    path = shared_data / "listenbrainz" / name
    blocks = json.loads(path.read_text())
    rows = [row for b in blocks for e in b["data"] for row in e.get("data", [e])]
    expected: Counter[str] = Counter()
    for row in rows:
        if row["recording_mbid"]:
            expected[row["recording_mbid"]] += row["listen_count"]
    found, tally = read(path)
    assert counts(found) == expected
    assert (tally.refused, tally.duplicates) == (0, 0)


@pytest.mark.parametrize(
    "name", ["spark/sitewide_top_artists_all_time.json", "web/missing_musicbrainz_data.json",
             "spark/recording_artist.parquet"]
)  # fmt: skip
def test_other_files_of_listenbrainz_are_none(shared_data: Path, name: str) -> None:
    with pytest.raises(Usage):
        ListenBrainz().check(Dump([shared_data / "listenbrainz" / name]))
