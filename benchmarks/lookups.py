"""P6: one recording by id, ISRC, MBID or UPC, the whole answer, beside stores that give a row or a place by ISRC."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

import numpy as np

from benchmarks.catalogues import catalogue, dump, recordings
from benchmarks.figure import Figure, Target
from benchmarks.generate import model
from benchmarks.generate.model import Shard
from benchmarks.harness import Job, Sample, Side, run
from benchmarks.workbench import Setup, side

ASKED = 400
"""Look-ups of each kind, a quarter of them to get warm."""
KINDS = ("isrc", "mbid", "upc", "id")
DUCKDB, SQLITE, KEYS = "DuckDB over Parquet sorted by ISRC", "SQLite by ISRC", "memory-mapped sorted keys"


def measure(setup: Setup) -> list[Figure]:
    """Each side is one process that looks up one after another and writes down how long each took."""
    root = catalogue(setup)
    ready = dump(setup, "parquet", "ready") / "tracks.parquet"
    asked = _questions(setup, root)
    own = {kind: _timed(setup, "catalogue", root, asked[kind]) for kind in KINDS}
    peers = {name: _timed(setup, how, ready, asked["bare"])
             for name, how in ((DUCKDB, "duckdb"), (SQLITE, "sqlite"), (KEYS, "keys"))}  # fmt: skip
    count, figures = recordings(setup), []
    for kind, (times, sample) in own.items():
        what = f"show by {kind}, {count:,} recordings"
        figures.append(Figure("P6", f"{what}, p99", "", p99(times), 0, Target(5, False, " ms"), own_cpu=sample.cpu,
                              own_memory=sample.memory, unit="ms"))  # fmt: skip
        figures.append(Figure("P6", f"{what}, median", "", statistics.median(times), 0, None, unit="ms"))
    times, sample = own["isrc"]
    for name, (others, other) in peers.items():
        for what, figure in (("p99", p99), ("median", statistics.median)):
            target = Target(10) if (name, what) == (DUCKDB, "p99") else None
            figures.append(Figure("P6", f"show by isrc, {what}", name, figure(times), figure(others), target,
                                  own_cpu=sample.cpu, peer_cpu=other.cpu, own_memory=sample.memory,
                                  peer_memory=other.memory, unit="ms"))  # fmt: skip
    return figures


def p99(times: list[float]) -> float:
    """The 99th hundredth."""
    return float(np.quantile(times, 0.99))


def _questions(setup: Setup, root: Path) -> dict[str, list[str]]:
    """Words to look up, of recordings and releases from all over the catalogue."""
    shard = Shard.of(setup.seed, recordings(setup), 0, 1)
    numbers = shard.base + shard.dice.below("asked", np.arange(ASKED), shard.recordings)
    made = model.recordings(shard, numbers)
    isrcs = model.isrcs(made).to_pylist()
    some = shard.first + np.unique(shard.dice.below("asked", np.arange(ASKED), shard.blocks))
    codes = model.barcodes(shard, model.releases(shard, some)).drop_null().to_pylist()
    mbids = shard.dice.uuids("recording", numbers).to_pylist()
    import fonoteca

    with fonoteca.open(root) as archive:
        ids = [archive.resolve(f"mbid:{mbid}")[0] for mbid in mbids]
    return {"isrc": [f"isrc:{code}" for code in isrcs], "mbid": [f"mbid:{mbid}" for mbid in mbids], "id": ids,
            "upc": [f"upc:{code}" for code in codes[:: max(len(codes) // ASKED, 1)][:ASKED]],
            "bare": isrcs}  # fmt: skip


def _timed(setup: Setup, how: str, path: Path, words: list[str]) -> tuple[list[float], Sample]:
    """Milliseconds of each look-up but the first quarter."""
    asked, told = setup.folder / "asked.json", setup.folder / "told.json"
    asked.write_text(json.dumps(words))
    sample = run(Side(how, (Job(side("lookup", how, path, asked, told), speaks=True),)))
    times = json.loads(told.read_text())[len(words) // 4 :]
    setup.told(
        f"  {how}, {words[0].partition(':')[0]}: median {statistics.median(times):.3f} ms, p99 {p99(times):.3f} ms"
    )
    return times, sample
