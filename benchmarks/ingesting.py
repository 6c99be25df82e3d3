"""P1–P4: ingest of generated dumps beside what only reads, parses or unpacks them; bytes a track."""

from __future__ import annotations

import gzip
import importlib.util
import shutil
import tarfile
from pathlib import Path

from benchmarks import sizes
from benchmarks.catalogues import catalogue, dump, own_ingest, recordings
from benchmarks.figure import Figure, Target
from benchmarks.generate.discogs import FILE
from benchmarks.harness import Job, Side, compare, disk
from benchmarks.workbench import Setup, side

REFERENCE = 143
"""Bytes a track of the reference release, compressed."""
_COLUMNS = (
    "{id: 'VARCHAR', title: 'VARCHAR', length: 'BIGINT', \"first-release-date\": 'VARCHAR', isrcs: 'VARCHAR[]', "
    "\"artist-credit\": 'STRUCT(name VARCHAR, joinphrase VARCHAR, artist STRUCT(id VARCHAR, name VARCHAR))[]'}"
)


def measure(setup: Setup) -> list[Figure]:
    """The four forms one after another; each's data goes before the next is made."""
    parts = {"P1": _json, "P2": _xml, "P3": _tables}
    if setup.base is None:
        parts["P4"] = _size
    figures = []
    for promise, part in parts.items():
        if setup.only and promise not in setup.only:
            continue
        figures += part(setup)
        for path in setup.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return figures


def _figures(setup: Setup, promise: str, sides: list[Side], targets: dict[str, Target], total: int) -> list[Figure]:
    """The first side is ours."""
    results = compare(sides, setup.repeats, setup.seed, setup.told)
    own, left = results.pop(sides[0].name), 0 if setup.base else disk(setup.folder / "archive")
    what = f"{sides[0].name}, {recordings(setup):,} recordings{setup.beside}"
    return [Figure(promise, what, name, own.seconds, peer.seconds,
                   targets.get(name), total, own.cpu, peer.cpu, own.memory, peer.memory, left, own.spread)
            for name, peer in results.items()]  # fmt: skip


def _json(setup: Setup) -> list[Figure]:
    folder = dump(setup, "jsonl-recordings", "json")
    lines = (folder / "mbdump" / "recording").rename(folder / "recordings.jsonl")
    query = (f"COPY (SELECT * FROM read_json('{lines}', format = 'newline_delimited', columns = {_COLUMNS})) "
             f"TO '{setup.folder / 'read.parquet'}' (FORMAT parquet, COMPRESSION zstd)")  # fmt: skip
    peer = "DuckDB read_json to Parquet, 2 threads"
    sides = [own_ingest("ingest of JSON lines", setup, "musicbrainz", lines),
             Side(peer, (Job(side("engine", query), speaks=True),))]  # fmt: skip
    return _figures(setup, "P1", sides, {peer: Target(0.5)}, lines.stat().st_size)


def _xml(setup: Setup) -> list[Figure]:
    whole = dump(setup, "discogs", "discogs") / FILE
    halves = _two_halves(whole, setup.empty("halves"))
    peer = "expat, 2 processes on a half each"
    sides = [own_ingest("ingest of Discogs XML", setup, "discogs", whole),
             Side(peer, tuple(Job(side("expat", half), speaks=True) for half in halves))]  # fmt: skip
    with gzip.open(whole) as stream:
        total = stream.seek(0, 2)
    return _figures(setup, "P2", sides, {peer: Target(1.0)}, total)


def _two_halves(whole: Path, folder: Path) -> list[Path]:
    """Two documents, releases in turn, packed as the whole is."""
    paths = [folder / "0.xml.gz", folder / "1.xml.gz"]
    with gzip.open(whole) as stream, gzip.open(paths[0], "wb", 6) as first, gzip.open(paths[1], "wb", 6) as second:
        here, there = first, second
        for line in stream:
            if line in (b"<releases>\n", b"</releases>\n"):
                there.write(line)
            here.write(line)
            if line.endswith(b"</release>\n"):
                here, there = there, here
    return paths


def _tables(setup: Setup) -> list[Figure]:
    """The decompressor alone: rapidgzip's for bzip2 where it is installed, ours, and bzip2 on one core."""
    packed = dump(setup, "mbdump", "mbdump", "tar.bz2")
    sides = [own_ingest("ingest of tables from tar.bz2", setup, "musicbrainz", packed)]
    ours = "our decompressor alone"
    sides.append(Side(ours, (Job(side("unpack", "ours", packed), speaks=True),)))
    targets = {ours: Target(0.85)}
    if importlib.util.find_spec("rapidgzip"):
        peer = "rapidgzip's bzip2 alone, 2 threads"
        sides.append(Side(peer, (Job(side("unpack", "rapidgzip", packed), speaks=True),)))
        targets = {peer: Target(0.85)}
    tools = [tool for tool in ("lbzip2", "bzip2") if shutil.which(tool)]
    sides += [Side(f"{tool} -t", (Job((tool, "-t", str(packed))),)) for tool in tools]
    with tarfile.open(packed, "r|bz2") as tar:
        total = sum(entry.size for entry in tar)
    return _figures(setup, "P3", sides, targets, total)


def _size(setup: Setup) -> list[Figure]:
    root = catalogue(setup)
    tables, count = sizes.by_table(root), recordings(setup)
    setup.told("  " + ", ".join(f"{name} {size / count:.1f}" for name, size in tables.items() if size > count / 20))
    each = sum(tables.values()) / count
    return [Figure("P4", f"catalogue of {count:,} recordings, bytes a track", "reference release, compressed", each,
                   REFERENCE, Target(90 / REFERENCE, at_least=False, unit="×"), unit="B", disk=disk(root))]  # fmt: skip
