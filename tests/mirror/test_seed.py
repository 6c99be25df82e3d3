"""Seeding what a publication folder holds: whole volumes, parts of them, tables, and nothing that was withdrawn."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from fonoteca.core.clock import rfc3339
from fonoteca.core.errors import NetworkFailed
from fonoteca.core.ids import Kind, show_id
from fonoteca.core.layout import PublicationLayout
from fonoteca.formats import metainfo
from fonoteca.formats.withdrawals import Withdrawal, WithdrawalList
from fonoteca.mirror.fetch_torrent import Swarm, Volume
from fonoteca.mirror.seed import Seeder
from fonoteca.mirror.session import open_session, parameters
from simulators.tiny_publication import NOW, TinyPublisher

pytestmark = pytest.mark.core


def leech(seeder: Seeder, torrent: Path, files: set[str], out: Path, seconds: float = 10) -> set[str]:
    """Fetch files of a torrent from a seeder; the names of those that came."""
    data = torrent.read_bytes()
    meta = metainfo.parse(data)
    swarm = Swarm(out, (("127.0.0.1", seeder.port),), seconds, "127.0.0.1:0")
    swarm.fetch(Volume(data, meta, files), lambda _: None, lambda _: None, threading.Event())
    return {p.name for p in out.rglob("*") if p.is_file()}


@pytest.fixture
def publisher(tmp_path: Path) -> TinyPublisher:
    made = TinyPublisher(tmp_path / "publication", tmp_path / "keys")
    made.add(100_000)
    made.add(200_000)
    made.publish()
    return made


def test_volumes_and_tables_are_seeded(publisher: TinyPublisher, tmp_path: Path) -> None:
    with Seeder(publisher.layout) as seeder:
        assert seeder.seeding == ["fonoteca-0001-recordings.parquet", "head-free-0001-01"]
        table = publisher.layout.torrents / "fonoteca-0001-recordings.parquet.torrent"
        name = "fonoteca-0001-recordings.parquet"
        assert leech(seeder, table, {name}, tmp_path / "table") == {name}
        original = publisher.layout.edition(1) / "snapshot" / "recordings.parquet"
        assert (tmp_path / "table" / name).read_bytes() == original.read_bytes()
        packs = {p.file for p in publisher.packs}
        assert leech(seeder, publisher.layout.torrents / "head-free-0001-01.torrent", packs, tmp_path / "v") == packs
        assert seeder.uploaded >= original.stat().st_size


def test_a_volume_that_is_here_in_part_is_seeded_in_part(publisher: TinyPublisher, tmp_path: Path) -> None:
    here, gone = publisher.packs
    (publisher.layout.packs / gone.volume / gone.file).unlink()
    torrent = publisher.layout.torrents / "head-free-0001-01.torrent"
    with Seeder(publisher.layout) as seeder:
        assert leech(seeder, torrent, {here.file}, tmp_path / "out") == {here.file}
        with pytest.raises(NetworkFailed):
            leech(seeder, torrent, {gone.file}, tmp_path / "out2", 1)
    assert not (publisher.layout.packs / gone.volume / gone.file).exists()


def test_refresh_takes_up_what_is_new_and_lets_go_of_what_is_gone(publisher: TinyPublisher) -> None:
    with Seeder(publisher.layout) as seeder:
        publisher.add(50_000, volume="mid-free-0002-01", tier="mid")
        publisher.publish()
        seeder.refresh()
        assert seeder.seeding == ["fonoteca-0002-recordings.parquet", "head-free-0001-01", "mid-free-0002-01"]
        for made in publisher.packs[:2]:
            (publisher.layout.packs / made.volume / made.file).unlink()
        seeder.refresh()
        assert "head-free-0001-01" not in seeder.seeding


def test_a_withdrawn_pack_is_not_seeded_from_the_next_refresh_on(publisher: TinyPublisher, tmp_path: Path) -> None:
    hit, other = publisher.packs
    blob, recording = next(iter(hit.blobs.items()))
    torrent = publisher.layout.torrents / "head-free-0001-01.torrent"
    with Seeder(publisher.layout) as seeder:
        publisher.withdrawals = WithdrawalList((
            Withdrawal(1, "withdraw", show_id(Kind.RECORDING, recording), (blob,), "asked for", rfc3339(NOW)),
        ))  # fmt: skip
        publisher.refresh(NOW)
        seeder.refresh()
        assert leech(seeder, torrent, {other.file}, tmp_path / "out") == {other.file}
        with pytest.raises(NetworkFailed):
            leech(seeder, torrent, {hit.file}, tmp_path / "out2", 1)


def swarm(seeder: Seeder, torrent: Path, out: Path, seconds: float = 10.0) -> bool:
    """Whether a client that knows only this torrent gets all of it from the seeder."""
    session = open_session("127.0.0.1:0")
    handle = session.add_torrent(parameters(torrent.read_bytes(), str(out), (), ()))
    handle.connect_peer(("127.0.0.1", seeder.port))
    end = time.monotonic() + seconds
    while not (done := bool(handle.status().is_seeding)) and time.monotonic() < end:
        time.sleep(0.02)
    session.pause()
    return done


def test_the_swarm_of_the_v1_twin_is_served_from_the_same_files(publisher: TinyPublisher, tmp_path: Path) -> None:
    with Seeder(publisher.layout) as seeder:
        for path in sorted((publisher.layout.torrents / "v1").iterdir()):
            assert swarm(seeder, path, tmp_path / "out"), path.name
    for made in publisher.packs:
        original = publisher.layout.packs / made.volume / made.file
        assert (tmp_path / "out" / made.volume / made.file).read_bytes() == original.read_bytes()


def test_a_twin_that_is_not_the_hybrids_is_not_seeded(publisher: TinyPublisher, tmp_path: Path) -> None:
    path = publisher.layout.torrents / "v1" / "head-free-0001-01.torrent"
    good = path.read_bytes()
    path.write_bytes(good.replace(b"6:pieces", b"6:pieceS"))
    copy = tmp_path / "copy.torrent"
    copy.write_bytes(good)
    with Seeder(publisher.layout) as seeder:
        assert seeder.seeding == ["fonoteca-0001-recordings.parquet", "head-free-0001-01"]
        assert not swarm(seeder, copy, tmp_path / "out", 0.5)
    path.write_bytes(good)
    with Seeder(publisher.layout) as seeder:
        assert swarm(seeder, copy, tmp_path / "out")


def test_an_empty_publication_seeds_nothing(tmp_path: Path) -> None:
    with Seeder(PublicationLayout(tmp_path / "nothing")) as seeder:
        assert seeder.seeding == []
        assert seeder.port > 0


def test_a_taken_port_is_told(publisher: TinyPublisher) -> None:
    with Seeder(publisher.layout) as first, pytest.raises(NetworkFailed) as caught:  # noqa: SIM117
        with Seeder(publisher.layout, f"127.0.0.1:{first.port}"):
            pass
    assert caught.value.code == "port-taken"
