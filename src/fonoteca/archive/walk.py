"""Which files an intake looks at: files named, and folders walked in sorted order; links are not followed."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fonoteca.core.errors import Usage


@dataclass(frozen=True, order=True)
class Found:
    """One file. ``label`` is its path below the folder that was named, with ``/``: the same on every machine."""

    label: str
    path: Path


def label_of(relative: Path) -> str:
    """A path as text. Bytes that are no UTF-8 are written as escapes, so that the label is always valid text."""
    return relative.as_posix().encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _walk(top: Path, skipped: Collection[Path]) -> Iterator[Path]:
    """All that is no folder, in no order; also folders that cannot be listed, for their reader to be refused.

    Not recursive: a tree may be deeper than the interpreter's stack.
    """
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                listed = [(folder / e.name, e.is_dir(follow_symlinks=False)) for e in entries]
        except OSError:
            yield folder
            continue
        for path, is_folder in listed:
            if path in skipped:
                continue
            if is_folder:
                waiting.append(path)
            else:
                yield path


def find(paths: Sequence[Path], skipped: Collection[Path] = ()) -> list[Found]:
    """All files, sorted by label, whatever the order of the arguments; a file named twice comes once.

    A folder that cannot be listed comes as itself: whoever opens it is told why, and the rest goes on.

    Args:
        skipped: absolute paths of files and folders that are left out (the claims file, the archive itself).

    Raises:
        Usage: ``no-such-path``.
    """
    found: dict[Path, str] = {}
    for named in paths:
        path = Path(os.path.abspath(named))
        if path.is_dir():
            for file in _walk(path, skipped):
                found.setdefault(file, label_of(file.relative_to(path) if file != path else Path(path.name)))
        elif path.exists():
            found.setdefault(path, label_of(Path(path.name)))
        else:
            raise Usage("no-such-path", "Nothing was taken in", f"{named} does not exist", "check the path", str(named))
    return sorted(Found(label, path) for path, label in found.items())
