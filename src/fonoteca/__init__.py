"""fonoteca: a fully open preservation archive for music that anyone with enough disk can mirror."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fonoteca.api import Archive

__all__ = ["__version__", "open"]
__version__ = "0.1.0"


def open(  # noqa: A001 it is read as fonoteca.open
    path: str | Path | None = None, *, edition: int | None = None, memory: int | str | None = None
) -> Archive:
    """Open an archive, a mirror or a publication to read it (docs/reference/python-api.md).

    Args:
        path: its folder; the current one where None.
        edition: number of an edition to read instead of the archive as it is now; a mirror and a publication are
            read by their newest edition where None.
        memory: that queries may take, in bytes or as ``"4GiB"``; the folder's setting ``catalogue.memory`` where None.

    Raises:
        NoArchive: nothing of this kind is there, nothing was ingested yet, or there is no such edition.
        Failed: ``missing-extra``: only the mirror is installed.
        Damaged, Usage: files or settings of the folder are.
    """
    from fonoteca.api import Archive

    return Archive.open(path, edition=edition, memory=memory)
