"""Hand-made records of a few sources, an archive folder to ingest them into, and a tree's digest."""

from __future__ import annotations

import atexit
import functools
import hashlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from fonoteca.catalogue.collisions import MakeId, default_make_id
from fonoteca.catalogue.ingest import IngestResult, ingest_records
from fonoteca.core.layout import ArchiveLayout
from fonoteca.sources.records import (
    ArtistRecord,
    ClaimRecord,
    ClaimText,
    Credit,
    FieldLicence,
    Record,
    RecordingRecord,
    Ref,
    Refused,
    ReleaseRecord,
    Signal,
    SignalRecord,
    SourceInfo,
    TrackRecord,
)

BY = "https://creativecommons.org/licenses/by/4.0/"


def info(name: str, licence: str = "CC0-1.0") -> SourceInfo:
    """A source of that name, under one licence."""
    return SourceInfo(name, "catalogue", name.title(), [FieldLicence("*", licence, name)], "", "", "")


def archive(folder: Path) -> ArchiveLayout:
    """An empty archive."""
    folder.mkdir(parents=True, exist_ok=True)
    layout = ArchiveLayout(folder)
    layout.settings.touch()
    return layout


def fma() -> list[Record]:
    """Two recordings on one release, one that is nowhere, one refused row; listens under CC0."""
    return [
        ArtistRecord("a1", "artists.csv:2", "Ana", "Ana, the"),
        ReleaseRecord("9", "albums.csv:2", "First Light", 2009, "2009-03-01", country="PT",
                      credits=[Credit("Ana", "a1")], claims=[ClaimText("CC BY 4.0", BY, "album page")],
                      identifiers=[("upc", "0602517745674")]),
        ReleaseRecord("8", "albums.csv:3", "Best of", 2015, credits=[Credit("Ana", "a1")]),
        RecordingRecord("1", "tracks.csv:2", "Dawn", 180_000, None, "pt",
                        [Credit("Ana", "a1", joined_by=" feat. "), Credit("Bó"), Credit("Cy", "c7", role="composer")],
                        [("isrc", "PTAAA0900001")], ["Folk", "Ambient"],
                        [Signal("listens", 90, "CC0-1.0"), Signal("favourites", 7, "CC0-1.0")],
                        [ClaimText("CC BY 4.0", BY)]),
        TrackRecord("9", "1", "tracks.csv:2", 1, 1),
        TrackRecord("8", "1", "tracks.csv:2", 1, 4, "Dawn (remaster)"),
        RecordingRecord("2", "tracks.csv:10", "Dusk", 200_000, 2008, None, [Credit("Ana", "a1"), Credit("Bó")],
                        genres=["Folk"], signals=[Signal("listens", 10, "CC0-1.0")]),
        TrackRecord("9", "2", "tracks.csv:10", 1, 2),
        RecordingRecord("3", "tracks.csv:11", "夜 =1+1", None, None, None, [Credit("=Cmd", None)],
                        flags=["zero-duration"]),
        Refused("tracks.csv:12", "no-key", "track_id is empty", "…,x"),
    ]  # fmt: skip


def table() -> list[Record]:
    """Listens and a claim about recordings of ``fma``, and one recording of its own."""
    return [
        SignalRecord(Ref("fma", "1"), "listens.tsv:1", Signal("listens", 5, "CC0-1.0", synthetic=True)),
        SignalRecord(Ref("fma", "1"), "listens.tsv:1", Signal("rating", 4.5, "CC0-1.0")),
        ClaimRecord(Ref("fma", "2"), "listens.tsv:2", ClaimText("CC0", evidence="letter")),
        RecordingRecord("x", "listens.tsv:3", "Own", 1_000, credits=[Credit("Dee")]),
    ]


def jamendo() -> list[Record]:
    """A second dump with its own keys and listens that are not CC0."""
    return [
        RecordingRecord("j1", "j.tsv:2", "Meer", 60_000, 2001, "de", [Credit("Eva", "e")], [("isrc", "DEAAA0100001")],
                        signals=[Signal("listens", 1_000, "CC-BY-NC-4.0")],
                        claims=[ClaimText("", "http://creativecommons.org/licenses/by-nc/3.0/de/")]),
        ReleaseRecord("jr", "j.tsv:2", "See", 2001, credits=[Credit("Eva", "e")]),
        TrackRecord("jr", "j1", "j.tsv:2", 1, 1),
    ]  # fmt: skip


WORLD = {"fma": fma, "table": table, "jamendo": jamendo}


def ingest(layout: ArchiveLayout, source: str, records: Iterable[Record] | None = None, *, dump: str = "d1",
           dataset: str = "", make: MakeId = default_make_id) -> IngestResult:  # fmt: skip
    """One source's records into the archive."""
    found = WORLD[source]() if records is None else records
    return ingest_records(layout, info(source), dataset, dump, found, make=make)


@functools.cache
def _template() -> Path:
    """The filled archive, made once in a run: most tests only want to have one."""
    folder = Path(tempfile.mkdtemp(prefix="fonoteca-tiny-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    fill(archive(folder))
    return folder


def fill(layout: ArchiveLayout) -> None:
    """All three sources into an archive."""
    for source in WORLD:
        ingest(layout, source)


def filled(folder: Path) -> ArchiveLayout:
    """An archive with all three sources: a copy of one that was made before, byte for byte."""
    layout = archive(folder)
    shutil.copytree(_template(), folder, dirs_exist_ok=True)
    return layout


def many(count: int, source: str = "fma") -> Iterator[Record]:
    """A large dump: ten tracks to a release, two credits, a claim, listens for most."""
    for number in range(count):
        at = f"big.csv:{number + 2}"
        if number % 10 == 0:
            yield ReleaseRecord(f"R{number // 10}", at, f"Release {number // 10}", 1950 + number % 70,
                                credits=[Credit(f"Artist {number % 997}", f"A{number % 997}")])  # fmt: skip
        signals = [Signal("listens", float(10_000_000 // (number + 1)), "CC0-1.0")] if number % 5 else []
        yield RecordingRecord(
            str(number), at, f"Title {number}", 180_000 + number, None, "en",
            [Credit(f"Artist {number % 997}", f"A{number % 997}"), Credit(f"Guest {number % 31}")],
            [("isrc", f"XX{source[0].upper()}{number:09d}"[:12])], ["Rock"], signals, [ClaimText("CC0", "")],
        )  # fmt: skip
        yield TrackRecord(f"R{number // 10}", str(number), at, 1, number % 10 + 1)


def tree(folder: Path) -> dict[str, str]:
    """Path → SHA-256 of every file below a folder."""
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }
