"""The budget on a real disk: watched all the time while mirrors run, it is never exceeded (promise T7)."""

from __future__ import annotations

import contextlib
import os
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fonoteca.core.clock import FixedClock
from fonoteca.core.errors import NoSpace
from fonoteca.core.fetch import Fetcher, Limits
from fonoteca.mirror.budget import Budget, allocated
from fonoteca.mirror.courier import Options
from fonoteca.mirror.seed import Seeder
from fonoteca.mirror.trust import Trust
from mirror.world import mirror, served
from simulators.tiny_publication import NOW

pytestmark = pytest.mark.core


def on_disk(folder: Path) -> int:
    """What a folder allocates, counted another way: each inode once, also when it is renamed meanwhile."""
    found = {}
    for base, _, names in os.walk(folder):
        for path in (Path(base), *(Path(base, name) for name in names)):
            with contextlib.suppress(FileNotFoundError):
                stat = path.lstat()
                found[stat.st_ino] = stat.st_blocks * 512
    return sum(found.values())


@contextmanager
def watched(folder: Path) -> Iterator[list[int]]:
    """The most that a folder ever allocates while the block runs."""
    peak, ending = [0], threading.Event()

    def watch() -> None:
        while not ending.is_set():
            peak[0] = max(peak[0], on_disk(folder))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        ending.set()
        thread.join()
        peak[0] = max(peak[0], allocated(folder))


@pytest.mark.parametrize("transport", ["http", "torrent"])
def test_the_budget_is_never_exceeded_not_even_for_a_moment(tmp_path: Path, transport: str) -> None:
    rng = random.Random(8)
    with served(tmp_path) as (publisher, server):
        for n in range(12):
            publisher.add(*(rng.randint(1, 400_000) for _ in range(3)), coverage=rng.random() / 12,
                          volume=f"head-free-0001-{n % 3:02}")  # fmt: skip
        publisher.publish()
        refused, held = 0, []
        with Seeder(publisher.layout) as seeder:
            options = Options(transport=transport, peers=(("127.0.0.1", seeder.port),), stall_seconds=5)
            folder = tmp_path / "mirror"
            for step in range(10):
                if step == 5:
                    publisher.add(300_000, coverage=0.3, volume="head-free-0002-01")
                    publisher.withdraw(publisher.packs[0], min(publisher.packs[0].blobs))
                    publisher.publish()
                    seeder.refresh()
                disk = rng.randint(100_000, 9_000_000)
                made = mirror(folder, server.url, publisher.root_json, max(disk, allocated(folder)), options=options)
                with watched(folder) as peak:
                    try:
                        held.append(made.run().packs)
                    except NoSpace as error:
                        assert error.code == "over-budget"
                        refused += 1
                assert peak[0] <= max(disk, made._budget.limit)
        assert refused < 10
        assert len(set(held)) > 2


def test_the_chain_of_trust_asks_before_its_first_file_too(tmp_path: Path) -> None:
    """python-tuf writes the root that it begins with before it fetches anything."""
    with served(tmp_path) as (publisher, server):
        publisher.add(1000, coverage=1.0)
        publisher.publish()
        folder = tmp_path / "trust"

        def refuse(length: int) -> None:
            raise NoSpace("over-budget", "no", f"{length} bytes", "none")

        clock = FixedClock(NOW)
        with Fetcher(clock, Limits()) as fetcher, pytest.raises(NoSpace):
            Trust(folder, server.url, publisher.root_json, fetcher, clock, refuse).refresh()
        assert [path for path in folder.rglob("*") if not path.is_dir()] == []


def test_asking_for_room(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(10_000))
    used = allocated(tmp_path)
    assert used >= 10_000
    budget = Budget(tmp_path, used + 12_288)
    with pytest.raises(NoSpace) as caught:
        budget.reserve(16_000, folders=0)
    assert "--disk" in caught.value.remedy
    assert budget.measure() == used


def test_a_file_that_grows_keeps_its_room(tmp_path: Path) -> None:
    budget = Budget(tmp_path, allocated(tmp_path) + 20_480)
    growing = tmp_path / "growing"
    budget.reserve_growing(growing, 12_000)
    for size in (0, 5000, 12_000):
        growing.write_bytes(bytes(size))
        with pytest.raises(NoSpace):
            budget.reserve(12_000, folders=0)
    budget.reserve(4000, folders=0)
    growing.unlink()
    budget.settle(growing)
    budget.measure()
    budget.reserve(16_000, folders=0)


def test_relief_is_asked_until_there_is_room(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).write_bytes(bytes(40_960))

    def relieve(_: int) -> bool:
        left = sorted(tmp_path.iterdir())
        if not left:
            return False
        left[0].unlink()
        return True

    budget = Budget(tmp_path, allocated(tmp_path), relieve)
    budget.reserve(60_000, folders=0)
    assert [p.name for p in tmp_path.iterdir()] == ["c"]
    with pytest.raises(NoSpace):
        budget.reserve(10**9)


def test_links_and_empty_folders_count_as_themselves(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    target = tmp_path / "inner" / "big"
    target.write_bytes(bytes(100_000))
    (tmp_path / "link").symlink_to(target)
    assert allocated(tmp_path) < 2 * 100_000
    assert allocated(tmp_path / "nothing") == 0
