"""P11: intake of real music, beside the sum of its parts: copy, digests, decoding, tags, each alone on two cores."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.figure import Figure, Target
from benchmarks.harness import Job, Side, compare, disk
from benchmarks.workbench import Setup, fonoteca, halves, side

_LOADED = (
    "fonoteca.cli.commands.intake,fonoteca.archive.intake,fonoteca.catalogue.ingest,fonoteca.archive.folder_records"
)
OWN, COPY = "intake", "copy"
SUFFIXES = {".flac", ".mp3", ".ogg", ".opus", ".wav", ".m4a", ".oga"}


def measure(setup: Setup) -> list[Figure]:
    """Nothing where there is no music."""
    if setup.audio is None:
        setup.told("  no real audio is here: skipped")
        return []
    files = sorted(p for p in setup.audio.rglob("*") if p.suffix.lower() in SUFFIXES)
    parts = halves(files)
    sides = [_own(setup, setup.audio), _copy(setup, parts)]
    sides.append(Side("digests", tuple(Job(side("reading", "sha256+blake3", *p), speaks=True) for p in parts)))
    sides += [
        Side(part, tuple(Job(side("parts", part, *p), speaks=True) for p in parts)) for part in ("decode", "tags")
    ]
    results = compare(sides, setup.repeats, setup.seed, setup.told)
    own = results.pop(OWN)
    total = sum(path.stat().st_size for path in files)
    beside = "sum of " + ", ".join(f"{name} {r.seconds:.2f} s" for name, r in results.items())
    return [Figure("P11", f"intake of {len(files)} files", beside, own.seconds,
                   sum(r.seconds for r in results.values()), Target(0.6), total, own.cpu,
                   sum(r.cpu for r in results.values()), own.memory, max(r.memory for r in results.values()),
                   disk(setup.folder / "archive"), own.spread)]  # fmt: skip


def _own(setup: Setup, audio: Path) -> Side:
    root = setup.folder / "archive"

    def before() -> None:
        shutil.rmtree(root, ignore_errors=True)
        fonoteca("init", root)

    words = (
        "--archive",
        root,
        "--quiet",
        "intake",
        audio,
        "--licence",
        "CC-BY-4.0",
        "--evidence",
        "for this measurement",
    )
    return Side(OWN, (Job(side("command", _LOADED, "0,3", *words), speaks=True),), before)


def _copy(setup: Setup, parts: list[list[Path]]) -> Side:
    target = setup.folder / "copied"

    def before() -> None:
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()

    return Side(COPY, tuple(Job(("cp", *map(str, part), str(target))) for part in parts), before)
