"""The ways of ingest, each with a small dump, and the process in whose children they run under faults."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from child import child
from cli.wrong_inputs.world import tree
from fonoteca.sources.musicbrainz_tables import TABLES
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


def gid(kind: int, n: int) -> str:
    """An MBID."""
    return f"{kind:08x}-0000-4000-8000-{n:012x}"


def write_mbdump(folder: Path, rows: int) -> None:
    """Tables of MusicBrainz with all that hangs on a recording; one line of fifty is torn, one redirect is a loop."""
    tables: dict[str, list[dict[str, object]]] = {
        "artist": [{"id": n, "gid": gid(1, n), "name": f"Artist {n}", "sort_name": f"{n}, Artist"}
                   for n in range(1, 98)],
        "artist_credit_name": [{"artist_credit": n, "position": at, "artist": (n + at) % 97 + 1, "join_phrase": join,
                                "name": f"Artist {n}.{at}"}
                               for n in range(1, 98) for at, join in ((0, " & "), (1, ""))],
        "recording": [{"id": n, "gid": gid(2, n), "name": f"Title {n}, part", "artist_credit": n % 97 + 1, "video": "f",
                       "length": 180_000 + n} for n in range(1, rows + 1)],
        "release_group": [{"id": n, "gid": gid(4, n), "name": f"Album {n}", "artist_credit": n % 97 + 1, "type": 1}
                          for n in range(1, rows // 10 + 2)],
        "release": [{"id": n, "gid": gid(3, n), "name": f"Album {n}", "artist_credit": n % 97 + 1, "release_group": n,
                     "barcode": "\\N", "status": 1} for n in range(1, rows // 10 + 2)],
        "release_unknown_country": [{"release": n, "date_year": 1950 + n % 70} for n in range(1, rows // 10 + 2)],
        "medium": [{"id": n, "release": n, "position": 1} for n in range(1, rows // 10 + 2)],
        "track": [{"id": n, "gid": gid(5, n), "recording": n, "medium": n // 10 + 1, "position": n % 10 + 1,
                   "name": f"Title {n}, part", "artist_credit": n % 97 + 1, "is_data_track": "f"}
                  for n in range(1, rows + 1)],
        "isrc": [{"id": n, "recording": n, "isrc": f"PTAAA{n:07d}"} for n in range(1, rows + 1, 2)],
        "recording_gid_redirect": [{"gid": gid(6, n), "new_id": n} for n in range(1, rows + 1, 5)]
        + [{"gid": gid(2, 1), "new_id": 1}],
    }  # fmt: skip
    (folder / "mbdump").mkdir()
    for name, lines in tables.items():
        form = TABLES[name].forms[0]
        text = ["\t".join(str(line.get(column, "\\N")) for column in form) for line in lines]
        if name == "recording":
            text = [line + "\ttorn" if n % 50 == 49 else line for n, line in enumerate(text)]
        (folder / "mbdump" / name).write_text("\n".join(text) + "\n")


RECORDS = Way("records", ("ingest", "table", "{dump}/songs.csv", "--mapping", "{dump}/songs.toml"), write_table)
BULK = Way("bulk", ("ingest", "musicbrainz", "{dump}/mbdump"), write_mbdump)
WAYS = (RECORDS, BULK)


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
    # Arrow's own allocator reserves a GiB of addresses that it does not touch, and RLIMIT_DATA counts them
    # (docs/how-to/ingest-large-dumps.md).
    with child(DRIVER, ARROW_DEFAULT_MEMORY_POOL="system") as process:
        yield Runner(process)
