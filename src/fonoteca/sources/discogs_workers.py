"""Processes that read pieces of a dump side by side; what comes out does not depend on how many they are."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

from fonoteca.core import errors
from fonoteca.core.errors import Failed
from fonoteca.sources.discogs_pieces import Piece, read

Rows = dict[int, dict[str, int]]
"""Piece → table → rows."""


def read_all(pieces: Iterable[tuple[Piece, bytes]], workers: int, told: Callable[[Piece], None]) -> Rows:
    """Read pieces that are not done yet, in as many processes as are asked for.

    Args:
        pieces: they are taken as fast as the processes read, so at most ``workers`` and two more are in memory.
        workers: processes; 0: this one.
        told: called for each piece that is done, from any thread.

    Raises:
        Failed: ``reader-ended``: a process was killed. What is done stays done. Also what a process raised itself.
    """
    pool = _Pool(workers, told) if workers else _Alone(told)
    try:
        for piece, data in pieces:
            done = piece.done()
            if done is None:
                pool.give(piece, data)
            else:
                pool.found[piece.number] = done
                told(piece)
        pool.finish()
    finally:
        pool.close()
    return pool.found


class _Alone:
    """Reads in this process."""

    def __init__(self, told: Callable[[Piece], None]) -> None:
        self.found: Rows = {}
        self._told = told

    def give(self, piece: Piece, data: bytes) -> None:
        """Read a piece."""
        self.found[piece.number] = read(piece, data)
        self._told(piece)

    def finish(self) -> None:
        """Nothing is left."""

    def close(self) -> None:
        """Nothing is open."""


class _Pool:
    def __init__(self, workers: int, told: Callable[[Piece], None]) -> None:
        self.found: Rows = {}
        self._told = told
        self._waiting: queue.Queue[tuple[Piece, bytes] | None] = queue.Queue(1)
        self._failed: list[BaseException] = []
        self._processes = [_start() for _ in range(workers)]
        self._threads = [threading.Thread(target=self._feed, args=(p,), daemon=True) for p in self._processes]
        for thread in self._threads:
            thread.start()

    def give(self, piece: Piece, data: bytes) -> None:
        """Hand over a piece as soon as a process is free."""
        while not self._failed:
            try:
                self._waiting.put((piece, data), timeout=0.2)
            except queue.Full:
                continue
            return
        raise self._failed[0]

    def finish(self) -> None:
        """Wait for all."""
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()
        if self._failed:
            raise self._failed[0]

    def close(self) -> None:
        """End the processes, whatever they do."""
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    _close(stream)

    def _feed(self, process: subprocess.Popen[bytes]) -> None:
        """One process' pieces, one after the other. After a failure the rest are only taken off."""
        while (item := self._waiting.get()) is not None:
            if self._failed:
                continue
            try:
                self.found[item[0].number] = _read(process, *item)
                self._told(item[0])
            except BaseException as error:
                self._failed.append(error)


def _start() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "fonoteca.sources.discogs_worker"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _close(stream: Any) -> None:
    """Bytes that are left for a dead process cannot be flushed, and need not be."""
    try:
        stream.close()
    except OSError:
        return


def _read(process: subprocess.Popen[bytes], piece: Piece, data: bytes) -> dict[str, int]:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(piece.as_json())
        process.stdin.write(data)
        process.stdin.flush()
        answer = process.stdout.readline()
    except OSError:
        answer = b""
    if not answer.endswith(b"\n"):
        raise Failed("reader-ended", "The dump could not be read to its end",
                     f"a process that read {piece.kind} ended (status {process.wait()}), as when memory runs out",
                     "run the same command again: it continues", piece.kind)  # fmt: skip
    found = json.loads(answer)
    if "error" in found:
        raise getattr(errors, found["error"])(*found["told"])
    rows: dict[str, int] = found["rows"]
    return rows
