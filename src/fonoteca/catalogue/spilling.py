"""Where a question puts what it does not keep in memory: a folder of its own in the catalogue, gone at the end.

Not the spool: an ingest that runs meanwhile empties that.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from fonoteca.catalogue.places import Places
from fonoteca.core import durable
from fonoteca.core.layout import ArchiveLayout


@contextlib.contextmanager
def folder(layout: ArchiveLayout) -> Iterator[Path | None]:
    """For ``spill`` of :meth:`fonoteca.catalogue.query.Catalogue.open`; the engine makes it when memory runs out.

    None where the archive cannot be written: a reader needs no right to.
    """
    root = Places.of(layout).root
    if not os.access(root, os.W_OK):
        yield None
        return
    path = root / f"asked-{os.getpid()}"
    try:
        yield path
    finally:
        durable.remove_tree(path)
