"""Packed and oddly encoded files: what is good is given, what is wrong is said."""

from __future__ import annotations

import gzip
import random
import zlib
from pathlib import Path

import pytest

from fonoteca.sources.limits import Limits
from fonoteca.sources.stream import find_encoding, open_bytes, open_text, torn

pytestmark = pytest.mark.core
SMALL = Limits(gzip_floor=1 << 16)
TEXT = b"".join(b"line %d\n" % random.Random(n).getrandbits(64) for n in range(20_000))


def read(path: Path, data: bytes, limits: Limits = SMALL) -> tuple[bytes, str | None]:
    path.write_bytes(data)
    with open_bytes(path, limits) as stream:
        found = stream.read()
        damage = torn(stream)
    return found, damage.code if damage else None


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


def test_plain_and_packed_files_read_the_same(path: Path) -> None:
    assert read(path, TEXT) == (TEXT, None)
    assert read(path, gzip.compress(TEXT)) == (TEXT, None)


def test_members_are_joined_and_many_empty_ones_do_no_harm(path: Path) -> None:
    data = gzip.compress(b"a") + gzip.compress(b"") * 50_000 + gzip.compress(b"b")
    assert read(path, data) == (b"ab", None)


def test_zeros_behind_the_stream_are_padding(path: Path) -> None:
    assert read(path, gzip.compress(b"a") + b"\0" * 100_000) == (b"a", None)
    assert read(path, gzip.compress(b"a") + b"\0" * 10 + gzip.compress(b"b"))[1] == "trailing-garbage"


def test_garbage_behind_the_stream_is_said(path: Path) -> None:
    assert read(path, gzip.compress(b"a") + b"garbage") == (b"a", "trailing-garbage")
    assert read(path, gzip.compress(b"a") + b"\x1f") == (b"a", "trailing-garbage")


@pytest.mark.parametrize("cut", [1, 4, 8, 9, 1000])
def test_truncated_tail_gives_what_came_before(path: Path, cut: int) -> None:
    found, code = read(path, gzip.compress(TEXT)[:-cut])
    assert code == "truncated-file"
    assert TEXT.startswith(found)
    assert len(found) > len(TEXT) - 10_000


def test_wrong_checksum_gives_all_and_is_said(path: Path) -> None:
    packed = bytearray(gzip.compress(TEXT))
    packed[-6] ^= 1
    assert read(path, bytes(packed)) == (TEXT, "damaged-gzip")


def test_damage_in_the_middle_gives_what_came_before(path: Path) -> None:
    packed = bytearray(gzip.compress(TEXT))
    middle = len(packed) // 2
    packed[middle : middle + 40] = b"\xff" * 40
    found, code = read(path, bytes(packed))
    assert code in {"damaged-gzip", "truncated-file"}
    assert found[: len(TEXT) // 3] == TEXT[: len(TEXT) // 3]


def test_bomb_stops_at_200_to_1(path: Path) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    data = b"".join(packer.compress(bytes(1 << 20)) for _ in range(64)) + packer.flush()
    found, code = read(path, data)
    assert code == "compression-bomb"
    assert len(found) < 1000 * SMALL.gzip_floor


def test_nested_bomb_is_unpacked_once_only(path: Path) -> None:
    inner = gzip.compress(bytes(1 << 20))
    assert read(path, gzip.compress(inner)) == (inner, None)


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le"),
     ("utf-16-be", "utf-16-be"), ("utf-32", "utf-32"), ("latin-1", "cp1252")],
)  # fmt: skip
def test_encodings_are_found_from_content(path: Path, encoding: str, name: str) -> None:
    text = "title,artist\nCafé olé,Renée\n"
    path.write_bytes(text.encode(encoding))
    assert find_encoding(path.read_bytes()) == name
    stream, _ = open_text(path, name)
    with stream:
        assert stream.read().lstrip("\ufeff") == text


def test_stray_bytes_in_ascii_are_damage_and_not_another_encoding() -> None:
    assert find_encoding(b"<p>?\x80?spiritual songs?\x80?</p>") == "utf-8"


def test_a_character_cut_by_the_end_of_the_sample_is_not_another_encoding() -> None:
    assert find_encoding("title é".encode()[:-1]) == "utf-8"
