"""A small real archive of the demo's tunes with one recording of each kind, made by commands, served and seeded."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from fonoteca.audio import encode
from fonoteca.cli.demo.collection import Piece, claims_csv, pieces
from fonoteca.cli.demo.synthesis import RATE, render
from fonoteca.core.clock import FixedClock
from fonoteca.core.layout import ARCHIVE_FILE, ArchiveLayout, PublicationLayout
from fonoteca.core.progress import SILENT
from fonoteca.mirror.seed import Seeder
from fonoteca.site.app import Shelf, SiteData, create_app
from fonoteca.site.headers import LOOPBACK
from fonoteca.site.server import running
from fonoteca.site.shelf import Standing
from harness import START, ok

NAME = "Browsed archive"
HOSTILE = '<script>alert("title")</script>' + "Unbreakable" * 14
_SETTINGS = """[publish]
pack_size = "500kB"
piece_length = "64KiB"
"""
_LISTENS = """about = "signals"
dataset = "made-up-listens"
licence = "CC0-1.0"
source = "folder"
synthetic = true
[columns]
recording = "recording"
[signals]
listens = "listens"
"""
_DESCRIBED = """dataset = "described"
licence = "CC0-1.0"
key = ["title"]
[columns]
title = "title"
artist = "artist"
release = "album"
"""


@dataclass(frozen=True)
class Told:
    """What the archive is told of one of the demo's tunes: whose key it is, form, licences claimed, listens."""

    number: int
    recipe: str
    licences: tuple[str, ...] = ("CC0-1.0",)
    listens: int | None = None
    title: str = ""

    @property
    def key(self) -> str:
        return f"demo-{self.number:02d}"


FRERE = Told(2, "OPUS", listens=900)
VOUS = Told(3, "MP3", ("CC-BY-4.0",), listens=400)
ALOUETTE = Told(23, "WAV", ("CC-BY-SA-4.0",), listens=90)
JESUS = Told(15, "MP3", ("CC-BY-NC-4.0",), listens=60)
SEIKILOS = Told(28, "FLAC", listens=20)
LAMMA = Told(29, "OPUS")
MARKUP = Told(27, "MP3", ("CC-BY-4.0",), listens=3, title=HOSTILE)
DISPUTED = Told(12, "OPUS", ("CC0-1.0", "CC-BY-NC-4.0"), listens=30)
WITHDRAWN = Told(21, "MP3", listens=50)
COLLECTION = (FRERE, VOUS, ALOUETTE, JESUS, SEIKILOS, LAMMA, MARKUP, DISPUTED, WITHDRAWN)


@dataclass
class Log:
    """What the site was asked, seen from the server: the browser does not tell of every request of its media."""

    seen: list[tuple[str, str | None]] = field(default_factory=list)

    def ranges(self, path: str) -> list[str]:
        """The ``Range`` headers that came for a path."""
        return [asked for target, asked in self.seen if target == path and asked]


@dataclass(frozen=True)
class World:
    """The archive, its site and its seeder."""

    url: str
    peer: tuple[str, int]
    publication: PublicationLayout
    ids: dict[str, str]
    log: Log

    def recording(self, told: Told) -> str:
        """The address of its page."""
        return f"{self.url}recording/{self.ids[told.key]}"


def _collection() -> list[Piece]:
    by_number = {piece.tune.number: piece for piece in pieces()}
    found = []
    for told in COLLECTION:
        piece = replace(by_number[told.number], recipe=told.recipe)
        if told.title:
            piece = replace(piece, tune=replace(piece.tune, title=told.title, english=""))
        found.append(piece)
    return found


def _write_audio(folder: Path, piece: Piece) -> None:
    """Without the tag in which the demo's files name their licence: here some have another."""
    recipe: encode.Recipe = getattr(encode, piece.recipe)
    tags = {"title": piece.title, "artist": piece.artist, "album": piece.release}
    data = encode.encode(render(piece.tune), RATE, recipe, tags)
    (folder / f"{piece.key}.{recipe.extension}").write_bytes(data)


def _claimed(rows: Sequence[dict[str, str]]) -> Iterator[dict[str, str]]:
    for told, row in zip(COLLECTION, rows, strict=True):
        for n, licence in enumerate(told.licences):
            yield row | {"licence": licence, "licence_url": "", "source": f"{row['source']} {n}"}


def _write_table(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _write_inputs(folder: Path) -> None:
    music, collection = folder / "music", _collection()
    music.mkdir()
    for piece in collection:
        _write_audio(music, piece)
    rows = list(csv.DictReader(claims_csv(music, collection).decode().splitlines()))
    _write_table(music / "claims.csv", list(_claimed(rows)))
    _write_table(folder / "listens.csv",
                 [{"recording": t.key, "listens": t.listens} for t in COLLECTION if t.listens is not None])  # fmt: skip
    _write_table(folder / "described.csv",
                 [{"title": f"Lost tape {n}", "artist": "Nobody", "album": "Lost"} for n in range(30)])  # fmt: skip
    (folder / "listens.toml").write_text(_LISTENS)
    (folder / "described.toml").write_text(_DESCRIBED)


def build(folder: Path) -> tuple[ArchiveLayout, dict[str, str]]:
    """Two editions; between them something is withdrawn. Gives the recordings' ids by key too."""
    _write_inputs(folder)
    root = folder / "archive"
    ok("init", root, cwd=folder)
    (root / ARCHIVE_FILE).write_text(_SETTINGS)
    here = ("--archive", root)
    ok(*here, "intake", folder / "music", "--claims", folder / "music" / "claims.csv", cwd=folder)
    for name in ("listens", "described"):
        ok(*here, "ingest", "table", f"{name}.csv", "--mapping", f"{name}.toml", cwd=folder)
    ok(*here, "rank", cwd=folder)
    ok(*here, "publish", cwd=folder)
    found = {t.key: ok(*here, "show", f"folder:{t.key}", "--json", cwd=folder).json["id"] for t in COLLECTION}
    ok(*here, "rights", "withdraw", found[WITHDRAWN.key], "--reason", "asked for by the heirs", cwd=folder)
    ok(*here, "publish", cwd=folder)
    return ArchiveLayout(root), found


def _logged(app: ASGIApp, log: Log) -> ASGIApp:
    async def logging(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            asked = dict(scope["headers"]).get(b"range")
            log.seen.append((scope["path"], asked.decode() if asked else None))
        await app(scope, receive, send)

    return logging


@contextmanager
def poor_mirror(folder: Path, publication: PublicationLayout) -> Iterator[str]:
    """The site of a mirror that holds no audio and has not heard from its publisher for days; its URL."""
    here = PublicationLayout(folder / "publication")
    shutil.copytree(publication.root, here.root, ignore=shutil.ignore_patterns("packs"))
    standing = Standing(serving=True, stale_since="2026-11-20T12:00:00Z")
    data = SiteData(here, folder / "search", FixedClock(START), "A poor mirror", LOOPBACK, lambda: standing)
    with running(create_app(data)) as url:
        yield url


@contextmanager
def nothing_yet(folder: Path) -> Iterator[str]:
    """The site of an archive that has published nothing; its URL."""
    data = SiteData(PublicationLayout(folder / "publication"), folder / "search", FixedClock(START), NAME, LOOPBACK)
    with running(create_app(data)) as url:
        yield url


@contextmanager
def opened(folder: Path) -> Iterator[World]:
    """The archive, built in the folder, with its site and its seeder on loopback."""
    layout, ids = build(folder)
    log = Log()
    data = SiteData(layout.publication, layout.search, FixedClock(START), NAME, LOOPBACK)
    app = create_app(data, Shelf(data, SILENT))
    with running(_logged(app, log)) as url, Seeder(layout.publication) as seeder:
        yield World(url, ("127.0.0.1", seeder.port), layout.publication, ids, log)
