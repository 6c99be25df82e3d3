"""Generated dumps and the archives that take them in, for the benchmarks of the catalogue."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from benchmarks import sizes
from benchmarks.generate.derived import FOLDER
from benchmarks.generate.model import Shard
from benchmarks.generate.writing import pack, write
from benchmarks.harness import Job, Side
from benchmarks.scale import MAPPING
from benchmarks.workbench import Setup, fonoteca, side

LOADED = ",".join((
    "duckdb", "pyarrow.parquet", "fonoteca.cli.commands.ingest", "fonoteca.cli.commands.coverage",
    "fonoteca.catalogue.ingest", "fonoteca.catalogue.bulk", "fonoteca.catalogue.coverage",
))  # fmt: skip
TRACK_BYTES = 1_000
"""A benchmark's size in megabytes is so many thousand recordings."""


def recordings(setup: Setup) -> int:
    """How many recordings the catalogue has."""
    return setup.bytes // TRACK_BYTES


def dump(setup: Setup, form: str, name: str, packed: str = "folder") -> Path:
    """One dump of all recordings: its folder, or the archive that it was packed into."""
    folder = setup.empty(name)
    write(form, Shard.of(setup.seed, recordings(setup), 0, 1), folder)
    if packed == "folder":
        return folder
    archive = folder.with_name(f"{name}.{packed}")
    pack(folder, packed, archive)
    return archive


def new_archive(root: Path) -> None:
    """An archive with nothing in it, in the place of what was there."""
    shutil.rmtree(root, ignore_errors=True)
    fonoteca("init", root)


def copied_archive(base: Path, root: Path) -> None:
    """The same archive under another name, in the place of what was there: its files are linked, none is written to."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(base, root, copy_function=os.link)


def own_ingest(name: str, setup: Setup, source: str, path: Path) -> Side:
    """Ingest of one dump, by the command, in a process that has its libraries loaded.

    Into an empty archive, or beside what ``setup.base`` holds already.
    """
    root, base = setup.folder / "archive", setup.base

    def before() -> None:
        if base is None:
            new_archive(root)
        else:
            copied_archive(base, root)

    before_it = sum(sizes.by_table(base).values()) if base else 0

    def after() -> None:
        if sum(sizes.by_table(root).values()) <= before_it:
            raise RuntimeError(f"nothing came out of {path}")

    words = ("--archive", root, "--quiet", "ingest", source, path, "--dataset", "measured")
    return Side(name, (Job(side("command", LOADED, "0", *words), speaks=True),), before, after)


def catalogue(setup: Setup, *, genres: bool = False) -> Path:
    """An archive whose catalogue holds all recordings and their listens; and what genres they have."""
    root, tables = setup.folder / "archive", dump(setup, "mbdump", "tables")
    new_archive(root)
    fonoteca("--archive", root, "--quiet", "ingest", "musicbrainz", tables)
    if genres:
        tags = setup.folder / "tags.tar"
        pack(dump(setup, "derived", "tags") / FOLDER, "tar", tags)
        named = [tables / "mbdump" / name for name in ("recording", "genre")]
        fonoteca("--archive", root, "--quiet", "ingest", "musicbrainz", tags, *named, "--dataset", "genres")
        tags.unlink()
    shutil.rmtree(tables)
    heard = dump(setup, "listens", "heard")
    (heard / "mapping.toml").write_text(MAPPING)
    fonoteca("--archive", root, "--quiet", "ingest", "table", heard / "listens.parquet", "--mapping",
             heard / "mapping.toml")  # fmt: skip
    shutil.rmtree(heard)
    return root
