"""The magnets of the pages, taken by libtorrent: what comes is what was published."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import libtorrent as lt
import pytest

from browser.visit import Visits
from browser.world import FRERE, World
from fonoteca.mirror.session import open_session

pytestmark = pytest.mark.tools

SECONDS = 20.0


@pytest.fixture
def client() -> Iterator[Any]:
    """A client that knows nobody."""
    session = open_session("127.0.0.1:0")
    yield session
    session.pause()


def complete(session: Any, magnets: Sequence[str], peer: tuple[str, int], out: Path) -> list[str]:
    """Fetch all that magnets stand for from one peer, which also gives the metadata; the torrents' names."""
    handles = []
    for magnet in magnets:
        params = lt.parse_magnet_uri(magnet)
        params.save_path = str(out)
        params.flags |= lt.torrent_flags.disable_dht | lt.torrent_flags.disable_lsd
        params.peers = [peer]
        handles.append(session.add_torrent(params))
    end = time.monotonic() + SECONDS
    while open_ones := [h for h in handles if not h.status().is_seeding]:
        assert time.monotonic() < end, [f"{h.status().name}: {h.status().progress:.0%}" for h in open_ones]
        time.sleep(0.02)
    return [str(h.status().name) for h in handles]


def test_every_magnet_of_the_torrents_page_completes(visits: Visits, world: World, client: Any, tmp_path: Path) -> None:
    page = visits.open("/torrents")
    links = page.get_by_role("link", name="Magnet link of")
    magnets = links.evaluate_all("links => links.map(a => [a.getAttribute('aria-label'), a.href])")
    names = complete(client, [magnet for _, magnet in magnets], world.peer, tmp_path)
    assert [label for label, _ in magnets] == [f"Magnet link of {name}" for name in names]
    volumes = [name for name in names if (world.publication.packs / name).is_dir()]
    assert len(volumes) >= 4
    for name in volumes:
        for original in (world.publication.packs / name).iterdir():
            assert (tmp_path / name / original.name).read_bytes() == original.read_bytes()
    tables = {p.name: p for p in world.publication.edition(2).rglob("*.parquet")}
    for name in set(names) - set(volumes):
        assert (tmp_path / name).read_bytes() == tables[name.split("-", 2)[2]].read_bytes()


def test_a_recordings_magnet_brings_the_recording(visits: Visits, world: World, client: Any, tmp_path: Path) -> None:
    page = visits.open(world.recording(FRERE))
    magnet = page.get_by_role("link", name="Magnet link").get_attribute("href")
    assert {"xt", "dn"} <= set(parse_qs(urlsplit(magnet).query))
    [name] = complete(client, [magnet], world.peer, tmp_path)
    file = page.request.get(f"{world.recording(FRERE)}.json").json()["files"][0]
    with (tmp_path / name / Path(file["pack_file"]).name).open("rb") as pack:
        pack.seek(file["offset"])
        audio = pack.read(file["bytes"])
    assert hashlib.sha256(audio).hexdigest() == file["sha256"]
    assert audio == page.request.get(file["audio"]).body()


def test_the_planner_gives_magnets_that_fit(visits: Visits, world: World, client: Any, tmp_path: Path) -> None:
    page = visits.open("/torrents")
    page.get_by_role("textbox", name="Magnet links").wait_for()
    page.get_by_label("I have").fill("3")
    page.get_by_role("combobox", name="Unit").select_option("MB")
    page.wait_for_url("**/torrents?disk=3&unit=MB*")
    some = page.get_by_role("textbox", name="Magnet links").input_value().split()
    slider = page.get_by_role("slider", name="Disk to give")
    slider.focus()
    page.keyboard.press("End")
    page.wait_for_function("n => document.querySelector('[data-magnets]').value.split('\\n').length > n", arg=len(some))
    assert page.get_by_text("0 left out").is_visible()
    complete(client, some, world.peer, tmp_path)
    assert 0 < sum(p.stat().st_size for p in tmp_path.rglob("*") if p.is_file()) <= 3_000_000
