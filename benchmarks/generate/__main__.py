"""``python -m benchmarks.generate --form mbdump --tracks 32M --seed 1 --shard 3 --of 8 -o DIR``: write a dump."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from benchmarks.generate.derived import FOLDER
from benchmarks.generate.forms import FORMS
from benchmarks.generate.model import Shard
from benchmarks.generate.writing import PACKS, pack, write


def main() -> None:
    """Write what is asked for, and say how long it took."""
    args = _arguments()
    shard = Shard.of(args.seed, args.tracks, args.shard, args.of)
    args.output.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    for form in args.form.split(","):
        write(form, shard, args.output, args.jobs)
    if args.pack != "folder":
        packed(args.output, args.pack, set(args.form.split(",")), args.jobs)
    seconds = time.perf_counter() - started
    sys.stderr.write(
        f"{shard.recordings:,} recordings in {seconds:.1f} s, {shard.recordings / seconds:,.0f} a second\n"
    )


def packed(folder: Path, kind: str, forms: set[str], jobs: int = 2) -> None:
    """What is derived from votes is a dump of its own, as it is published."""
    beside = folder.parent
    if "derived" in forms:
        pack(folder / FOLDER, kind, beside / f"{folder.name}-derived.{kind}", jobs)
    if forms != {"derived"}:
        pack(folder, kind, beside / f"{folder.name}.{kind}", jobs)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.generate", description=__doc__)
    parser.add_argument("--form", default="mbdump", help=f"of {', '.join(FORMS)}; several with commas")
    parser.add_argument("--tracks", type=count, required=True, help="recordings of the whole catalogue: 256M, 80k")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shard", type=int, default=0, help="which dump, from 0")
    parser.add_argument("--of", type=int, default=1, help="dumps of the whole catalogue")
    parser.add_argument(
        "--pack", choices=PACKS, default="folder", help="mbdump/ in an archive instead of a folder; tags in a second"
    )
    parser.add_argument("--jobs", type=int, default=2, help="threads; the bytes do not depend on it")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the folder")
    return parser.parse_args()


def count(text: str) -> int:
    """``80k`` and ``256M`` are decimal."""
    unit = {"k": 1_000, "M": 1_000_000}.get(text[-1:], 1)
    return int(text.rstrip("kM")) * unit


if __name__ == "__main__":
    main()
