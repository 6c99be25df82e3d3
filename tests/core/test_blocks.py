"""Sources of blocks: folders of every kind, and an address."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

import pytest

from fonoteca.core.blocks import BlockSource, FolderSource, NoRanges, Place, SourceFailed, Wanted, WebSource
from fonoteca.core.clock import FixedClock
from fonoteca.core.fetch import Fetcher, HttpStatus
from simulators.edition_server import EditionServer, Fault

pytestmark = pytest.mark.core
CLOCK = FixedClock(datetime.datetime(2026, 11, 24, tzinfo=datetime.UTC))
PACK = "packs/v/head-1.r0.tar"
WANTED = Wanted("head-1.r0.tar", 6, (Place(PACK),), "head-1.r")


def put(root: Path, path: str, data: bytes = b"abcdef") -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(data)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EditionServer]:
    with EditionServer(tmp_path) as server:
        yield server


@pytest.fixture
def fetcher() -> Iterator[Fetcher]:
    with Fetcher(CLOCK) as fetcher:
        yield fetcher


@pytest.mark.parametrize(
    "path",
    [PACK, f"publication/{PACK}", "packs/other-volume/head-1.r0.tar", "packs/v/head-1.r1.tar", "deep/er/head-1.r0.tar"],
    ids=["publication", "archive-or-mirror", "another-volume", "another-revision", "the-file-itself"],
)
def test_a_folder_gives_a_pack_wherever_it_lies(tmp_path: Path, path: str) -> None:
    put(tmp_path, path)
    source: BlockSource = FolderSource(tmp_path)
    [place] = source.places(WANTED)
    assert (place.path, place.guess) == (path, False)
    assert b"".join(source.read(place, 1, 4)) == b"bcd"
    assert source.fetched == 3


def test_a_file_of_the_right_length_is_a_guess_and_comes_last(tmp_path: Path) -> None:
    put(tmp_path, "music/song.ogg")
    put(tmp_path, "music/longer.ogg", b"abcdefg")
    put(tmp_path, PACK)
    found = list(FolderSource(tmp_path).places(WANTED))
    assert found == [Place(PACK), Place("music/song.ogg", guess=True)]


def test_a_region_of_a_file_is_read_from_its_offset(tmp_path: Path) -> None:
    put(tmp_path, PACK, b"0123456789")
    source = FolderSource(tmp_path)
    [place, *_] = source.places(Wanted("blob", 4, (Place(PACK, 3),)))
    assert b"".join(source.read(place, 1, 4)) == b"456"


def test_links_and_what_cannot_be_read_are_passed_over(tmp_path: Path) -> None:
    put(tmp_path, "real/a.ogg")
    (tmp_path / "link.ogg").symlink_to(tmp_path / "real/a.ogg")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    source = FolderSource(tmp_path)
    assert [p.path for p in source.places(Wanted("x", 6))] == ["real/a.ogg"]
    with pytest.raises(SourceFailed, match="No such file"):
        list(source.read(Place("gone"), 0, 1))


def test_a_small_file_comes_whole_and_a_large_one_not_at_all(tmp_path: Path) -> None:
    put(tmp_path, "publication/metadata/1.root.json")
    source = FolderSource(tmp_path)
    assert source.small("metadata/1.root.json", 6) == b"abcdef"
    assert source.small("metadata/1.root.json", 5) is None
    assert source.small("metadata/2.root.json", 5) is None


def test_an_address_gives_ranges(server: EditionServer, fetcher: Fetcher, tmp_path: Path) -> None:
    put(tmp_path, PACK)
    source: BlockSource = WebSource(server.url + "/", fetcher)
    [place] = source.places(WANTED)
    assert b"".join(source.read(place, 2, 4)) == b"cd"
    assert (source.fetched, server.sent("packs/*")) == (2, 2)
    assert b"".join(source.read(place, 4, 9)) == b"ef"


def test_an_address_is_asked_for_nothing_private(server: EditionServer, fetcher: Fetcher, tmp_path: Path) -> None:
    put(tmp_path, "blobs/aa/bb/aabb")
    put(tmp_path, "holdings/leaves/aa/aabb")
    source = WebSource(server.url, fetcher)
    assert list(source.places(Wanted("aabb", 6, (Place("blobs/aa/bb/aabb"),)))) == []
    assert source.small("holdings/leaves/aa/aabb", 100) is None
    assert server.requests == []


def test_a_server_that_ignores_ranges_says_so_before_its_body_is_read(
    server: EditionServer, fetcher: Fetcher, tmp_path: Path
) -> None:
    put(tmp_path, PACK)
    server.faults.append(Fault(ignore_range=True))
    source = WebSource(server.url, fetcher)
    with pytest.raises(NoRanges):
        list(source.read(Place(PACK), 2, 4))
    assert b"".join(source.read(Place(PACK), 0, 4)) == b"abcd"


def test_a_missing_file_at_an_address_is_a_status(server: EditionServer, fetcher: Fetcher) -> None:
    source = WebSource(server.url, fetcher)
    with pytest.raises(HttpStatus):
        list(source.read(Place(PACK), 0, 1))
    assert source.small("metadata/1.root.json", 5) is None
