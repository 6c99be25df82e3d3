"""The leaves of packs in a mirror: they come with their packs, stay proven by the signed root, and go with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fonoteca.formats import leaves
from fonoteca.mirror.budget import allocated
from fonoteca.mirror.courier import Options
from fonoteca.mirror.packs import read_packs
from fonoteca.mirror.seed import Seeder
from mirror.world import mirror, run, served, tree
from simulators.tiny_publication import TinyPublisher

pytestmark = pytest.mark.core


def kept(folder: Path) -> set[str]:
    return {path.name for path in (folder / "state/leaves/packs").glob("*")}


def whole(folder: Path, publisher: TinyPublisher) -> None:
    """Each pack that is here has its leaves, proven by packs.parquet, and no other leaves are here."""
    offered = read_packs(folder / f"publication/editions/{publisher.number:04d}/packs.parquet")
    here = {path.name for path in (folder / "publication/packs").glob("*/*.tar")}
    held = [pack for pack in offered if pack.file in here]
    assert {f"{pack.file}.leaves" for pack in held} == kept(folder)
    assert all(leaves.load(folder / "state/leaves", pack.leaves, pack.merkle_root) for pack in held)


@pytest.mark.parametrize("transport", ["http", "torrent"])
def test_leaves_come_with_each_pack(tmp_path: Path, transport: str) -> None:
    with served(tmp_path) as (publisher, server):
        for size in (1, 16_384, 300_000):
            publisher.add(size)
        publisher.publish()
        with Seeder(publisher.layout) as seeder:
            options = Options(transport=transport, peers=(("127.0.0.1", seeder.port),), stall_seconds=5)
            run(tmp_path / "mirror", server.url, publisher.root_json, options=options)
        assert len(kept(tmp_path / "mirror")) == 3
        whole(tmp_path / "mirror", publisher)


def test_leaves_follow_redaction_and_go_with_dropped_packs(tmp_path: Path) -> None:
    folder = tmp_path / "mirror"
    with served(tmp_path) as (publisher, server):
        hit = publisher.add(200_000, 300_000, coverage=0.5)
        publisher.add(2_000_000, coverage=0.1)
        publisher.publish()
        run(folder, server.url, publisher.root_json)
        whole(folder, publisher)
        publisher.withdraw(hit, min(hit.blobs))
        publisher.publish()
        run(folder, server.url, publisher.root_json)
        assert f"{hit.id}.r1.tar.leaves" in kept(folder)
        whole(folder, publisher)
        run(folder, server.url, publisher.root_json, allocated(folder) - 1_500_000)
        assert kept(folder) == {f"{hit.id}.r1.tar.leaves"}
        whole(folder, publisher)


def test_a_kill_between_pack_and_leaves_is_healed_without_a_download(tmp_path: Path) -> None:
    """The journal's line comes last: what a kill leaves is a pack without a line, with leaves or without."""
    folder = tmp_path / "mirror"
    with served(tmp_path) as (publisher, server):
        publisher.add(300_000)
        publisher.add(200_000)
        publisher.publish()
        run(folder, server.url, publisher.root_json)
        before = tree(folder / "state/leaves")
        lines = (folder / "state/journal.jsonl").read_bytes().splitlines(keepends=True)
        (folder / "state/journal.jsonl").write_bytes(lines[0])
        lost = json.loads(lines[1])["pack"]
        (folder / f"state/leaves/packs/{lost}.tar.leaves").unlink()
        (folder / "state/leaves/packs/gone.r0.tar.leaves").write_bytes(bytes(32))
        (folder / f"state/leaves/packs/.{lost}.tar.leaves.partial").write_bytes(bytes(7))
        server.requests.clear()
        run(folder, server.url, publisher.root_json)
        assert server.sent("packs/*") == 0
        assert tree(folder / "state/leaves") == before


def test_where_there_is_no_room_for_leaves_the_pack_stays(tmp_path: Path) -> None:
    folder = tmp_path / "mirror"
    with served(tmp_path) as (publisher, server):
        publisher.add(300_000)
        publisher.publish()
        made = mirror(folder, server.url, publisher.root_json)
        made.run()
        before = tree(folder / "publication/packs")
        for path in (folder / "state/leaves/packs").iterdir():
            path.unlink()
        (folder / "state/journal.jsonl").unlink()
        made._budget.spare = lambda *_: False  # type: ignore[method-assign]
        assert made.run().packs == 1
        assert kept(folder) == set()
        assert tree(folder / "publication/packs") == before
