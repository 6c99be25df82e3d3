"""``python -m benchmarks built --archive DIR``: P5, P6 and P15 on a catalogue that ``scale`` has built.

Nothing is generated again: own and peer read the same files of the catalogue. The peer is bare DuckDB that knows where
the rows lie; what it reads is prepared before and not counted.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks import machine, report
from benchmarks.catalogues import LOADED
from benchmarks.figure import Figure, Target
from benchmarks.generate import model
from benchmarks.generate.model import Shard
from benchmarks.grouping import BARE, OPERATION, PACKED
from benchmarks.harness import Job, Side, compare, run
from benchmarks.lookups import DUCKDB
from benchmarks.workbench import ROOT, Setup, side
from fonoteca.catalogue import generation, operations
from fonoteca.catalogue.places import Places
from fonoteca.core.layout import ArchiveLayout

ASKED = 2_000
"""Of each kind; the first quarter opens the files and is not counted."""
_LIMIT = "9223372036854775807"
_ENGINE = "COPY ({query}) TO '{out}' (FORMAT parquet)"


def main(words: Sequence[str]) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks built", description=__doc__)
    parser.add_argument("--archive", type=Path, required=True)
    parser.add_argument("--only", default="P5,P6,P15", help="some of P5, P6 and P15")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--record", action="store_true", help="append the figures to docs/benchmarks.md")
    args = parser.parse_args(words)
    facts, begun = machine.facts(), datetime.datetime.now(datetime.UTC)
    with tempfile.TemporaryDirectory(prefix="fonoteca-bench-", dir=args.archive.absolute().parent) as folder:
        setup = Setup(Path(folder), 0, args.repeats, 1, lambda text: print(text, flush=True))
        built = Built(args.archive.absolute(), setup)
        measures = {"P6": built.lookups, "P15": built.coverage, "P5": built.groups}
        figures = [figure for name, measure in measures.items() if name in args.only.split(",") for figure in measure()]
    print("\n".join(["", report.HEAD, *map(report.row, figures)]))
    if args.record:
        facts += [f"load average at the end {machine.load()}", f"built by 'scale': {built.tracks:,} tracks"]
        report.record(ROOT / "docs" / "benchmarks.md", f"{begun:%Y-%m-%d %H:%M} UTC", facts, figures)


class Built:
    """A finished archive and the files of its catalogue."""

    def __init__(self, root: Path, setup: Setup) -> None:
        journal = root.with_name(root.name + ".journal.jsonl").read_text().splitlines()
        begun = json.loads(journal[0])
        self.tracks, self.dumps, self._seed = begun["tracks"], begun["dumps"], begun["seed"]
        self._root, self._setup = root, setup
        self._places = Places.of(ArchiveLayout(root))
        self._generation = generation.load(self._places)

    def _rows(self) -> list[str]:
        return [f"'{self._places.path(c.rows)}'" for c in self._generation.chunks("recording")]

    def _heard(self) -> list[str]:
        told = self._generation.popularity
        assert told is not None
        known = {h.name: h.files for h in told.heard}
        parts = [known[f"{p.source} {p.dataset} {p.dump.id}"] for p in self._generation.wide]
        return [f"'{self._places.path(ref)}'" for files in parts for ref in files]

    def coverage(self) -> list[Figure]:
        """P15: the whole command beside one query over the listens of all recordings."""
        listed = f"read_parquet([{', '.join(self._heard())}])"
        counted = f"SELECT listens, count(*) AS n FROM {listed} WHERE listens IS NOT NULL GROUP BY listens"
        shares = ("SELECT sum(n) OVER w AS n, sum(n * listens) OVER w / sum(n * listens) OVER () AS share "
                  f"FROM ({counted}) WINDOW w AS (ORDER BY listens DESC)")  # fmt: skip
        least = ", ".join(f"min(n) FILTER (share >= {share})" for share in (0.5, 0.9, 0.996))
        own = {"coverage": (), "coverage by decade": ("--by", "decade"), "coverage by tier": ("--by", "tier"),
               "coverage by country": ("--by", "country")}  # fmt: skip
        sides = [Side(name, (Job(side("command", LOADED, "0", "--archive", self._root, "--quiet", "coverage", *words),
                                 speaks=True),)) for name, words in own.items()]  # fmt: skip
        sides.append(Side(BARE, (Job(side("engine", f"SELECT {least} FROM ({shares})"), speaks=True),)))
        return self._figures("P15", sides, {name: Target(1.5, False, "×") for name in own})

    def groups(self) -> list[Figure]:
        """P5: one recording of each ISRC, over rows that are laid side by side before."""
        rows = self._setup.folder / "isrcs.parquet"
        self._engine(
            f"""
            SELECT r.i.value AS isrc, r.recording_id, r.listens FROM (
                SELECT h.recording_id, h.listens, unnest(w.identifiers) AS i
                FROM read_parquet([{", ".join(self._heard())}]) h
                POSITIONAL JOIN read_parquet([{", ".join(self._rows())}]) w) r WHERE r.i.scheme = 'isrc'""",
            rows,
        )
        out = self._setup.folder / "out.parquet"
        bare = f"SELECT isrc, {PACKED.format(limit=_LIMIT)} FROM '{rows}' GROUP BY isrc"
        sides = [Side(name, (Job(side("engine", _ENGINE.format(query=query, out=out)), speaks=True),))
                 for name, query in ((OPERATION, operations.isrc_groups(f"'{rows}'")), (BARE, bare))]  # fmt: skip
        figures = self._figures("P5", sides, {OPERATION: Target(1.25, False, "×")}, "ISRC grouping: ")
        rows.unlink()
        return figures

    def _engine(self, query: str, out: Path) -> None:
        run(Side("prepared", (Job(side("engine", _ENGINE.format(query=query, out=out)), speaks=True),)))

    def _figures(self, promise: str, sides: list[Side], targets: dict[str, Target], what: str = "") -> list[Figure]:
        results = compare(sides, self._setup.repeats, 1, self._setup.told)
        peer = results[BARE]
        return [Figure(promise, f"{what}{name}, {self.tracks:,} recordings", BARE, results[name].seconds, peer.seconds,
                       target, 0, results[name].cpu, peer.cpu, results[name].memory, peer.memory, 0,
                       results[name].spread) for name, target in targets.items()]  # fmt: skip

    def lookups(self) -> list[Figure]:
        """P6: the whole answer, from all over the catalogue, one after another in one process."""
        figures = []
        for kind, words in self._questions().items():
            times, memory, cpu = self._timed("catalogue", self._root, words)
            what = f"show by {kind}, {self.tracks:,} recordings"
            figures.append(Figure("P6", f"{what}, p99", "", float(np.quantile(times, 0.99)), 0,
                                  Target(5, False, " ms"), own_cpu=cpu, own_memory=memory, unit="ms"))  # fmt: skip
            figures.append(Figure("P6", f"{what}, median", DUCKDB + ", 45 to 83 ms at 50 million", statistics.median(
                times), 0, None, unit="ms"))  # fmt: skip
        return figures

    def _questions(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {"id": [], "isrc": [], "mbid": [], "upc": []}
        for number in range(self.dumps):
            shard = Shard.of(self._seed, self.tracks, number, self.dumps)
            each = -(-ASKED // self.dumps)
            numbers = shard.base + shard.dice.below("asked", np.arange(each), shard.recordings)
            made = model.recordings(shard, numbers)
            found["isrc"] += [f"isrc:{code}" for code in model.isrcs(made).to_pylist()]
            found["mbid"] += [f"mbid:{mbid}" for mbid in shard.dice.uuids("recording", numbers).to_pylist()]
            some = shard.first + np.unique(shard.dice.below("asked", np.arange(each), shard.blocks))
            codes = model.barcodes(shard, model.releases(shard, some)).drop_null().to_pylist()
            found["upc"] += [f"upc:{code}" for code in codes[:: max(len(codes) // each, 1)][:each]]
        import fonoteca

        with fonoteca.open(self._root) as archive:
            found["id"] = [archive.resolve(words)[0] for words in found["mbid"]]
        dice = np.random.default_rng(1)
        return {kind: [words[i] for i in dice.permutation(len(words))] for kind, words in found.items()}

    def _timed(self, how: str, path: Path, words: list[str]) -> tuple[list[float], int, float]:
        """Milliseconds of each look-up but the first quarter; peak memory; processor seconds."""
        asked, told = self._setup.folder / "asked.json", self._setup.folder / "told.json"
        asked.write_text(json.dumps(words))
        sample = run(Side(how, (Job(side("lookup", how, path, asked, told), speaks=True),)))
        times = json.loads(told.read_text())[len(words) // 4 :]
        p99 = float(np.quantile(times, 0.99))
        self._setup.told(f"  {words[0].partition(':')[0]}: median {statistics.median(times):.2f} ms, p99 {p99:.2f} ms, "
                         f"{sample.memory >> 20} MiB, load {os.getloadavg()[0]:.1f}")  # fmt: skip
        return times, sample.memory, sample.cpu
