"""``python -m benchmarks scale --tracks 256M --dumps 8 --archive DIR``: a whole catalogue from generated dumps.

Each dump is generated, ingested and deleted in turn, with its listens and, of MusicBrainz' tables, its genres. What is
finished stands in a journal beside the archive; the same command goes on where an earlier one was stopped. At the end
the catalogue is verified and asked.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine, measured, sizes
from benchmarks.generate import model
from benchmarks.generate.__main__ import count
from benchmarks.generate.model import Shard
from benchmarks.workbench import PYTHON, ROOT

DUMP_BYTES = 380
"""Of a dump and its listens, for each recording."""
SPOOL_BYTES, KEPT_BYTES = 400, 120
"""What ingest may need on the way, and what a recording adds to the archive, until the first dump has told."""
SOURCES = {"mbdump": "musicbrainz", "jsonl": "musicbrainz", "discogs": "discogs"}
MAPPING = """about = "signals"
source = "musicbrainz"
key = ["recording_mbid"]
licence = "CC0-1.0"
[signals]
listens = "listens"
"""


class NoRoom(Exception):
    """The disk is too small; says by how much."""


class StepFailed(Exception):
    """A command ended with an error; says what it said."""


@dataclass(frozen=True)
class Job:
    """What is to be built."""

    tracks: int
    dumps: int
    archive: Path
    form: str = "mbdump"
    seed: int = 1
    memory: str = ""
    told: Callable[[str], None] = print

    @property
    def dump(self) -> Path:
        """Where one dump lies for a while."""
        return self.archive.with_name(self.archive.name + ".dump")

    @property
    def beside(self) -> Sequence[Path]:
        """Folders of what is generated with a dump and ingested after it: listens, tags."""
        return tuple(self.dump.with_name(self.dump.name + end) for end in (".listens", ".tags"))

    @property
    def journal(self) -> Path:
        """One line for each finished step."""
        return self.archive.with_name(self.archive.name + ".journal.jsonl")

    @property
    def report(self) -> Path:
        """All figures, at the end."""
        return self.archive.with_name(self.archive.name + ".scale.json")

    def shard(self, number: int) -> Shard:
        """One dump."""
        return Shard.of(self.seed, self.tracks, number, self.dumps)


def main(words: Sequence[str]) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks scale", description=__doc__)
    parser.add_argument("--tracks", type=count, required=True)
    parser.add_argument("--dumps", type=int, default=8)
    parser.add_argument("--archive", type=Path, required=True, help="made where it is missing; may be half done")
    parser.add_argument("--form", choices=SOURCES, default="mbdump")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--memory", default="", help="the setting catalogue.memory, such as 4GiB")
    parser.add_argument("--record", action="store_true", help="append the figures to docs/benchmarks.md")
    args = parser.parse_args(words)
    job = Job(args.tracks, args.dumps, args.archive.absolute(), args.form, args.seed, args.memory, _say)
    try:
        figures = build(job)
    except (NoRoom, StepFailed) as error:
        sys.exit(str(error))
    text = "\n".join(page(figures))
    _say(text)
    if args.record:
        _record(text)


def _say(text: str) -> None:
    print(text, flush=True)


def _record(text: str) -> None:
    path = ROOT / "docs" / "benchmarks.md"
    path.write_text(path.read_text("utf-8").rstrip("\n") + "\n\n" + text + "\n", "utf-8")


def build(job: Job) -> dict[str, Any]:
    """Build, verify, ask; all figures. What the journal has is not done again.

    Raises:
        NoRoom, StepFailed: the same call again goes on from there.
    """
    _begin(job)
    for number in range(job.dumps):
        _dump(job, number)
    _step(job, "verify", lambda: _fonoteca(job, "verify"))
    for name, words in questions(job).items():
        _step(job, name, lambda words=words, name=name: _asked(job, name, words))  # type: ignore[misc]
    figures = summary(job)
    job.report.write_text(json.dumps(figures, indent=1) + "\n")
    return figures


def _begin(job: Job) -> None:
    asked = {"step": "begin", "tracks": job.tracks, "dumps": job.dumps, "form": job.form, "seed": job.seed}
    known = done(job).get("begin")
    if known is not None and {name: known[name] for name in asked} != asked:
        raise StepFailed(f"{job.journal} is about another catalogue: {known}")
    if not (job.archive / "fonoteca.toml").exists():
        job.archive.parent.mkdir(parents=True, exist_ok=True)
        _fonoteca(job, "init", job.archive, at=False)
        if job.memory:
            settings = job.archive / "fonoteca.toml"
            given = f'[catalogue]\nmemory = "{job.memory}"'
            settings.write_text(settings.read_text().replace("[catalogue]", given, 1))
    if known is None:
        _write(job, asked | {"machine": machine.facts()})


def _dump(job: Job, number: int) -> None:
    """Generate, ingest, listens, genres, delete: each on its own is done once."""
    if f"deleted {number}" in done(job):
        return
    shard = job.shard(number)
    if f"generated {number}" not in done(job):
        shutil.rmtree(job.dump, ignore_errors=True)
        check_room(job, shard)
    else:
        check_room(job, shard, generated=True)
    form = job.form if job.form == "discogs" else f"{job.form},listens"
    _step(job, f"generated {number}", lambda: _generated(job, number, form, "-o", job.dump))
    heard = job.beside[0]
    if (job.dump / "listens.parquet").exists():
        shutil.rmtree(heard, ignore_errors=True)
        heard.mkdir()
        (job.dump / "listens.parquet").rename(heard / "listens.parquet")
        (heard / "mapping.toml").write_text(MAPPING)
    _step(job, f"ingested {number}", lambda: _fonoteca(
        job, "ingest", SOURCES[job.form], job.dump, "--dataset", f"shard-{number}"))  # fmt: skip
    if job.form != "discogs":
        _step(job, f"heard {number}", lambda: _fonoteca(
            job, "ingest", "table", heard / "listens.parquet", "--mapping", heard / "mapping.toml", "--dataset",
            f"listens-{number}"))  # fmt: skip
    if job.form == "mbdump":
        _genres(job, number)
    shutil.rmtree(job.dump, ignore_errors=True)  # an earlier run may have come as far as this
    shutil.rmtree(heard, ignore_errors=True)
    _write(job, {"step": f"deleted {number}", "archive": measured.used([job.archive])})


def _genres(job: Job, number: int) -> None:
    """Votes are a dump of their own, which needs the MBIDs of the tables."""
    folder = job.beside[1]
    _step(job, f"tagged {number}", lambda: _generated(
        job, number, "derived", "--pack", "tar", "-o", folder / "mbdump"))  # fmt: skip
    tables = [job.dump / "mbdump" / name for name in ("recording", "genre")]
    _step(job, f"genres {number}", lambda: _fonoteca(
        job, "ingest", "musicbrainz", folder / "mbdump-derived.tar", *tables, "--dataset",
        f"genres-{number}"))  # fmt: skip
    shutil.rmtree(folder, ignore_errors=True)


def _generated(job: Job, number: int, form: str, *words: str | Path) -> measured.Measured:
    return _ran(job, [PYTHON, "-m", "benchmarks.generate", "--form", form, "--tracks", job.tracks, "--seed", job.seed,
                      "--shard", number, "--of", job.dumps, *words])  # fmt: skip


def check_room(job: Job, shard: Shard, generated: bool = False) -> None:
    """Raises NoRoom, with the numbers, where a dump and its ingest may not fit."""
    steps = done(job)
    grown = [step for name, step in steps.items() if name.startswith("ingested ")]
    spool = max((s["disk"] - s["before"] for s in grown), default=SPOOL_BYTES * shard.recordings)
    need = spool + KEPT_BYTES * shard.recordings + (0 if generated else DUMP_BYTES * shard.recordings)
    job.archive.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(job.archive.parent).free
    if free < need:
        raise NoRoom(f"A dump of {shard.recordings:,} recordings and its ingest may need {need / 1e9:,.1f} GB, and "
                     f"{free / 1e9:,.1f} GB are free; {need - free:,} bytes are missing")  # fmt: skip


def questions(job: Job) -> Mapping[str, tuple[str, ...]]:
    """What is asked of the finished catalogue; of a recording in the middle."""
    shard = job.shard(job.dumps // 2)
    one = model.recordings(shard, np.array([shard.base + shard.recordings // 2]))
    found = {
        "show mbid": ("show", f"mbid:{shard.dice.uuids('recording', one.number)[0].as_py()}"),
        "show isrc": ("show", f"isrc:{model.isrcs(one)[0].as_py()}"),
        "sql count": ("sql", "SELECT count(*) AS n FROM recordings"),
        "sql decades": ("sql",
        "SELECT year // 10 * 10 AS decade, count(*) AS n FROM recordings GROUP BY ALL ORDER BY ALL"),
        "coverage": ("coverage",),
        "coverage by decade": ("coverage", "--by", "decade"),
        "coverage by genre": ("coverage", "--by", "genre"),
        "export": ("export", "SELECT id, title, artist, year FROM recordings WHERE year = 1999",
                   "-o", str(job.archive.with_name(job.archive.name + ".export.parquet"))),
    }  # fmt: skip
    return {k: v for k, v in found.items() if job.form != "discogs" or not k.startswith("show")}


def _asked(job: Job, name: str, words: tuple[str, ...]) -> measured.Measured:
    """Ask, and look whether the answer is right."""
    got = _fonoteca(job, *words)
    if name in ("show mbid", "show isrc"):
        shard = job.shard(job.dumps // 2)
        one = model.recordings(shard, np.array([shard.base + shard.recordings // 2]))
        title = model.recording_titles(shard, one)[0].as_py()
        if json.dumps(title)[1:-1] not in got.out and title not in got.out:
            raise StepFailed(f"{name}: {title} is not in {got.out[:500]}")
    if name == "sql count" and job.form != "discogs" and f'"n": {job.tracks}' not in got.out:
        raise StepFailed(f"there should be {job.tracks} recordings: {got.out[:500]}")
    return got


def _fonoteca(job: Job, *words: str | Path, at: bool = True) -> measured.Measured:
    where = ["--archive", job.archive] if at else []
    return _ran(job, [PYTHON, "-m", "fonoteca", *where, words[0], *(["--json"] if at else []), *words[1:]])


def _ran(job: Job, argv: Sequence[Any]) -> measured.Measured:
    got = measured.run([str(word) for word in argv], [job.archive, job.dump, *job.beside], ROOT)
    if got.code:
        raise StepFailed(f"{' '.join(map(str, argv))} exited {got.code}:\n{got.out[-1500:]}\n{got.said[-1500:]}")
    return got


def _step(job: Job, name: str, work: Callable[[], measured.Measured]) -> None:
    if name in done(job):
        return
    before = measured.used([job.archive, job.dump, *job.beside])
    got = work()
    told = got.out.strip().rpartition("\n")[2][:2_000]
    _write(job, {"step": name, "before": before, **got.as_json(), "answer": told})
    job.told(
        f"  {name}: {got.seconds:,.1f} s, {got.memory / 2**20:,.0f} MiB of memory, {got.disk / 1e9:,.2f} GB on disk"
    )


def done(job: Job) -> dict[str, Any]:
    """Finished steps. A line that was cut off by a crash is not one."""
    found: dict[str, Any] = {}
    if job.journal.exists():
        for line in job.journal.read_bytes().split(b"\n")[:-1]:
            step = json.loads(line)
            found[step["step"]] = step
    return found


def _write(job: Job, step: Mapping[str, Any]) -> None:
    data = job.journal.read_bytes() if job.journal.exists() else b""
    whole = data[: data.rfind(b"\n") + 1]
    new = job.journal.with_suffix(".new")
    new.write_bytes(whole + json.dumps(step).encode() + b"\n")
    new.replace(job.journal)


def summary(job: Job) -> dict[str, Any]:
    """All figures of a finished job."""
    steps = done(job)

    def column(kind: str, what: str) -> list[Any]:
        return [steps[f"{kind} {n}"][what] for n in range(job.dumps) if f"{kind} {n}" in steps]

    ingested, heard = column("ingested", "seconds"), column("heard", "seconds")
    whole = [a + b for a, b in zip(ingested, heard, strict=True)] if heard else ingested
    tables = sizes.by_table(job.archive)
    measured_steps = [step for step in steps.values() if "memory" in step]
    return {
        "tracks": job.tracks, "dumps": job.dumps, "form": job.form, "machine": steps["begin"]["machine"],
        "generated": column("generated", "seconds"), "ingested": ingested, "heard": heard, "a dump": whole,
        "genres": column("genres", "seconds"),
        "last by first": round(whole[-1] / whole[0], 3), "seconds": round(sum(s["seconds"] for s in measured_steps), 1),
        "memory": max(s["memory"] for n, s in steps.items() if n.startswith(("ingested", "heard", "genres"))),
        "disk": max(s["disk"] for s in measured_steps), "archive": measured.used([job.archive]),
        "bytes a track": {name: round(size / job.tracks, 2) for name, size in tables.items()},
        "questions": {n: {"seconds": steps[n]["seconds"], "memory": steps[n]["memory"]} for n in ("verify",
        *questions(job))},
    }  # fmt: skip


def page(figures: Mapping[str, Any]) -> list[str]:
    """The figures as Markdown."""
    per, whole = figures["bytes a track"], figures["tracks"]
    lines = [
        f"### {whole:,} tracks from {figures['dumps']} dumps ({figures['form']})", "",
        *[f"- {fact}" for fact in figures["machine"]], "",
        "| | |", "|---|---|",
        f"| whole build, generating included | {figures['seconds'] / 60:,.1f} minutes |",
        f"| generating a dump | {_seconds(figures['generated'])} |",
        f"| ingest of a dump, tables | {_seconds(figures['ingested'])} |",
    ]  # fmt: skip
    if figures["heard"]:
        lines.append(f"| ingest of its listens | {_seconds(figures['heard'])} |")
    if figures["genres"]:
        lines.append(f"| ingest of its genres, after its listens | {_seconds(figures['genres'])} |")
    lines += [
        f"| dump and listens, last by first | **{figures['last by first']:.2f}** |",
        f"| recordings a second, all dumps | {whole / sum(figures['a dump']):,.0f} |",
        f"| peak memory of an ingest | {figures['memory'] / 2**30:,.2f} GiB |",
        f"| peak disk: archive, dump, on the way | {figures['disk'] / 1e9:,.1f} GB |",
        f"| archive at the end | {figures['archive'] / 1e9:,.2f} GB, {figures['archive'] / whole:,.1f} bytes a track |",
        f"| catalogue alone (P4) | **{sum(per.values()):,.1f}** bytes a track |",
    ]  # fmt: skip
    lines += [
        f"| {name} | {got['seconds']:,.2f} s, {got['memory'] / 2**20:,.0f} MiB |"
        for name, got in figures["questions"].items()
    ]
    return [*lines, "", "Bytes a track: " + ", ".join(f"{name} {size:g}" for name, size in per.items() if size) + "."]


def _seconds(values: Sequence[float]) -> str:
    return ", ".join(f"{value:,.1f}" for value in values) + " s"
