"""P10: ``verify --full`` from memory, beside openssl's SHA-256 over the same files on two cores."""

from __future__ import annotations

from pathlib import Path

from benchmarks.figure import Figure, Target
from benchmarks.harness import Job, Side, compare
from benchmarks.workbench import Setup, fonoteca, halves, make_archive, side

OWN, QUICK, OPENSSL, BLAKE3 = "verify --full", "verify", "openssl SHA-256, 2 processes", "bare BLAKE3, 2 processes"
_LOADED = ",".join((
    "pyarrow.compute", "pyarrow.parquet", "tuf.api.metadata", "fonoteca.cli.commands.verify", "fonoteca.archive.verify",
    "fonoteca.catalogue.check",
))  # fmt: skip


def measure(setup: Setup) -> list[Figure]:
    """First an archive whose blobs are loose, then the same published: its blobs are in packs."""
    root = make_archive(setup, publish=False)
    figures = _beside(setup, root, "of loose blobs", sorted((root / "blobs").rglob("?" * 64)))
    fonoteca("--archive", root, "--quiet", "publish")
    packs = sorted((root / "publication" / "packs").glob("*/*.tar"))
    return figures + _beside(setup, root, "of packs", packs)


def _beside(setup: Setup, root: Path, what: str, files: list[Path]) -> list[Figure]:
    total = sum(path.stat().st_size for path in files)
    words = ("--archive", root, "--quiet", "verify")
    parts = halves(files)
    sides = [
        Side(OWN, (Job(side("command", _LOADED, "0", *words, "--full"), speaks=True),)),
        Side(QUICK, (Job(side("command", _LOADED, "0", *words), speaks=True),)),
        Side(OPENSSL, tuple(Job(("openssl", "dgst", "-sha256", *map(str, part))) for part in parts)),
        Side(BLAKE3, tuple(Job(side("reading", "blake3", *part), speaks=True) for part in parts)),
    ]
    results = compare(sides, setup.repeats, setup.seed, setup.told)
    peer = results[OPENSSL]

    def figure(name: str, target: Target | None) -> Figure:
        own = results[name]
        return Figure("P10", f"{name} {what}", OPENSSL, own.seconds, peer.seconds, target, total, own.cpu, peer.cpu,
                      own.memory, peer.memory, 0, own.spread)  # fmt: skip

    return [figure(OWN, Target(0.8)), figure(QUICK, None), figure(BLAKE3, None)]
