"""The ways of ingest, each with a small dump, and the process in whose children they run under faults."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.wrong_inputs.world import tree
from simulators.tiny_catalogue import filled

DRIVER = Path(__file__).with_name("ingest_children.py")
NOTES = ("jobs/", "state/")
"""What only tells of runs (docs/formats)."""


@dataclass(frozen=True)
class Way:
    """One way from a dump into the catalogue. ``words`` name the dump's folder as ``{dump}``."""

    name: str
    words: tuple[str, ...]
    write: Callable[[Path, int], None]
    """Writes a dump of about so many recordings into a folder, the same one for the same number."""


def write_table(folder: Path, rows: int) -> None:
    """A table with all that a table can say; one row of fifty is refused."""
    lines = ["id,title,artist,album,no,isrc,plays,licence,year"]
    for n in range(rows):
        key = "" if n % 50 == 49 else str(n)
        lines.append(f'{key},"Title {n}, part",Artist {n % 97},Album {n // 10},{n % 10 + 1},PTAAA{n:07d},'
                     f"{10_000_000 // (n + 1)},CC0-1.0,{1950 + n % 70}")  # fmt: skip
    (folder / "songs.csv").write_text("\n".join(lines) + "\n")
    (folder / "songs.toml").write_text(
        'licence = "CC0-1.0"\nkey = ["id"]\n[columns]\ntitle = "title"\nartist = "artist"\nrelease = "album"\n'
        'track = "no"\nisrc = "isrc"\nlicence = "licence"\nyear = "year"\n[signals]\nlistens = "plays"\n'
    )


RECORDS = Way("records", ("ingest", "table", "{dump}/songs.csv", "--mapping", "{dump}/songs.toml"), write_table)
WAYS = (RECORDS,)


@dataclass(frozen=True)
class Case:
    """An archive with a catalogue, a dump, and the words that ingest it."""

    way: Way
    home: Path
    words: tuple[str, ...]

    @property
    def archive(self) -> Path:
        """The archive as it was before."""
        return self.home / "archive"


def case(way: Way, home: Path, rows: int = 300) -> Case:
    """Make one."""
    dump = home / "dump"
    dump.mkdir(parents=True)
    way.write(dump, rows)
    filled(home / "archive")
    return Case(way, home, (*(word.format(dump=dump) for word in way.words), "--json"))


def books(folder: Path) -> dict[str, str]:
    """Path → digest of all that counts in an archive."""
    return {name: digest for name, digest in tree(folder).items() if not f"{name}/".startswith(NOTES)}


@dataclass(frozen=True)
class Answer:
    """What a child told; ``status`` is negative where a signal ended it."""

    status: int
    code: int | None = None
    stdout: str = ""
    stderr: str = ""
    calls: int = 0
    injected: int = 0
    bytes: int = 0
    rss: int = 0
    seconds: float = 0.0

    @property
    def json(self) -> dict[str, Any]:
        """The last line that the command told."""
        value: dict[str, Any] = json.loads(self.stdout.strip().splitlines()[-1])
        return value


@dataclass
class Runner:
    """Runs commands in children, one at a time."""

    process: subprocess.Popen[str]

    def run(self, folder: Path, words: tuple[str, ...], **faults: Any) -> Answer:
        """See ``ingest_children.py`` for the faults."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"folder": str(folder), "words": words, **faults}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the process of the children has died"
        return Answer(**json.loads(line))

    def done(self, folder: Path, words: tuple[str, ...], **faults: Any) -> Answer:
        """As :meth:`run`; the command must succeed: rows may be refused."""
        ran = self.run(folder, words, **faults)
        assert ran.code in {0, 3}, (ran.status, ran.stdout[-2000:], ran.stderr[-2000:])
        return ran


@contextlib.contextmanager
def runner() -> Iterator[Runner]:
    """The process, until the block ends."""
    path = os.pathsep.join([str(DRIVER.parent.parent), *sys.path])
    process = subprocess.Popen(
        [sys.executable, str(DRIVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": path},
    )  # fmt: skip
    try:
        yield Runner(process)
    finally:
        process.communicate()
