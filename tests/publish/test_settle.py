"""What happens after an edition is whole on the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from fonoteca.archive.holdings import Holdings
from fonoteca.core.layout import ArchiveLayout
from fonoteca.publish import previous, settle
from harness import ok
from simulators.small_archive import fresh

pytestmark = pytest.mark.core


def _published(tmp_path: Path) -> ArchiveLayout:
    archive = fresh(tmp_path)
    ok("--archive", archive, "publish", cwd=tmp_path)
    return ArchiveLayout(archive)


def _latest(layout: ArchiveLayout) -> previous.Previous:
    found = previous.load(layout.publication)
    assert found is not None
    return found


def test_the_leavings_of_interrupted_runs_go_and_strangers_files_stay(tmp_path: Path) -> None:
    layout = _published(tmp_path)
    public = layout.publication
    volume = next(public.packs.iterdir())
    leavings = [
        public.packs / "head-free-0009-01/head-0000000000000000.r0.tar", volume / "tail-1.r0.tar.partial",
        public.torrents / "head-free-0009-01.torrent", public.torrents / "x.torrent.partial",
        public.torrents / "v1/head-free-0009-01.torrent",
        public.editions / ".0002.partial/locator.parquet",
        layout.holdings / "leaves/packs/head-0000000000000000.r0.tar.leaves",
    ]  # fmt: skip
    strangers = [volume / "README.txt", public.torrents / "index.html", public.root / "robots.txt"]
    for path in leavings + strangers:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    before = {p for p in layout.root.rglob("*") if p.is_file()}
    settle.tidy(layout, _latest(layout))
    assert before - {p for p in layout.root.rglob("*") if p.is_file()} == set(leavings)
    assert not leavings[0].parent.exists()
    assert not (public.editions / ".0002.partial").exists()


def test_the_signed_metadata_leads_to_the_edition(tmp_path: Path) -> None:
    layout = _published(tmp_path)
    latest = _latest(layout)
    assert settle.signed_targets(layout.publication) == {settle.edition_path(latest): latest.digest}


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"signed":{"meta":{"snapshot.json":{"version":7}}}}'])
def test_metadata_that_leads_nowhere_is_signed_again(tmp_path: Path, data: bytes) -> None:
    layout = _published(tmp_path)
    (layout.publication.metadata / "timestamp.json").write_bytes(data)
    assert settle.signed_targets(layout.publication) == {}


def test_metadata_that_was_lost_comes_back_with_the_next_run(tmp_path: Path) -> None:
    layout = _published(tmp_path)
    (layout.publication.metadata / "timestamp.json").unlink()
    ran = ok("--archive", layout.root, "--json", "publish", cwd=tmp_path)
    assert ran.json["edition"] == 1
    assert settle.signed_targets(layout.publication)


def test_places_that_the_ledger_lost_come_back_with_the_next_run(tmp_path: Path) -> None:
    layout = _published(tmp_path)
    holdings = Holdings.open(layout)
    places = holdings.places()
    holdings.copy_back(places)
    holdings.release(places)
    ok("--archive", layout.root, "publish", cwd=tmp_path)
    again = Holdings.open(layout)
    assert again.places() == places == settle.places_of(_latest(layout))
    assert again.loose(places) == []
