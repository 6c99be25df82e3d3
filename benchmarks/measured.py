"""One command and what it took: wall seconds, the highest sum of memory of its processes, and of bytes on disk."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.harness import family, resident

_LOOK_SECONDS = 0.2
_DISK_SECONDS = 1.0


@dataclass(frozen=True)
class Measured:
    """``disk``: highest bytes below the watched folders at any time, what was there before included."""

    seconds: float
    memory: int
    disk: int
    code: int
    out: str
    said: str

    def as_json(self) -> dict[str, Any]:
        """The numbers."""
        whole = asdict(self)
        return {name: whole[name] for name in ("seconds", "memory", "disk", "code")}


def run(argv: Sequence[str | Path], watched: Sequence[Path], cwd: Path) -> Measured:
    """Run a program to its end, whatever its exit code."""
    started, watch = time.perf_counter(), _Peaks(watched)
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(list(map(str, argv)), stdout=out, stderr=said, cwd=cwd, stdin=subprocess.DEVNULL)
        watch.start(process.pid)
        try:
            code = process.wait()
        finally:
            process.kill()
            watch.stop()
        seconds = time.perf_counter() - started
        out.seek(0)
        said.seek(0)
        return Measured(round(seconds, 3), watch.memory, watch.disk, code, out.read(), said.read())


def used(folders: Sequence[Path]) -> int:
    """Bytes allocated below some folders. Files may come and go meanwhile; one of several names counts once."""
    seen: dict[tuple[int, int], int] = {}
    for folder in folders:
        for root, _, names in os.walk(folder):
            for name in names:
                with contextlib.suppress(FileNotFoundError):
                    found = os.lstat(Path(root, name))
                    seen[found.st_dev, found.st_ino] = found.st_blocks * 512
    return sum(seen.values())


class _Peaks:
    def __init__(self, watched: Sequence[Path]) -> None:
        self.memory, self.disk = 0, used(watched)
        self._watched = watched
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, pid: int) -> None:
        for look, pause in ((lambda: self._memory(pid), _LOOK_SECONDS), (self._disk, _DISK_SECONDS)):
            thread = threading.Thread(target=self._again, args=(look, pause), daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()
        self._disk()

    def _again(self, look: Any, pause: float) -> None:
        while True:
            look()
            if self._ended.wait(pause):
                return

    def _memory(self, pid: int) -> None:
        self.memory = max(self.memory, sum(map(resident, family([pid]))))

    def _disk(self) -> None:
        self.disk = max(self.disk, used(self._watched))
