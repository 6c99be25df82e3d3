"""Packs over HTTP: torn, shifted, changed and packed answers never pass as whole (promise T1)."""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fonoteca.cli.env import SystemClock
from fonoteca.core import merkle
from fonoteca.core.errors import NetworkFailed
from fonoteca.core.fetch import Fetcher, Limits
from fonoteca.mirror.check import Promise
from fonoteca.mirror.courier import Options
from fonoteca.mirror.fetch_http import Stopped, fetch
from mirror.world import run, served, tree
from simulators.edition_server import EditionServer, Fault

pytestmark = pytest.mark.core
PIECE = 65_536
BODY = random.Random(9).randbytes(PIECE * 8)


def promise(layer: bool = True) -> Promise:
    leaves = [hashlib.sha256(BODY[i : i + merkle.BLOCK]).digest() for i in range(0, len(BODY), merkle.BLOCK)]
    root = merkle.root(leaves).hex()
    return Promise(len(BODY), root, PIECE, merkle.piece_layer(leaves, PIECE)) if layer else Promise(len(BODY), root)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EditionServer]:
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "pack.tar").write_bytes(BODY)
    with EditionServer(tmp_path / "www") as running:
        yield running


def bring(server: EditionServer, path: Path, layer: bool = True, stop: threading.Event | None = None) -> int:
    path.parent.mkdir(exist_ok=True)
    with Fetcher(SystemClock(), Limits(read_seconds=2)) as fetcher:
        url = f"{server.url}/pack.tar"
        return fetch(fetcher, url, path, promise(layer), lambda _: None, stop or threading.Event())[0]


def test_a_hundred_torn_downloads_never_pass_as_whole(server: EditionServer, tmp_path: Path) -> None:
    """Cut at 100 points: the call fails, what came stays, and the next call brings only the rest."""
    rng = random.Random(4)
    points = sorted({0, 1, len(BODY) - 1, *(rng.randrange(len(BODY)) for _ in range(97))})
    assert len(points) == 100
    for cut in points:
        path = tmp_path / "partial" / f"{cut}.tar"
        server.faults = [Fault(cut=cut)]
        with pytest.raises(NetworkFailed) as caught:
            bring(server, path)
        assert caught.value.code == "cut-short"
        assert path.stat().st_size == cut
        server.faults = []
        assert bring(server, path) == len(BODY) - cut
        assert path.read_bytes() == BODY


@pytest.mark.parametrize("there", [0, 1, PIECE, 100_000, len(BODY) - 1])
def test_an_ignored_range_starts_anew(server: EditionServer, tmp_path: Path, there: int) -> None:
    path = tmp_path / "partial.tar"
    path.write_bytes(BODY[:there])
    server.faults = [Fault(ignore_range=True)]
    assert bring(server, path) == len(BODY)
    assert path.read_bytes() == BODY


def test_a_shifted_range_is_refused(server: EditionServer, tmp_path: Path) -> None:
    path = tmp_path / "partial.tar"
    path.write_bytes(BODY[:1000])
    server.faults = [Fault(shift=16)]
    with pytest.raises(NetworkFailed) as caught:
        bring(server, path)
    assert caught.value.code == "bad-range"


def test_a_range_that_lies_about_its_start_is_mended_by_pieces(server: EditionServer, tmp_path: Path) -> None:
    path = tmp_path / "partial.tar"
    path.write_bytes(BODY[: PIECE * 6])
    server.faults = [Fault(times=1, lie_range=-16)]
    assert bring(server, path) <= 2 * PIECE * 2 + 16
    assert path.read_bytes() == BODY


def test_gzip_added_on_the_way_is_refused(server: EditionServer, tmp_path: Path) -> None:
    server.faults = [Fault(pack=True)]
    with pytest.raises(NetworkFailed) as caught:
        bring(server, tmp_path / "partial.tar")
    assert caught.value.code == "encoded-body"


@pytest.mark.parametrize("damage", [lambda b: b + b"more", lambda b: b[:-1], lambda _: b""])
def test_a_wrong_length_never_passes(server: EditionServer, tmp_path: Path, damage) -> None:  # type: ignore[no-untyped-def]
    server.faults = [Fault(change=damage)]
    with pytest.raises(NetworkFailed):
        bring(server, tmp_path / "partial.tar")


def test_only_bad_pieces_come_again(server: EditionServer, tmp_path: Path) -> None:
    path = tmp_path / "partial.tar"
    damaged = bytearray(BODY)
    damaged[PIECE + 5] ^= 1
    damaged[PIECE * 6] ^= 255
    path.write_bytes(bytes(damaged))
    assert bring(server, path) == 2 * PIECE
    assert path.read_bytes() == BODY


def test_a_file_full_of_holes_is_filled(server: EditionServer, tmp_path: Path) -> None:
    """What a torrent leaves behind when it is killed: the right length, some pieces, zeros elsewhere."""
    path = tmp_path / "partial.tar"
    path.write_bytes(BODY[:PIECE] + bytes(PIECE * 3) + BODY[PIECE * 4 : PIECE * 5] + bytes(PIECE * 3))
    assert bring(server, path) == 6 * PIECE
    assert path.read_bytes() == BODY


def test_without_a_torrent_all_comes_again(server: EditionServer, tmp_path: Path) -> None:
    path = tmp_path / "partial.tar"
    path.write_bytes(bytes(len(BODY)))
    assert bring(server, path, layer=False) == len(BODY)
    assert path.read_bytes() == BODY


def test_a_longer_partial_is_cut(server: EditionServer, tmp_path: Path) -> None:
    path = tmp_path / "partial.tar"
    path.write_bytes(BODY + b"rest of something else")
    assert bring(server, path) == 0
    assert path.read_bytes() == BODY


def test_a_source_that_always_lies_is_given_up(server: EditionServer, tmp_path: Path) -> None:
    server.faults = [Fault(change=lambda b: bytes(len(b)))]
    with pytest.raises(NetworkFailed) as caught:
        bring(server, tmp_path / "partial.tar")
    assert caught.value.code == "wrong-bytes"
    assert server.sent("pack.tar") <= 4 * len(BODY)


def test_a_stop_keeps_what_has_come(server: EditionServer, tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    path = tmp_path / "partial.tar"
    with pytest.raises(Stopped):
        bring(server, path, stop=stop)
    assert bring(server, path) == len(BODY)


def test_a_mirror_survives_every_fault_once(tmp_path: Path) -> None:
    """Each download is disturbed once in its own way; the mirror is whole all the same."""
    with served(tmp_path) as (publisher, server):
        for _ in range(6):
            publisher.add(300_000)
        publisher.publish()
        server.faults = [
            Fault("packs/*", times=2, cut=100_000), Fault("packs/*", times=2, cut=0),
            Fault("packs/*", times=2, change=lambda b: bytes(16) + b[16:]), Fault("packs/*", times=1, cut=1),
        ]  # fmt: skip
        summary = run(tmp_path / "mirror", server.url, publisher.root_json, options=Options(transport="http"))
        assert summary.packs == summary.verified == 6
        assert tree(tmp_path / "mirror/publication") == tree(tmp_path / "publication")
