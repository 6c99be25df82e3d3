"""Torrents from strangers: every hostile or broken one is refused with its code, fast, and nothing else happens."""

from __future__ import annotations

import copy
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import libtorrent
import pytest

from fonoteca.formats import bencode
from fonoteca.formats.metainfo import Limits, MetainfoError, hybrid, parse
from fonoteca.formats.metainfo_fields import decoded
from packing import PIECE, content, torrent_file

pytestmark = pytest.mark.core

Top = dict[bytes, Any]
SECONDS = 1.0 if sys.gettrace() is None else 10.0
"""Promise T3: the longest that reading any torrent may take, in processor time (not under a tracer)."""


def good() -> Top:
    """A volume of two packs and a third file with a folder, as bencoding has it."""
    files = [torrent_file(path, content(n * PIECE, str(path))) for path, n in
             ((("a.tar",), 3), (("b.tar",), 1), (("c", "d.tar"), 2))]  # fmt: skip
    made = hybrid("volume", files, PIECE, trackers=["http://t.example/a"], web_seeds=["http://w.example/packs/"])
    top: Any = bencode.decode(made.encode())
    return dict(top)


def refused(data: bytes) -> str:
    """The code that a torrent is refused with; it must be an error of the right kind, in time."""
    started = time.process_time()
    with pytest.raises(MetainfoError) as caught:
        parse(data)
    assert time.process_time() - started < SECONDS
    assert caught.value.reason
    return caught.value.code


def test_the_base_of_all_that_follows_is_good() -> None:
    assert parse(bencode.encode(good())).name == "volume"


# -- one change, one code --------------------------------------------------------------------------------------


def tree(top: Top) -> Top:
    found: Top = top[b"info"][b"file tree"]
    return found


def put(*keys: Any, value: Any) -> Callable[[Top], None]:
    """Set (or, with value None, delete) what the keys lead to."""

    def change(top: Top) -> None:
        holder: Any = top
        for key in keys[:-1]:
            holder = holder[key]
        if value is None:
            del holder[keys[-1]]
        else:
            holder[keys[-1]] = value

    return change


def first_layer(value: bytes | None) -> Callable[[Top], None]:
    def change(top: Top) -> None:
        put(b"piece layers", min(top[b"piece layers"]), value=value)(top)

    return change


def rename_everywhere(name: bytes) -> Callable[[Top], None]:
    """Both halves agree on a hostile name."""

    def change(top: Top) -> None:
        tree(top)[name] = tree(top).pop(b"a.tar")
        files = top[b"info"][b"files"]
        files[0][b"path"] = [name]
        files.sort(key=lambda item: item[b"path"])

    return change


def equal_names(top: Top) -> None:
    files = top[b"info"][b"files"]
    top[b"info"][b"files"] = [dict(files[1]) for _ in range(500)]
    top[b"info"][b"pieces"] = bytes(20 * 500)


def pad_after_first(size: int) -> Callable[[Top], None]:
    def change(top: Top) -> None:
        pad = {b"attr": b"p", b"length": size, b"path": [b".pad", b"1"]}
        top[b"info"][b"files"].insert(1, pad)
        top[b"info"][b"pieces"] += bytes(20 * -(-size // PIECE))

    return change


INFO, TREE, FILES, LAYERS = b"info", b"file tree", b"files", b"piece layers"
A_TAR = (INFO, TREE, b"a.tar", b"")
CHANGES: dict[str, tuple[str, Callable[[Top], None]]] = {
    "no info": ("torrent-field", put(INFO, value=None)),
    "info is a list": ("torrent-field", put(INFO, value=[])),
    "no name": ("torrent-field", put(INFO, b"name", value=None)),
    "name is a number": ("torrent-field", put(INFO, b"name", value=7)),
    "name is not UTF-8": ("torrent-field", put(INFO, b"name", value=b"\xff\xfe")),
    "name goes up": ("torrent-path", put(INFO, b"name", value=b"..")),
    "name is a path": ("torrent-path", put(INFO, b"name", value=b"a/b")),
    "name is empty": ("torrent-path", put(INFO, b"name", value=b"")),
    "name runs a shell": ("torrent-path", put(INFO, b"name", value=b"x|sh")),
    "name holds a backquote that is quoted by nobody": ("torrent-path", put(INFO, b"name", value=b"a\n`id`")),
    "piece length 0": ("torrent-piece-length", put(INFO, b"piece length", value=0)),
    "piece length negative": ("torrent-piece-length", put(INFO, b"piece length", value=-PIECE)),
    "piece length below a block": ("torrent-piece-length", put(INFO, b"piece length", value=8192)),
    "piece length no power of two": ("torrent-piece-length", put(INFO, b"piece length", value=PIECE * 3)),
    "piece length huge": ("torrent-piece-length", put(INFO, b"piece length", value=1 << 40)),
    "piece length doubled": ("torrent-padding", put(INFO, b"piece length", value=2 * PIECE)),
    "no pieces": ("torrent-field", put(INFO, b"pieces", value=None)),
    "pieces cut": ("torrent-pieces", put(INFO, b"pieces", value=bytes(20 * 6 - 1))),
    "a piece too few": ("torrent-pieces", put(INFO, b"pieces", value=bytes(20 * 5))),
    "a piece too many": ("torrent-pieces", put(INFO, b"pieces", value=bytes(20 * 7))),
    "files and length": ("torrent-field", put(INFO, b"length", value=PIECE)),
    "no files": ("torrent-pieces", put(INFO, FILES, value=[])),
    "a file is a string": ("torrent-field", put(INFO, FILES, 0, value=b"x")),
    "files is a dictionary": ("torrent-field", put(INFO, FILES, value={})),
    "length negative": ("torrent-length", put(INFO, FILES, 0, b"length", value=-1)),
    "length of a year of audio": ("torrent-length", put(INFO, FILES, 0, b"length", value=1 << 59)),
    "v1 path empty": ("torrent-path", put(INFO, FILES, 0, b"path", value=[])),
    "v1 path goes up": ("torrent-path", put(INFO, FILES, 0, b"path", value=[b"..", b"a.tar"])),
    "v1 path with two faces": ("torrent-path", put(INFO, FILES, 0, b"path.utf-8", value=[b"other"])),
    "both paths go up": ("torrent-path", rename_everywhere(b"..")),
    "both paths absolute": ("torrent-path", rename_everywhere(b"/etc")),
    "both paths with a drive": ("torrent-path", rename_everywhere(b"C:")),
    "both paths a device": ("torrent-path", rename_everywhere(b"aux.tar")),
    "both paths with NUL": ("torrent-path", rename_everywhere(b"a\0.tar")),
    "both paths reversed by bidi": ("torrent-path", rename_everywhere("\u202erat.a".encode())),
    "both paths not UTF-8": ("torrent-field", rename_everywhere(b"\xff")),
    "both paths too long": ("torrent-path", rename_everywhere(b"x" * 256)),
    "both paths equal but for case": ("torrent-path", rename_everywhere(b"B.TAR")),
    "both paths like a folder": ("torrent-path", rename_everywhere(b"C")),
    "500 equal names": ("torrent-path", equal_names),
    "v1 symlink": ("torrent-symlink", put(INFO, FILES, 0, b"attr", value=b"l")),
    "v1 symlink to the parent": ("torrent-symlink", put(INFO, FILES, 0, b"symlink path", value=[b".."])),
    "v2 symlink": ("torrent-symlink", put(*A_TAR, b"attr", value=b"l")),
    "v2 symlink to the parent": ("torrent-symlink", put(*A_TAR, b"symlink path", value=[b".."])),
    "v1 attr is a number": ("torrent-field", put(INFO, FILES, 0, b"attr", value=1)),
    "v2 attr is a number": ("torrent-field", put(*A_TAR, b"attr", value=1)),
    "pad file with content": ("torrent-padding", pad_after_first(PIECE)),
    "pad file of nothing": ("torrent-padding", pad_after_first(0)),
    "pad file first": ("torrent-padding", put(INFO, FILES, 0, b"attr", value=b"p")),
    "pad file in the tree": ("torrent-padding", put(*A_TAR, b"attr", value=b"p")),
    "meta version 1": ("torrent-version", put(INFO, b"meta version", value=1)),
    "meta version 3": ("torrent-version", put(INFO, b"meta version", value=3)),
    "no meta version": ("torrent-field", put(INFO, b"meta version", value=None)),
    "no file tree": ("torrent-field", put(INFO, TREE, value=None)),
    "empty file tree": ("torrent-field", put(INFO, TREE, value={})),
    "an empty folder": ("torrent-field", put(INFO, TREE, b"z", value={})),
    "an empty name in the tree": ("torrent-field", put(INFO, TREE, b"", value={b"length": 0})),
    "a file that is a folder": ("torrent-path", put(INFO, TREE, b"a.tar", b"x", value={b"": {b"length": 0}})),
    "a leaf that is a string": ("torrent-field", put(*A_TAR, value=b"x")),
    "a child that is a string": ("torrent-field", put(INFO, TREE, b"a.tar", value=b"x")),
    "zero root": ("torrent-layers", put(*A_TAR, b"pieces root", value=bytes(32))),
    "short root": ("torrent-layers", put(*A_TAR, b"pieces root", value=b"x" * 31)),
    "no root": ("torrent-field", put(*A_TAR, b"pieces root", value=None)),
    "another root": ("torrent-layers", put(*A_TAR, b"pieces root", value=b"x" * 32)),
    "no piece layers": ("torrent-field", put(LAYERS, value=None)),
    "no layer for a file": ("torrent-layers", first_layer(None)),
    "layer of another type": ("torrent-layers", put(LAYERS, value={b"x" * 32: b"y"})),
    "layer cut inside a hash": ("torrent-layers", first_layer(b"x" * 33)),
    "layer a hash short": ("torrent-layers", first_layer(b"x" * 32)),
    "layer empty": ("torrent-layers", first_layer(b"")),
    "layer of nobody": ("torrent-layers", put(LAYERS, b"x" * 32, value=b"y" * 32)),
    "v2 length differs": ("torrent-halves", put(INFO, TREE, b"b.tar", b"", b"length", value=PIECE - 1)),
    "v1 length differs": ("torrent-padding", put(INFO, FILES, 1, b"length", value=PIECE - 1)),
    "v1 name differs": ("torrent-halves", put(INFO, FILES, 0, b"path", value=[b"A"])),
    "v2 name differs": ("torrent-halves", lambda top: tree(top).update({b"a0": tree(top).pop(b"a.tar")})),
    "v1 order differs": ("torrent-halves", lambda top: top[INFO][FILES].reverse()),
    "a file only in v2": ("torrent-halves", put(INFO, TREE, b"z", value={b"": {b"length": 0}})),
    "a file only in v1": ("torrent-halves", lambda top: top[INFO][FILES].append({b"length": 0, b"path": [b"z"]})),
    "only v1": ("torrent-not-hybrid", lambda top: [top[INFO].pop(key) for key in (TREE, b"meta version")]),
    "only v2": ("torrent-not-hybrid", lambda top: [top[INFO].pop(key) for key in (FILES, b"pieces")]),
    "an empty file with a root": ("torrent-layers", put(INFO, TREE, b"b.tar", b"", b"length", value=0)),
    "tracker without a scheme": ("torrent-address", put(b"announce", value=b"tracker.example:80")),
    "tracker that opens a file": ("torrent-address", put(b"announce", value=b"file:///etc/passwd")),
    "tracker without a host": ("torrent-address", put(b"announce", value=b"http://:80/")),
    "tracker with port 0": ("torrent-address", put(b"announce", value=b"http://h:0/")),
    "tracker with port 99999": ("torrent-address", put(b"announce", value=b"http://h:99999/")),
    "tracker with a bad IPv6 host": ("torrent-address", put(b"announce", value=b"http://[::1/")),
    "tracker with a line break": ("torrent-address", put(b"announce", value=b"http://h/\r\nX: y")),
    "tracker of 3000 characters": ("torrent-address", put(b"announce", value=b"http://h/" + b"x" * 3000)),
    "tracker that is a number": ("torrent-field", put(b"announce", value=1)),
    "tracker list that is text": ("torrent-field", put(b"announce-list", value=b"http://h/")),
    "10,000 trackers": ("torrent-limit", put(b"announce-list", value=[[b"http://h/%d" % i] for i in range(10_000)])),
    "web seed over FTP": ("torrent-address", put(b"url-list", value=[b"ftp://h/"])),
    "web seed that is empty": ("torrent-address", put(b"url-list", value=[b""])),
    "web seed that is a list": ("torrent-field", put(b"url-list", value=[[b"http://h/"]])),
}


@pytest.mark.parametrize("name", CHANGES)
def test_refused(name: str) -> None:
    code, change = CHANGES[name]
    top = copy.deepcopy(good())
    change(top)
    assert refused(bencode.encode(top)) == code


def test_a_web_seed_may_be_a_single_string() -> None:
    top = good()
    top[b"url-list"] = b"http://w.example/packs/"
    assert parse(bencode.encode(top)).web_seeds == ("http://w.example/packs/",)


# -- bombs -----------------------------------------------------------------------------------------------------


def wrapped(info: bytes) -> bytes:
    return b"d4:info" + info + b"e"


BOMBS = {
    "nothing": b"",
    "not bencoding": b"<html>",
    "a list": b"le",
    "ten million lists": b"l" * 9_999_999,
    "ten million dictionaries": b"d0:" * 3_333_333,
    "millions of integers": wrapped(b"l" + b"i0e" * 3_300_000 + b"e"),
    "millions of empty strings": wrapped(b"l" + b"0:" * 4_900_000 + b"e"),
    "millions of empty lists": wrapped(b"l" + b"le" * 4_900_000 + b"e"),
    "millions of empty dictionaries": wrapped(b"l" + b"de" * 4_900_000 + b"e"),
    "beyond ten megabytes": b"9999990:" + bytes(9_999_994),
    "a string longer than the file": wrapped(b"9999999999:"),
    "trailing bytes": bencode.encode(good()) + b"\n",
    "unsorted": b"d5:zebra0:4:infodee",
    "duplicate keys": b"d4:infode4:infodee",
    "leading zeros": wrapped(b"d6:lengthi007ee"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_in_time(name: str) -> None:
    assert refused(BOMBS[name]) in {"torrent-bencode", "torrent-limit", "torrent-field"}


def test_a_huge_piece_layer_named_by_thousands_of_files_is_hashed_once() -> None:
    layer = bytes(range(32)) * 60_000
    from fonoteca.core import merkle

    root = merkle.root([bytes(range(32))] * 60_000)
    leaf = {b"": {b"length": 60_000 * PIECE, b"pieces root": root}}
    info = {b"name": b"x", b"piece length": PIECE, b"meta version": 2,
            b"file tree": {b"%06d" % i: leaf for i in range(10_000)}}  # fmt: skip
    assert refused(bencode.encode({b"info": info, b"piece layers": {root: layer}})) == "torrent-not-hybrid"


def test_ten_thousand_files_are_read_in_time() -> None:
    count = 10_000
    info: Top = {
        b"name": b"x", b"piece length": PIECE, b"meta version": 2, b"pieces": bytes(20 * count),
        b"files": [{b"length": PIECE, b"path": [b"%06d" % i]} for i in range(count)],
        b"file tree": {b"%06d" % i: {b"": {b"length": PIECE, b"pieces root": b"r" * 32}} for i in range(count)},
    }  # fmt: skip
    started = time.process_time()
    assert len(parse(bencode.encode({b"info": info, b"piece layers": {}})).files) == count
    assert time.process_time() - started < 2 * SECONDS


def test_limits_can_be_narrowed() -> None:
    data = bencode.encode(good())
    for limits in (Limits(bytes=100), Limits(depth=2), Limits(tokens=10), Limits(piece_length=8192),
                   Limits(content=PIECE), Limits(component=3), Limits(addresses=0), Limits(address=5)):  # fmt: skip
        with pytest.raises(MetainfoError):
            parse(data, limits)


# -- mutations -------------------------------------------------------------------------------------------------


def mutated(data: bytes, dice: random.Random) -> bytes:
    """One to four random changes: bits, bytes, cuts, repeats, numbers."""
    changed = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(changed))
        match dice.randrange(5):
            case 0:
                changed[at] ^= 1 << dice.randrange(8)
            case 1:
                changed[at : at + dice.randint(1, 8)] = dice.randbytes(dice.randint(0, 8))
            case 2:
                del changed[at : at + dice.randint(1, 200)]
            case 3:
                changed[at:at] = changed[at : at + dice.randint(1, 200)]
            case _:
                changed[at:at] = dice.choice([b"i-1e", b"le", b"de", b"0:", b"e", b"99999999:", b"i0e"])
        if not changed:
            return b""
    return bytes(changed)


def test_200_seeded_mutations_are_read_or_refused_and_nothing_else() -> None:
    dice = random.Random(2)
    data = bencode.encode(good())
    accepted = 0
    for _ in range(200):
        mutant = mutated(data, dice)
        started = time.process_time()
        try:
            assert parse(mutant).encode() == mutant
            accepted += 1
        except MetainfoError as error:
            assert error.code.startswith("torrent-")
        assert time.process_time() - started < SECONDS
    assert accepted < 150


# -- real torrents ---------------------------------------------------------------------------------------------

REAL = {
    "base": "torrent-not-hybrid",
    "collection": "torrent-not-hybrid",
    "creation_date": "torrent-not-hybrid",
    "dht_nodes": "torrent-not-hybrid",
    "empty-files-1": None,
    "httpseed": "torrent-not-hybrid",
    "pad_file": "torrent-bencode",
    "sample": "torrent-address",
    "similar": "torrent-not-hybrid",
    "url_list": "torrent-address",
    "url_list2": "torrent-field",
    "url_seed_multi": "torrent-not-hybrid",
    "v2": None,
    "v2_hybrid": None,
    "v2_multipiece_file": None,
    "v2_multiple_files": "torrent-not-hybrid",
    "v2_only": "torrent-not-hybrid",
}
"""What becomes of each: None where it is read. pad_file has unsorted keys, sample a tracker without a scheme."""


@pytest.mark.shared_data
@pytest.mark.parametrize("name", REAL)
def test_real_torrents(shared_data: Path, name: str) -> None:
    path = shared_data / "torrents" / f"{name}.torrent"
    data = path.read_bytes()
    if REAL[name]:
        assert refused(data) == REAL[name]
        return
    ours, theirs = parse(data), libtorrent.torrent_info(str(path))
    hashes = theirs.info_hashes()
    assert (ours.infohash_v1, ours.infohash_v2) == (str(hashes.v1), str(hashes.v2))
    assert ours.encode() == data
    assert ours.piece_length == theirs.piece_length()


@pytest.mark.shared_data
def test_no_real_torrent_is_left_out(shared_data: Path) -> None:
    assert {path.stem for path in (shared_data / "torrents").glob("*.torrent")} == set(REAL)


@pytest.mark.shared_data
def test_a_foreign_hybrid_with_pad_files_is_read_and_told_apart(shared_data: Path) -> None:
    foreign = parse((shared_data / "torrents" / "v2_hybrid.torrent").read_bytes())
    assert foreign.has_pad_files
    assert all(".pad" not in entry.path for entry in foreign.files)
    assert all(len(e.sha1_pieces) == -(-e.length // foreign.piece_length) for e in foreign.files)


@pytest.mark.parametrize("data", [b"le", b"i1e", b"1:x"])
def test_a_file_that_is_no_dictionary_has_the_code_of_who_reads_it(data: bytes) -> None:
    for wrong in ("torrent-field", "torrent-twin"):
        with pytest.raises(MetainfoError) as refused:
            decoded(data, Limits(), wrong)
        assert refused.value.code == wrong
