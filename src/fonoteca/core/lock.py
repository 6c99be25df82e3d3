"""One writer per folder: a lock that the operating system releases when its process dies.

The lock file holds a line of JSON about its holder, for the error of the second writer. Its content is a
courtesy; the lock itself is the operating system's.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from fonoteca.core.errors import Locked, NoArchive

if sys.platform == "win32":
    import msvcrt

    def _try_lock(fd: int) -> bool:
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


# The byte that msvcrt locks is far behind the text, so that others can read who holds the lock.
_LOCK_BYTE = 4096


def _holder(fd: int) -> str:
    os.lseek(fd, 0, os.SEEK_SET)
    try:
        told = json.loads(os.read(fd, _LOCK_BYTE) or b"{}")
        return f"process {told['pid']} ({told['doing']})"
    except (ValueError, KeyError, TypeError, OSError):
        return "another process"


@contextlib.contextmanager
def one_writer(path: Path, doing: str) -> Iterator[None]:
    """Hold the lock while the block runs.

    Args:
        path: the ``.lock`` file; its folder must exist.
        doing: what the holder is busy with, shown to whom comes second.

    Raises:
        Locked: another process holds it; names the holder.
        NoArchive: the folder is not there.
    """
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
    try:
        fd = os.open(path, flags, 0o644)
    except FileNotFoundError:
        raise NoArchive(
            "no-archive", "There is no archive here", f"{path.parent} does not exist",
            "make one with 'fonoteca init DIR'", str(path.parent),
        ) from None  # fmt: skip
    except OSError as error:
        from fonoteca.core.durable import translate_os_error

        raise translate_os_error(error, path, "The archive could not be locked for writing") from error
    try:
        os.lseek(fd, _LOCK_BYTE, os.SEEK_SET)
        if not _try_lock(fd):
            raise Locked(
                "locked", "The archive is being written", f"{_holder(fd)} holds {path}",
                "wait until it has finished, or stop it; the lock goes with its process", str(path),
            )  # fmt: skip
        os.ftruncate(fd, 0)
        os.lseek(fd, 0, os.SEEK_SET)
        os.write(fd, json.dumps({"pid": os.getpid(), "doing": doing}).encode())
        yield
    finally:
        os.close(fd)
