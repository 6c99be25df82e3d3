"""Where a question puts what it does not keep in memory: a folder of its own in the catalogue, gone at the end.

Not the spool: an ingest that runs meanwhile empties that. A lock beside the folder is held while it is in use, so that
what a killed reader left can be told from what a living one needs, whatever its process, on whatever machine.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fonoteca.catalogue.places import Places
from fonoteca.core import durable
from fonoteca.core.errors import FonotecaError, Locked
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.lock import one_writer

_NAME, _LOCK = "asked-", ".lock"


@contextlib.contextmanager
def folder(layout: ArchiveLayout) -> Iterator[Path | None]:
    """For ``spill`` of :meth:`fonoteca.catalogue.query.Catalogue.open`; the engine makes it when memory runs out.

    None where the archive cannot be written: a reader needs no right to.
    """
    places = Places.of(layout)
    with contextlib.ExitStack() as stack:
        yield _held(places, stack) if os.access(places.root, os.W_OK) else None


def _held(places: Places, stack: contextlib.ExitStack) -> Path | None:
    """A name that is nobody else's, until the stack is left."""
    sweep(places)
    while True:
        try:
            made, name = tempfile.mkstemp(_LOCK, _NAME, places.root)
        except OSError:
            return None  # the disk is full: the question may fit into memory
        os.close(made)
        lock = Path(name)
        stack.callback(_forget, lock)
        try:
            stack.enter_context(one_writer(lock, "a question"))
        except Locked:
            continue
        except (OSError, FonotecaError):
            return None
        # Somebody who sweeps may have come between making the lock and holding it: then it is locked, or gone.
        if lock.exists():
            stack.callback(durable.remove_tree, lock.with_suffix(""))
            return lock.with_suffix("")


def sweep(places: Places) -> None:
    """Delete what readers have left that did not come to their end. What cannot be deleted stays."""
    for lock in places.root.glob(f"{_NAME}*{_LOCK}"):
        with contextlib.suppress(FonotecaError), one_writer(lock, "sweeping"):
            durable.remove_tree(lock.with_suffix(""))
            _forget(lock)
    for path in places.root.glob(f"{_NAME}*"):
        # Its lock is there before a folder is, and goes after it.
        if path.is_dir() and not path.with_suffix(_LOCK).exists():
            with contextlib.suppress(FonotecaError):
                durable.remove_tree(path)


def _forget(lock: Path) -> None:
    with contextlib.suppress(OSError):
        lock.unlink()
