"""Opens strangers' files without following links or waiting for pipes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from fonoteca.audio.facts import AudioRefused
from fonoteca.core.fixity import chunks


@contextlib.contextmanager
def opened(path: Path) -> Iterator[tuple[IO[bytes], int]]:
    """The stream and its length in bytes.

    Raises:
        AudioRefused: ``not-a-file`` for links, pipes and devices, ``unreadable`` where it may not be read.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        if stat.S_ISLNK(path.lstat().st_mode):
            raise AudioRefused("not-a-file", "it is a symbolic link, which is not followed")
        fd = os.open(path, flags)
    except OSError as error:
        raise AudioRefused("unreadable", f"it cannot be read ({error.strerror})") from error
    with os.fdopen(fd, "rb") as stream:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise AudioRefused("not-a-file", "it is a folder that could not be listed, a pipe, a socket or a device")
        yield stream, found.st_size


def sha256_of(stream: IO[bytes]) -> str:
    """Hex SHA-256 of a stream from where it is."""
    digest = hashlib.sha256()
    for data in chunks(stream):
        digest.update(data)
    return digest.hexdigest()
