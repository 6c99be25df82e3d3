"""Redaction: what is withdrawn is gone, nothing else moves, and everybody gets the same bytes."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fonoteca.core.errors import Damaged
from fonoteca.core.fixity import Digester, measure
from fonoteca.formats import pack, pack_header, redaction
from fonoteca.formats.pack_read import read_bytes
from packing import PIECE, blob_of, content, sealed

pytestmark = pytest.mark.core

LENGTHS = (700, 512, 9000, 1)
SECOND = blob_of(2, LENGTHS[1])


def redacted(data: bytes, *blobs: str) -> bytes:
    sink = io.BytesIO()
    pack.redact(io.BytesIO(data), sink, blobs)
    return sink.getvalue()


def test_golden_redaction(golden: Callable[[str, bytes], None]) -> None:
    golden("redaction/four.r0.tar", sealed(*LENGTHS))
    golden("redaction/four.r1.tar", redacted(sealed(*LENGTHS), SECOND))
    golden("redaction/withdrawn.txt", f"{SECOND}\n".encode())


@settings(max_examples=40)
@given(st.lists(st.sampled_from([0, 1, 511, 512, 513, 20_000]), min_size=1, max_size=6), st.data())
def test_every_offset_stays_and_only_the_withdrawn_change(lengths: list[int], data: Any) -> None:
    blobs = [blob_of(i, n) for i, n in enumerate(lengths, 1)]
    gone = data.draw(st.sets(st.sampled_from(blobs)))
    before = sealed(*lengths)
    sink, digester = io.BytesIO(), Digester(PIECE)
    done = pack.redact(io.BytesIO(before), sink, gone, digester)
    after = sink.getvalue()
    assert digester.finish() == measure([after])
    assert len(after) == len(before)
    assert done.blobs == gone
    for old, new in zip(read_bytes(before), read_bytes(after), strict=True):
        assert (old.header_offset, old.data_offset, old.bytes) == (new.header_offset, new.data_offset, new.bytes)
        region = slice(old.header_offset, old.end_offset)
        if old.sha256 in gone:
            assert new.withdrawn == old.sha256
            blank = after[new.data_offset : new.data_offset + new.bytes]
            assert not any(blank)
            assert new.sha256 == hashlib.sha256(blank).hexdigest()
        else:
            assert after[region] == before[region]


@settings(max_examples=30)
@given(st.permutations([1, 2, 3, 4]), st.integers(0, 4))
def test_one_by_one_in_any_order_or_all_at_once(order: list[int], count: int) -> None:
    gone = [blob_of(i, LENGTHS[i - 1]) for i in order[:count]]
    step = sealed(*LENGTHS)
    for blob in gone:
        step = redacted(step, blob)
    assert step == redacted(sealed(*LENGTHS), *gone)
    assert redacted(step, *gone) == step


def test_a_blob_under_two_recordings_goes_twice() -> None:
    from packing import Shelf

    shelf = Shelf()
    data = shelf.seal([shelf.entry(1, b"same"), shelf.entry(2, b"same"), shelf.entry(3, b"other")])
    done = pack.redact(io.BytesIO(data), sink := io.BytesIO(), {hashlib.sha256(b"same").hexdigest()})
    assert len(done.entries) == 2
    assert b"same" not in sink.getvalue()
    assert b"other" in sink.getvalue()


def test_only_the_data_and_one_sector_of_the_header_change() -> None:
    before = sealed(*LENGTHS)
    after = redacted(before, SECOND)
    entry = read_bytes(before)[1]
    allowed = {
        *range(entry.header_offset + 512, entry.header_offset + 1024),
        *range(entry.data_offset, entry.data_offset + entry.bytes),
    }
    changed = {i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b}
    assert changed <= allowed


def test_a_blob_that_is_not_in_the_pack_changes_nothing() -> None:
    data = sealed(*LENGTHS)
    assert redacted(data, "0" * 64) == data


def test_what_is_no_pack_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "p.tar"
    damaged = bytearray(sealed(*LENGTHS))
    damaged[4000:4100] = b"x" * 100
    path.write_bytes(damaged)
    with pytest.raises(Damaged):
        pack.redact_in_place(path, {SECOND})
    assert path.read_bytes() == damaged


def test_in_place_gives_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "p.tar"
    path.write_bytes(sealed(*LENGTHS))
    done = pack.redact_in_place(path, {SECOND, blob_of(4, 1)})
    assert path.read_bytes() == redacted(sealed(*LENGTHS), SECOND, blob_of(4, 1))
    assert [entry.sha256 for entry in done.entries] == [SECOND, blob_of(4, 1)]
    assert pack.redact_in_place(path, {SECOND}).entries == ()


def crash_states(before: bytes, after: bytes) -> list[bytes]:
    """What a disk may hold after a power cut: any part of the data written, in any order; then any headers."""
    entries = read_bytes(before)
    states = []
    for fraction in (0, 1, 255, 511, 512):
        state = bytearray(before)
        state[entries[1].data_offset : entries[1].data_offset + fraction] = bytes(fraction)
        states.append(bytes(state))
    state = bytearray(before)
    for entry in (entries[1], entries[3]):
        state[entry.data_offset : entry.data_offset + entry.bytes] = bytes(entry.bytes)
    states.append(bytes(state))
    for entry in (entries[1], entries[3]):
        torn = bytearray(state)
        region = slice(entry.header_offset + 512, entry.header_offset + 1024)
        torn[region] = after[region]
        states.append(bytes(torn))
    return states


def test_in_place_goes_on_after_a_crash_at_any_moment(tmp_path: Path) -> None:
    gone = {SECOND, blob_of(4, 1)}
    before = sealed(*LENGTHS)
    after = redacted(before, *gone)
    for number, state in enumerate(crash_states(before, after)):
        path = tmp_path / f"{number}.tar"
        path.write_bytes(state)
        pack.redact_in_place(path, gone)
        assert path.read_bytes() == after


def test_in_place_zeros_are_on_the_disk_before_the_name_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """R6 for redaction: the order of writes and fsyncs, seen in the file at the time of each fsync."""
    path = tmp_path / "p.tar"
    path.write_bytes(sealed(*LENGTHS))
    seen: list[bytes] = []
    real = os.fsync

    def recording(fd: int) -> None:
        real(fd)
        seen.append(path.read_bytes())

    monkeypatch.setattr(os, "fsync", recording)
    pack.redact_in_place(path, {SECOND})
    first, last = seen
    entry = read_bytes(first)[1]
    assert entry.sha256 == SECOND
    assert not any(first[entry.data_offset : entry.data_offset + entry.bytes])
    assert read_bytes(last)[1].withdrawn == SECOND


KILLED = """
import os, signal, sys
from pathlib import Path
from fonoteca.formats import pack
real, left = os.fsync, int(sys.argv[3])
def fsync(fd):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    real(fd)
os.fsync = fsync
pack.redact_in_place(Path(sys.argv[1]), [sys.argv[2]])
"""


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
@pytest.mark.parametrize("survived", [0, 1])
def test_in_place_killed_at_an_fsync_and_run_again(tmp_path: Path, survived: int) -> None:
    path = tmp_path / "p.tar"
    path.write_bytes(sealed(*LENGTHS))
    ran = subprocess.run([sys.executable, "-c", KILLED, str(path), SECOND, str(survived)], check=False)
    assert ran.returncode == -9
    pack.redact_in_place(path, {SECOND})
    assert path.read_bytes() == redacted(sealed(*LENGTHS), SECOND)


@pytest.mark.parametrize("length", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_zeros_sha256(length: int) -> None:
    assert redaction.zeros_sha256(length) == hashlib.sha256(bytes(length)).hexdigest()


def test_gnu_tar_and_python_read_a_redacted_pack_silently(tmp_path: Path, need_tool: Callable[[str], str]) -> None:
    path = tmp_path / "p.tar"
    path.write_bytes(redacted(sealed(*LENGTHS), SECOND))
    for words in (["-tvf", "p.tar"], ["-xf", "p.tar"]):
        ran = subprocess.run([need_tool("tar"), *words], cwd=tmp_path, capture_output=True, check=False)
        assert (ran.returncode, ran.stderr) == (0, b"")
    assert (tmp_path / "withdrawn" / SECOND).read_bytes() == bytes(512)
    assert (tmp_path / "Artist/Release/01 Title.ogg").read_bytes() == content(700, "blob 1")
    with tarfile.open(path) as tar:
        assert f"withdrawn/{SECOND}" in tar.getnames()


def test_the_header_of_a_redaction_is_a_header_like_any() -> None:
    entry = read_bytes(sealed(*LENGTHS))[1]
    header = pack_header.header(*redaction.redacted(entry))
    assert header[512:1024] == pack_header.pax_sector(*redaction.redacted(entry))
    assert header[1024:1536] == b" " * 511 + b"\n"
