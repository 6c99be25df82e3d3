"""Twins: one function of the hybrid, read by libtorrent and aria2 as we read them, and nothing else passes for one."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import libtorrent
import pytest

from fonoteca.formats import bencode
from fonoteca.formats.metainfo import Metainfo, MetainfoError, check_twin, hybrid, parse, twin_infohash, twin_magnet
from fonoteca.formats.metainfo import v1_twin as twin_of
from packing import PIECE, content, torrent_file

pytestmark = pytest.mark.core

GOLDEN = Path(__file__).parents[1] / "goldens" / "torrent"
FILES = [("a.r0.tar", content(2 * PIECE, "a")), ("b.r0.tar", content(PIECE, "b"))]


def volume(**addresses: Any) -> Metainfo:
    return hybrid("head-free-0001-01", [torrent_file((name,), data) for name, data in FILES], PIECE, **addresses)


def decoded(data: bytes) -> dict[bytes, Any]:
    top = bencode.decode(data)
    assert isinstance(top, dict)
    return top


def keys(value: object) -> set[bytes]:
    """All keys of all dictionaries in a value."""
    if isinstance(value, dict):
        return set(value).union(*map(keys, value.values()))
    return set[bytes]().union(*map(keys, value)) if isinstance(value, list) else set()


@pytest.mark.parametrize("name", ["volume", "single"])
def test_golden_twins(name: str, golden: Callable[[str, bytes], None]) -> None:
    made = parse((GOLDEN / f"{name}.torrent").read_bytes())
    golden(f"torrent/{name}.v1.torrent", twin_of(made))
    golden(f"torrent/{name}.v1.txt", f"{twin_infohash(made)}\n{twin_magnet(made)}\n".encode())


@pytest.mark.parametrize("name", ["volume", "single"])
def test_libtorrent_reads_the_same_content_in_a_twin_as_in_the_hybrid(name: str) -> None:
    made = parse((GOLDEN / f"{name}.torrent").read_bytes())
    old, new = (libtorrent.torrent_info(libtorrent.bdecode(data)) for data in (made.encode(), twin_of(made)))
    assert new.info_hashes().has_v1() and not new.info_hashes().has_v2()
    assert str(new.info_hashes().v1) == twin_infohash(made) != made.infohash_v1
    assert (new.name(), new.piece_length(), new.num_pieces()) == (old.name(), old.piece_length(), old.num_pieces())
    assert [new.hash_for_piece(i) for i in range(new.num_pieces())] == [
        old.hash_for_piece(i) for i in range(old.num_pieces())
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        assert [(f.path, f.size) for f in new.files()] == [(f.path, f.size) for f in old.files()]
        assert not any(f.pad_file for f in new.files())
        assert {t.url for t in new.trackers()} == set(made.trackers)
        assert {seed["url"] for seed in new.web_seeds()} == set(made.web_seeds)


def test_a_twin_has_the_infohash_of_the_v1_torrent_that_libtorrent_makes(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        storage = libtorrent.file_storage()
        for name, data in FILES:
            path = tmp_path / "head-free-0001-01" / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
            storage.add_file(f"head-free-0001-01/{name}", len(data))
        maker = libtorrent.create_torrent(storage, PIECE, libtorrent.create_torrent.v1_only)
        libtorrent.set_piece_hashes(maker, str(tmp_path))
        made = libtorrent.torrent_info(maker.generate())
    assert str(made.info_hashes().v1) == twin_infohash(volume())


def test_a_twin_holds_keys_of_bep_3_and_no_empty_one() -> None:
    top = decoded(twin_of(volume(trackers=["http://t.example/a"], web_seeds=["http://w.example/packs/"])))
    assert keys(top[b"info"]) == {b"name", b"piece length", b"pieces", b"files", b"length", b"path"}
    assert set(top) == {b"announce", b"info", b"url-list"}


def test_addresses_change_no_infohash_and_stand_in_the_magnet() -> None:
    addresses = {"trackers": ["http://t.example/a?x=1&y=2"], "web_seeds": ["http://w.example/packs/"]}
    assert twin_infohash(volume(**addresses)) == twin_infohash(volume())
    link = libtorrent.parse_magnet_uri(twin_magnet(volume(**addresses)))
    assert str(link.info_hashes.v1) == twin_infohash(volume())
    assert not link.info_hashes.has_v2()
    assert (link.name, list(link.trackers), list(link.url_seeds)) == ("head-free-0001-01", *addresses.values())


@pytest.mark.tools
@pytest.mark.parametrize("name", ["volume", "single"])
def test_aria2_takes_the_infohash_of_a_twin_as_it_is(name: str, need_tool: Callable[[str], str]) -> None:
    path = GOLDEN / f"{name}.v1.torrent"
    told = subprocess.run([need_tool("aria2c"), "--no-conf", "-S", path], capture_output=True, text=True, timeout=20)
    found = re.search(r"Info Hash: ([0-9a-f]{40})", told.stdout)
    assert found
    assert found[1] == twin_infohash(parse((GOLDEN / f"{name}.torrent").read_bytes()))


# -- what passes for a twin, and what does not ------------------------------------------------------------------


def test_a_twin_is_accepted_and_so_is_a_comment_outside_of_the_info() -> None:
    made = volume(trackers=["http://t.example/a"])
    check_twin(made, twin_of(made))
    check_twin(made, bencode.encode(decoded(twin_of(made)) | {b"comment": b"for old clients"}))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"name", b"head-free-0001-02"), (b"piece length", 2 * PIECE), (b"pieces", bytes(60)), (b"files", []),
        (b"length", 3 * PIECE), (b"private", 1), (b"meta version", 2), (b"file tree", {}), (b"", b"x"),
    ],
)  # fmt: skip
def test_a_twin_that_differs_in_its_info_is_refused(key: bytes, value: object) -> None:
    top = decoded(twin_of(volume()))
    top[b"info"] |= {key: value}
    with pytest.raises(MetainfoError, match=re.escape(repr(key.decode()))) as caught:
        check_twin(volume(), bencode.encode(top))
    assert caught.value.code == "torrent-twin"


@pytest.mark.parametrize("key", [b"name", b"piece length", b"pieces", b"files"])
def test_a_twin_without_a_field_is_refused(key: bytes) -> None:
    top = decoded(twin_of(volume()))
    del top[b"info"][key]
    with pytest.raises(MetainfoError) as caught:
        check_twin(volume(), bencode.encode(top))
    assert caught.value.code == "torrent-twin"


def test_a_twin_that_asks_others_than_the_hybrid_is_refused() -> None:
    for addresses in ({"trackers": ["http://evil.example/a"]}, {"web_seeds": ["http://evil.example/"]}, {}):
        made = volume(trackers=["http://t.example/a"], web_seeds=["http://w.example/"])
        with pytest.raises(MetainfoError) as caught:
            check_twin(made, twin_of(volume(**addresses)))
        assert caught.value.code == "torrent-twin"


def test_the_hybrid_itself_is_no_twin() -> None:
    with pytest.raises(MetainfoError, match="file tree"):
        check_twin(volume(), volume().encode())


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "torrent-bencode"), (b"d4:infode", "torrent-bencode"), (b"le", "torrent-twin"), (b"de", "torrent-twin"),
        (b"d4:infolee", "torrent-twin"), (b"x" * 10_000_001, "torrent-limit"), (b"l" * 200, "torrent-bencode"),
    ],
    ids=["empty", "cut", "list", "no_info", "info_is_a_list", "too_long", "too_deep"],
)  # fmt: skip
def test_noise_is_refused_with_its_code(data: bytes, code: str) -> None:
    with pytest.raises(MetainfoError) as caught:
        check_twin(volume(), data)
    assert caught.value.code == code


def test_a_hybrid_with_pad_files_gets_no_twin() -> None:
    made = volume()
    info = made.top[b"info"]
    pad = {b"attr": b"p", b"length": PIECE, b"path": [b".pad", b"16384"]}
    padded = dataclasses.replace(made, top=made.top | {b"info": info | {b"files": [*info[b"files"], pad]}})
    with pytest.raises(MetainfoError) as caught:
        twin_of(padded)
    assert caught.value.code == "torrent-padding"
