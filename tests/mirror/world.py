"""What the mirror's tests share: a publisher that is served, and mirrors of it."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fonoteca.core.clock import FixedClock
from fonoteca.core.layout import MirrorLayout
from fonoteca.core.progress import SILENT, Progress
from fonoteca.mirror import publisher as publishers
from fonoteca.mirror.budget import allocated
from fonoteca.mirror.courier import Options
from fonoteca.mirror.run import Mirror, Summary
from simulators.edition_server import EditionServer
from simulators.tiny_publication import NOW, TinyPublisher

PLENTY = 1 << 34


@contextmanager
def served(tmp_path: Path) -> Iterator[tuple[TinyPublisher, EditionServer]]:
    """An empty publication on loopback."""
    publisher = TinyPublisher(tmp_path / "publication", tmp_path / "keys")
    with EditionServer(tmp_path / "publication") as server:
        yield publisher, server


def mirror(folder: Path, url: str, root: bytes, disk: int = PLENTY, *, now: datetime.datetime = NOW,
           progress: Progress = SILENT, options: Options | None = None, **limits: Any) -> Mirror:  # fmt: skip
    """A mirror in a folder, added if it is not one yet."""
    layout = MirrorLayout(folder)
    folder.mkdir(exist_ok=True)
    publisher = publishers.prepare(layout, url, root, "here")
    publishers.save(layout, publisher)
    return Mirror(layout, disk, FixedClock(now), progress, options, **limits)


def run(folder: Path, url: str, root: bytes, disk: int = PLENTY, **options: Any) -> Summary:
    """Run a mirror once; its budget is checked."""
    made = mirror(folder, url, root, disk, **options)
    summary = made.run()
    assert allocated(folder) <= disk
    return summary


def tree(folder: Path) -> dict[str, bytes]:
    """Every file of a folder with its bytes."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
