"""A mirror kept true: over HTTP and BitTorrent, under a budget, from edition to edition, and mirrored on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fonoteca.core.errors import NetworkFailed, NoSpace
from fonoteca.core.layout import MirrorLayout, PublicationLayout
from fonoteca.formats.pack_read import read
from fonoteca.mirror.budget import allocated
from fonoteca.mirror.courier import Options
from fonoteca.mirror.plan import SLACK
from fonoteca.mirror.seed import Seeder
from mirror.world import mirror, run, served, tree
from simulators.edition_server import EditionServer, Fault
from simulators.tiny_publication import TinyPublisher

pytestmark = pytest.mark.core
HTTP = Options(transport="http")


def test_everything_comes_over_http_and_a_second_run_fetches_nothing(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        made = [publisher.add(40_000, 30_000, coverage=0.2), publisher.add(100_000, coverage=0.3)]
        publisher.publish()
        summary = run(tmp_path / "mirror", server.url, publisher.root_json, options=HTTP)
        assert (summary.edition, summary.packs, summary.verified) == (1, 2, 2)
        assert summary.held == summary.fetched == sum(p.fixity.bytes for p in made)
        assert summary.coverage == pytest.approx(0.5)
        before = tree(tmp_path / "mirror" / "publication")
        assert before == tree(tmp_path / "publication")
        server.requests.clear()
        again = run(tmp_path / "mirror", server.url, publisher.root_json, options=HTTP)
        assert (again.fetched, again.reused) == (0, summary.held)
        assert not server.asked("packs/*")
        assert not server.asked("torrents/*")
        assert tree(tmp_path / "mirror" / "publication") == before


def test_everything_comes_over_bittorrent(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        for size in (40_000, 500_000, 70_000):
            publisher.add(size)
        publisher.publish()
        with Seeder(publisher.layout) as seeder:
            options = Options(transport="torrent", peers=(("127.0.0.1", seeder.port),))
            summary = run(tmp_path / "mirror", server.url, publisher.root_json, options=options)
            assert seeder.uploaded > 0
        assert summary.packs == 3
        assert summary.verified == 3
        assert tree(tmp_path / "mirror" / "publication") == tree(tmp_path / "publication")


def test_a_mirror_of_a_mirror(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        publisher.add(200_000, coverage=0.5)
        publisher.add(90_000, coverage=0.1, volume="tail-free-0001-01", tier="tail")
        publisher.publish()
        root = publisher.root_json
        run(tmp_path / "first", server.url, root, options=HTTP)
    with EditionServer(tmp_path / "first" / "publication") as second, Seeder(layout(tmp_path / "first")) as seeder:
        assert run(tmp_path / "over-http", second.url, root, options=HTTP).packs == 2
        options = Options(transport="torrent", peers=(("127.0.0.1", seeder.port),))
        assert run(tmp_path / "over-torrent", second.url, root, options=options).packs == 2
        assert seeder.uploaded > 0
    whole = tree(tmp_path / "publication")
    assert tree(tmp_path / "over-http" / "publication") == whole
    assert tree(tmp_path / "over-torrent" / "publication") == whole


def test_a_partial_mirror_seeds_what_it_has(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        much = publisher.add(300_000, coverage=0.9)
        publisher.add(300_000, coverage=0.01)
        publisher.publish()
        disk = fits_one(tmp_path, server.url, publisher)
        first = run(tmp_path / "first", server.url, publisher.root_json, disk, options=HTTP)
        assert (first.packs, first.coverage) == (1, pytest.approx(0.9))
        with Seeder(layout(tmp_path / "first")) as seeder:
            options = Options(transport="torrent", peers=(("127.0.0.1", seeder.port),))
            second = run(tmp_path / "second", server.url, publisher.root_json, disk, options=options)
        assert second.packs == 1
        assert (tmp_path / "second" / "publication" / "packs" / much.volume / much.file).is_file()


def test_two_mirrors_from_one_seeder(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        for _ in range(4):
            publisher.add(400_000)
        publisher.publish()
        with Seeder(publisher.layout) as seeder, ThreadPoolExecutor(2) as pool:
            options = Options(transport="torrent", peers=(("127.0.0.1", seeder.port),))
            jobs = [
                pool.submit(run, tmp_path / name, server.url, publisher.root_json, options=options) for name in "ab"
            ]
            assert [job.result().packs for job in jobs] == [4, 4]
        assert tree(tmp_path / "a" / "publication") == tree(tmp_path / "b" / "publication")


def test_a_silent_swarm_is_given_up_and_http_goes_on(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        publisher.add(50_000)
        publisher.publish()
        options = Options(peers=(("127.0.0.1", 9),), stall_seconds=0.5)
        assert run(tmp_path / "mirror", server.url, publisher.root_json, options=options).packs == 1


def test_a_silent_swarm_alone_is_a_network_failure(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        publisher.add(50_000)
        publisher.publish()
        options = Options(transport="torrent", peers=(("127.0.0.1", 9),), stall_seconds=0.5)
        with pytest.raises(NetworkFailed) as caught:
            run(tmp_path / "mirror", server.url, publisher.root_json, options=options)
        assert caught.value.code == "stalled"


def test_the_second_edition_costs_only_what_is_new(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        publisher.add(50_000)
        publisher.publish()
        run(tmp_path / "mirror", server.url, publisher.root_json, options=HTTP)
        server.requests.clear()
        new = publisher.add(60_000)
        publisher.publish()
        summary = run(tmp_path / "mirror", server.url, publisher.root_json, options=HTTP)
        assert summary.fetched == new.fixity.bytes == server.sent("packs/*")
        assert sorted(p.name for p in (tmp_path / "mirror/publication/editions").iterdir()) == ["0002"]


def test_a_withdrawal_is_applied_without_a_byte_of_download(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        hit = publisher.add(50_000, 60_000)
        other = publisher.add(70_000)
        publisher.publish()
        run(tmp_path / "mirror", server.url, publisher.root_json, options=HTTP)
        blob = min(hit.blobs)
        held = tmp_path / "publication/packs" / hit.volume / hit.file
        secret = blob_bytes(held, blob)
        server.requests.clear()
        publisher.withdraw(hit, blob)
        publisher.publish()
        summary = run(tmp_path / "mirror", server.url, publisher.root_json, options=HTTP)
        assert (summary.fetched, summary.packs, summary.verified) == (0, 2, 2)
        assert not server.asked("packs/*")
        mirrored = tree(tmp_path / "mirror" / "publication")
        assert {k: v for k, v in tree(tmp_path / "publication").items() if k.startswith("packs")} == {
            k: v for k, v in mirrored.items() if k.startswith("packs")
        }
        assert other.file in {Path(k).name for k in mirrored}
        for where in ("mirror",):
            assert all(secret[:4096] not in data for data in tree(tmp_path / where).values())


def test_a_redaction_that_was_cut_short_is_finished(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        hit = publisher.add(50_000, 60_000)
        publisher.publish()
        run(tmp_path / "mirror", server.url, publisher.root_json, options=HTTP)
        redacted = publisher.withdraw(hit, min(hit.blobs))
        publisher.publish()
        # As after a kill: the old pack has its new name in partial/, half blanked.
        old = tmp_path / "mirror/publication/packs" / hit.volume / hit.file
        partial = tmp_path / "mirror/partial" / redacted.volume / redacted.file
        partial.parent.mkdir(parents=True)
        old.rename(partial)
        with partial.open("r+b") as stream:
            stream.seek(3000)
            stream.write(bytes(1000) if min(hit.blobs) == next(iter(hit.blobs)) else b"")
        server.requests.clear()
        summary = run(tmp_path / "mirror", server.url, publisher.root_json, options=HTTP)
        assert (summary.fetched, summary.packs) == (0, 1)


def test_a_pack_that_is_no_longer_offered_goes(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        gone = publisher.add(50_000)
        publisher.add(60_000, volume="mid-free-0001-01", tier="mid")
        publisher.publish()
        run(tmp_path / "mirror", server.url, publisher.root_json, options=HTTP)
        publisher.remove(gone)
        publisher.publish()
        assert run(tmp_path / "mirror", server.url, publisher.root_json, options=HTTP).packs == 1
        assert not list((tmp_path / "mirror").rglob(gone.file))


def test_a_smaller_budget_drops_what_covers_least(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        publisher.add(300_000, coverage=0.01)
        best = publisher.add(300_000, coverage=0.9)
        publisher.publish()
        run(tmp_path / "mirror", server.url, publisher.root_json, options=HTTP)
        disk = fits_one(tmp_path, server.url, publisher)
        server.requests.clear()
        summary = run(tmp_path / "mirror", server.url, publisher.root_json, disk, options=HTTP)
        assert (summary.packs, summary.fetched, summary.reused) == (1, 0, best.fixity.bytes)
        assert not server.asked("packs/*")


def test_a_full_mirror_makes_room_for_a_new_edition(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        for n in range(6):
            publisher.add(100_000, coverage=0.1 + n / 100)
        publisher.publish()
        everything = run(tmp_path / "mirror", server.url, publisher.root_json, options=HTTP)
        tight = allocated(tmp_path / "mirror") + SLACK + 8 * 4096
        assert everything.packs == 6
        publisher.add(100_000, coverage=0.4)
        publisher.publish()
        summary = run(tmp_path / "mirror", server.url, publisher.root_json, tight, options=HTTP)
        assert summary.edition == 2
        assert 4 <= summary.packs <= 6
        assert summary.coverage > 0.9


def test_half_finished_files_give_way_before_packs_do(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        publisher.add(100_000)
        publisher.publish()
        run(tmp_path / "mirror", server.url, publisher.root_json, options=HTTP)
        tight = allocated(tmp_path / "mirror") + SLACK + 8 * 4096
        half = tmp_path / "mirror/partial/head-free-0001-01/head-0000000000000000.r0.tar"
        half.parent.mkdir(parents=True)
        half.write_bytes(bytes(500_000))
        summary = run(tmp_path / "mirror", server.url, publisher.root_json, tight, options=HTTP)
        assert (summary.packs, summary.fetched) == (1, 0)
        assert not half.exists()


def test_a_second_run_writes_nothing_into_the_publication(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        publisher.add(100_000)
        publisher.publish()
        run(tmp_path / "mirror", server.url, publisher.root_json, options=HTTP)
        files = list((tmp_path / "mirror/publication").rglob("*"))
        before = {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in files}
        run(tmp_path / "mirror", server.url, publisher.root_json, options=HTTP)
        assert {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in files} == before


def test_no_room_for_the_metadata_is_exit_13(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        publisher.add(50_000)
        publisher.publish()
        for disk in (1, 4096, 20_000, 60_000, 100_000):
            with pytest.raises(NoSpace) as caught:
                mirror(tmp_path / f"m{disk}", server.url, publisher.root_json, disk, options=HTTP).run()
            assert caught.value.code == "over-budget"


def test_a_network_that_is_gone_keeps_what_is_there(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        publisher.add(50_000)
        publisher.publish()
        url = server.url
        run(tmp_path / "mirror", url, publisher.root_json, options=HTTP)
    before = tree(tmp_path / "mirror" / "publication")
    with pytest.raises(NetworkFailed):
        run(tmp_path / "mirror", url, publisher.root_json, options=HTTP)
    assert tree(tmp_path / "mirror" / "publication") == before


def test_a_missing_pack_does_not_stop_the_others(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        lost = publisher.add(50_000)
        publisher.add(60_000)
        publisher.publish()
        server.faults = [Fault(f"*{lost.file}", status=404)]
        with pytest.raises(NetworkFailed):
            run(tmp_path / "mirror", server.url, publisher.root_json, options=HTTP)
        assert len(list((tmp_path / "mirror/publication").rglob("*.tar"))) == 1
        server.faults = []
        assert run(tmp_path / "mirror", server.url, publisher.root_json, options=HTTP).packs == 2


def fits_one(tmp_path: Path, url: str, publisher: TinyPublisher) -> int:
    """A budget that has room for metadata and one pack of 300 kB."""
    probe = mirror(tmp_path / "probe", url, publisher.root_json, options=HTTP)
    probe.run()
    return allocated(tmp_path / "probe") + SLACK + 6 * 4096 - 307_200


def layout(folder: Path) -> PublicationLayout:
    return MirrorLayout(folder).publication


def blob_bytes(path: Path, blob: str) -> bytes:
    with path.open("rb") as stream:
        for entry in read(stream):
            if entry.sha256 == blob:
                stream.seek(entry.data_offset)
                return stream.read(entry.bytes)
    raise AssertionError(blob)
