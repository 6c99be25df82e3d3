"""A mirror that is full takes over an edition: what goes anyway makes room, and packs stay where they are."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from fonoteca.archive.verify import Verify
from fonoteca.core.errors import NetworkFailed, NoSpace
from fonoteca.core.layout import MirrorLayout
from fonoteca.mirror.budget import allocated
from fonoteca.mirror.courier import Options
from fonoteca.mirror.edition import wanted_files
from fonoteca.mirror.plan import SLACK
from fonoteca.mirror.run import Mirror
from mirror.test_budget import watched
from mirror.test_killed import until
from mirror.world import mirror, run, served, tree
from simulators.edition_server import EditionServer, Fault
from simulators.tiny_publication import Made, TinyPublisher

pytestmark = pytest.mark.core
HTTP = Options(transport="http")
LITTLE = SLACK + 16 * 4096
"""What is needed beside everything that is held: the reserve, and room for new signatures and folders."""


def filled(tmp_path: Path, publisher: TinyPublisher, server: EditionServer) -> tuple[list[Made], int]:
    """A mirror that holds everything, with tables that are larger than a pack; and a budget just above it."""
    publisher.bulk = 6_000
    made = [publisher.add(90_000, 60_000, coverage=0.1 + n / 100) for n in range(4)]
    publisher.publish()
    folder = tmp_path / "mirror"
    assert run(folder, server.url, publisher.root_json, options=HTTP).packs == 4
    ledger = folder / "publication/editions/0001/ledger.parquet"
    assert ledger.stat().st_size > 2 * made[0].fixity.bytes
    return made, allocated(folder) + LITTLE


def again(tmp_path: Path, publisher: TinyPublisher, server: EditionServer, disk: int) -> Mirror:
    server.requests.clear()
    return mirror(tmp_path / "mirror", server.url, publisher.root_json, disk, options=HTTP)


def packs_here(tmp_path: Path) -> set[str]:
    return {path.name for path in (tmp_path / "mirror/publication/packs").rglob("*.tar")}


def test_a_full_mirror_takes_over_an_edition_without_dropping_a_pack(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        made, disk = filled(tmp_path, publisher, server)
        publisher.withdraw(made[0], min(made[0].blobs))
        publisher.publish()
        with watched(tmp_path / "mirror") as peak:
            summary = again(tmp_path, publisher, server, disk).run()
        assert peak[0] <= disk
        assert (summary.edition, summary.packs, summary.fetched) == (2, 4, 0)
        assert not server.asked("packs/*")
        assert not list(Verify().check_publication(MirrorLayout(tmp_path / "mirror").publication, partial=True))


def test_a_table_that_did_not_change_is_not_fetched_again(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        _, disk = filled(tmp_path, publisher, server)
        publisher.publish()
        again(tmp_path, publisher, server, disk).run()
        assert not server.asked("*recordings.parquet")
        assert server.asked("editions/0002/ledger.parquet")
        theirs, ours = (tmp_path / p / "editions/0002" for p in ("publication", "mirror/publication"))
        assert tree(ours) == tree(theirs)


def test_a_table_that_rotted_on_the_disk_is_fetched_and_not_linked(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        filled(tmp_path, publisher, server)
        table = tmp_path / "mirror/publication/editions/0001/snapshot/recordings.parquet"
        data = bytearray(table.read_bytes())
        data[1000] ^= 1
        table.write_bytes(data)
        publisher.publish()
        again(tmp_path, publisher, server, 1 << 34).run()
        name = "editions/0002/snapshot/recordings.parquet"
        assert tree(tmp_path / "mirror/publication")[name] == tree(tmp_path / "publication")[name]


def test_without_hard_links_the_table_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError("no hard links here")

    with served(tmp_path) as (publisher, server):
        made, disk = filled(tmp_path, publisher, server)
        publisher.publish()
        monkeypatch.setattr("os.link", refused)
        summary = again(tmp_path, publisher, server, disk).run()
        assert summary.packs == len(made)
        assert server.asked("editions/0002/snapshot/recordings.parquet")


def test_a_pack_that_had_to_make_room_comes_back_in_the_same_run(tmp_path: Path) -> None:
    """The locator stays to the end; where it does not fit beside the new one, a pack goes, and there is room after."""
    with served(tmp_path) as (publisher, server):
        publisher.bulk_located = 6_000
        made, disk = filled(tmp_path, publisher, server)
        publisher.publish()
        with watched(tmp_path / "mirror") as peak:
            summary = again(tmp_path, publisher, server, disk).run()
        assert peak[0] <= disk
        least = min(made, key=lambda m: m.coverage)
        assert {r.path.rpartition("/")[2] for r in server.asked("packs/*")} >= {least.file}
        assert (summary.packs, len(packs_here(tmp_path))) == (len(made), len(made))
        assert again(tmp_path, publisher, server, disk).run().fetched == 0


def test_what_the_edition_no_longer_offers_makes_room_first(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        made, disk = filled(tmp_path, publisher, server)
        gone = max(made, key=lambda m: m.coverage)
        publisher.remove(gone)
        publisher.bulk = 8_000
        publisher.publish()
        with watched(tmp_path / "mirror") as peak:
            summary = again(tmp_path, publisher, server, disk + 200_000).run()
        assert peak[0] <= disk + 200_000
        assert packs_here(tmp_path) == {m.file for m in made} - {gone.file}
        assert summary.fetched == 0


def test_nothing_goes_for_an_edition_that_is_not_accepted(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        _, disk = filled(tmp_path, publisher, server)
        publisher.publish()
        server.faults = [Fault("*edition.json", change=lambda data: data.replace(b"1", b"2"))]
        before = tree(tmp_path / "mirror/publication")
        with pytest.raises(Exception, match="not accepted"):
            again(tmp_path, publisher, server, disk).run()
        assert tree(tmp_path / "mirror/publication") == before


def test_a_publisher_that_breaks_off_leaves_what_can_be_seeded(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        made, disk = filled(tmp_path, publisher, server)
        publisher.publish()
        server.faults = [Fault("*ledger.parquet", status=503)]
        with pytest.raises(NetworkFailed):
            again(tmp_path, publisher, server, disk).run()
        old = tmp_path / "mirror/publication/editions/0001"
        for name in ("edition.json", "packs.parquet", "locator.parquet", "torrents.json"):
            assert (old / name).is_file()
        assert packs_here(tmp_path) == {m.file for m in made}
        server.faults = []
        assert again(tmp_path, publisher, server, disk).run().packs == len(made)


def test_killed_while_old_tables_make_room_the_next_run_ends_in_the_same_bytes(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        made, disk = filled(tmp_path, publisher, server)
        publisher.withdraw(made[0], min(made[0].blobs))
        edition = publisher.publish()
        folder = tmp_path / "mirror"
        words = (str(folder), str(disk), "http")
        old = folder / "publication/editions/0001/ledger.parquet"
        server.requests.clear()
        server.faults = [Fault("editions/0002/ledger.parquet", drip=0.0005, times=1)]
        killed = until(*words, reached=lambda: not old.exists())
        assert killed
        assert allocated(folder) <= disk
        server.faults = []
        begun = time.monotonic()
        until(*words, reached=lambda: time.monotonic() - begun > 0.5)
        until(*words, reached=lambda: False)
        assert allocated(folder) <= disk
        theirs, ours = tree(tmp_path / "publication"), tree(folder / "publication")
        assert all(ours[path] == theirs[path] for path, _ in wanted_files(edition))
        assert {k for k in ours if k.startswith("packs/")} == {k for k in theirs if k.startswith("packs/")}
        assert not server.asked("packs/*")


def test_a_file_with_two_names_is_counted_once_as_du_does(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(100_000))
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner/b").hardlink_to(tmp_path / "a")
    told = subprocess.run(["du", "-s", "-B1", str(tmp_path)], capture_output=True, text=True, check=True).stdout
    assert allocated(tmp_path) == int(told.split()[0])


def test_tables_that_cannot_fit_at_all_are_told_and_the_budget_is_kept(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        _, disk = filled(tmp_path, publisher, server)
        publisher.bulk = 40_000
        publisher.publish()
        with watched(tmp_path / "mirror") as peak, pytest.raises(NoSpace):
            again(tmp_path, publisher, server, disk).run()
        assert peak[0] <= disk
