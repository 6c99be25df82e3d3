"""Torrents that we make: right in both halves, the same as libtorrent makes of the same bytes, without pad files."""

from __future__ import annotations

import dataclasses
import hashlib
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import libtorrent
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fonoteca.core import merkle
from fonoteca.formats import bencode
from fonoteca.formats.metainfo import FileEntry, Metainfo, MetainfoError, hybrid, parse
from packing import PIECE, content, sealed, torrent_file, volume

pytestmark = pytest.mark.core

ADDRESSES: dict[str, Any] = {
    "trackers": ["https://tracker.example/announce?key=a&b=c", "udp://tracker.example:6969"],
    "web_seeds": ["https://music.example/packs/"],
}


def packs() -> list[FileEntry]:
    return [torrent_file((f"{name}.r0.tar",), sealed(length)) for name, length in (("tail-b", 40_000), ("tail-a", 9))]


def libtorrents(folder: Path, files: Sequence[tuple[str, bytes]]) -> tuple[str, str]:
    """Both infohashes that libtorrent computes of the same files; names are relative to the folder."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        storage = libtorrent.file_storage()
        for name, data in sorted(files):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
            storage.add_file(name, len(data))
        maker = libtorrent.create_torrent(storage, PIECE)
        libtorrent.set_piece_hashes(maker, str(folder))
        made = maker.generate()
    return hashes_of(libtorrent.bencode(made))


def hashes_of(data: bytes) -> tuple[str, str]:
    """Both infohashes, as libtorrent reads a torrent."""
    loaded = libtorrent.torrent_info(libtorrent.bdecode(data)).info_hashes()
    return str(loaded.v1), str(loaded.v2)


def test_golden_volume_and_single_file(golden: Callable[[str, bytes], None]) -> None:
    many = hybrid("tail-free-0001-01", packs(), PIECE, **ADDRESSES)
    name = "fonoteca-0001-recordings.parquet"
    one = hybrid(name, [torrent_file((name,), content(50_001, "parquet"))], PIECE, single_file=True,
                 web_seeds=[f"https://music.example/editions/0001/snapshot/{name}"])  # fmt: skip
    golden("torrent/volume.torrent", many.encode())
    golden("torrent/single.torrent", one.encode())
    lines = [f"{m.name}\n{m.infohash_v1}\n{m.infohash_v2}\n{m.magnet()}\n" for m in (many, one)]
    golden("torrent/infohashes.txt", "".join(lines).encode())


@pytest.mark.parametrize("name", ["volume", "single"])
def test_golden_torrents_are_read_the_same_by_libtorrent_and_by_us(name: str) -> None:
    data = (Path(__file__).parents[1] / "goldens" / "torrent" / f"{name}.torrent").read_bytes()
    ours = parse(data)
    assert hashes_of(data) == (ours.infohash_v1, ours.infohash_v2)
    assert ours.encode() == data
    assert not ours.has_pad_files


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=5))
def test_volumes_have_the_infohashes_of_libtorrent(tmp_path_factory: pytest.TempPathFactory, pieces: list[int]) -> None:
    files = [(f"{chr(ord('a') + i)}.tar", content(count * PIECE, f"{i}")) for i, count in enumerate(pieces)]
    made = volume(*files, name="vol")
    folder = tmp_path_factory.mktemp("libtorrent")
    assert libtorrents(folder, [(f"vol/{name}", data) for name, data in files]) == (
        made.infohash_v1, made.infohash_v2,
    )  # fmt: skip
    assert parse(made.encode()) == made
    assert not made.has_pad_files


@pytest.mark.parametrize(
    "length", [1, 100, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE - 1, 2 * PIECE, 2 * PIECE + 1, 7 * PIECE + 5]
)
def test_single_files_of_any_length_have_the_infohashes_of_libtorrent(tmp_path: Path, length: int) -> None:
    data = content(length, "one")
    made = hybrid("one", [torrent_file(("one",), data)], PIECE, single_file=True)
    assert libtorrents(tmp_path, [("one", data)]) == (made.infohash_v1, made.infohash_v2)
    assert parse(made.encode()) == made
    assert made.length == length


def test_the_order_of_files_does_not_matter_and_is_that_of_raw_bytes() -> None:
    entries = [torrent_file((name,), content(PIECE, name)) for name in ("b", "é", "a", "Z")]
    forward, back = hybrid("v", entries, PIECE), hybrid("v", entries[::-1], PIECE)
    assert forward == back
    assert [entry.path[0] for entry in forward.files] == ["Z", "a", "b", "é"]


def test_files_in_folders_stand_in_the_order_of_the_tree() -> None:
    names = [("a.x",), ("a", "z"), ("a", "b", "c"), ("a!",)]
    made = hybrid("v", [torrent_file(path, content(PIECE, str(path))) for path in names], PIECE)
    assert parse(made.encode()) == made
    assert [entry.path for entry in made.files] == [("a", "b", "c"), ("a", "z"), ("a!",), ("a.x",)]


def test_addresses_stand_outside_the_info_dictionary() -> None:
    plain, addressed = hybrid("v", packs(), PIECE), hybrid("v", packs(), PIECE, **ADDRESSES)
    assert (plain.infohash_v1, plain.infohash_v2) == (addressed.infohash_v1, addressed.infohash_v2)
    top: Any = bencode.decode(addressed.encode())
    assert set(top) == {b"announce", b"announce-list", b"info", b"piece layers", b"url-list"}
    assert top[b"announce-list"] == [[address.encode()] for address in ADDRESSES["trackers"]]
    again = parse(addressed.encode())
    assert (list(again.trackers), list(again.web_seeds)) == (ADDRESSES["trackers"], ADDRESSES["web_seeds"])


def test_no_date_no_client_name_nothing_that_changes_from_run_to_run() -> None:
    top: Any = bencode.decode(hybrid("v", packs(), PIECE).encode())
    assert set(top) == {b"info", b"piece layers"}
    assert set(top[b"info"]) == {b"file tree", b"files", b"meta version", b"name", b"piece length", b"pieces"}


def test_fields_of_others_survive_reading_and_writing() -> None:
    top: Any = bencode.decode(hybrid("v", packs(), PIECE).encode())
    top[b"comment"] = b"by somebody else"
    data = bencode.encode(top)
    assert parse(data).encode() == data


# -- magnet links ----------------------------------------------------------------------------------------------


def test_a_magnet_is_read_by_libtorrent() -> None:
    made = hybrid("v", packs(), PIECE, **ADDRESSES)
    link = libtorrent.parse_magnet_uri(made.magnet())
    assert (str(link.info_hashes.v1), str(link.info_hashes.v2)) == (made.infohash_v1, made.infohash_v2)
    assert link.name == "v"
    assert list(link.trackers) == ADDRESSES["trackers"]
    assert list(link.url_seeds) == ADDRESSES["web_seeds"]


def test_a_magnet_escapes_everything_that_would_end_a_value() -> None:
    made = hybrid("Motörhead & Söhne = 100% #1+2", packs(), PIECE)
    link = made.magnet(["http://a/?x=1&y=2#z"], ["http://b/ü/"])
    assert parse_qsl(link.removeprefix("magnet:?")) == [
        ("xt", f"urn:btih:{made.infohash_v1}"),
        ("xt", f"urn:btmh:1220{made.infohash_v2}"),
        ("dn", "Motörhead & Söhne = 100% #1+2"),
        ("tr", "http://a/?x=1&y=2#z"),
        ("ws", "http://b/ü/"),
    ]
    assert link.isascii()
    assert " " not in link


def test_a_magnet_takes_other_addresses_than_the_torrents() -> None:
    made = hybrid("v", packs(), PIECE, **ADDRESSES)
    assert "tr=" not in made.magnet([], [])
    assert "ws=http%3A%2F%2Fx%2F" in made.magnet([], ["http://x/"])


# -- what is refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("over", [-1, 1])
def test_a_file_that_would_need_a_pad_file_is_refused(over: int) -> None:
    with pytest.raises(MetainfoError) as caught:
        volume(("a", content(2 * PIECE + over, "a")), ("b", content(PIECE, "b")))
    assert caught.value.code == "torrent-padding"


@pytest.mark.parametrize(
    "names",
    [("a", "a"), ("a", "A"), ("ß", "ss"), ("..",), ("a/b",), ("",), ("a\\b",), (".hidden",), ("nul",), ("x" * 256,)],
)
def test_names_that_clash_or_harm_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(MetainfoError) as caught:
        volume(*((name, content(PIECE, str(i))) for i, name in enumerate(names)))
    assert caught.value.code == "torrent-path"


def wrong(entry: FileEntry) -> list[FileEntry]:
    other = hashlib.sha256(b"other").digest()
    return [
        dataclasses.replace(entry, length=0),
        dataclasses.replace(entry, length=entry.length + PIECE),
        dataclasses.replace(entry, root=other),
        dataclasses.replace(entry, root=b""),
        dataclasses.replace(entry, piece_layer=[]),
        dataclasses.replace(entry, piece_layer=[*entry.piece_layer[:-1], other]),
        dataclasses.replace(entry, sha1_pieces=entry.sha1_pieces[:-1]),
        dataclasses.replace(entry, sha1_pieces=[b"short", *entry.sha1_pieces[1:]]),
    ]


@pytest.mark.parametrize("number", range(8))
def test_hashes_that_do_not_fit_are_refused(number: int) -> None:
    entry = torrent_file(("a",), content(3 * PIECE, "a"))
    with pytest.raises(ValueError, match=r"."):
        hybrid("v", [wrong(entry)[number]], PIECE)


def test_a_single_file_torrent_has_one_file_of_its_name() -> None:
    entry = torrent_file(("a",), content(5, "a"))
    for entries in ([entry], [], [entry, torrent_file(("v",), b"x")]):
        with pytest.raises(ValueError, match="single-file"):
            hybrid("v", entries, PIECE, single_file=True)


@pytest.mark.parametrize("piece_length", [0, PIECE - 1, PIECE + 1, 3 * PIECE])
def test_piece_lengths_that_bep_52_forbids(piece_length: int) -> None:
    with pytest.raises(ValueError, match="power of two"):
        hybrid("v", packs(), piece_length)


def test_values_compare_by_content() -> None:
    made: Metainfo = volume(("a", content(PIECE, "a")))
    assert made == parse(made.encode())
    assert made.files[0].root == merkle.root([hashlib.sha256(content(PIECE, "a")).digest()])
