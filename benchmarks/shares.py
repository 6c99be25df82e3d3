"""What sealing does to every byte, each part alone on one core: why P8 is where it is."""

from __future__ import annotations

from benchmarks.figure import Figure
from benchmarks.harness import Job, Side, compare
from benchmarks.workbench import Setup, side

PARTS = {
    "sha1": "SHA-1 of pieces, for v1, once",
    "leaves": "SHA-256 of 16 KiB blocks, for v2, once",
    "sha256": "SHA-256 of the whole pack, once",
    "blake3": "BLAKE3, three times: blob, pack, pack read back",
    "read": "reading, twice: blob, pack read back",
    "write": "writing, once",
}


def measure(setup: Setup) -> list[Figure]:
    """Rates of the parts; nothing is judged."""
    folder = setup.empty("shares")
    sides = [Side(part, (Job(side("shares", part, setup.bytes, folder), speaks=True),)) for part in PARTS]
    results = compare(sides, setup.repeats, setup.seed, setup.told)
    return [
        Figure("P8", f"part: {what}", "", results[part].seconds, 0, None, setup.bytes, results[part].cpu,
               own_memory=results[part].memory, spread=results[part].spread)
        for part, what in PARTS.items()
    ]  # fmt: skip
