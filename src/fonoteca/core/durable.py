"""The one place where files are written: temp name, write, fsync, rename, fsync folder.

A reader sees the old file or the new one, never half of one, and what a caller was told is written survives
a power cut. A test over the syntax tree finds no other module that opens a file for writing or renames.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from fonoteca.core.errors import Failed, FonotecaError, NoSpace

TEMP_SUFFIX = ".partial"
_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG}


def fsync_folder(folder: Path) -> None:
    """Make renames in a folder durable. Windows has no such call and orders renames itself."""
    if os.name == "nt":
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def translate_os_error(error: OSError, path: Path, what: str) -> FonotecaError:
    """An operating system's refusal as a sentence: no space, no permission, or an input/output error."""
    if error.errno in _FULL:
        return NoSpace(
            "no-space",
            what,
            f"the disk that holds {path.parent} is full",
            "free some space, then run the same command again: it continues",
            str(path),
        )
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return Failed(
            "unwritable",
            what,
            f"no permission to write {path}",
            "give this user the right to write there, or choose another folder",
            str(path),
        )
    if error.errno in {errno.ENOTDIR, errno.EEXIST, errno.EISDIR}:
        return Failed(
            "unwritable",
            what,
            f"{path} is in the way ({error.strerror})",
            "move it aside, or choose another folder",
            str(path),
        )
    return Failed(
        "io-error",
        what,
        f"{error.strerror or error} at {path}",
        "check the disk (dmesg, smartctl), then run the same command again",
        str(path),
    )


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, durably. Does nothing where it exists."""
    if folder.is_dir():
        return
    try:
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        fsync_folder(folder.parent)
    except OSError as error:
        raise translate_os_error(error, folder, "The folder could not be made") from error


def _forget(temp: Path) -> None:
    """Delete what a failed write left; that it cannot be deleted must not hide why the write failed."""
    with contextlib.suppress(OSError):
        temp.unlink(missing_ok=True)


def clear_unfinished(path: Path) -> None:
    """Delete what a killed :func:`writing` of this path left; the file itself stays as it is."""
    _forget(path.with_name(path.name + TEMP_SUFFIX))


@contextlib.contextmanager
def _taking_place(path: Path) -> Iterator[Path]:
    """A temporary name beside ``path`` to write under; whoever leaves without error has put all of it on the disk."""
    temp = path.with_name(path.name + TEMP_SUFFIX)
    try:
        make_folder(path.parent)
        yield temp
        os.replace(temp, path)
        fsync_folder(path.parent)
    except OSError as error:
        _forget(temp)
        raise translate_os_error(error, path, "The file could not be written") from error
    except BaseException:
        _forget(temp)
        raise


@contextlib.contextmanager
def writing(path: Path, *, mode: int = 0o644) -> Iterator[IO[bytes]]:
    """A binary file that appears under its name only when it is whole and on the disk.

    Raises:
        NoSpace, Failed: with the path; the temporary file is gone and the old file, if any, is untouched.
    """
    with _taking_place(path) as temp, temp.open("wb") as stream:
        if os.name != "nt":
            os.fchmod(stream.fileno(), mode)
        yield stream
        stream.flush()
        os.fsync(stream.fileno())


@contextlib.contextmanager
def scratch(path: Path) -> Iterator[IO[bytes]]:
    """A binary file that is read once and then deleted: it need not outlive a power cut, so it is not synced.

    Raises:
        NoSpace, Failed: with the path; the file is gone.
    """
    try:
        make_folder(path.parent)
        with path.open("wb") as stream:
            yield stream
    except OSError as error:
        _forget(path)
        raise translate_os_error(error, path, "The file could not be written") from error
    except BaseException:
        _forget(path)
        raise


@contextlib.contextmanager
def patching(path: Path) -> Iterator[IO[bytes]]:
    """An existing file to change in place, on the disk at the end. Every state between must be one to go on from.

    Raises:
        NoSpace, Failed: with the path.
    """
    try:
        with path.open("r+b") as stream:
            yield stream
            sync(stream)
    except OSError as error:
        raise translate_os_error(error, path, "The file could not be changed") from error


def sync(stream: IO[bytes]) -> None:
    """Wait until all that was written to an open file is on the disk."""
    stream.flush()
    os.fsync(stream.fileno())


def write_bytes(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Replace a file's content in one step."""
    with writing(path, mode=mode) as stream:
        stream.write(data)


def append_line(path: Path, line: bytes) -> None:
    """Add one line to a log and wait until it is on the disk. The line must end with a newline."""
    if not line.endswith(b"\n") or line.count(b"\n") != 1:
        raise ValueError("a log line ends with its only newline")
    append_lines(path, [line])


def append_lines(path: Path, lines: list[bytes]) -> None:
    """Add whole lines in one write and one fsync. A torn tail of an earlier crash must be cut off before."""
    try:
        new = not path.exists()
        make_folder(path.parent)
        with path.open("ab") as stream:
            stream.write(b"".join(lines))
            stream.flush()
            os.fsync(stream.fileno())
        if new:
            fsync_folder(path.parent)
    except OSError as error:
        raise translate_os_error(error, path, "The log could not be written") from error


def cut_torn_tail(path: Path) -> int:
    """Drop what follows the last newline of a log: a write that a crash cut short. Returns the bytes dropped."""
    if not path.exists():
        return 0
    data = path.read_bytes()
    keep = data.rfind(b"\n") + 1
    if keep != len(data):
        with path.open("r+b") as stream:
            stream.truncate(keep)
            os.fsync(stream.fileno())
    return len(data) - keep


def rename(source: Path, target: Path) -> None:
    """Move a finished file or folder to its name, durably."""
    try:
        make_folder(target.parent)
        os.replace(source, target)
        fsync_folder(target.parent)
        if source.parent != target.parent and source.parent.is_dir():
            fsync_folder(source.parent)
    except OSError as error:
        raise translate_os_error(error, target, "The file could not be put in its place") from error


def link(source: Path, target: Path) -> None:
    """A second name for the same bytes; a copy where the filesystem has no hard links."""
    make_folder(target.parent)
    try:
        os.link(source, target)
    except FileExistsError:
        return
    except OSError:
        with source.open("rb") as reader, writing(target) as writer:
            shutil.copyfileobj(reader, writer, 1 << 20)
        return
    fsync_folder(target.parent)


def try_link(source: Path, target: Path) -> bool:
    """A second name for the same bytes that takes no room. False: none, as on a filesystem without hard links."""
    make_folder(target.parent)
    try:
        os.link(source, target)
    except OSError:
        return False
    fsync_folder(target.parent)
    return True


def fsync_file(path: Path) -> None:
    """Wait until a file that somebody else wrote is on the disk."""
    fd = os.open(path, os.O_RDWR)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def remove(path: Path) -> None:
    """Delete one file, durably; nothing happens where there is none."""
    try:
        path.unlink(missing_ok=True)
        if path.parent.is_dir():
            fsync_folder(path.parent)
    except OSError as error:
        raise translate_os_error(error, path, "The file could not be deleted") from error


def remove_tree(folder: Path) -> None:
    """Delete a folder of ours and all in it; nothing happens where there is none."""
    if not folder.exists():
        return
    try:
        shutil.rmtree(folder)
        fsync_folder(folder.parent)
    except OSError as error:
        raise translate_os_error(error, folder, "The folder could not be deleted") from error


def written_by(path: Path, produce: Callable[[Path], None]) -> None:
    """Let a library that wants a path write a file, then give it its name as :func:`writing` does."""
    with _taking_place(path) as temp:
        produce(temp)
        fsync_file(temp)
