"""MP3 frames are walked to the end of the file, over tags and padding, and counted."""

from __future__ import annotations

import pytest

from fonoteca.audio import mpeg
from fonoteca.audio.containers import id3_length
from fonoteca.audio.facts import AudioRefused
from simulators.sounds import sound

pytestmark = pytest.mark.core


def parts() -> tuple[bytes, int]:
    """A file and where its frames start."""
    data = sound("mp3")
    return data, id3_length(data[:10])


def refused(data: bytes, start: int) -> str:
    with pytest.raises(AudioRefused) as error:
        mpeg.check(data, start)
    return error.value.code


def test_a_whole_file_passes() -> None:
    mpeg.check(*parts())


@pytest.mark.parametrize(
    "tail",
    [
        b"TAG" + bytes(125),
        bytes(5000),
        b"APETAGEX" + (2000).to_bytes(4, "little") + (32).to_bytes(4, "little") + bytes(16),
        bytes(40) + b"TAG" + bytes(125),
    ],
    ids=["ID3v1", "zeros", "APEv2", "zeros and ID3v1"],
)
def test_tags_and_zeros_behind_the_audio_are_no_damage(tail: bytes) -> None:
    data, start = parts()
    mpeg.check(data + tail, start)


def test_junk_before_the_first_frame_is_skipped() -> None:
    data, start = parts()
    mpeg.check(data[:start] + b"\xff\xfb\x00junk" + data[start:], start)


def test_a_missing_frame_is_truncated_even_at_a_frame_border() -> None:
    data, start = parts()
    offset = mpeg.first_frame(data, start)
    assert offset is not None
    frames = []
    while frame := mpeg.frame_at(data, offset):
        frames.append(offset)
        offset += frame.length
    assert refused(data[: frames[-1]], start) == "truncated-audio"


def test_garbage_between_frames_is_damage() -> None:
    data, start = parts()
    middle = len(data) // 2
    assert refused(data[:middle] + b"garbage" * 100 + data[middle:], start) == "decode-error"


@pytest.mark.parametrize("head", ["fffa0000", "fffbf000", "fffb9c00", "ffe89000", "fffd9000", "00000000"])
def test_headers_that_are_none(head: str) -> None:
    assert mpeg.frame_at(bytes.fromhex(head) + bytes(4), 0) is None


def test_a_frame_header_reads_as_the_standard_says() -> None:
    frame = mpeg.frame_at(bytes.fromhex("fffb9000"), 0)  # MPEG 1 layer III, 128 kbit/s, 44.1 kHz, no padding
    assert frame is not None
    assert (frame.length, frame.samples, frame.sample_rate, frame.mono) == (417, 1152, 44100, False)
