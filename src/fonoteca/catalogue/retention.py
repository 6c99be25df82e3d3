"""Which generations are kept: the last two, and those that a reader has open. The rest goes at the next ingest."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from fonoteca.catalogue import generation as generations
from fonoteca.catalogue.generation import Generation
from fonoteca.catalogue.places import Places
from fonoteca.core import durable
from fonoteca.core.errors import NoArchive

KEPT = 2

if sys.platform == "win32":

    def _lock(_fd: int, *, shared: bool) -> bool:  # noqa: ARG001
        # Windows does not delete a file that somebody has open: that is the lock.
        return True
else:
    import fcntl

    def _lock(fd: int, *, shared: bool) -> bool:
        """A reader waits for the collector, which is quick; the collector never waits for a reader."""
        try:
            fcntl.flock(fd, fcntl.LOCK_SH if shared else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextlib.contextmanager
def reading(places: Places) -> Iterator[Generation]:
    """The generation that counts, kept on the disk while the block runs.

    Raises:
        NoArchive: ``no-catalogue``: nothing was ingested yet.
        Damaged: the pointer or the manifest is not what it was.
    """
    while True:
        found = generations.load(places)
        if found.number == 0:
            raise NoArchive("no-catalogue", "There is no catalogue here yet", f"{places.root} has no generation",
                            "ingest a dump first: fonoteca ingest SOURCE PATH", str(places.root))  # fmt: skip
        try:
            fd = os.open(places.generation(found.number), os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        except FileNotFoundError:
            continue
        try:
            _lock(fd, shared=True)
            # It may have been collected between opening and locking: then the pointer has moved on.
            if os.fstat(fd).st_nlink:
                yield found
                return
        finally:
            os.close(fd)


def collect(places: Places) -> int:
    """Delete what no kept generation names. The caller holds the writer's lock. Returns the files deleted.

    Raises:
        Damaged: a kept manifest cannot be read; then nothing is deleted.
    """
    named = generations.current_number(places)
    if named is None:
        return _remove_files(places, set())
    numbers = sorted(int(p.stem) for p in places.generations.glob("*.json"))
    kept = [n for n in numbers if n <= named[0]][-KEPT:]
    old = [n for n in numbers if n not in kept and not _removed(places.generation(n))]
    wanted = set()
    for number in [*kept, *old]:
        data = places.generation(number).read_bytes()
        wanted |= {places.path(f).name for f in generations.parse(places, number, data).files()}
    return _remove_files(places, wanted)


def _removed(path: Path) -> bool:
    """Delete a manifest unless a reader has it open."""
    fd = os.open(path, os.O_RDONLY)
    try:
        if not _lock(fd, shared=False):
            return False
        durable.remove(path)
        return True
    finally:
        os.close(fd)


def _remove_files(places: Places, wanted: set[str]) -> int:
    if not places.files.is_dir():
        return 0
    doomed = [p for p in sorted(places.files.iterdir()) if p.name not in wanted]
    for path in doomed:
        durable.remove(path)
    return len(doomed)
