"""What a command gets: folders, settings, clock, progress, and the way to give its result."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fonoteca.cli.env import Env
from fonoteca.core.clock import Clock
from fonoteca.core.errors import NoArchive, Usage
from fonoteca.core.layout import ARCHIVE_FILE, MIRROR_FILE, ArchiveLayout, MirrorLayout
from fonoteca.core.progress import Progress
from fonoteca.core.settings import Settings


@dataclass(frozen=True)
class Context:
    """One run of one command."""

    env: Env
    root: Path
    settings: Settings
    progress: Progress
    command: str
    json: bool
    quiet: bool
    verbose: bool

    @property
    def clock(self) -> Clock:
        """The clock of the run."""
        return self.env.clock

    def archive(self) -> ArchiveLayout:
        """The archive that the command works on. Raises NoArchive (exit 10)."""
        return ArchiveLayout(self.root).require()

    def mirror(self) -> MirrorLayout:
        """The mirror that the command works on. Raises NoArchive (exit 10)."""
        return MirrorLayout(self.root).require()

    def archive_or_mirror(self) -> ArchiveLayout | MirrorLayout:
        """Whichever of the two is here. Raises NoArchive (exit 10)."""
        if (self.root / ARCHIVE_FILE).is_file():
            return ArchiveLayout(self.root)
        if (self.root / MIRROR_FILE).is_file():
            return MirrorLayout(self.root)
        raise NoArchive("no-archive", "There is neither an archive nor a mirror here",
                        f"{self.root} has no {ARCHIVE_FILE} and no {MIRROR_FILE}",
                        "make an archive with 'fonoteca init DIR', or name one with --archive DIR",
                        str(self.root))  # fmt: skip

    def path(self, text: str) -> Path:
        """A path as typed, against the folder in which it was typed. Raises Usage: ``no-such-user``."""
        return typed_path(self.env.cwd, text)

    @contextlib.contextmanager
    def writer(self) -> Iterator[None]:
        """Hold the one-writer lock of the archive or mirror. Raises Locked (exit 11)."""
        from fonoteca.core.lock import one_writer

        with one_writer(self.archive_or_mirror().root / ".lock", f"fonoteca {self.command}"):
            yield

    def result(self, value: dict[str, Any], lines: Iterable[str] = ()) -> None:
        """The result of a short command: one JSON object, or the lines that a person reads."""
        self._write(value, lines)

    def plan(self, value: dict[str, Any], lines: Iterable[str] = ()) -> None:
        """The plan of ``--plan``, or the first line of long work with ``--json``."""
        self._write({"message_type": "plan"} | value, lines)

    def summary(self, value: dict[str, Any], lines: Iterable[str] = ()) -> None:
        """The last line of long work."""
        self._write({"message_type": "summary"} | value, lines)

    def _write(self, value: dict[str, Any], lines: Iterable[str]) -> None:
        if self.json:
            import json

            self.env.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")
        else:
            for line in lines:
                self.env.stdout.write(clean(line) + "\n")
        self.env.stdout.flush()


def typed_path(cwd: Path, text: str) -> Path:
    """A path as typed in ``cwd``; ``~`` and ``~name`` are homes of users, unless a file is called so.

    Raises:
        Usage: ``no-such-user``.
    """
    # Not Path.expanduser, which ends in a traceback for a name that is no user here.
    home = os.path.expanduser(text)  # noqa: PTH111
    if text.startswith("~") and home == text and not (cwd / text).exists():
        user = text.partition(os.sep)[0]
        raise Usage("no-such-user", "The command was not understood", f"{user} is no user's home here",
                    f"check the name; for a file that is called so, write .{os.sep}{text}", text)  # fmt: skip
    return Path(os.path.abspath(cwd / home))


def clean(line: str) -> str:
    """A line without control characters: titles may hold terminal escape codes."""
    return "".join(c if c == "\t" or c.isprintable() else "�" for c in line)
