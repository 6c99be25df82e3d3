"""Whole files of every kind are accepted; cut, damaged and disguised ones are refused, each with its code."""

from __future__ import annotations

import csv
import io
import socket
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mutagen.flac
import mutagen.id3
import mutagen.mp3
import pytest

from fonoteca.audio.facts import AudioFacts, AudioRefused, Limits
from fonoteca.audio.pool import Pool
from fonoteca.audio.probe import probe
from simulators.sounds import KINDS, sound, write

pytestmark = pytest.mark.core

EXPECTED = {
    "flac": ("flac", "flac", "audio/flac", "flac"),
    "vorbis": ("ogg", "vorbis", "audio/ogg", "ogg"),
    "opus": ("ogg", "opus", "audio/ogg", "opus"),
    "oggflac": ("ogg", "flac", "audio/ogg", "oga"),
    "mp3": ("mp3", "mp3", "audio/mpeg", "mp3"),
    "aac": ("mp4", "aac", "audio/mp4", "m4a"),
    "alac": ("mp4", "alac", "audio/mp4", "m4a"),
    "wav": ("wav", "pcm", "audio/wav", "wav"),
    "aiff": ("aiff", "pcm", "audio/aiff", "aiff"),
}


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    """Two children for all tests here."""
    with Pool(Limits(decode_seconds=60), 2) as running:
        yield running


def code_of(pool: Pool, path: Path) -> str:
    """The refusal's code, or ``accepted``."""
    try:
        pool.probe(path)
    except AudioRefused as refused:
        return refused.code
    return "accepted"


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_file_is_accepted_whatever_its_name(pool: Pool, tmp_path: Path, kind: str) -> None:
    facts = pool.probe(write(tmp_path, "no-music.txt", sound(kind)))
    assert (facts.container, facts.codec, facts.mime, facts.extension) == EXPECTED[kind]
    assert (facts.sample_rate, facts.channels) == (48_000, 2 if kind == "vorbis" else 1)
    assert abs(facts.duration_ms - 1500) < 60
    assert facts.tags["title"] == ["A tone"]
    if kind != "aiff":  # its writer knows no artist
        assert facts.tags["artist"] == ["Nobody"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cut", ["one byte", "a little", "half", "nearly all"])
def test_a_cut_file_is_truncated(pool: Pool, tmp_path: Path, kind: str, cut: str) -> None:
    data = sound(kind)
    keep = {"one byte": len(data) - 1, "a little": len(data) - 97, "half": len(data) // 2, "nearly all": 900}[cut]
    # So little of an MP3 holds no three frames in a row, by which it could be told.
    expected = "not-audio" if (kind, cut) == ("mp3", "nearly all") else "truncated-audio"
    assert code_of(pool, write(tmp_path, "cut", data[:keep])) == expected


@pytest.mark.parametrize("kind", [k for k in KINDS if k not in {"wav", "aiff"}])
def test_a_hole_in_the_middle_is_damage(pool: Pool, tmp_path: Path, kind: str) -> None:
    """Uncompressed samples have nothing by which a hole could be told."""
    data = sound(kind)
    middle = len(data) // 2
    holed = data[:middle] + bytes(1024) + data[middle + 1024 :]
    assert code_of(pool, write(tmp_path, "holed", holed)) == "decode-error"


@pytest.mark.parametrize("kind", ["flac", "vorbis", "opus", "oggflac"])
def test_a_flipped_bit_is_damage_where_the_format_has_checksums(pool: Pool, tmp_path: Path, kind: str) -> None:
    for at in range(5):
        data = bytearray(sound(kind))
        data[len(data) // 2 + at * 11] ^= 1 << at
        assert code_of(pool, write(tmp_path, "flipped", bytes(data))) == "decode-error"


def test_a_text_a_picture_and_noise_are_no_audio(pool: Pool, tmp_path: Path) -> None:
    for data in (b"not music\n" * 500, b"\x89PNG\r\n\x1a\n" + bytes(900), bytes(range(256)) * 64, b"\xff", b"ID3"):
        assert code_of(pool, write(tmp_path, "song.mp3", data)) == "not-audio"


def test_a_file_without_samples_has_no_audio(pool: Pool, tmp_path: Path) -> None:
    assert code_of(pool, write(tmp_path, "silent.flac", sound("flac", 0.0))) == "no-audio-stream"
    wav = io.BytesIO()
    with wave.open(wav, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(8000)
    assert code_of(pool, write(tmp_path, "silent.wav", wav.getvalue())) == "no-audio-stream"


def test_playlists_in_disguise_are_refused_and_open_nothing(pool: Pool, tmp_path: Path) -> None:
    secret = write(tmp_path, "secret.wav", sound("wav"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        address = f"http://127.0.0.1:{port}/x.ts"
        hls = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{address}\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n"
        sdp = f"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=audio {port} RTP/AVP 0\n"
        concat = f"ffconcat version 1.0\nfile '{secret}'\nfile '{address}'\n"
        disguises = {
            "song.m3u8": hls, "song.mp3": hls, "song.flac": concat, "song.sdp": sdp,
            "song.pls": f"[playlist]\nFile1={address}\nNumberOfEntries=1\n", "song.ogg": f"concat:{secret}|{address}",
            "song.mpd": f'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>{address}</BaseURL></MPD>',
            "song.m4a": "fLaC\n" + hls, "song.wav": "OggS" + hls, "song.aiff": "RIFF\0\0\0\0WAVE" + hls,
        }  # fmt: skip
        for name, text in disguises.items():
            assert code_of(pool, write(tmp_path, name, text.encode())) != "accepted", name
        # Behind a tag, as a demuxer that guesses would be led to it.
        tag = b"ID3\x04\x00\x00\x00\x00\x00\x00"
        assert code_of(pool, write(tmp_path, "tagged.mp3", tag + hls.encode())) != "accepted"
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_a_cover_picture_is_no_video(pool: Pool, tmp_path: Path) -> None:
    flac = write(tmp_path, "cover.flac", sound("flac"))
    opened = mutagen.flac.FLAC(flac)
    picture = mutagen.flac.Picture()
    picture.mime, picture.type, picture.data = "image/png", 3, b"\x89PNG\r\n\x1a\n" + bytes(500)
    opened.add_picture(picture)
    opened.save()
    mp3 = write(tmp_path, "cover.mp3", sound("mp3"))
    tags = mutagen.id3.ID3(mp3)
    tags.add(mutagen.id3.APIC(mime="image/jpeg", type=3, data=b"\xff\xd8\xff\xe0" + bytes(4000)))
    tags.save(mp3)
    assert pool.probe(flac).codec == "flac"
    assert pool.probe(mp3).codec == "mp3"


def test_controls_and_direction_marks_are_taken_out_of_titles_with_a_note(pool: Pool, tmp_path: Path) -> None:
    path = write(tmp_path, "x.flac", sound("flac"))
    opened = mutagen.flac.FLAC(path)
    opened["title"] = "a\x1b[31mred\u202egnp.exe\u0007\nline"
    opened["artist"] = "\u05d0\u05d1 Ωμέγα 音"
    opened.save()
    facts = pool.probe(path)
    assert facts.tags["title"] == ["a[31mredgnp.exe line"]
    assert facts.tags["artist"] == ["\u05d0\u05d1 Ωμέγα 音"]
    assert "cleaned-text" in facts.notes


def test_tags_without_end_are_cut(pool: Pool, tmp_path: Path) -> None:
    path = write(tmp_path, "x.flac", sound("flac"))
    opened = mutagen.flac.FLAC(path)
    opened["comment"] = [f"{n} " + "x" * 6000 for n in range(1000)]
    opened.save()
    facts = pool.probe(path)
    assert sum(map(len, facts.tags.values())) <= Limits().max_tags
    assert max(len(v) for values in facts.tags.values() for v in values) <= Limits().max_tag_chars
    assert {"tags-cut", "cleaned-text"} <= set(facts.notes)


def test_broken_tags_lose_the_tags_and_keep_the_audio(pool: Pool, tmp_path: Path) -> None:
    frame = b"TIT2" + (0x0FFFFFFF).to_bytes(4, "big") + b"\0\0\x03broken"
    size = len(frame)
    tag = b"ID3\x04\x00\x00" + bytes([0, 0, size >> 7, size & 0x7F]) + frame
    facts = pool.probe(write(tmp_path, "x.mp3", tag + sound("mp3")))
    assert facts.codec == "mp3"


def test_an_mp4_that_names_other_files_opens_none_of_them(pool: Pool, tmp_path: Path) -> None:
    """A data reference to a path (ISO/IEC 14496-12, 8.7.2) must not be followed."""
    other = write(tmp_path, "other", sound("aac"))
    data = sound("aac")
    at = data.index(b"dref")
    url = data.index(b"url ", at)
    changed = data[: url + 7] + b"\0" + data[url + 8 :]  # the flag "in this file" is taken away
    assert code_of(pool, write(tmp_path, "x.m4a", changed)) in {"accepted", "decode-error", "truncated-audio"}
    assert other.exists()


def test_a_video_is_refused(pool: Pool, tmp_path: Path) -> None:
    import av
    import numpy as np

    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode(None))
    assert code_of(pool, write(tmp_path, "song.m4a", target.getvalue())) in {"unsupported-codec", "no-audio-stream"}


def test_impossible_headers_are_refused_in_bounded_time_and_memory(pool: Pool, tmp_path: Path) -> None:
    wav = bytearray(sound("wav", 0.2))
    at = wav.index(b"fmt ") + 8
    for offset, size, value in ((4, 4, 0), (4, 4, 4_000_000_000), (2, 2, 65_535), (2, 2, 0), (14, 2, 0)):
        changed = wav.copy()
        changed[at + offset : at + offset + size] = value.to_bytes(size, "little")
        assert code_of(pool, write(tmp_path, "x.wav", bytes(changed))) != "accepted", (offset, value)


def test_one_probe_is_a_pool_of_its_own(tmp_path: Path) -> None:
    assert isinstance(probe(write(tmp_path, "x", sound("wav", 0.1))), AudioFacts)


@pytest.mark.shared_data
def test_all_real_files_are_accepted_and_a_cut_copy_of_each_is_refused(
    pool: Pool, tmp_path: Path, shared_data: Path
) -> None:
    with (shared_data / "audio" / "INDEX.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 92

    def one(row: dict[str, str]) -> tuple[str, str]:
        path = shared_data / "audio" / row["file"]
        facts = pool.probe(path)
        assert abs(facts.duration_ms / 1000 - float(row["duration_s"])) < 0.1, row["file"]
        data = path.read_bytes()
        cut = write(tmp_path, row["sha256"], data[: len(data) * 2 // 3])
        return row["file"], code_of(pool, cut)

    with ThreadPoolExecutor(2) as threads:
        outcomes = dict(threads.map(one, rows))
    assert {file: code for file, code in outcomes.items() if code != "truncated-audio"} == {}
