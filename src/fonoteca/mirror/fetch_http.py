"""Fetches packs over plain HTTP into ``partial/``: resumable, and after damage only the bad pieces come again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from fonoteca.core import durable, merkle
from fonoteca.core.errors import NetworkFailed
from fonoteca.core.fetch import Download, Fetcher
from fonoteca.core.fixity import READ, chunks
from fonoteca.mirror.check import Promise

ROUNDS = 3
"""How often bad pieces are asked for again before a source is given up."""


class Stopped(Exception):
    """The run was told to stop; what has come stays."""


def fetch(fetcher: Fetcher, url: str, path: Path, promise: Promise, advance: Callable[[int], None],
          stop: threading.Event) -> tuple[int, list[bytes]]:  # fmt: skip
    """Bring a file to the promised bytes, whatever of it is there already; returns the bytes that came, and the
    file's leaves.

    Args:
        url: of the file.
        path: grows; when this returns it is whole, checked and on the disk.
        advance: told every byte that comes.

    Raises:
        NetworkFailed: as :mod:`fonoteca.core.fetch` says; ``wrong-bytes``: the source sends other bytes.
        Stopped: ``stop`` was set.
    """
    work = _Work(fetcher, url, path, promise, advance, stop)
    if promise.meets(leaves := work.fill()):
        return work.came, leaves
    for _ in range(ROUNDS):
        work.patch(promise.bad_ranges(path))
        if mended := promise.kept_by(path):
            return work.came, mended
    raise NetworkFailed("wrong-bytes", "A pack was refused", f"{url} sends other bytes than those that were signed",
                        "run the same command again later; if it lasts, tell the publisher", url)  # fmt: skip


class _Work:
    """One file on its way."""

    def __init__(self, fetcher: Fetcher, url: str, path: Path, promise: Promise, advance: Callable[[int], None],
                 stop: threading.Event) -> None:  # fmt: skip
        self.came = 0
        self._fetcher = fetcher
        self._url = url
        self._path = path
        self._promise = promise
        self._advance = advance
        self._stop = stop

    def fill(self) -> list[bytes]:
        """Append what is missing at the end; returns the leaves of the whole, hashed on the way."""
        if not self._path.exists():
            durable.write_bytes(self._path, b"")
        blocks, have = merkle.Blocks(), 0
        with durable.patching(self._path) as stream:
            for data in chunks(stream, self._promise.length, READ):
                blocks.update(data)
                have += len(data)
            stream.truncate(have)
            if have < self._promise.length:
                with self._open(have, None) as download:
                    if download.start != have:  # The server does not know ranges: everything comes again.
                        blocks = merkle.Blocks()
                        stream.seek(download.start)
                        stream.truncate()
                    for data in self._portions(download):
                        stream.write(data)
                        blocks.update(data)
        return blocks.finish()

    def patch(self, ranges: Sequence[tuple[int, int]]) -> None:
        """Fetch byte ranges (start, stop) again and write them over what is there."""
        with durable.patching(self._path) as stream:
            stream.truncate(self._promise.length)
            for start, stop in ranges:
                with self._open(start, stop) as download:
                    stream.seek(download.start)
                    for data in self._portions(download):
                        stream.write(data)

    def _open(self, start: int, stop: int | None) -> AbstractContextManager[Download]:
        return self._fetcher.open(self._url, max_bytes=self._promise.length, start=start, stop=stop)

    def _portions(self, download: Download) -> Iterator[bytes]:
        for data in download:
            if self._stop.is_set():
                raise Stopped
            self.came += len(data)
            self._advance(len(data))
            yield data
