"""P5, P15: one recording of each ISRC, ranks, shares of listens, beside the same in bare DuckDB over the same rows."""

from __future__ import annotations

from pathlib import Path

from benchmarks.catalogues import LOADED, catalogue, recordings
from benchmarks.figure import Figure, Target
from benchmarks.harness import Job, Side, compare
from benchmarks.workbench import Setup, fonoteca, side
from fonoteca.catalogue import operations

ISRCS = ("SELECT i.value AS isrc, i.entity_id AS recording_id, h.listens FROM identifiers i "
         "JOIN heard h ON h.recording_id = i.entity_id WHERE i.scheme = 'isrc'")  # fmt: skip
HEARD = "SELECT recording_id, listens FROM heard"
_LIMIT = "9223372036854775807"
PACKED = "max((coalesce(listens, -1) + 1)::HUGEINT * 9223372036854775808 + ({limit} - recording_id)) AS best"
OPERATION, CATALOGUE, BARE = "the operation over the rows", "the catalogue asked", "bare DuckDB"


def measure(setup: Setup) -> list[Figure]:
    """The rows are exported once; then each side reads the same Parquet, but for the catalogue, which is asked."""
    root = catalogue(setup)
    rows, heard = setup.folder / "isrcs.parquet", setup.folder / "heard.parquet"
    fonoteca("--archive", root, "--quiet", "export", ISRCS, "-o", rows)
    fonoteca("--archive", root, "--quiet", "export", HEARD, "-o", heard)
    return _groups(setup, root, rows) + _ranks(setup, root, heard) + _coverage(setup, root, heard)


def _groups(setup: Setup, root: Path, rows: Path) -> list[Figure]:
    bare = f"SELECT isrc, {PACKED.format(limit=_LIMIT)} FROM '{rows}' GROUP BY isrc"
    sides = [_engine(OPERATION, setup, operations.isrc_groups(f"'{rows}'")), _engine(BARE, setup, bare),
             _asked(CATALOGUE, root, setup, operations.isrc_groups(f"({ISRCS})"))]  # fmt: skip
    return _figures(
        setup, "P5", "ISRC grouping", sides, {OPERATION: Target(1.25, False, "×"), CATALOGUE: Target(1.25, False, "×")}
    )


def _ranks(setup: Setup, root: Path, heard: Path) -> list[Figure]:
    bare = (f"SELECT recording_id, listens, rank FROM '{heard}' LEFT JOIN (SELECT listens, 1 + sum(n) OVER (ORDER BY "
            "listens DESC) - n AS rank FROM (SELECT listens, count(*) AS n FROM "
            f"'{heard}' WHERE listens IS NOT NULL GROUP BY listens)) USING (listens)")  # fmt: skip
    sides = [_engine(OPERATION, setup, operations.popularity(f"'{heard}'", f"({operations.ranks(repr(str(heard)))})")),
             _engine(BARE, setup, bare),
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
    counted = f"SELECT listens, count(*) AS n FROM '{heard}' WHERE listens IS NOT NULL GROUP BY listens"
    shares = ("SELECT sum(n) OVER w AS n, sum(n * listens) OVER w / sum(n * listens) OVER () AS share "
              f"FROM ({counted}) WINDOW w AS (ORDER BY listens DESC)")  # fmt: skip
    least = ", ".join(f"min(n) FILTER (share >= {share})" for share in (0.5, 0.9, 0.996))
    bare = f"SELECT {least} FROM ({shares})"
    own = [(name, ("--archive", root, "--quiet", "coverage", *words))
           for name, words in (("coverage", ()), ("coverage by decade", ("--by", "decade")))]  # fmt: skip
    sides = [Side(name, (Job(side("command", LOADED, "0", *words), speaks=True),)) for name, words in own]
    sides.append(Side(BARE, (Job(side("engine", bare), speaks=True),)))
    return _figures(setup, "P15", "", sides, {name: Target(1.5, False, "×") for name, _ in own})


def _figures(setup: Setup, promise: str, what: str, sides: list[Side], targets: dict[str, Target]) -> list[Figure]:
    results = compare(sides, setup.repeats, setup.seed, setup.told)
    peer = results[BARE]
    return [Figure(promise, ": ".join(filter(None, (what, name))) + f", {recordings(setup):,} recordings", BARE,
                   results[name].seconds, peer.seconds, target, 0, results[name].cpu, peer.cpu, results[name].memory,
                   peer.memory, 0, results[name].spread) for name, target in targets.items()]  # fmt: skip


def _engine(name: str, setup: Setup, query: str) -> Side:
    out = setup.folder / "out.parquet"
    return Side(name, (Job(side("engine", f"COPY ({query}) TO '{out}' (FORMAT parquet)"), speaks=True),))


def _asked(name: str, root: Path, setup: Setup, query: str) -> Side:
    words = ("--archive", root, "--quiet", "export", query, "-o", setup.folder / "asked.parquet")
    loaded = f"{LOADED},fonoteca.cli.commands.export,fonoteca.catalogue.export"
    return Side(name, (Job(side("command", loaded, "0", *words), speaks=True),))
