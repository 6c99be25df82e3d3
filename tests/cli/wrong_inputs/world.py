"""A published archive, a mirror of it that is served, and all the wrong things that a command may be given."""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fonoteca.core.ids import Kind, show_id
from fonoteca.core.layout import ArchiveLayout
from harness import ok
from simulators import small_archive
from simulators.catalogue_archive import SONGS
from simulators.edition_server import EditionServer

LOCK = ".lock"
"""Says who held the lock last, a courtesy; the lock itself is the operating system's."""


def tree(folder: Path) -> dict[str, str]:
    """Path → SHA-256, of folders too: an empty folder that a refused command leaves is a change."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.name != LOCK:
            found[name] = "folder" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@dataclass(frozen=True)
class Scene:
    """One test's own copy. ``url`` serves the archive's publication, or a tampered copy of it."""

    home: Path
    url: str

    @property
    def archive(self) -> Path:
        return self.home / "archive"

    @property
    def mirror(self) -> Path:
        return self.home / "mirror"

    def folder(self, where: str) -> Path:
        """The folder that a command works in: ``archive``, ``mirror`` or ``none``."""
        return self.home / where if where != "none" else self.home / "nothing"

    def fill(self, word: str) -> str:
        """A word of a row, with its places taken by what is here."""
        names = {
            "home": self.home, "music": self.home / "music", "more": self.home / "more", "url": self.url,
            "root": self.home / "root.json", **facts(), "wrong": self.home / "wrong", "out": self.home / "out",
        }  # fmt: skip
        return word.format(**names)


@functools.cache
def facts() -> dict[str, str]:
    """Ids of two published recordings, of which one is withdrawn."""
    rows = ok("--archive", template() / "archive", "sql", "SELECT recording FROM holdings ORDER BY path", "--json",
              cwd=template()).json["rows"]  # fmt: skip
    shown = [show_id(Kind.RECORDING, row["recording"]) for row in rows]
    return {"id": shown[0], "withdrawn": shown[1]}


@functools.cache
def _server() -> EditionServer:
    server = EditionServer(template() / "archive/publication")
    server.__enter__()
    atexit.register(server.__exit__)
    return server


@functools.cache
def template() -> Path:
    """The archive, published, one recording withdrawn since, and music that it does not hold yet; made once."""
    home = Path(tempfile.mkdtemp(prefix="fonoteca-wrong-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    archive = home / "archive"
    small_archive.write_music(home / "music", range(4))
    small_archive.write_listens(home / "music", range(4))
    small_archive.new_archive(archive, home)
    small_archive.take_in(archive, home / "music")
    ok("--archive", archive, "publish", cwd=home)
    ok("--archive", archive, "keys", "export", "-o", home / "root.json", cwd=home)
    small_archive.write_music(home / "more", range(20, 22))
    (home / "songs.csv").write_text(SONGS)
    (home / "nothing").mkdir()
    write_wrong(home)
    return home


@functools.cache
def mirrored() -> Path:
    """A mirror of the template that holds everything."""
    archive, folder = template() / "archive", template() / "mirror"
    root = template() / "root.json"
    ok("--archive", folder, "mirror", "add", _server().url, "--root", root, cwd=template())
    ok("--archive", folder, "mirror", "run", "--once", "--disk", "50MB", "--transport", "http", cwd=template())
    ok("--archive", folder, "index", cwd=template())
    ok("--archive", archive, "rights", "withdraw", facts()["withdrawn"], "--reason", "asked for", cwd=template())
    ok("--archive", archive, "index", cwd=template())
    return folder


def write_wrong(home: Path) -> None:
    """Files that are not what they are given for."""
    wrong = home / "wrong"
    wrong.mkdir()
    sound = (home / "music/00.wav").read_bytes()
    (wrong / "cut.wav").write_bytes(sound[: len(sound) // 2])
    (wrong / "text.mp3").write_text("no audio at all\n" * 50)
    (wrong / "empty.flac").write_bytes(b"")
    (wrong / "zeros.wav").write_bytes(bytes(5000))
    (wrong / "binary.csv").write_bytes(bytes(range(256)) * 20)
    (wrong / "empty.csv").write_bytes(b"")
    (wrong / "prose.csv").write_text("Dear friend,\nthe weather is fine.\n")
    (wrong / "torn.toml").write_text('[columns]\ntitle = "ti')
    (wrong / "list.json").write_text("[1, 2")
    (wrong / "other.json").write_bytes((home / "root.json").read_bytes() + b"\n")
    (wrong / "folder").mkdir()


@contextlib.contextmanager
def scene(folder: Path) -> Iterator[Scene]:
    """A fresh copy in ``folder``, its publication served by a server that all share."""
    mirrored()
    shutil.copytree(template(), folder, dirs_exist_ok=True)
    yield Scene(folder, _server().url)


def readdress(mirror: Path, url: str) -> None:
    """Point a mirror to another server, as an editor of the file would."""
    path = mirror / "mirror.toml"
    path.write_text(path.read_text().replace(_server().url, url))


def newer(publication: Path) -> None:
    """Say of an edition that it is of a newer format."""
    path = ArchiveLayout(publication.parent).publication.edition(1) / "edition.json"
    value = json.loads(path.read_bytes())
    value["format"] = 99
    path.write_text(json.dumps(value))
