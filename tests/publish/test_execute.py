"""Whole publishing runs over a small archive of real files."""

from __future__ import annotations

import atexit
import datetime
import functools
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from fonoteca.archive.holdings import Holdings
from fonoteca.core.clock import FixedClock
from fonoteca.core.layout import ArchiveLayout, PublicationLayout
from fonoteca.formats import manifest, metainfo, pack, torrents
from harness import START, Ran, fonoteca, ok
from simulators import small_archive
from simulators.small_archive import fresh, take_in, tree, write_listens, write_music

pytestmark = pytest.mark.core

KILLER = Path(__file__).with_name("killed.py")


def publish(archive: Path, *words: str, days: int = 0) -> Ran:
    clock = FixedClock(START + datetime.timedelta(days=days))
    return ok("--archive", archive, "--json", "publish", *words, cwd=archive, clock=clock)


def rights(archive: Path, action: str, recording: str) -> None:
    ok("--archive", archive, "rights", action, recording, "--reason", "a test", cwd=archive)


def rows(archive: Path, edition: int, table: str) -> list[dict[str, object]]:
    path = PublicationLayout(archive / "publication").edition(edition) / f"{table}.parquet"
    found: list[dict[str, object]] = pq.read_table(path).to_pylist()
    return found


def public(archive: Path) -> dict[str, str]:
    return tree(archive / "publication")


def shown(row: dict[str, object]) -> str:
    return f"sha256:{row['blob_sha256']}"


def test_the_first_edition_holds_what_was_cleared(tmp_path: Path) -> None:
    archive = fresh(tmp_path)
    ran = publish(archive)
    assert ran.json["recordings"] == 12
    assert ran.json["packs"]["added"] == len(rows(archive, 1, "packs")) > 4
    locator = rows(archive, 1, "locator")
    music = {hashlib.sha256(p.read_bytes()).hexdigest(): p.read_bytes() for p in (tmp_path / "music").glob("*.wav")}
    places = {
        p["id"]: archive / "publication/packs" / str(p["volume"]) / f"{p['id']}.r0.tar"
        for p in rows(archive, 1, "packs")
    }
    for row in locator:
        data = places[row["pack"]].read_bytes()
        offset, length = int(str(row["offset"])), int(str(row["bytes"]))
        assert data[offset : offset + length] == music.pop(str(row["blob_sha256"]))
    assert not music
    assert {str(r["licence"]) for r in locator if "nc" in str(places[r["pack"]].parent)} == {"CC-BY-NC-4.0"}
    assert set(Counter(r["tier"] for r in locator)) == {"head", "mid", "tail", "unheard"}


def test_the_run_does_what_the_plan_says(tmp_path: Path) -> None:
    archive = fresh(tmp_path)
    before = tree(archive)
    planned = publish(archive, "--plan").json
    assert tree(archive) == before
    ran = publish(archive)
    assert [line for line in ran.lines if line["message_type"] == "plan"] == [planned]
    done = {k: v for k, v in ran.json.items() if k not in {"message_type", "expires"}}
    assert {k: planned[k] for k in done} == done
    written = {p.name: p.stat().st_size for p in (archive / "publication/packs").rglob("*.tar")}
    assert written == {f"{a['pack']}.r0.tar": a["bytes"] for a in planned["add"]}


def test_every_file_of_the_edition_is_named_by_its_digest(tmp_path: Path) -> None:
    archive = fresh(tmp_path)
    publish(archive)
    folder = archive / "publication/editions/0001"
    edition = manifest.parse((folder / "edition.json").read_bytes())
    assert {ref.path for ref in edition.files} == {
        p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()
    } - {"edition.json"}
    for ref in edition.files:
        assert hashlib.sha256((folder / ref.path).read_bytes()).hexdigest() == ref.sha256
    for ref in edition.torrents:
        assert hashlib.sha256((archive / "publication" / ref.path).read_bytes()).hexdigest() == ref.sha256
    assert edition.totals["published"] == 12
    assert edition.coverage["share"]["published"]["value"] == 1.0
    assert sum(float(str(p["coverage"])) for p in rows(archive, 1, "packs")) == pytest.approx(1.0)


def test_torrents_are_whole_unpadded_and_metadata_comes_first(tmp_path: Path) -> None:
    archive = fresh(tmp_path)
    publish(archive)
    publication = archive / "publication"
    listed = torrents.parse((publication / "editions/0001/torrents.json").read_bytes())
    kinds = [t.kind for t in listed]
    assert kinds == sorted(kinds, key=["snapshot", "volume"].index)
    assert [t.tier for t in listed if t.kind == "volume"] == sorted(
        (t.tier for t in listed if t.kind == "volume"), key=["head", "mid", "tail", "unheard"].index
    )
    assert {p.name for p in (publication / "torrents").glob("*.torrent")} == {f"{t.name}.torrent" for t in listed}
    for info in listed:
        made = metainfo.parse((publication / info.path).read_bytes())
        assert not made.has_pad_files
        assert (made.infohash_v1, made.infohash_v2, made.length) == (info.infohash_v1, info.infohash_v2, info.bytes)
        content = publication / info.content
        found = [content] if made.single_file else [content / entry.path[0] for entry in made.files]
        assert [p.stat().st_size for p in found] == [entry.length for entry in made.files]
        seed = f"http://127.0.0.1:8000/{info.content}" if made.single_file else "http://127.0.0.1:8000/packs/"
        assert made.web_seeds == (seed,)
    libtorrent = pytest.importorskip("libtorrent")
    assert {p.name for p in (publication / "torrents/v1").iterdir()} == {f"{t.name}.torrent" for t in listed}
    for info in listed:
        twin = publication / str(info.v1_path)
        metainfo.check_twin(metainfo.parse((publication / info.path).read_bytes()), twin.read_bytes())
        assert str(libtorrent.torrent_info(str(twin)).info_hashes().v1) == info.v1_infohash
        read = libtorrent.torrent_info(str(publication / info.path))
        assert str(read.info_hashes().v1) == info.infohash_v1
        assert str(read.info_hashes().v2) == info.infohash_v2


def test_gnu_tar_reads_every_pack_silently(tmp_path: Path, need_tool: object) -> None:
    assert callable(need_tool)
    tar = need_tool("tar")
    archive = fresh(tmp_path)
    publish(archive)
    rights(archive, "withdraw", shown(rows(archive, 1, "locator")[0]))
    publish(archive)
    for path in (archive / "publication/packs").rglob("*.tar"):
        listed = subprocess.run([tar, "tf", path], capture_output=True, text=True, check=True)
        assert listed.stderr == ""
        out = tmp_path / "out" / path.stem
        out.mkdir(parents=True)
        assert subprocess.run([tar, "xf", path, "-C", out], capture_output=True, check=True).stderr == b""
        with path.open("rb") as stream:
            entries = list(pack.read(stream))
        for entry in entries:
            assert hashlib.sha256((out / entry.path).read_bytes()).hexdigest() == entry.sha256


def test_a_second_run_writes_nothing(tmp_path: Path) -> None:
    archive = fresh(tmp_path)
    publish(archive)
    before = {p: p.stat().st_mtime_ns for p in archive.rglob("*") if p.name != ".lock"}
    ran = publish(archive, days=3)
    assert ran.json["changed"] is False
    assert ran.json["edition"] == 1
    assert ran.json["bytes"]["new"] == 0
    assert {p: p.stat().st_mtime_ns for p in archive.rglob("*") if p.name != ".lock"} == before


def test_the_pack_becomes_the_store(tmp_path: Path) -> None:
    archive = fresh(tmp_path)
    publish(archive)
    assert not [p for p in (archive / "blobs").rglob("*") if p.is_file()]
    holdings = Holdings.open(ArchiveLayout(archive))
    assert len(holdings.places()) == 12
    for blob in holdings.blobs():
        assert holdings.store().digest(blob) == blob


def test_a_second_edition_keeps_the_packs_of_the_first(tmp_path: Path) -> None:
    archive = fresh(tmp_path)
    publish(archive)
    first = tree(archive / "publication/packs")
    old = (archive / "publication/editions/0001/edition.json").read_bytes()
    more = tmp_path / "more"
    write_music(more, range(12, 16))
    take_in(archive, more)
    ran = publish(archive, days=1)
    assert ran.json["packs"]["superseded"] == 0
    assert ran.json["packs"]["kept"] == len(first)
    assert first.items() <= tree(archive / "publication/packs").items()
    second = manifest.parse((archive / "publication/editions/0002/edition.json").read_bytes())
    assert second.previous == hashlib.sha256(old).hexdigest()
    states = Counter(p["state"] for p in rows(archive, 2, "packs"))
    assert states == {"kept": len(first), "added": ran.json["packs"]["added"]}
    assert publish(archive).json["changed"] is False


def _windows(data: bytes) -> list[bytes]:
    """Samples of 64 bytes from all over a file, its header left out."""
    return [data[i : i + 64] for i in range(64, len(data) - 64, 997)]


def test_no_byte_of_what_was_withdrawn_is_published_any_more(tmp_path: Path) -> None:
    archive = fresh(tmp_path)
    publish(archive)
    gone = rows(archive, 1, "locator")[4]
    original = next(
        p
        for p in (tmp_path / "music").glob("*.wav")
        if hashlib.sha256(p.read_bytes()).hexdigest() == gone["blob_sha256"]
    ).read_bytes()
    everything = b"".join(p.read_bytes() for p in sorted((archive / "publication").rglob("*")) if p.is_file())
    assert all(window in everything for window in _windows(original))
    rights(archive, "withdraw", shown(gone))
    ran = publish(archive, days=1)
    assert ran.json["packs"]["superseded"] == 1
    everything = b"".join(p.read_bytes() for p in sorted((archive / "publication").rglob("*")) if p.is_file())
    assert not any(window in everything for window in _windows(original))
    status = {r["recording_id"]: r["status"] for r in rows(archive, 2, "ledger")}
    assert status[gone["recording_id"]] == "withdrawn"
    assert gone["recording_id"] not in {r["recording_id"] for r in rows(archive, 2, "locator")}
    assert gone["recording_id"] not in {r["recording_id"] for r in rows(archive, 2, "credits")}
    kept = archive / "blobs" / str(gone["blob_sha256"])[:2] / str(gone["blob_sha256"])[2:4] / str(gone["blob_sha256"])
    assert kept.read_bytes() == original
    assert publish(archive).json["changed"] is False


def test_every_current_torrent_completes_after_a_withdrawal(tmp_path: Path) -> None:
    archive = fresh(tmp_path)
    publish(archive)
    rights(archive, "withdraw", shown(rows(archive, 1, "locator")[4]))
    publish(archive)
    publication = archive / "publication"
    listed = torrents.parse((publication / "editions/0002/torrents.json").read_bytes())
    gone = [t for t in listed if not t.current]
    assert [t.superseded_by in {n.name for n in listed if n.current} for t in gone] == [True]
    assert not (publication / gone[0].path).exists()
    assert not (publication / gone[0].content).exists()
    for info in (t for t in listed if t.current and t.kind == "volume"):
        made = metainfo.parse((publication / info.path).read_bytes())
        for entry in made.files:
            data = (publication / info.content / entry.path[0]).read_bytes()
            pieces = [data[i : i + made.piece_length] for i in range(0, len(data), made.piece_length)]
            assert [hashlib.sha1(p, usedforsecurity=False).digest() for p in pieces] == list(entry.sha1_pieces)


def test_another_piece_length_changes_new_packs_only(tmp_path: Path) -> None:
    archive = fresh(tmp_path)
    publish(archive)
    rights(archive, "withdraw", shown(rows(archive, 1, "locator")[4]))
    write_music(tmp_path / "more", range(12, 14))
    take_in(archive, tmp_path / "more")
    ok("--archive", archive, "publish", cwd=archive, variables={"FONOTECA_PUBLISH_PIECE_LENGTH": "65536"})
    listed = torrents.parse((archive / "publication/editions/0002/torrents.json").read_bytes())
    current = [t for t in listed if t.current and t.kind == "volume"]
    made = {t.name: metainfo.parse((archive / "publication" / t.path).read_bytes()) for t in current}
    assert {m.piece_length for m in made.values()} == {16_384, 65_536}
    assert {made[t.superseded_by].piece_length for t in listed if t.superseded_by} == {16_384}


def test_a_torrent_file_that_was_changed_stops_the_next_edition(tmp_path: Path) -> None:
    archive = fresh(tmp_path)
    publish(archive)
    rights(archive, "withdraw", shown(rows(archive, 1, "locator")[4]))
    path = next((archive / "publication/torrents").glob("head-*.torrent"))
    path.write_bytes(path.read_bytes().replace(b"4:name", b"4:nome"))
    ran = fonoteca("--archive", archive, "--json", "publish", cwd=archive)
    assert (ran.json["code"], ran.code) == ("edition-damaged", 4)


def test_the_folders_hold_exactly_what_is_current_and_verify_is_clean(tmp_path: Path) -> None:
    archive = fresh(tmp_path)
    publish(archive)
    rights(archive, "withdraw", shown(rows(archive, 1, "locator")[4]))
    publish(archive)
    publication = archive / "publication"
    listed = torrents.parse((publication / "editions/0002/torrents.json").read_bytes())
    assert {p.name for p in (publication / "torrents").glob("*.torrent")} == {
        f"{t.name}.torrent" for t in listed if t.current
    }
    current = [p for p in rows(archive, 2, "packs") if p["state"] != "superseded"]
    assert {p.relative_to(publication / "packs").as_posix() for p in (publication / "packs").rglob("*.tar")} == {
        f"{p['volume']}/{p['id']}.r{p['revision']}.tar" for p in current
    }
    ran = ok("--archive", archive, "--json", "verify", cwd=archive)
    assert ran.json["damaged"] == 0
    assert ran.items() == []


def test_what_is_restored_comes_back_in_a_new_pack(tmp_path: Path) -> None:
    archive = fresh(tmp_path)
    publish(archive)
    back = rows(archive, 1, "locator")[4]
    rights(archive, "withdraw", shown(back))
    publish(archive)
    rights(archive, "restore", shown(back))
    ran = publish(archive)
    assert ran.json["packs"]["added"] == 1
    (row,) = [r for r in rows(archive, 3, "locator") if r["blob_sha256"] == back["blob_sha256"]]
    assert row["pack"] != back["pack"]
    assert not [p for p in (archive / "blobs").rglob("*") if p.is_file()]
    assert len(Holdings.open(ArchiveLayout(archive)).places()) == 12


def test_a_withdrawal_between_plan_and_run_stops_it(tmp_path: Path) -> None:
    from fonoteca.catalogue.engine import Engine
    from fonoteca.core.errors import RightsRefused
    from fonoteca.core.settings import resolve
    from fonoteca.publish import gather, keys
    from fonoteca.publish.execute import execute
    from fonoteca.publish.prepare import prepare
    from fonoteca.publish.workshop import Workshop
    from fonoteca.rights.of_archive import open_rights

    archive = fresh(tmp_path)
    layout = ArchiveLayout(archive)
    with open_rights(layout, "all") as found:
        assert found.catalogue is not None
        gate = found.gate()
        world = gather.world(layout, found.holdings, found.catalogue, gate, found.log.current())
        prepared = prepare(layout.publication, world, gather.options(resolve([])))
        assert len(prepared.plan.located) == 12
        rights(archive, "withdraw", f"sha256:{prepared.plan.located[0].blob}")
        shop = Workshop(layout, gate, found.holdings, keys.load(layout.keys), gather.covers(found.catalogue), Engine())
        with pytest.raises(RightsRefused):
            execute(prepared, shop, START)
    assert not list((archive / "publication/packs").rglob("*.tar"))
    assert layout.publication.edition_numbers() == []


def _built(folder: Path, keys: Path | None, workers: int, order: list[int], zone: str) -> dict[str, str]:
    music, archive = folder / "music", folder / "archive"
    write_music(music)
    write_listens(music)
    small_archive.new_archive(archive, folder)
    if keys is not None:
        shutil.rmtree(archive / "keys")
        shutil.copytree(keys, archive / "keys")
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    try:
        for n in order:
            ok("--archive", archive, "intake", music / f"{n:02d}.wav", "--claims", music / "claims.csv", cwd=music)
        take_in(archive, music)
        ok("--archive", archive, "publish", cwd=archive, variables={"FONOTECA_PUBLISH_WORKERS": str(workers)})
    finally:
        os.environ.pop("TZ")
        if before is not None:
            os.environ["TZ"] = before
        time.tzset()
    return public(archive)


def test_the_same_inputs_give_the_same_bytes_anywhere(tmp_path: Path) -> None:
    one = _built(tmp_path / "one", None, 1, [], "UTC")
    order = list(range(small_archive.COUNT))
    random.Random(5).shuffle(order)
    two = _built(tmp_path / "a b" / "zwei", tmp_path / "one/archive/keys", 4, order[:4], "Asia/Kathmandu")
    assert one == two
    assert sum(name.endswith(".torrent") for name in one) > 9


def test_source_date_epoch_is_the_time_of_the_edition(tmp_path: Path) -> None:
    archive = fresh(tmp_path)
    ok("--archive", archive, "publish", cwd=archive, variables={"SOURCE_DATE_EPOCH": "1000000000"})
    edition = manifest.parse((archive / "publication/editions/0001/edition.json").read_bytes())
    assert edition.created == "2001-09-09T01:46:40Z"


def _killed_at(archive: Path, call: int) -> int:
    return subprocess.run(
        [sys.executable, str(KILLER), str(archive), str(call)], check=False, capture_output=True
    ).returncode


def _books(archive: Path) -> dict[str, str]:
    """All that counts: what is public, the ledgers, the loose blobs; not the log of jobs, which tells of the kill."""
    return tree(archive / "publication", archive / "holdings", archive / "blobs", archive / "catalogue")


@functools.cache
def _before_the_kill() -> tuple[Path, dict[str, str]]:
    """An archive that has published, withdraws one recording and adds some: the longest way through the code. With
    it, what a run that nobody disturbs makes of it."""
    home = Path(tempfile.mkdtemp(prefix="fonoteca-test-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    archive = fresh(home / "before")
    publish(archive)
    rights(archive, "withdraw", shown(rows(archive, 1, "locator")[4]))
    write_music(home / "before/more", range(12, 15))
    take_in(archive, home / "before/more")
    shutil.copytree(archive, home / "clean/archive")
    assert publish(home / "clean/archive").json["edition"] == 2
    return archive, _books(home / "clean/archive")


POINTS = [3, 25, 60, 110, 160, 205, 235, 250, 262, 275]


@pytest.mark.parametrize("call", POINTS)
def test_killed_anywhere_the_next_run_ends_in_the_same_bytes(call: int, tmp_path: Path) -> None:
    _compare_with_clean_run(call, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("call", range(1, 300))
def test_killed_at_every_single_point(call: int, tmp_path: Path) -> None:
    _compare_with_clean_run(call, tmp_path)


def _compare_with_clean_run(call: int, tmp_path: Path) -> None:
    before, clean = _before_the_kill()
    archive = tmp_path / "archive"
    shutil.copytree(before, archive)
    code = _killed_at(archive, call)
    assert code in {-signal.SIGKILL, 0}
    begun = b'"publish"' in (archive / "jobs/jobs.jsonl").read_bytes().splitlines()[-1]
    publish(archive, days=2 if begun and code else 0)
    assert _books(archive) == clean
    assert publish(archive, days=9).json["changed"] is False
