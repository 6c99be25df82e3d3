"""Lengths of WAV, AIFF, MP4 and FLAC headers against the file."""

from __future__ import annotations

import pytest

from fonoteca.audio import chunks
from fonoteca.audio.facts import AudioRefused
from simulators.sounds import sound

pytestmark = pytest.mark.core


def code(check: object, *args: object) -> str:
    with pytest.raises(AudioRefused) as error:
        check(*args)  # type: ignore[operator]
    return error.value.code


def test_whole_files_pass() -> None:
    chunks.check_iff(sound("wav"), b"data", "little")
    chunks.check_iff(sound("aiff"), b"SSND", "big")
    chunks.check_mp4(sound("aac"))


def test_a_wav_of_a_pipe_whose_length_was_never_written_is_truncated() -> None:
    data = bytearray(sound("wav"))
    at = data.index(b"data") + 4
    data[at : at + 4] = b"\xff\xff\xff\xff"
    assert code(chunks.check_iff, bytes(data), b"data", "little") == "truncated-audio"


def test_a_wav_without_samples_has_no_audio() -> None:
    data = sound("wav")
    assert code(chunks.check_iff, data[: data.index(b"data")], b"data", "little") == "no-audio-stream"


def test_an_mp4_without_its_index_is_truncated() -> None:
    data = sound("aac")
    at = data.index(b"moov") - 4
    assert code(chunks.check_mp4, data[:at]) == "truncated-audio"


def test_an_mp4_box_of_impossible_length_is_damage() -> None:
    assert code(chunks.check_mp4, b"\0\0\0\x04ftyp" + bytes(100)) == "decode-error"


def test_flac_samples_are_read_from_streaminfo() -> None:
    assert chunks.flac_samples(sound("flac"), 0) == 72_000
    assert code(chunks.flac_samples, b"fLaC\0\0\0\x22short", 0) == "truncated-audio"
