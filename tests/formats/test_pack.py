"""Packs: deterministic, known before they are written, and read by the tools of any system."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fonoteca.core import merkle
from fonoteca.core.errors import Damaged
from fonoteca.core.fixity import Digester, measure
from fonoteca.formats import pack, pack_header
from fonoteca.formats.pack_read import read_bytes
from packing import PIECE, Shelf, content, sealed

pytestmark = pytest.mark.core

BORDERS = [0, 1, 511, 512, 513, PIECE - 1, PIECE, PIECE + 1]
sizes = st.lists(st.sampled_from(BORDERS) | st.integers(0, 3 * PIECE), min_size=1, max_size=6)


def three() -> tuple[Shelf, list[pack.Entry]]:
    """The pack of the golden file: three scripts, three sizes."""
    shelf = Shelf()
    names = [("Erik Satie", "Gymnopédies", "Lent et douloureux"), ("滝廉太郎", "荒城の月", "荒城の月"),
             ("Artist", "", "What? <Now>")]  # fmt: skip
    return shelf, [
        shelf.entry(i, content(n, f"golden {i}"), pack.entry_path(artist, release, 1, i, title, i, "ogg"))
        for i, n, (artist, release, title) in zip((1, 2, 3), (700, 512, 9000), names, strict=True)
    ]


def test_golden_pack(golden: Callable[[str, bytes], None]) -> None:
    shelf, entries = three()
    plan = pack.layout(entries, PIECE)
    data = shelf.seal(entries)
    table = "".join(
        f"{p.entry.blob.sha256} {p.header_offset} {p.data_offset} {p.entry.blob.bytes} {p.entry.path}\n"
        for p in plan.places
    )
    golden("pack/three.r0.tar", data)
    golden("pack/three.txt", f"{plan.id('head')}\n{hashlib.sha256(data).hexdigest()}\n{table}".encode())


@settings(max_examples=40)
@given(sizes, st.randoms(use_true_random=False))
def test_what_is_written_is_read_again_and_no_order_matters(lengths: list[int], random: object) -> None:
    shelf = Shelf()
    entries = [shelf.entry(i, content(n, f"blob {i}")) for i, n in enumerate(lengths, 1)]
    shuffled = list(entries)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    plan = pack.layout(shuffled, PIECE)
    data = shelf.seal(shuffled)
    assert data == shelf.seal(entries)
    assert plan == pack.layout(entries, PIECE)
    assert plan.id("head") == pack.pack_id("head", entries)
    assert len(data) == plan.bytes
    assert plan.bytes % PIECE == 0
    found = read_bytes(data)
    assert [(e.path, e.sha256, e.bytes) for e in found] == [(e.path, e.blob.sha256, e.blob.bytes) for e in entries]
    assert [(e.header_offset, e.data_offset) for e in found] == [(p.header_offset, p.data_offset) for p in plan.places]
    for entry in found:
        blob = data[entry.data_offset : entry.data_offset + entry.bytes]
        assert hashlib.sha256(blob).hexdigest() == entry.sha256


def from_the_page(entries: list[tuple[str, bytes]]) -> bytes:
    """A pack of 16 KiB pieces made from docs/formats/pack.md alone, sharing no line with the writer."""

    def block(typeflag: str, name: str, size: int) -> bytes:
        fields = {
            0: name, 100: "0000644", 108: "0000000", 116: "0000000", 124: f"{size:011o}", 136: "02263523000",
            148: " " * 8, 156: typeflag, 257: "ustar", 263: "00", 329: "0000000", 337: "0000000",
        }  # fmt: skip
        made = bytearray(512)
        for offset, text in fields.items():
            made[offset : offset + len(text)] = text.encode()
        made[148:156] = f"{sum(made):06o}\0 ".encode()
        return bytes(made)

    def record(keyword: str, value: str) -> bytes:
        rest = f" {keyword}={value}\n".encode()
        lengths = (len(str(n).encode() + rest) for n in range(1000))
        return next(str(n).encode() + rest for n, length in enumerate(lengths) if n == length)

    made = b""
    for path, data in entries:
        records = record("path", path)
        records += record("SCHILY.xattr.user.fonoteca.sha256", hashlib.sha256(data).hexdigest())
        comment = f"{1024 - len(records)} comment="
        records += comment.encode() + b" " * (1023 - len(records) - len(comment)) + b"\n"
        made += block("x", "pax", 1024) + records + block("0", "entry", len(data))
        made += data + bytes(-len(data) % 512)
    made += bytes(1024)
    return made + bytes(-len(made) % 16_384)


def test_the_page_alone_is_enough_to_make_the_golden_pack(golden: Callable[[str, bytes], None]) -> None:
    shelf, entries = three()
    golden("pack/three.r0.tar", from_the_page([(e.path, shelf.blobs[e.blob.sha256]) for e in entries]))


def test_the_digester_has_every_digest_of_the_pack_after_one_pass() -> None:
    shelf = Shelf()
    entries = [shelf.entry(i, content(n, f"{i}")) for i, n in enumerate((3_000_000, 100, 1 << 20), 1)]
    digester, sink = Digester(4 * PIECE), io.BytesIO()
    pack.write(pack.layout(entries, 4 * PIECE), shelf.open, sink, digester)
    data = sink.getvalue()
    assert digester.finish() == measure([data])
    assert len(digester.leaves) == len(data) // merkle.BLOCK
    pieces = [data[i : i + 4 * PIECE] for i in range(0, len(data), 4 * PIECE)]
    assert digester.sha1_pieces == [hashlib.sha1(piece).digest() for piece in pieces]


@pytest.mark.parametrize("over", [-1, 0, 1])
def test_filling_at_a_piece_border(over: int) -> None:
    """The entry ends 1,024 bytes before a border, or just beside it: two zero blocks must still fit."""
    length = PIECE - pack_header.HEADER - pack_header.END + over
    data = sealed(length)
    assert len(data) == (PIECE if over <= 0 else 2 * PIECE)
    assert not any(data[-pack_header.END :])


def test_recordings_come_in_order_of_id_then_digest() -> None:
    shelf = Shelf()
    one, two = content(10, "a"), content(20, "b")
    entries = [shelf.entry(2, one, "z"), shelf.entry(1, one, "y"), shelf.entry(1, two, "x")]
    found = [(entry.recording_id, entry.blob.sha256) for entry in pack.layout(entries, PIECE).entries]
    assert found == sorted(found)


def test_the_id_covers_recording_blob_path_and_tier() -> None:
    shelf = Shelf()
    base = pack.pack_id("head", [shelf.entry(1, b"a", "p")])
    others = [
        pack.pack_id("tail", [shelf.entry(1, b"a", "p")]),
        pack.pack_id("head", [shelf.entry(2, b"a", "p")]),
        pack.pack_id("head", [shelf.entry(1, b"b", "p")]),
        pack.pack_id("head", [shelf.entry(1, b"a", "q")]),
    ]
    assert len({base, *others}) == 5
    assert base.startswith("head-")
    assert len(base) == len("head-") + 16
    assert pack.file_name(base, 0) == f"{base}.r0.tar"


def test_layouts_that_make_no_pack() -> None:
    shelf = Shelf()
    entry = shelf.entry(1, b"a", "p")
    bad: list[tuple[list[pack.Entry], int]] = [
        ([], PIECE),
        ([entry, entry], PIECE),
        ([entry, shelf.entry(2, b"b", "p")], PIECE),
        ([entry], PIECE + 1),
        ([entry], 0),
        ([shelf.entry(1, b"a", "x" * 400)], PIECE),
        ([shelf.entry(1, b"a", "x\ny")], PIECE),
    ]
    for entries, piece_length in bad:
        with pytest.raises(ValueError, match=r"."):
            pack.layout(entries, piece_length)
    with pytest.raises(ValueError, match="below 0"):
        pack.file_name("head-0", -1)


@pytest.mark.parametrize("wrong", [b"", b"audi", b"audio and more", b"AUDIO"])
def test_a_blob_that_is_not_what_its_name_says_stops_the_seal(wrong: bytes) -> None:
    shelf = Shelf()
    entry = shelf.entry(1, b"audio")
    shelf.blobs[entry.blob.sha256] = wrong
    with pytest.raises(Damaged) as caught:
        shelf.seal([entry])
    assert (caught.value.code, caught.value.subject) == ("blob-differs", entry.blob.sha256)


def test_blobs_that_come_in_small_portions_make_the_same_pack() -> None:
    class Slow(io.RawIOBase):
        """Three bytes at a time, without readinto."""

        readinto = None  # type: ignore[assignment]

        def __init__(self, data: bytes) -> None:
            self._inner = io.BytesIO(data)

        def read(self, size: int = -1) -> bytes:
            return self._inner.read(min(size, 3))

    shelf = Shelf()
    entries = [shelf.entry(1, content(5000, "slow"))]
    sink = io.BytesIO()
    pack.write(pack.layout(entries, PIECE), lambda sha: Slow(shelf.blobs[sha]), sink, Digester())  # type: ignore[arg-type,return-value]
    assert sink.getvalue() == shelf.seal(entries)


# -- headers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(8 << 30) - 1, 8 << 30, 10**13 - 1])
def test_sizes_beside_8_gib_are_read_by_python_and_by_us(size: int) -> None:
    header = pack_header.header("A/B/c.ogg", "0" * 64, size)
    assert pack_header.parse(header) == ("A/B/c.ogg", "0" * 64, size)
    assert (b"size=" in header) == (size >= 8 << 30)
    with tarfile.open(fileobj=io.BytesIO(header + bytes(1024))) as tar:
        member = tar.next()
    assert member is not None
    assert (member.name, member.size, member.mtime, member.mode) == ("A/B/c.ogg", size, 315_532_800, 0o644)


def test_the_longest_path_of_the_rule_leaves_all_records_in_one_sector() -> None:
    longest = "/".join(["a" * 120] * 3)
    header = pack_header.header(longest, "f" * 64, 10**13 - 1)
    assert header[1024:1535] == b" " * 511
    assert header[1535:1536] == b"\n"


@pytest.mark.parametrize("size", [-1, 10**13])
def test_sizes_that_no_pack_holds(size: int) -> None:
    with pytest.raises(ValueError, match="does not go into a pack"):
        pack_header.header("p", "0" * 64, size)


def test_digests_that_are_none() -> None:
    for sha256 in ("", "0" * 63, "F" * 64):
        with pytest.raises(ValueError, match="not a hex SHA-256"):
            pack_header.header("p", sha256, 1)


# -- strict reading --------------------------------------------------------------------------------------------


def read_fails(data: bytes) -> None:
    with pytest.raises(Damaged) as caught:
        read_bytes(data)
    assert caught.value.code == "bad-pack"


def test_every_byte_of_a_header_counts() -> None:
    data = sealed(600)
    for offset in range(pack_header.HEADER):
        changed = bytearray(data)
        changed[offset] ^= 1
        try:
            path = read_bytes(bytes(changed))[0].path
        except Damaged:
            continue
        original = read_bytes(data)[0]
        assert path != original.path or read_bytes(bytes(changed))[0].sha256 != original.sha256


@pytest.mark.parametrize("kept", [0, 1, 511, 512, 1024, 2047, 2048, 2100, 2647, 2648, 3071, 3072, 3584, 4095])
def test_a_pack_that_is_cut_short(kept: int) -> None:
    read_fails(sealed(600)[:kept])


def test_a_pack_whose_end_is_not_zeros() -> None:
    data = bytearray(sealed(600))
    for offset in (2048 + 600, 3072 + 512, 5000, len(data) - 1):
        changed = bytearray(data)
        changed[offset] = 1
        read_fails(bytes(changed))


def test_a_stream_that_cannot_seek_is_read_all_the_same() -> None:
    data = sealed(0, 1, 511, 2 * PIECE)
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as source:
        with os.fdopen(writer, "wb") as sink:
            sink.write(data)
        assert list(pack.read(source)) == read_bytes(data)


def tar_of(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for member, data in members:
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return sink.getvalue()


def hostile(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", **pax: str) -> bytes:
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.pax_headers = kind, link, pax
    return tar_of((member, b"x" if kind == tarfile.REGTYPE else b""))


@pytest.mark.parametrize(
    "data",
    [
        hostile("plain.ogg"),
        hostile("../up"),
        hostile("/absolute"),
        hostile("C:\\drive"),
        hostile("\\\\host\\share"),
        hostile("link", tarfile.SYMTYPE, "/etc"),
        hostile("hard", tarfile.LNKTYPE, "../x"),
        hostile("device", tarfile.CHRTYPE),
        hostile("fifo", tarfile.FIFOTYPE),
        hostile("sparse", tarfile.GNUTYPE_SPARSE),
        hostile("long/" * 300),
        hostile("p", comment="x" * (1 << 20)),
        b"\0" * 512 + b"x" * 512,
        b"not a tar at all" * 200,
    ],
)
def test_foreign_archives_are_no_packs(data: bytes) -> None:
    read_fails(data)


@pytest.mark.parametrize(
    "path", ["../up", "/absolute", "a//b", "a/../b", "C:/x", "a/.x", "a/con/b", "a\\b", "a/\x1b[2J"]
)
def test_our_own_form_with_a_hostile_path_is_refused(path: str) -> None:
    read_fails(pack_header.header(path, "0" * 64, 0) + bytes(1024))


def test_a_pack_of_two_zero_blocks_alone_holds_nothing() -> None:
    assert read_bytes(bytes(1024)) == []


# -- the tools of any system -----------------------------------------------------------------------------------

LONG = [
    pack.entry_path("作曲家" * 60, "é" * 80, 0, 1, "名" * 70, 1, "ogg"),
    pack.entry_path("a" * 200, "b" * 200, 2, 2, "c" * 200, 2, "flac"),
    pack.entry_path("Ελληνικά", "кириллица עברית", 0, 3, "❤ 🎵 'quoted' $HOME `x`", 3, "mp3"),
]


def long_names() -> tuple[bytes, list[bytes]]:
    shelf = Shelf()
    blobs = [content(n, f"long {n}") for n in (700, 16_384, 3)]
    return shelf.seal([shelf.entry(i, b, p) for i, (b, p) in enumerate(zip(blobs, LONG, strict=True), 1)]), blobs


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_gnu_tar_lists_and_extracts_silently(tmp_path: Path, need_tool: Callable[[str], str], locale: str) -> None:
    data, blobs = long_names()
    (tmp_path / "p.tar").write_bytes(data)
    environment = {"LC_ALL": locale, "PATH": os.environ["PATH"]}
    for words in (["-tvf", "p.tar"], ["-xf", "p.tar"], ["--xattrs", "-xf", "p.tar"], ["-df", "p.tar"]):
        ran = subprocess.run(
            [need_tool("tar"), *words], cwd=tmp_path, capture_output=True, env=environment, check=False
        )
        if words[0] == "-df":  # compares; mode and owner may differ from ours where root does not run the tests
            assert b"Contents differ" not in ran.stdout
            continue
        assert (ran.returncode, ran.stderr) == (0, b"")
    assert [(tmp_path / path).read_bytes() for path in LONG] == blobs


def test_python_tarfile_reads_names_and_bytes(tmp_path: Path) -> None:
    data, blobs = long_names()
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        assert tar.getnames() == LONG
        members = [tar.extractfile(member) for member in tar.getmembers()]
        assert [member.read() for member in members if member] == blobs
        keyword = "SCHILY.xattr.user.fonoteca.sha256"
        assert [m.pax_headers[keyword] for m in tar.getmembers()] == [hashlib.sha256(b).hexdigest() for b in blobs]
