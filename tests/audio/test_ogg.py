"""Ogg pages: checksum, order, last page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fonoteca.audio import ogg
from fonoteca.audio.facts import AudioRefused
from simulators.sounds import sound

pytestmark = pytest.mark.core


def plain_checksum(data: bytes) -> int:
    """RFC 3533 bit by bit."""
    crc = 0
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7 if crc & 1 << 31 else crc << 1) & 0xFFFFFFFF
    return crc


@given(st.binary(max_size=300))
def test_the_checksum_is_that_of_the_standard(data: bytes) -> None:
    assert ogg.page_checksum(data) == plain_checksum(data)


def pages(data: bytes) -> list[bytes]:
    starts = []
    at = 0
    while at < len(data):
        starts.append(at)
        segments = data[at + 26]
        at += 27 + segments + sum(data[at + 27 : at + 27 + segments])
    return [data[a:b] for a, b in zip(starts, [*starts[1:], len(data)], strict=True)]


def refused(data: bytes) -> str:
    with pytest.raises(AudioRefused) as error:
        ogg.check(data)
    return error.value.code


@pytest.mark.parametrize("kind", ["vorbis", "opus", "oggflac"])
def test_a_whole_file_passes_and_a_chain_of_two_as_well(kind: str) -> None:
    ogg.check(sound(kind))
    ogg.check(sound(kind) + sound(kind))
    ogg.check(sound(kind) + bytes(100))


def test_without_its_last_page_it_is_truncated() -> None:
    assert refused(b"".join(pages(sound("vorbis"))[:-1])) == "truncated-audio"


def test_without_a_page_in_the_middle_it_is_damaged() -> None:
    whole = pages(sound("vorbis", 4.0))
    assert refused(b"".join(whole[:3] + whole[4:])) == "decode-error"


def test_pages_that_belong_to_no_stream_are_damage() -> None:
    assert refused(b"".join(pages(sound("vorbis"))[1:])) == "decode-error"


def test_trailing_garbage_is_damage() -> None:
    assert refused(sound("vorbis") + b"garbage") == "decode-error"
    assert refused(sound("vorbis") + b"Og") == "truncated-audio"
