"""Packed files and archives: hostile or broken, each ends in a clear error or a refusal, in bounded time and memory."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import struct
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fonoteca.core.errors import Usage
from fonoteca.sources.limits import LIMITS, Limits
from fonoteca.sources.packed import zstd_module
from fonoteca.sources.records import Refused
from fonoteca.sources.unpack import Member, TornDump, is_archive, members, plain

pytestmark = pytest.mark.core
zstd: Any = zstd_module()
SMALL = Limits(gzip_floor=1 << 16)
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": lambda data: bytes(zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1})),
}
TEXT = b"".join(b"%d\t%s\n" % (n, os.urandom(8).hex().encode()) for n in range(20_000))
every_form = pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dump"


def info(name: str, **told: Any) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    for key, value in told.items():
        setattr(found, key, value)
    return found


def tar(*files: tuple[tarfile.TarInfo | str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=form) as archive:
        for told, data in files:
            entry = info(told) if isinstance(told, str) else told
            entry.size = entry.size or len(data)
            archive.addfile(entry, io.BytesIO(data))
    return target.getvalue()


def contents(path: Path, data: bytes, limits: Limits = SMALL) -> tuple[dict[str, bytes], list[tuple[str, str]]]:
    path.write_bytes(data)
    found: dict[str, bytes] = {}
    refused = []
    for member in members(path, limits):
        if isinstance(member, Refused):
            refused.append((member.position, member.code))
        else:
            found[member.name] = member.stream.read()
    return found, refused


def torn(path: Path, data: bytes, limits: Limits = SMALL) -> str:
    with pytest.raises(TornDump) as caught:
        contents(path, data, limits)
    error = caught.value
    assert error.code == "torn-dump" and error.why and error.remedy
    return error.torn.code


def refusal(path: Path, entry: tarfile.TarInfo, data: bytes = b"") -> str:
    """The code by which this entry is refused between two good ones, which are both read."""
    found, refused = contents(path, tar(("before", b"1"), (entry, data), ("behind", b"2")))
    assert found == {"before": b"1", "behind": b"2"}
    assert len(refused) == 1
    return refused[0][1]


@every_form
def test_a_packed_archive_and_a_packed_file_are_known_by_their_content(
    path: Path, pack: Callable[[bytes], bytes]
) -> None:
    files = {"mbdump/artist": TEXT, "mbdump/empty": b"", "COPYING": b"CC0"}
    assert contents(path, pack(tar(*files.items()))) == (files, [])
    assert is_archive(path)
    assert contents(path, pack(TEXT)) == ({"dump": TEXT}, [])
    assert not is_archive(path)
    with plain(path) as stream:
        assert stream.read() == TEXT


def test_what_is_not_packed_is_read_as_it_is(path: Path) -> None:
    assert contents(path, tar(("a", b"1"))) == ({"a": b"1"}, [])
    assert contents(path, TEXT) == ({"dump": TEXT}, [])
    assert contents(path, b"") == ({"dump": b""}, [])


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_and_foreign_names_in_every_form_of_archive(path: Path, form: int) -> None:
    names = ["x" * 90 + "/" + "y" * 90, "ñandú/Ж.listens"] + ["z" * 300] * (form != tarfile.USTAR_FORMAT)
    assert list(contents(path, tar(*((name, b"1") for name in names), form=form))[0]) == names


def test_members_may_be_left_unread_and_folders_are_passed_over(path: Path) -> None:
    path.write_bytes(tar((info("d", type=tarfile.DIRTYPE), b""), ("d/a", TEXT), ("d/b", b"2")))
    assert [m.name for m in members(path) if isinstance(m, Member)] == ["d/a", "d/b"]


def test_a_file_that_is_not_there_is_an_error_of_usage(path: Path) -> None:
    with pytest.raises(Usage) as caught:
        list(members(path))
    assert caught.value.code == "unreadable-dump"


@every_form
def test_bomb(path: Path, pack: Callable[[bytes], bytes]) -> None:
    assert torn(path, pack(bytes(64 << 20))) == "compression-bomb"


@every_form
def test_bomb_within_an_archive(path: Path, pack: Callable[[bytes], bytes]) -> None:
    assert torn(path, pack(tar(("a", bytes(64 << 20))))) == "compression-bomb"


def test_an_archive_that_claims_more_than_the_limit(path: Path) -> None:
    entry = info("a", size=LIMITS.unpacked + 1)
    assert torn(path, entry.tobuf(tarfile.GNU_FORMAT) + bytes(10_000)) == "compression-bomb"


@every_form
def test_nested_bomb_is_unpacked_once_only(path: Path, pack: Callable[[bytes], bytes]) -> None:
    inner = pack(pack(bytes(64 << 20)))
    assert contents(path, pack(tar(("a", inner)))) == ({"a": inner}, [])


@every_form
@pytest.mark.parametrize("cut", [1, 5, 20, 1000])
def test_truncated_tail(path: Path, pack: Callable[[bytes], bytes], cut: int) -> None:
    assert torn(path, pack(TEXT)[:-cut]) == "truncated-file"
    assert torn(path, pack(tar(("a", TEXT)))[:-cut]) == "truncated-file"


@pytest.mark.parametrize("cut", [1024 * 10, 20_000])
def test_truncated_archive_that_is_not_packed(path: Path, cut: int) -> None:
    assert torn(path, tar(("a", TEXT))[:-cut]) == "truncated-file"


def test_an_archive_cut_between_two_files(path: Path) -> None:
    assert torn(path, tar(("a", b"1"))[:1024]) == "truncated-file"


@every_form
def test_trailing_garbage(path: Path, pack: Callable[[bytes], bytes]) -> None:
    assert torn(path, pack(TEXT) + b"garbage behind it") == "trailing-garbage"
    assert torn(path, pack(tar(("a", TEXT))) + b"garbage behind it") == "trailing-garbage"
    assert torn(path, pack(tar(("a", b"1")) + b"garbage")) == "trailing-garbage"


@every_form
def test_many_empty_members(path: Path, pack: Callable[[bytes], bytes]) -> None:
    empty = pack(b"")
    assert contents(path, empty * 1000 + pack(b"a")) == ({"dump": b"a"}, [])
    assert torn(path, empty * 1000 + pack(b"a"), Limits(empty_members=900)) == "empty-members"


@every_form
def test_wrong_checksum(path: Path, pack: Callable[[bytes], bytes]) -> None:
    packed = bytearray(pack(b"text " * 100))
    packed[{"gzip": -6, "bzip2": 12, "xz": -40, "zstd": -1}[_name(pack)]] ^= 0xFF
    assert torn(path, bytes(packed)).startswith("damaged-")


@every_form
def test_damage_in_the_middle(path: Path, pack: Callable[[bytes], bytes]) -> None:
    packed = bytearray(pack(TEXT))
    middle = len(packed) // 2
    packed[middle : middle + 40] = b"\xff" * 40
    assert torn(path, bytes(packed)).startswith(("damaged-", "truncated-"))


def _name(pack: Callable[[bytes], bytes]) -> str:
    return next(name for name, packer in PACKERS.items() if packer is pack)


def test_wrong_content_size(path: Path) -> None:
    packed = bytearray(gzip.compress(TEXT))
    packed[-4:] = struct.pack("<I", 5)
    assert torn(path, bytes(packed)) == "damaged-gzip"
    frame = bytearray(zstd.compress(b"text" * 10))
    assert frame[4] == 0x20 and frame[5] == 40
    frame[5] = 39
    assert torn(path, bytes(frame)) == "damaged-zstd"
    frame[5] = 41
    assert torn(path, bytes(frame)) == "damaged-zstd"


@pytest.mark.parametrize("log", [28, 31, 41])
def test_zstd_window_of_gigabytes(path: Path, log: int) -> None:
    frame = b"\x28\xb5\x2f\xfd\x00" + bytes([(log - 10) << 3]) + b"\x01\x00\x00"
    assert torn(path, frame) == "packed-window"


def test_xz_dictionary_of_gigabytes(path: Path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 256 << 20, "mf": lzma.MF_HC3}]
    assert torn(path, lzma.compress(b"text", filters=filters)) == "packed-window"


def test_skippable_frames_of_zstd_as_parallel_packers_write_them(path: Path) -> None:
    skippable = struct.pack("<II", 0x184D2A50, 4) + b"\0\0\0\0"
    data = skippable + zstd.compress(TEXT[:1000]) + skippable + zstd.compress(TEXT[1000:])
    assert contents(path, data) == ({"dump": TEXT}, [])


@pytest.mark.parametrize(
    "name",
    ["../a", "a/../../b", "/etc/passwd", "C:/a", "C:\\a", "c:a", "\\\\server\\share\\a", "//server/share/a",
     "a\\..\\b", "a\x1b[2J", "x" * 5000, "a/./" * 1200 + "b"],
)  # fmt: skip
def test_names_that_lead_elsewhere(path: Path, name: str) -> None:
    assert refusal(path, info(name), b"data") == "archive-name"


def test_symlink_then_a_file_through_it(path: Path) -> None:
    link = info("out", type=tarfile.SYMTYPE, linkname="/etc")
    found, refused = contents(path, tar((link, b""), ("out/passwd", b"x"), ("./out//b", b"x"), ("outer", b"y")))
    assert found == {"outer": b"y"}
    assert refused == [("out", "archive-link"), ("out/passwd", "archive-link"), ("./out//b", "archive-link")]


def test_hard_link_outside(path: Path) -> None:
    assert refusal(path, info("a", type=tarfile.LNKTYPE, linkname="../../etc/passwd")) == "archive-link"


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_devices_and_pipes(path: Path, kind: bytes) -> None:
    assert refusal(path, info("dev/null", type=kind, devmajor=1, devminor=3)) == "archive-device"


def test_long_path_trick(path: Path) -> None:
    """CVE-2025-4517: links whose names grow beyond what a path may have, so that checks of the path give up."""
    deep, entries = "d" * 247, []
    for n in range(16):
        here = "/".join([deep] * n)
        entries.append((info(f"{here}/{deep}".lstrip("/"), type=tarfile.DIRTYPE), b""))
        entries.append((info(f"{here}/l".lstrip("/"), type=tarfile.SYMTYPE, linkname=deep), b""))
    entries.append((info("/".join(["l"] * 16) + "/" + "l" * 254, type=tarfile.SYMTYPE, linkname="../" * 16), b""))
    entries.append((info("escape", type=tarfile.SYMTYPE, linkname="/".join(["l"] * 16) + "/../../etc"), b""))
    entries.append((info("escape/flag"), b"x"))
    found, refused = contents(path, tar(*entries))
    assert found == {}
    assert {code for _, code in refused} == {"archive-link"}


def test_sparse_giant(path: Path) -> None:
    header = bytearray(info("giant", size=512).tobuf(tarfile.GNU_FORMAT))
    header[156:157] = b"S"
    header[386:410] = b"%011o\0%011o\0" % (0, 512)
    header[482] = 1
    header[483:495] = b"\x80" + (1 << 50).to_bytes(11, "big")
    header[148:156] = b"%06o\0 " % (sum(header) - sum(header[148:156]) + 256)
    extended = bytes(512)
    data = bytes(header) + extended + b"d" * 512 + tar(("behind", b"2"))
    assert contents(path, data) == ({"behind": b"2"}, [("giant", "archive-sparse")])
    pax = info("GNUSparseFile/giant", pax_headers={"GNU.sparse.major": "1", "GNU.sparse.realsize": str(1 << 50)})
    assert refusal(path, pax, b"0\n") == "archive-sparse"


def test_a_name_that_comes_twice(path: Path) -> None:
    found, refused = contents(path, tar(("a", b"1"), ("./a", b"2"), ("b", b"3")))
    assert found == {"a": b"1", "b": b"3"}
    assert refused == [("./a", "archive-twice")]


def test_pax_header_of_a_gigabyte(path: Path) -> None:
    header = info("x", type=tarfile.XHDTYPE, size=1 << 30).tobuf(tarfile.USTAR_FORMAT)
    assert torn(path, header + bytes(10_000)) == "archive-header"
    header = info("x", type=tarfile.GNUTYPE_LONGNAME, size=1 << 30).tobuf(tarfile.GNU_FORMAT)
    assert torn(path, header + bytes(10_000)) == "archive-header"


@pytest.mark.parametrize("written", ["-1", "1e9", "٣", "9" * 30, "", "0x10"])
def test_pax_sizes_that_are_none(path: Path, written: str) -> None:
    assert torn(path, tar((info("a", pax_headers={"size": written, "path": "a"}), b"text"))) == "damaged-archive"


@pytest.mark.parametrize("text", [b"8 path=a\n", b"99999999 path=a\n", b"path=a\n", b"8 path=ab", b"-7 path=a\n"])
def test_pax_headers_that_cannot_be_read(path: Path, text: bytes) -> None:
    header = info("x", type=tarfile.XHDTYPE, size=len(text)).tobuf(tarfile.USTAR_FORMAT)
    assert torn(path, header + text.ljust(512, b"\0") + tar(("a", b"1"))) == "damaged-archive"


@pytest.mark.parametrize("moment", [-1, -(10**10), 253402300799, 10**15, 0.5])
def test_times_before_1970_and_after_the_year_9999(path: Path, moment: float) -> None:
    assert contents(path, tar((info("a", mtime=moment), b"1"))) == ({"a": b"1"}, [])


@pytest.mark.parametrize("size", [b"-0000000001\0", b"\xff" * 12, b"\x80" + b"\xff" * 11, b"99999999999\0"])
def test_sizes_below_zero_or_beyond_sense(path: Path, size: bytes) -> None:
    header = bytearray(info("a").tobuf(tarfile.USTAR_FORMAT))
    header[124:136] = size
    header[148:156] = b"%06o\0 " % (sum(header) - sum(header[148:156]) + 256)
    assert torn(path, tar(("a", b"1"))[:1024] + bytes(header) + bytes(10_000)) == "damaged-archive"


def test_too_many_entries(path: Path) -> None:
    data = tar(*((str(n), b"") for n in range(20)))
    assert torn(path, data, Limits(archive_members=10)) == "archive-members"


def test_an_unknown_type_of_entry(path: Path) -> None:
    assert refusal(path, info("a", type=b"Q"), b"data") == "archive-type"


def test_a_wrong_checksum_of_a_header(path: Path) -> None:
    data = bytearray(tar(("a", b"1"), ("b", b"2")))
    data[1024] ^= 1
    assert torn(path, bytes(data)) == "damaged-archive"


def test_an_archive_of_other_people_and_no_version(path: Path) -> None:
    header = bytearray(info("old", size=1).tobuf(tarfile.USTAR_FORMAT))
    header[257:265] = bytes(8)
    header[148:156] = b"%06o\0 " % (sum(header) - sum(header[148:156]) + 256)
    assert contents(path, bytes(header) + b"1".ljust(512, b"\0") + bytes(1024)) == ({"old": b"1"}, [])


def test_any_byte_changed_ends_in_an_error_a_refusal_or_other_content(path: Path) -> None:
    """Nothing but the errors that are promised comes out of damaged archives."""
    whole = tar(("a", b"1" * 600), (info("b" * 200, pax_headers={"k": "v"}), b"2"))
    for packed in (whole, gzip.compress(whole), zlib.compress(whole)):
        for at in range(0, min(len(packed), 4096), 7):
            data = bytearray(packed)
            data[at] ^= 0x55
            try:
                contents(path, bytes(data))
            except TornDump as error:
                assert error.torn.code
