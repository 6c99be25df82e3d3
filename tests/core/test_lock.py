"""One writer: of many processes one gets the lock, and it goes when its process dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fonoteca.core.errors import Locked, NoArchive
from fonoteca.core.lock import one_writer

pytestmark = pytest.mark.core

HOLDER = """
import sys
from pathlib import Path
from fonoteca.core.errors import Locked
from fonoteca.core.lock import one_writer
sys.stdin.readline()
try:
    with one_writer(Path(sys.argv[1]), "publish"):
        print("held", flush=True)
        sys.stdin.readline()
except Locked as error:
    print("locked", error.why, flush=True)
"""


def start(path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_of_processes_that_race_exactly_one_gets_it(tmp_path: Path) -> None:
    processes = [start(tmp_path / ".lock") for _ in range(6)]
    for process in processes:
        go(process)
    answers = [said(process) for process in processes]
    assert [answer for answer in answers if not answer.startswith("locked ")] == ["held"]
    for process in processes:
        end(process)


def test_the_second_writer_is_told_who_holds_it(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    holder = start(path)
    go(holder)
    assert said(holder) == "held"
    with pytest.raises(Locked) as caught, one_writer(path, "ingest"):
        pass
    assert (caught.value.code, caught.value.subject, int(caught.value.exit)) == ("locked", str(path), 11)
    assert f"process {holder.pid} (publish)" in caught.value.why
    end(holder)


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_a_dead_holder_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    holder = start(path)
    go(holder)
    assert said(holder) == "held"
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()
    with one_writer(path, "ingest"):
        assert json.loads(path.read_bytes()) == {"pid": os.getpid(), "doing": "ingest"}


def test_the_lock_is_released_at_the_end_and_after_an_error(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    with pytest.raises(RuntimeError), one_writer(path, "one"):
        raise RuntimeError
    with one_writer(path, "two"):
        pass
    with one_writer(path, "three"):
        pass


def test_a_second_writer_in_the_same_process_is_refused_too(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    with one_writer(path, "one"), pytest.raises(Locked), one_writer(path, "two"):
        pass


@pytest.mark.parametrize("rubbish", [b"", b"not json", b"{}", b"[]", b"5", b'{"pid": 1}', b"\xff\xfe"])
def test_rubbish_in_the_lock_file_does_not_matter(tmp_path: Path, rubbish: bytes) -> None:
    path = tmp_path / ".lock"
    with one_writer(path, "one"):
        path.write_bytes(rubbish)
        with pytest.raises(Locked) as caught, one_writer(path, "two"):
            pass
        assert "another process" in caught.value.why
    with one_writer(path, "three"):
        pass


def test_no_folder_is_no_archive(tmp_path: Path) -> None:
    with pytest.raises(NoArchive) as caught, one_writer(tmp_path / "none" / ".lock", "one"):
        pass
    assert caught.value.subject == str(tmp_path / "none")
