"""P5, P15: one recording of each ISRC, ranks, shares of listens, beside the same in bare DuckDB over the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks import bare
from benchmarks.catalogues import LOADED, catalogue, recordings
from benchmarks.figure import Figure, Target
from benchmarks.harness import Job, Result, Side, compare
from benchmarks.workbench import Setup, fonoteca, side
from fonoteca.catalogue import operations

ISRCS = ("SELECT i.value AS isrc, i.entity_id AS recording_id, h.listens FROM identifiers i "
         "JOIN heard h ON h.recording_id = i.entity_id WHERE i.scheme = 'isrc'")  # fmt: skip
HEARD = "SELECT recording_id, listens, year, release_id FROM heard"
RELEASES = "SELECT id, country FROM releases"
OPERATION, CATALOGUE = "the operation over the rows", "the catalogue asked"


def measure(setup: Setup) -> list[Figure]:
    """The rows are exported once; then each side reads the same Parquet, but for the catalogue, which is asked."""
    root = catalogue(setup)
    rows, heard = setup.folder / "isrcs.parquet", setup.folder / "heard.parquet"
    fonoteca("--archive", root, "--quiet", "export", ISRCS, "-o", rows)
    fonoteca("--archive", root, "--quiet", "export", HEARD, "-o", heard)
    fonoteca("--archive", root, "--quiet", "export", RELEASES, "-o", setup.folder / "releases.parquet")
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
    files = f"'{heard}'", f"'{setup.folder / 'releases.parquet'}'"
    results = compare(coverage_sides(root, *files), setup.repeats, setup.seed, setup.told)
    return coverage_figures(results, recordings(setup))


def coverage_sides(root: Path, heard: str, releases: str) -> list[Side]:
    """P15: the whole command, and by each grouping; each with the query that asks bare DuckDB the same."""
    own = {"coverage": (), **{f"coverage by {by}": ("--by", by) for by in bare.GROUPINGS}}
    peers = {bare.BARE: bare.coverage(heard),
             **{bare.named(by): bare.grouped(by, heard, releases) for by in bare.GROUPINGS}}  # fmt: skip
    sides = [Side(name, (Job(side("command", LOADED, "0", "--archive", root, "--quiet", "coverage", *words),
                             speaks=True),)) for name, words in own.items()]  # fmt: skip
    return sides + [Side(name, (Job(side("engine", query), speaks=True),)) for name, query in peers.items()]


def coverage_figures(results: Mapping[str, Result], count: int) -> list[Figure]:
    """Each grouping beside its own peer, and beside the one that does not group."""
    pairs = [(f"coverage by {by}", bare.named(by)) for by in bare.GROUPINGS]
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
