"""Durable files: old or new, never half; on the disk before anybody is told so."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fonoteca.core import durable
from fonoteca.core.errors import Failed, FonotecaError, NoSpace

pytestmark = pytest.mark.core

Step = tuple[str, str]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[Step]:
    """Every fsync, rename and link in order, by file name."""
    done: list[Step] = []
    open_, fsync, replace, link = os.open, os.fsync, os.replace, os.link
    names: dict[tuple[int, int], str] = {}

    def recording_fsync(fd: int) -> None:
        fsync(fd)
        status = os.fstat(fd)
        known = names.get((status.st_dev, status.st_ino))
        done.append(("fsync", known or f"/proc/self/fd/{fd}"))
        if known is None and sys.platform == "linux":
            done[-1] = ("fsync", Path(f"/proc/self/fd/{fd}").readlink().name)

    def recording_open(path: str | Path, flags: int, *rest: int) -> int:
        fd = open_(path, flags, *rest)
        status = os.fstat(fd)
        names[status.st_dev, status.st_ino] = Path(path).name
        return fd

    def recording_replace(source: Path, target: Path) -> None:
        replace(source, target)
        done.append(("rename", f"{Path(source).name} {Path(target).name}"))

    def recording_link(source: Path, target: Path) -> None:
        link(source, target)
        done.append(("link", Path(target).name))

    monkeypatch.setattr(os, "open", recording_open)
    monkeypatch.setattr(os, "fsync", recording_fsync)
    monkeypatch.setattr(os, "replace", recording_replace)
    monkeypatch.setattr(os, "link", recording_link)
    return done


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder named ``f``."""
    path = tmp_path / "f"
    path.mkdir()
    return path


R6 = [("fsync", "a.partial"), ("rename", "a.partial a"), ("fsync", "f")]
linux = pytest.mark.skipif(sys.platform != "linux", reason="names of open files are read from /proc")


@linux
def test_r6_write_fsync_rename_fsync_folder(folder: Path, steps: list[Step]) -> None:
    durable.write_bytes(folder / "a", b"new")
    assert steps == R6


@linux
def test_r6_holds_for_files_that_a_library_writes(folder: Path, steps: list[Step]) -> None:
    durable.written_by(folder / "a", lambda temp: (temp.write_bytes(b"new"), None)[1])
    assert steps == R6


@linux
def test_r6_renames_reach_both_folders(folder: Path, steps: list[Step]) -> None:
    (folder / "a").write_bytes(b"x")
    durable.rename(folder / "a", folder / "new" / "b")
    assert steps == [("fsync", "f"), ("rename", "a b"), ("fsync", "new"), ("fsync", "f")]


@linux
def test_r6_a_new_log_is_in_its_folder_before_the_append_returns(folder: Path, steps: list[Step]) -> None:
    durable.append_line(folder / "log", b"1\n")
    durable.append_lines(folder / "log", [b"2\n", b"3\n"])
    assert steps == [("fsync", "log"), ("fsync", "f"), ("fsync", "log")]
    assert (folder / "log").read_bytes() == b"1\n2\n3\n"


@linux
def test_r6_new_folders_links_and_deletions_are_synced(folder: Path, steps: list[Step]) -> None:
    durable.make_folder(folder / "x" / "y")
    assert steps == [("fsync", "f"), ("fsync", "x")]
    durable.make_folder(folder / "x" / "y")
    (folder / "a").write_bytes(b"x")
    steps.clear()
    durable.link(folder / "a", folder / "b")
    durable.remove(folder / "a")
    assert steps == [("link", "b"), ("fsync", "f"), ("fsync", "f")]


@linux
def test_patching_is_synced_at_its_end(folder: Path, steps: list[Step]) -> None:
    (folder / "a").write_bytes(b"old bytes")
    with durable.patching(folder / "a") as stream:
        stream.write(b"new")
        durable.sync(stream)
        assert (folder / "a").read_bytes() == b"new bytes"
        stream.write(b"!")
    assert steps == [("fsync", "a"), ("fsync", "a")]
    assert (folder / "a").read_bytes() == b"new!bytes"


def test_patching_what_is_not_there_says_so(folder: Path) -> None:
    with pytest.raises(Failed) as caught, durable.patching(folder / "none"):
        pass
    assert caught.value.code == "io-error"


# -- what goes wrong -------------------------------------------------------------------------------------------


def test_a_writer_that_fails_leaves_the_old_file_and_no_other(folder: Path) -> None:
    path = folder / "a"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError), durable.writing(path) as stream:
        stream.write(b"half")
        raise RuntimeError
    assert path.read_bytes() == b"old"
    assert list(folder.iterdir()) == [path]


def test_a_reader_during_the_write_sees_the_old_file(folder: Path) -> None:
    path = folder / "a"
    path.write_bytes(b"old")
    with durable.writing(path) as stream:
        stream.write(b"new")
        stream.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


def test_a_library_that_fails_leaves_the_old_file_and_no_other(folder: Path) -> None:
    path = folder / "a"
    path.write_bytes(b"old")

    def half(temp: Path) -> None:
        temp.write_bytes(b"half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        durable.written_by(path, half)
    assert path.read_bytes() == b"old"
    assert list(folder.iterdir()) == [path]


@pytest.mark.parametrize("number", ["ENOSPC", "EDQUOT", "EFBIG"])
def test_a_full_disk_is_no_space_and_names_the_file(folder: Path, number: str) -> None:
    path = folder / "a"
    with pytest.raises(NoSpace) as caught, durable.writing(path):
        raise OSError(getattr(errno, number), "full")
    assert (caught.value.code, caught.value.subject, int(caught.value.exit)) == ("no-space", str(path), 13)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "code"),
    [("EACCES", "unwritable"), ("EPERM", "unwritable"), ("EROFS", "unwritable"), ("ENOTDIR", "unwritable"),
     ("EISDIR", "unwritable"), ("EIO", "io-error"), ("ESTALE", "io-error")],
)  # fmt: skip
def test_what_the_system_refuses_becomes_a_sentence(folder: Path, number: str, code: str) -> None:
    with pytest.raises(Failed) as caught, durable.writing(folder / "a"):
        raise OSError(getattr(errno, number), "no")
    assert caught.value.code == code
    assert caught.value.remedy


WRITERS: dict[str, Callable[[Path], object]] = {
    "write_bytes": lambda path: durable.write_bytes(path, b"x"),
    "append_line": lambda path: durable.append_line(path, b"x\n"),
    "written_by": lambda path: durable.written_by(path, lambda temp: (temp.write_bytes(b"x"), None)[1]),
    "make_folder": durable.make_folder,
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_where_a_folder_should_be(folder: Path, name: str) -> None:
    (folder / "file").write_bytes(b"in the way")
    with pytest.raises(FonotecaError) as caught:
        WRITERS[name](folder / "file" / "a")
    assert caught.value.code == "unwritable"
    assert (folder / "file").read_bytes() == b"in the way"


@pytest.mark.parametrize("name", ["write_bytes", "append_line", "written_by"])
def test_a_folder_where_the_file_should_be(folder: Path, name: str) -> None:
    (folder / "a" / "inside").mkdir(parents=True)
    with pytest.raises(FonotecaError) as caught:
        WRITERS[name](folder / "a")
    assert caught.value.code in {"unwritable", "io-error"}
    assert [path.name for path in folder.iterdir()] == ["a"]


SMALL_DISK = """
import resource, sys
from pathlib import Path
from fonoteca.core import durable
from fonoteca.core.errors import NoSpace
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    durable.write_bytes(Path(sys.argv[1]), bytes(200_000))
except NoSpace as error:
    print(error.code)
"""


@pytest.mark.skipif(os.name == "nt", reason="no limits on file size")
def test_a_write_that_the_system_stops_for_its_size(folder: Path) -> None:
    (folder / "a").write_bytes(b"old")
    ran = subprocess.run(
        [sys.executable, "-c", SMALL_DISK, str(folder / "a")], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "no-space\n"
    assert (folder / "a").read_bytes() == b"old"
    assert len(list(folder.iterdir())) == 1


KILLED = """
import os, signal, sys
from pathlib import Path
from fonoteca.core import durable
real = getattr(os, sys.argv[2])
def kill(*words):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(os, sys.argv[2], kill)
durable.write_bytes(Path(sys.argv[1]), b"new")
"""


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_killed_before_the_rename_leaves_the_old_file_and_the_next_write_goes_through(folder: Path, call: str) -> None:
    path = folder / "a"
    path.write_bytes(b"old")
    ran = subprocess.run([sys.executable, "-c", KILLED, str(path), call], check=False)
    assert ran.returncode == -9
    assert path.read_bytes() == b"old"
    durable.write_bytes(path, b"new")
    assert [(p.name, p.read_bytes()) for p in folder.iterdir()] == [("a", b"new")]


# -- logs, links, deletions ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"", b""), (b"1\n", b"1\n"), (b"1\n2", b"1\n"), (b"1", b""), (b"1\n\n2\0\0", b"1\n\n"), (b"1\n2\n{", b"1\n2\n")],
)
def test_a_torn_tail_is_cut_off(folder: Path, before: bytes, after: bytes) -> None:
    path = folder / "log"
    path.write_bytes(before)
    assert durable.cut_torn_tail(path) == len(before) - len(after)
    assert path.read_bytes() == after


def test_no_log_has_no_tail(folder: Path) -> None:
    assert durable.cut_torn_tail(folder / "none") == 0


@pytest.mark.parametrize("line", [b"", b"x", b"a\nb\n", b"a\nb"])
def test_a_log_line_is_one_line(folder: Path, line: bytes) -> None:
    with pytest.raises(ValueError, match="newline"):
        durable.append_line(folder / "log", line)
    assert not (folder / "log").exists()


def test_a_link_where_the_file_system_has_none_is_a_copy(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no hard links here")

    (folder / "a").write_bytes(b"x")
    durable.link(folder / "a", folder / "linked")
    assert (folder / "linked").samefile(folder / "a")
    monkeypatch.setattr(os, "link", refuse)
    durable.link(folder / "a", folder / "sub" / "copied")
    assert (folder / "sub" / "copied").read_bytes() == b"x"
    assert not (folder / "sub" / "copied").samefile(folder / "a")


def test_removing_what_is_not_there_is_no_error(folder: Path) -> None:
    durable.remove(folder / "none")
    durable.remove(folder / "no" / "folder")
    durable.remove_tree(folder / "none")
    (folder / "tree" / "x").mkdir(parents=True)
    durable.remove_tree(folder / "tree")
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="no modes")
def test_secrets_are_never_readable_by_others_not_even_while_written(folder: Path) -> None:
    with durable.writing(folder / "key", mode=0o600) as stream:
        stream.write(b"secret")
        temp = folder / ("key" + durable.TEMP_SUFFIX)
        assert temp.stat().st_mode & 0o777 == 0o600
    assert (folder / "key").stat().st_mode & 0o777 == 0o600
