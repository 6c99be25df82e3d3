"""Children that hang, die, flood or lie cost one refusal each, and the next file is served."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fonoteca.audio.facts import AudioRefused, Limits
from fonoteca.audio.pool import Pool

pytestmark = pytest.mark.core
FAULTY = "simulators.faulty_worker"


def ask(pool: Pool, folder: Path, words: bytes) -> AudioRefused:
    path = folder / words.decode().strip()
    path.write_bytes(words.ljust(16))
    with pytest.raises(AudioRefused) as refused:
        pool.probe(path)
    return refused.value


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (b"die", "decode-error"), (b"abort", "decode-error"), (b"flood", "decode-error"), (b"lie", "decode-error"),
        (b"nothing", "decode-error"), (b"memory", "decode-error"), (b"hang", "decode-timeout"),
        (b"spin", "decode-timeout"),
    ],
)  # fmt: skip
def test_a_child_that_misbehaves_is_a_refusal_and_the_next_file_is_served(
    tmp_path: Path, words: bytes, code: str
) -> None:
    with Pool(Limits(decode_seconds=1), 1, FAULTY) as pool:
        assert ask(pool, tmp_path, words).code == code
        assert ask(pool, tmp_path, b"fine").code == "not-audio"


def test_children_are_used_again_and_replaced_after_so_many_files(tmp_path: Path) -> None:
    with Pool(Limits(files_per_child=2), 1, FAULTY) as pool:
        processes = [ask(pool, tmp_path, b"fine").reason for _ in range(4)]
    assert processes[0] == processes[1] != processes[2] == processes[3]


def test_closing_ends_the_busy_children_too(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"hang".ljust(16))
    pool = Pool(Limits(decode_seconds=300), 1, FAULTY)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(pool.probe, path)
        while not pool.missing and not pool._living:
            time.sleep(0.01)
        time.sleep(0.2)
        threading.Thread(target=pool.close).start()
        assert isinstance(waiting.exception(timeout=30), AudioRefused | RuntimeError)


def test_an_empty_and_a_too_large_file_start_no_child(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "large").write_bytes(bytes(11))
    with Pool(Limits(max_bytes=10), 1) as pool:
        for name, code in (("empty", "empty-file"), ("large", "too-large")):
            with pytest.raises(AudioRefused) as refused:
                pool.probe(tmp_path / name)
            assert refused.value.code == code
        assert not pool._living


def test_who_asks_a_closed_pool_is_told_and_does_not_wait(tmp_path: Path) -> None:
    """A full disk closes the pool while files still stand in line for a decoder."""
    path = tmp_path / "file"
    path.write_bytes(b"fine".ljust(16))
    pool = Pool(Limits(), 2, FAULTY)
    pool.close()
    pool.close()
    with ThreadPoolExecutor(3) as threads:
        late = [threads.submit(pool.probe, path) for _ in range(5)]
        assert all(isinstance(one.exception(timeout=20), RuntimeError) for one in late)
