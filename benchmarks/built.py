"""``python -m benchmarks built --archive DIR``: P5, P6 and P15 on a catalogue that ``scale`` has built.

Nothing is generated again: own and peer read the same files of the catalogue. The peer is bare DuckDB that knows where
the rows lie; what it reads is prepared before and not counted.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import functools
import json
import os
import shutil
import statistics
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np

from benchmarks import bare, machine, report
from benchmarks.figure import Figure, Target
from benchmarks.generate import model
from benchmarks.generate.model import Shard
from benchmarks.grouping import OPERATION, Files, agreed, coverage_figures, coverage_sides, figure
from benchmarks.harness import Job, Side, compare, disk, run
from benchmarks.lookups import DUCKDB, p99
from benchmarks.workbench import ROOT, Setup, side
from fonoteca.catalogue import generation, heard, operations
from fonoteca.catalogue.places import Places
from fonoteca.core.layout import ArchiveLayout

ASKED = 2_000
"""Of each kind; the first quarter opens the files and is not counted."""
PEER_ASKED = 200
ONE = "isrc of one recording"
_EACH = 110
"""Bytes of disk for a recording: its row, what two sides write of it, and a group that does not fit into memory."""
_ENGINE = "COPY ({query}) TO '{out}' (FORMAT parquet)"


def main(words: Sequence[str]) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks built", description=__doc__)
    parser.add_argument("--archive", type=Path, required=True)
    parser.add_argument("--only", default="P5,P6,P15", help="some of P5, P6 and P15")
    parser.add_argument("--memory", type=int, default=8, help="GiB of both sides of P5")
    parser.add_argument("--parts", type=int, help="P5 of so many partitions only")
    parser.add_argument("--peer", action="store_true",
                        help="P6 beside DuckDB, too, on the same rows sorted by ISRC: minutes at 256M")  # fmt: skip
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--record", action="store_true", help="append the figures to docs/benchmarks.md")
    args = parser.parse_args(words)
    facts, begun = machine.facts(), datetime.datetime.now(datetime.UTC)
    with tempfile.TemporaryDirectory(prefix="fonoteca-bench-", dir=args.archive.absolute().parent) as folder:
        setup = Setup(Path(folder), 0, args.repeats, 1, lambda text: print(text, flush=True))
        built = Built(args.archive.absolute(), setup, args.memory, args.parts)
        measures = {
            "P6": functools.partial(built.lookups, with_peer=args.peer),
            "P15": built.coverage,
            "P5": built.groups,
        }
        figures = [figure for name, measure in measures.items() if name in args.only.split(",") for figure in measure()]
    print("\n".join(["", report.HEAD, *map(report.row, figures)]))
    if args.record:
        facts += [f"load average at the end {machine.load()}", f"built by 'scale': {built.tracks:,} tracks"]
        report.record(ROOT / "docs" / "benchmarks.md", f"{begun:%Y-%m-%d %H:%M} UTC", facts, figures)


class Built:
    """A finished archive and the files of its catalogue."""

    def __init__(self, root: Path, setup: Setup, memory: int, parts: int | None) -> None:
        journal = root.with_name(root.name + ".journal.jsonl").read_text().splitlines()
        begun = json.loads(journal[0])
        self.tracks, self.dumps, self._seed = begun["tracks"], begun["dumps"], begun["seed"]
        self._root, self._setup, self._memory = root, setup, memory
        self._places = Places.of(ArchiveLayout(root))
        self._generation = generation.load(self._places)
        self._parts = [p for p in self._generation.wide if p.wide.get("recording")][:parts]

    def _rows(self, table: str) -> list[Path]:
        return [self._places.path(c.rows) for part in self._parts for c in part.wide[table]]

    def _heard(self) -> list[Path]:
        told = self._generation.popularity
        assert told is not None
        known = {h.name: h.files for h in told.heard}
        parts = [known[heard.name_of(p)] for p in self._parts]
        return [self._places.path(ref) for files in parts for ref in files]

    def _genres(self) -> str:
        """Query of recording_id, genre: facts of their own, and what stands in the rows of recordings, if any does."""
        facts = [self._places.path(ref) for part in self._generation.partitions
                 for ref in part.tables.get("genre", ()) if ref.rows]  # fmt: skip
        found = [f"SELECT entity_id, genre FROM {_scan(facts)} WHERE kind = 'recording'"] if facts else []
        rows = _scan(self._rows("recording"))
        with duckdb.connect() as connection:
            if connection.execute(f"SELECT count(*) FROM {rows} WHERE len(genres) > 0").fetchall()[0][0]:
                found.append(f"SELECT id, unnest(genres) FROM {rows}")
        return f"({' UNION ALL '.join(found)}) AS g(recording_id, genre)" if found else ""

    def coverage(self) -> list[Figure]:
        """P15: the whole command beside queries over the listens of all recordings."""
        files = Files(_scan(self._heard()), _scan(self._rows("release")), self._genres())
        if not files.genres:
            self._setup.told("  coverage by genre is left out: the catalogue has none")
        agreed(self._root, files, self._setup.told)
        sides = coverage_sides(self._root, files)
        return coverage_figures(compare(sides, self._setup.repeats, 1, self._setup.told), self.tracks)

    def groups(self) -> list[Figure]:
        """P5: one recording of each ISRC, over rows that are laid side by side before; and ranks."""
        rows, recordings = self._setup.folder / "isrcs.parquet", self._recordings()
        free = shutil.disk_usage(self._setup.folder).free
        if free < recordings * _EACH:
            raise SystemExit(f"{free:,} bytes are free, {recordings * _EACH:,} are needed for rows and what spills")
        self._engine(
            f"""
            SELECT r.i.value AS isrc, r.recording_id, r.listens FROM (
                SELECT h.recording_id, h.listens, unnest(w.identifiers) AS i
                FROM {_scan(self._heard())} h
                POSITIONAL JOIN {_scan(self._rows("recording"))} w) r WHERE r.i.scheme = 'isrc'""",
            rows,
        )
        given = f"'{rows}'"
        figures = self._beside("ISRC grouping", "isrc, recording_id", operations.isrc_groups(given), bare.groups(given))
        rows.unlink()
        heard = _scan(self._heard())
        ranked = operations.popularity(heard, f"({operations.ranks(heard)})")
        return figures + self._beside("rank of each recording", "recording_id, rank", ranked, bare.ranks(heard))

    def _recordings(self) -> int:
        return sum(c.rows.rows for part in self._parts for c in part.wide["recording"])

    def _beside(self, what: str, columns: str, own: str, peer: str) -> list[Figure]:
        """Both write what they find, which must be the same rows; disk is the most that lay in a folder at once."""
        watched = {name: _Watched(name, query, self._setup.folder, self._memory)
                   for name, query in ((OPERATION, own), (bare.BARE, peer))}  # fmt: skip
        results = compare([w.side for w in watched.values()], self._setup.repeats, 1, self._setup.told)
        found = {_digest(w.out, columns) for w in watched.values()}
        if len(found) > 1:
            raise SystemExit(f"{what}: {OPERATION} and {bare.BARE} differ: {found}")
        for name, one in watched.items():
            self._setup.told(
                f"  {what}, {name}: {one.disk:,} bytes of disk at most, {one.out.stat().st_size:,} written"
            )
            shutil.rmtree(one.folder)
        told = f"{what}: {OPERATION}, {self._recordings():,} recordings, {self._memory} GiB"
        own, other = results[OPERATION], results[bare.BARE]
        return [figure("P5", told, own, other, Target(1.25, False, "×"), watched[OPERATION].disk)]

    def _engine(self, query: str, out: Path) -> None:
        spill = f"--spill={self._setup.folder}/spill"
        job = side("engine", f"--memory={self._memory}", spill, _ENGINE.format(query=query, out=out))
        run(Side("prepared", (Job(job, speaks=True),)))

    def lookups(self, *, with_peer: bool) -> list[Figure]:
        """P6: the whole answer, from all over the catalogue, one after another in one process."""
        figures, asked = [], self._questions()
        peer = self._sorted([words.partition(":")[2] for words in asked["isrc"][:PEER_ASKED]]) if with_peer else []
        for kind, words in asked.items():
            first, again, memory, cpu = self._timed("catalogue", self._root, words)
            what = f"show by {kind}, {self.tracks:,} recordings"
            for times, when, target in ((again, "warm", Target(5, False, " ms")), (first, "the first time", None)):
                figures.append(Figure("P6", f"{what}, {when}, p99", "", p99(times), 0, target, own_cpu=cpu,
                                      own_memory=memory, unit="ms"))  # fmt: skip
                median = statistics.median(times)
                figures.append(Figure("P6", f"{what}, {when}, median", "", median, 0, None, unit="ms"))
            if peer and kind.startswith("isrc"):
                target = Target(10) if kind == ONE else None
                figures += [Figure("P6", f"{what}, warm, {of}", DUCKDB, told(again), told(peer), target, unit="ms")
                            for of, told in (("median", statistics.median), ("p99", p99))]  # fmt: skip
        return figures

    def _sorted(self, isrcs: list[str]) -> list[float]:
        """Milliseconds of bare DuckDB for one row by ISRC, warm, from a file that is sorted by it."""
        rows = self._setup.folder / "by-isrc.parquet"
        self._engine(
            f"""
            SELECT i.value AS isrc, id, title, artist, duration_ms FROM (
                SELECT id, title, artist, duration_ms, unnest(identifiers) AS i FROM {_scan(self._rows("recording"))})
            WHERE i.scheme = 'isrc' ORDER BY isrc, id""",
            rows,
        )
        _, again, _, _ = self._timed("sorted", rows, isrcs)
        rows.unlink()
        return again

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
            found[ONE] = [words for words in found["isrc"] if len(archive.resolve(words)) == 1]
        dice = np.random.default_rng(1)
        return {kind: [words[i] for i in dice.permutation(len(words))] for kind, words in found.items()}

    def _timed(self, how: str, path: Path, words: list[str]) -> tuple[list[float], list[float], int, float]:
        """Milliseconds of each look-up but the first quarter, and of all of them once more, when the system has their
        pages in memory; peak memory; processor seconds."""
        asked, told = self._setup.folder / "asked.json", self._setup.folder / "told.json"
        asked.write_text(json.dumps(words * 2))
        sample = run(Side(how, (Job(side("lookup", how, path, asked, told), speaks=True),)))
        times = json.loads(told.read_text())
        first, again = times[len(words) // 4 : len(words)], times[len(words) :]
        for when, some in (("first", first), ("warm", again)):
            self._setup.told(f"  {words[0].partition(':')[0]}, {when}: median {statistics.median(some):.2f} ms, p99 "
                             f"{np.quantile(some, 0.99):.2f} ms, {sample.memory >> 20} MiB, load "
                             f"{os.getloadavg()[0]:.1f}")  # fmt: skip
        return first, again, sample.memory, sample.cpu


class _Watched:
    """A side that writes and spills into a folder of its own, whose size is looked at while it works."""

    def __init__(self, name: str, query: str, folder: Path, memory: int) -> None:
        self.folder = folder / name.replace(" ", "-")
        self.folder.mkdir()
        self.out, self.disk = self.folder / "out.parquet", 0
        job = side("engine", f"--memory={memory}", f"--spill={self.folder}/spill",
                   _ENGINE.format(query=query, out=self.out))  # fmt: skip
        self.side = Side(name, (Job(job, speaks=True),), self._begin, self._end)
        self._ended, self._thread = threading.Event(), threading.Thread(target=self._look, daemon=True)

    def _begin(self) -> None:
        self._ended, self._thread = threading.Event(), threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _end(self) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(0.25):
            # A file may go between being listed and being measured.
            with contextlib.suppress(OSError):
                self.disk = max(self.disk, disk(self.folder))


def _scan(paths: Sequence[Path]) -> str:
    listed = ", ".join(f"'{path}'" for path in paths)
    return f"read_parquet([{listed}])"


def _digest(path: Path, columns: str) -> tuple[int, ...]:
    """The same for the same rows in any order."""
    with duckdb.connect() as connection:
        found: tuple[int, ...] = connection.execute(
            f"SELECT count(*), sum(h), bit_xor(h) FROM (SELECT hash(({columns})) AS h "
            f"FROM (SELECT {columns.replace('rank', 'rank::BIGINT AS rank')} FROM '{path}'))"
        ).fetchall()[0]
    return found
