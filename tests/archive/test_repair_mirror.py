"""Repair of mirrors over HTTP: servers that fail, lie or moved on; kills, full disks, and the disk budget."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fonoteca.archive import leaves
from fonoteca.archive.quarantine import Home
from fonoteca.archive.repair import Item, Repair
from fonoteca.archive.verify import Verify
from fonoteca.core.blocks import BlockSource, FolderSource, WebSource
from fonoteca.core.clock import FixedClock
from fonoteca.core.fetch import Fetcher
from fonoteca.core.layout import ArchiveLayout, MirrorLayout, PublicationLayout
from fonoteca.formats import torrents
from harness import START, ok
from mirror.world import run, served, tree
from packing import PIECE
from simulators import small_archive
from simulators.edition_server import EditionServer, Fault
from simulators.tiny_publication import TinyPublisher

pytestmark = pytest.mark.core
DRIVER = Path(__file__).with_name("repaired.py")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[tuple[TinyPublisher, EditionServer, Path]]:
    """A publisher of three packs, and a whole mirror of it."""
    with served(tmp_path) as (publisher, server):
        for _ in range(3):
            publisher.add(30_000, 300_000)
        publisher.publish()
        run(tmp_path / "mirror", server.url, publisher.root_json)
        server.requests.clear()
        yield publisher, server, tmp_path / "mirror"


def repair(folder: Path, *sources: BlockSource) -> tuple[list[Item], Repair]:
    work = Repair(Home.of_mirror(MirrorLayout(folder)), FixedClock(START), sources)
    return list(work.run()), work


def over_http(folder: Path, url: str) -> tuple[list[Item], Repair]:
    with Fetcher(FixedClock(START)) as fetcher:
        return repair(folder, WebSource(url, fetcher))


def packs(folder: Path) -> list[Path]:
    return sorted((folder / "publication/packs").glob("*/*.tar"))


def flip(path: Path, *places: int) -> None:
    data = bytearray(path.read_bytes())
    for at in places:
        data[at] ^= 4
    path.write_bytes(data)


def publication(folder: Path) -> dict[str, bytes]:
    return tree(folder / "publication")


def test_only_the_damaged_blocks_come_over_http(world: tuple[TinyPublisher, EditionServer, Path]) -> None:
    """I4: pieces of these torrents are single blocks."""
    _, server, folder = world
    before = publication(folder)
    for number, path in enumerate(packs(folder)):
        flip(path, 7 + 40_000 * number, 200_000)
    items, work = over_http(folder, server.url)
    assert [i.result for i in items] == ["repaired"] * 3
    assert publication(folder) == before
    assert server.sent("*") == work.tally.fetched == 6 * PIECE
    assert all(i.kept and i.kept.startswith("state/quarantine/publication/packs/") for i in items)
    assert list(Verify().check_publication(MirrorLayout(folder).publication, base=folder, partial=True)) == []


def test_every_file_of_an_edition_comes_back(world: tuple[TinyPublisher, EditionServer, Path]) -> None:
    _, server, folder = world
    before = publication(folder)
    for path in sorted((folder / "publication").rglob("*")):
        if path.is_file() and path.name != "1.root.json":
            flip(path, path.stat().st_size // 2)
    items, _ = over_http(folder, server.url)
    assert [i for i in items if i.result != "repaired"] == []
    assert publication(folder) == before


@pytest.mark.parametrize(
    "fault",
    [
        Fault(change=lambda data: data[::-1]), Fault(lie_range=1), Fault(shift=1), Fault(pack=True),
        Fault(status=503), Fault(status=404), Fault(cut=10), Fault(cut=0), Fault(location="http://127.0.0.1:1/"),
        Fault(endless=True, change=lambda data: data[::-1]), Fault(change=lambda data: b""),
        Fault(ignore_range=True, change=lambda data: bytes(len(data))),
    ],
    ids=["wrong-bytes", "shifted-206", "other-range", "gzip", "busy", "gone", "cut", "cut-at-once", "redirect",
         "endless", "empty", "no-ranges-and-wrong"],
)  # fmt: skip
def test_a_server_that_misbehaves_makes_nothing_worse(
    world: tuple[TinyPublisher, EditionServer, Path], fault: Fault
) -> None:
    """I5 and T1."""
    _, server, folder = world
    good = publication(folder)
    flip(packs(folder)[0], 50_000)
    packs(folder)[1].write_bytes(packs(folder)[1].read_bytes()[:100_000])
    before = publication(folder)
    server.faults.append(fault)
    items, work = over_http(folder, server.url)
    assert [i.result for i in items] == ["unrepaired"] * 2
    assert publication(folder) == before
    assert work.tally.unrepaired == 2
    server.faults.clear()
    assert [i.result for i in over_http(folder, server.url)[0]] == ["repaired"] * 2
    assert publication(folder) == good


def test_a_server_without_ranges_is_read_once_a_file(world: tuple[TinyPublisher, EditionServer, Path]) -> None:
    _, server, folder = world
    before, path = publication(folder), packs(folder)[0]
    flip(path, 50_000, 100_000, 150_000)
    server.faults.append(Fault(ignore_range=True))
    [item], work = over_http(folder, server.url)
    assert item.result == "repaired"
    assert publication(folder) == before
    assert work.tally.fetched == path.stat().st_size


def test_a_connection_that_breaks_midway_is_reported_and_gone_on_with(
    world: tuple[TinyPublisher, EditionServer, Path],
) -> None:
    _, server, folder = world
    before, path = publication(folder), packs(folder)[0]
    size = path.stat().st_size
    path.write_bytes(bytes(size))
    server.faults.append(Fault(cut=3 * PIECE + 5))
    [item], work = over_http(folder, server.url)
    assert item.result == "unrepaired"
    assert work.tally.failure is not None
    assert work.tally.failure.code == "cut-short"
    came = server.sent("*")
    assert 0 < came < size
    server.faults.clear()
    assert [i.result for i in over_http(folder, server.url)[0]] == ["repaired"]
    assert server.sent("*") <= size + 4 * PIECE, "what came before the break is not fetched again"
    assert publication(folder) == before
    assert not (folder / "state/quarantine/work").exists()


def test_a_publisher_that_went_on_to_another_edition_still_has_the_blocks(
    world: tuple[TinyPublisher, EditionServer, Path],
) -> None:
    publisher, server, folder = world
    before = publication(folder)
    kept, redacted = publisher.packs[0], publisher.packs[1]
    publisher.withdraw(redacted, next(iter(redacted.blobs)))
    publisher.publish()
    name_packs(publisher)
    flip(folder / "publication/packs" / kept.volume / kept.file, 123_456)
    flip(folder / "publication/packs" / redacted.volume / redacted.file, 250_000)
    items, _ = over_http(folder, server.url)
    assert [i.result for i in items] == ["repaired"] * 2
    assert publication(folder) == before


@pytest.mark.parametrize("lost", ["packs", "editions", "torrents", "withdrawals", "all-but-metadata"])
def test_an_archive_gets_lost_folders_of_its_publication_back_over_http(tmp_path: Path, lost: str) -> None:
    root = small_archive.fresh(tmp_path / "one")
    ok("--archive", root, "publish", cwd=root)
    shutil.copytree(root, tmp_path / "copy")
    gone = ["packs", "editions", "torrents", "withdrawals"] if lost == "all-but-metadata" else [lost]
    for name in gone:
        shutil.rmtree(root / "publication" / name)
    with EditionServer(tmp_path / "copy/publication") as server, Fetcher(FixedClock(START)) as fetcher:
        source = WebSource(server.url, fetcher)
        items = list(Repair(Home.of_archive(ArchiveLayout(root)), FixedClock(START), [source]).run())
    assert {i.result for i in items} == {"repaired"}
    assert tree(root / "publication") == tree(tmp_path / "copy/publication")
    assert tree(root / "holdings") == tree(tmp_path / "copy/holdings")


def name_packs(publisher: TinyPublisher) -> None:
    """List the packs of each volume, as real publications do."""
    path = publisher.layout.edition(publisher.number) / "torrents.json"
    infos = torrents.parse(path.read_bytes())
    named = [replace(i, packs=tuple(p.id for p in publisher.packs if p.volume == i.name)) for i in infos]
    path.write_bytes(torrents.encode(named, publisher.number))


def test_an_archive_folder_gives_leaves_to_a_mirror_of_large_pieces(tmp_path: Path) -> None:
    publisher = TinyPublisher(tmp_path / "archive/publication", tmp_path / "keys", piece_length=1 << 20)
    made = publisher.add(1_500_000)
    publisher.publish()
    source = PublicationLayout(tmp_path / "archive/publication").packs / made.volume / made.file
    with EditionServer(tmp_path / "archive/publication") as server:
        run(tmp_path / "mirror", server.url, publisher.root_json)
        shutil.rmtree(tmp_path / "mirror/state/leaves")
        flip(packs(tmp_path / "mirror")[0], 1_100_000)
        work = over_http(tmp_path / "mirror", server.url)[1]
        assert (work.tally.repaired, work.tally.fetched) == (1, 1 << 20)
    shutil.rmtree(tmp_path / "mirror/state/leaves")
    leaves.remember(tmp_path / "archive/holdings/leaves", f"packs/{made.file}.leaves", source)
    flip(packs(tmp_path / "mirror")[0], 1_100_000)
    work = repair(tmp_path / "mirror", FolderSource(tmp_path / "archive"))[1]
    assert (work.tally.repaired, work.tally.fetched) == (1, PIECE + 128 * 32)


def damage(folder: Path) -> list[tuple[str, tuple[int, int] | None]]:
    layout = MirrorLayout(folder)
    found = Verify().check_publication(layout.publication, layout.leaves, base=folder, partial=True)
    return [(f.code, f.block) for f in found]


@pytest.fixture
def large(tmp_path: Path) -> Iterator[tuple[EditionServer, Path]]:
    """A mirror of one pack with torrent pieces of 16 blocks."""
    publisher = TinyPublisher(tmp_path / "publication", tmp_path / "keys", piece_length=256 << 10)
    publisher.add(1_500_000)
    publisher.publish()
    with EditionServer(tmp_path / "publication") as server:
        run(tmp_path / "mirror", server.url, publisher.root_json)
        server.requests.clear()
        yield server, tmp_path / "mirror"


def test_one_flipped_bit_is_one_block_on_the_wire(large: tuple[EditionServer, Path]) -> None:
    """I4, with pieces that are larger than a block: a mirror keeps the digests of blocks itself."""
    server, folder = large
    before = publication(folder)
    flip(packs(folder)[0], 1_100_000)
    block = 1_100_000 // 16_384
    assert damage(folder) == [("block-damaged", (block, block))]
    words = ok("--archive", folder, "repair", "--from", server.url, "--json", cwd=folder)
    assert '"fetched":16384' in words.stdout.replace(" ", "")
    assert server.sent("*") == 16_384
    assert publication(folder) == before
    assert damage(folder) == []


def test_damaged_leaves_of_a_mirror_are_made_again(large: tuple[EditionServer, Path]) -> None:
    server, folder = large
    [path] = (folder / "state/leaves/packs").iterdir()
    before = path.read_bytes()
    flip(path, 40)
    assert [code for code, _ in damage(folder)] == ["leaves-damaged"]
    [item], _ = over_http(folder, server.url)
    assert (item.result, item.path) == ("repaired", path.relative_to(folder).as_posix())
    assert path.read_bytes() == before
    assert server.sent("*") == 0


def test_a_mirror_of_an_older_version_gets_its_leaves_by_repair(large: tuple[EditionServer, Path]) -> None:
    _, folder = large
    before = tree(folder / "state/leaves")
    shutil.rmtree(folder / "state/leaves")
    assert damage(folder) == [], "one can do without"
    assert repair(folder)[0] == []
    assert tree(folder / "state/leaves") == before


def test_the_leaves_of_a_mirror_help_another_mirror(large: tuple[EditionServer, Path], tmp_path: Path) -> None:
    _, folder = large
    shutil.copytree(folder, tmp_path / "other")
    shutil.rmtree(folder / "state/leaves")
    flip(packs(folder)[0], 1_100_000)
    size = packs(folder)[0].stat().st_size
    work = repair(folder, FolderSource(tmp_path / "other"))[1]
    assert (work.tally.repaired, work.tally.fetched) == (1, 16_384 + -(-size // 16_384) * 32)
    assert tree(folder / "state/leaves") == tree(tmp_path / "other/state/leaves")


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_killed_anywhere_the_same_command_ends_in_the_same_bytes(tmp_path: Path) -> None:
    dice = random.Random(8)
    with served(tmp_path) as (publisher, server):
        made = publisher.add(1_000_000)
        publisher.publish()
        folder = tmp_path / "mirror"
        run(folder, server.url, publisher.root_json)
        before, size = publication(folder), made.fixity.bytes
        path = packs(folder)[0]
        for _ in range(4):
            path.write_bytes(bytes(size))
            server.requests.clear()
            server.faults[:] = [Fault(pattern="packs/*", drip=0.0005)]
            with subprocess.Popen([sys.executable, str(DRIVER), str(folder), server.url], env=environment()) as process:
                time.sleep(0.3 + dice.random() * 2)
                process.send_signal(signal.SIGKILL)
                process.wait()
            server.faults.clear()
            assert path.read_bytes() in {bytes(size), before[path.relative_to(folder / "publication").as_posix()]}
            subprocess.run([sys.executable, str(DRIVER), str(folder), server.url], check=True, env=environment())
            assert publication(folder) == before
            assert not (folder / "state/quarantine/work").exists()


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(DRIVER.parent.parent)}


@pytest.mark.skipif(os.name == "nt", reason="there is no limit of file sizes")
def test_a_full_disk_changes_nothing_and_room_mends_it(world: tuple[TinyPublisher, EditionServer, Path]) -> None:
    _, server, folder = world
    good, path = publication(folder), packs(folder)[0]
    flip(path, 50_000)
    before = tree(folder)
    words = [sys.executable, str(DRIVER), str(folder), server.url]
    assert subprocess.run([*words, "200000"], env=environment(), check=False).returncode == 13
    after = tree(folder)
    assert {k: v for k, v in after.items() if k in before} == before
    assert not [name for name in after if name.endswith(".partial")]
    assert subprocess.run(words, env=environment(), check=False).returncode == 0
    assert publication(folder) == good
