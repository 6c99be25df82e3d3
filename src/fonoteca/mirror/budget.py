"""The disk budget: allocated bytes of the whole mirror folder, never one more than allowed.

What is allocated is measured; what is about to be written is asked for first (:meth:`Budget.reserve`). Nothing
in this package writes a file without asking.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from fonoteca.core.errors import NoSpace
from fonoteca.formats.plan import BLOCK, allocation


def allocated(folder: Path) -> int:
    """Bytes that a folder and all in it take on the disk; symbolic links count as themselves, a file that has
    several names counts once."""
    return _allocated(folder, set()) if folder.is_dir() else 0


def _allocated(folder: Path, seen: set[tuple[int, int]]) -> int:
    total = _blocks(folder.lstat())
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                if entry.is_dir(follow_symlinks=False):
                    total += _allocated(Path(entry.path), seen)
                    continue
                stat = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if stat.st_nlink > 1:
                if (stat.st_dev, stat.st_ino) in seen:
                    continue
                seen.add((stat.st_dev, stat.st_ino))
            total += _blocks(stat)
    return total


def file_blocks(path: Path) -> int:
    """Bytes that one file takes on the disk; 0 where there is none."""
    try:
        return _blocks(path.lstat())
    except FileNotFoundError:
        return 0


def _blocks(stat: os.stat_result) -> int:
    # Windows does not say how many blocks a file has.
    blocks: int | None = getattr(stat, "st_blocks", None)
    return allocation(stat.st_size) if blocks is None else blocks * 512


class Budget:
    """What may be allocated under one folder.

    Args:
        folder: the mirror.
        limit: bytes.
        relieve: asked to free so many bytes when there is no room; returns whether it freed any.
    """

    def __init__(self, folder: Path, limit: int, relieve: Callable[[int], bool] | None = None) -> None:
        self.limit = limit
        self.relieve = relieve
        self._folder = folder
        self._lock = threading.RLock()
        self._growing: dict[Path, int] = {}
        self.used = 0
        self.measure()

    def measure(self) -> int:
        """Bytes that are allocated now, and those that growing files will still take."""
        with self._lock:
            coming = sum(max(final - file_blocks(path), 0) for path, final in self._growing.items())
            self.used = allocated(self._folder) + coming
            return self.used

    def still(self) -> AbstractContextManager[bool]:
        """Nobody measures while this is held: a file that is renamed meanwhile would be counted twice, or not at
        all."""
        return self._lock

    def reserve(self, length: int, folders: int = 1) -> None:
        """Ask for room for one more file of ``length`` bytes that is written at once, and for folders that it needs.

        Raises:
            NoSpace: ``over-budget``, before anything is written.
        """
        self.reserve_blocks(allocation(length) + folders * BLOCK)

    def reserve_blocks(self, amount: int) -> None:
        """Ask for so many bytes of disk, to be taken before anything else is asked for."""
        with self._lock:
            if self.used + amount > self.limit:
                self.measure()
            while self.used + amount > self.limit:
                if self.relieve is None or not self.relieve(self.used + amount - self.limit):
                    raise self._refused(amount)
                self.measure()
            self.used += amount

    def spare(self, length: int, folders: int = 0) -> bool:
        """Take the room of a file that one can do without, and that is written at once; False: there is none, and
        nothing else has to go for it."""
        amount = allocation(length) + folders * BLOCK
        with self._lock:
            fits = self.used + amount <= self.limit or self.measure() + amount <= self.limit
            self.used += amount if fits else 0
            return fits

    def reserve_growing(self, path: Path, length: int, folders: int = 0) -> None:
        """Ask for room for a file that grows to ``length`` bytes over some time; :meth:`settle` ends it.

        Raises:
            NoSpace: as :meth:`reserve`.
        """
        with self._lock:
            self.reserve_blocks(max(allocation(length) - file_blocks(path), 0) + folders * BLOCK)
            self._growing[path] = allocation(length)

    def settle(self, path: Path) -> None:
        """A growing file is whole, or will not grow any more."""
        with self._lock:
            self._growing.pop(path, None)

    def _refused(self, amount: int) -> NoSpace:
        return NoSpace(
            "over-budget", "The mirror does not fit into its budget",
            f"{self.used} bytes are in use and {amount} more are needed now; the budget is {self.limit}",
            f"allow at least {self.used + amount} bytes: fonoteca mirror run --disk {self.used + amount}",
            str(self._folder),
        )  # fmt: skip
