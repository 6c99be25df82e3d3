"""P5, P15: one recording of each ISRC, ranks, shares of listens, beside the same in bare DuckDB over the same rows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from benchmarks import bare
from benchmarks.catalogues import LOADED, catalogue, recordings
from benchmarks.figure import Figure, Target
from benchmarks.harness import Job, Result, Side, compare
from benchmarks.workbench import Setup, fonoteca, side
from fonoteca.catalogue import operations
from fonoteca.catalogue.breakdown import UNKNOWN

ISRCS = ("SELECT i.value AS isrc, i.entity_id AS recording_id, h.listens FROM identifiers i "
         "JOIN heard h ON h.recording_id = i.entity_id WHERE i.scheme = 'isrc'")  # fmt: skip
HEARD = "SELECT recording_id, listens, year, release_id FROM heard"
RELEASES = "SELECT id, country FROM releases"
GENRES = "SELECT entity_id AS recording_id, genre FROM genres WHERE kind = 'recording'"
OPERATION, CATALOGUE = "the operation over the rows", "the catalogue asked"


def measure(setup: Setup) -> list[Figure]:
    """The rows are exported once; then each side reads the same Parquet, but for the catalogue, which is asked."""
    root = catalogue(setup, genres=True)
    rows, heard = setup.folder / "isrcs.parquet", setup.folder / "heard.parquet"
    fonoteca("--archive", root, "--quiet", "export", ISRCS, "-o", rows)
    fonoteca("--archive", root, "--quiet", "export", HEARD, "-o", heard)
    fonoteca("--archive", root, "--quiet", "export", RELEASES, "-o", setup.folder / "releases.parquet")
    fonoteca("--archive", root, "--quiet", "export", GENRES, "-o", setup.folder / "genres.parquet")
    return _groups(setup, root, rows) + _ranks(setup, root, heard) + _coverage(setup, root, heard)


def _groups(setup: Setup, root: Path, rows: Path) -> list[Figure]:
    sides = [_engine(OPERATION, setup, operations.isrc_groups(f"'{rows}'")),
             _engine(bare.BARE, setup, bare.groups(f"'{rows}'")),
             _asked(CATALOGUE, root, setup, operations.isrc_groups(f"({ISRCS})"))]  # fmt: skip
    return _figures(
        setup, "P5", "ISRC grouping", sides, {OPERATION: Target(1.25, False, "×"), CATALOGUE: Target(1.25, False, "×")}
    )


def _ranks(setup: Setup, root: Path, heard: Path) -> list[Figure]:
    sides = [_engine(OPERATION, setup, operations.popularity(f"'{heard}'", f"({operations.ranks(repr(str(heard)))})")),
             _engine(bare.BARE, setup, bare.ranks(f"'{heard}'")),
             _asked(CATALOGUE, root, setup, "SELECT recording_id, score, rank FROM popularity")]  # fmt: skip
    return _figures(
        setup,
        "P5",
        "rank of each recording",
        sides,
        {OPERATION: Target(1.25, False, "×"), CATALOGUE: Target(1.25, False, "×")},
    )


def _coverage(setup: Setup, root: Path, heard: Path) -> list[Figure]:
    """Ours is the whole command: shares held and published, unknown listens, thresholds; its catalogue opened too."""
    files = f"'{heard}'", *(f"'{setup.folder / name}.parquet'" for name in ("releases", "genres"))
    agreed(root, Files(*files), setup.told)
    results = compare(coverage_sides(root, Files(*files)), setup.repeats, setup.seed, setup.told)
    return coverage_figures(results, recordings(setup))


@dataclass(frozen=True)
class Files:
    """What the peer of P15 reads, as SQL (:func:`benchmarks.bare.grouped`); without ``genres`` nothing is by genre."""

    heard: str
    releases: str
    genres: str = ""

    def queries(self) -> dict[str, str]:
        """Grouping → what asks bare DuckDB the same."""
        by = [name for name in bare.GROUPINGS if name != "genre" or self.genres]
        return {name: bare.grouped(name, self.heard, self.releases, self.genres) for name in by}


def agreed(root: Path, files: Files, told: Callable[[str], None]) -> None:
    """Both sides must find as many recordings in each group. Raises SystemExit.

    Tiers are left out: the peer does not part recordings of equal listens, we do.
    """
    for by, query in files.queries().items():
        if by == "tier":
            continue
        words = ("--archive", root, "coverage", "--json", "--by", by)
        own = {group["key"]: group["recordings"] for group in json.loads(fonoteca(*words))["by"]}
        peer: Counter[str] = Counter()
        with duckdb.connect(config={"threads": 2}) as connection:
            for key, recordings, _ in connection.execute(query).fetchall():
                peer[_shown(by, key)] += recordings
        if own != peer:
            differ = sorted(key for key in own.keys() | peer.keys() if own.get(key) != peer.get(key))
            raise SystemExit(f"coverage by {by}: {bare.BARE} finds other numbers of {', '.join(differ[:5])}")
        told(f"  coverage by {by}: both find the same {len(own):,} groups of {sum(own.values()):,} recordings")


def _shown(by: str, key: Any) -> str:
    """A group as our command names it."""
    if key in (None, ""):
        return UNKNOWN
    return f"{key * 10}s" if by == "decade" else str(key)


def coverage_sides(root: Path, files: Files) -> list[Side]:
    """P15: the whole command, and by each grouping; each with the query that asks bare DuckDB the same."""
    queries = files.queries()
    own = {"coverage": (), **{f"coverage by {by}": ("--by", by) for by in queries}}
    peers = {bare.BARE: bare.coverage(files.heard), **{bare.named(by): query for by, query in queries.items()}}
    sides = [Side(name, (Job(side("command", LOADED, "0", "--archive", root, "--quiet", "coverage", *words),
                             speaks=True),)) for name, words in own.items()]  # fmt: skip
    return sides + [Side(name, (Job(side("engine", query), speaks=True),)) for name, query in peers.items()]


def coverage_figures(results: Mapping[str, Result], count: int) -> list[Figure]:
    """Each grouping beside its own peer, and beside the one that does not group."""
    pairs = [(f"coverage by {by}", bare.named(by)) for by in bare.GROUPINGS if bare.named(by) in results]
    pairs = [("coverage", bare.BARE), *pairs, *[(name, bare.BARE) for name, _ in pairs]]
    return [figure("P15", f"{name}, {count:,} recordings", results[name], results[peer], Target(1.5, False, "×"))
            for name, peer in pairs]  # fmt: skip


def figure(promise: str, what: str, own: Result, peer: Result, target: Target, disk: int = 0) -> Figure:
    """Two results side by side."""
    return Figure(promise, what, peer.name, own.seconds, peer.seconds, target, 0, own.cpu, peer.cpu, own.memory,
                  peer.memory, disk, own.spread)  # fmt: skip


def _figures(setup: Setup, promise: str, what: str, sides: list[Side], targets: dict[str, Target]) -> list[Figure]:
    results = compare(sides, setup.repeats, setup.seed, setup.told)
    return [figure(promise, f"{what}: {name}, {recordings(setup):,} recordings", results[name], results[bare.BARE],
                   target) for name, target in targets.items()]  # fmt: skip


def _engine(name: str, setup: Setup, query: str) -> Side:
    out = setup.folder / "out.parquet"
    return Side(name, (Job(side("engine", f"COPY ({query}) TO '{out}' (FORMAT parquet)"), speaks=True),))


def _asked(name: str, root: Path, setup: Setup, query: str) -> Side:
    words = ("--archive", root, "--quiet", "export", query, "-o", setup.folder / "asked.parquet")
    loaded = f"{LOADED},fonoteca.cli.commands.export,fonoteca.catalogue.export"
    return Side(name, (Job(side("command", loaded, "0", *words), speaks=True),))
