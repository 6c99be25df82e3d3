"""Kill -9 anywhere, then the same command: the same bytes, no finished pack comes twice (promise R3, short form)."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fonoteca.mirror.courier import Options
from fonoteca.mirror.seed import Seeder
from mirror.world import PLENTY, mirror, served, tree
from simulators.edition_server import EditionServer
from simulators.tiny_publication import TinyPublisher

pytestmark = [pytest.mark.core, pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")]
DRIVER = Path(__file__).with_name("driver.py")


def until(*words: str, reached: Callable[[], bool]) -> bool:
    """Start the driver and kill it as soon as a condition holds; True if it was killed, False if it had ended."""
    with subprocess.Popen([sys.executable, str(DRIVER), *words], stderr=subprocess.PIPE) as process:
        while process.poll() is None:
            if reached():
                process.send_signal(signal.SIGKILL)
                process.wait()
                return True
            time.sleep(0.002)
        assert process.stderr is not None
        assert process.returncode == 0, process.stderr.read().decode()
        return False


def finished(folder: Path) -> set[str]:
    return {p.name for p in (folder / "publication").rglob("*.tar")}


def whole(tmp_path: Path) -> bool:
    return tree(tmp_path / "mirror/publication") == tree(tmp_path / "publication")


def asked_again(server: EditionServer, names: set[str]) -> list[str]:
    return [r.path for r in server.requests if r.path.rpartition("/")[2] in names]


def test_killed_by_byte_count_over_http(tmp_path: Path) -> None:
    rng = random.Random(2)
    with served(tmp_path) as (publisher, server):
        total = sum(publisher.add(1_500_000).fixity.bytes for _ in range(10))
        publisher.publish()
        folder = tmp_path / "mirror"
        mirror(folder, server.url, publisher.root_json)
        sent, kills = 0, 0
        for _ in range(8):
            server.requests.clear()
            point = growth(folder) + rng.randrange(1, 4_000_000)
            before = finished(folder)
            killed = until(str(folder), str(PLENTY), "http", reached=lambda point=point: growth(folder) >= point)
            assert not asked_again(server, before)
            sent += server.sent("packs/*")
            kills += killed
            if not killed:
                break
        server.requests.clear()
        until(str(folder), str(PLENTY), "http", reached=lambda: False)
        sent += server.sent("packs/*")
        assert kills >= 2
        assert whole(tmp_path)
        # What was on its way in a killed connection comes again: two connections, at most a pack each.
        assert sent <= total + kills * 2 * 1_600_000
        assert not list((folder / "partial").rglob("*.tar"))
        kept = {path.name for path in (folder / "state/leaves/packs").iterdir()}
        assert kept == {f"{name}.leaves" for name in finished(folder)}


def growth(folder: Path) -> int:
    """Bytes of packs on the disk, whole or not; what is renamed just now may be missed."""
    total = 0
    for path in folder.rglob("*.tar"):
        with contextlib.suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


def test_killed_over_bittorrent(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        total = sum(publisher.add(3_000_000).fixity.bytes for _ in range(8))
        publisher.publish()
        folder = tmp_path / "mirror"
        mirror(folder, server.url, publisher.root_json)
        with Seeder(publisher.layout) as seeder:
            words = (str(folder), str(PLENTY), "torrent", str(seeder.port))
            kills = 0
            for step in range(1, 4):
                before = seeder.uploaded
                kills += until(*words, reached=lambda b=before, s=step: seeder.uploaded > b + s * 2_000_000)
            until(*words, reached=lambda: False)
            # Nothing that was finished comes again; pieces on the way (and in libtorrent's queues) do.
            assert kills >= 1
            assert seeder.uploaded <= total + kills * 12_000_000
        assert whole(tmp_path)


@pytest.mark.parametrize("seconds", [0.35, 0.5, 0.65, 0.8])
def test_killed_by_time_while_an_edition_is_taken_over(tmp_path: Path, seconds: float) -> None:
    with served(tmp_path) as (publisher, server):
        hit = publisher.add(400_000, 300_000)
        publisher.add(500_000)
        publisher.publish()
        folder = tmp_path / "mirror"
        mirror(folder, server.url, publisher.root_json, options=Options(transport="http")).run()
        publisher.withdraw(hit, min(hit.blobs))
        publisher.add(200_000)
        publisher.publish()
        begun = time.monotonic()
        until(str(folder), str(PLENTY), "http", reached=lambda: time.monotonic() - begun > seconds)
        server.requests.clear()
        until(str(folder), str(PLENTY), "http", reached=lambda: False)
        assert whole_of_newest(tmp_path, publisher)
        assert not asked_again(server, {f"{hit.id}.r1.tar"})


def whole_of_newest(tmp_path: Path, publisher: TinyPublisher) -> bool:
    ours = tree(tmp_path / "mirror/publication")
    old = ("editions/0001/", "torrents/fonoteca-0001", "torrents/v1/fonoteca-0001", "metadata/")
    theirs = {k: v for k, v in tree(tmp_path / "publication").items() if not k.startswith(old)}
    return {k: v for k, v in ours.items() if not k.startswith(old)} == theirs
