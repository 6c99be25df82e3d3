"""``python -m benchmarks [NAME …]``: measure, print, and with ``--record`` write down."""

from __future__ import annotations

import argparse
import datetime
import importlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks import machine, report
from benchmarks.figure import Figure
from benchmarks.generate.__main__ import count
from benchmarks.workbench import ROOT, Setup
from fonoteca.catalogue import generation
from fonoteca.catalogue.places import Places
from fonoteca.core.layout import ArchiveLayout

NAMES = {
    "sealing": ("P8", 2000), "shares": ("P8", 1000), "mirroring": ("P9", 1000), "verifying": ("P10", 1000),
    "intake": ("P11", 0), "start": ("P16", 4), "ingesting": ("P1 P2 P3 P4", 1000), "grouping": ("P5 P15", 1000),
    "lookups": ("P6", 1000),
}  # fmt: skip
"""Benchmark → promises and megabytes of synthetic data; of a catalogue, a megabyte is a thousand recordings."""
PAGE = ROOT / "docs" / "benchmarks.md"


def main() -> None:
    """Run what is named, or all."""
    if sys.argv[1:2] == ["scale"]:
        from benchmarks import scale

        scale.main(sys.argv[2:])
        return
    if sys.argv[1:2] == ["built"]:
        from benchmarks import built

        built.main(sys.argv[2:])
        return
    args = _arguments()
    facts, begun = machine.facts(), datetime.datetime.now(datetime.UTC)
    print("\n".join(facts))
    figures = [figure for name in args.names or NAMES for figure in run(name, args)]
    print("\n".join(["", report.HEAD, *map(report.row, figures)]))
    if args.record:
        facts += [f"load average at the end {machine.load()}", *args.note]
        report.record(PAGE, f"{begun:%Y-%m-%d %H:%M} UTC", facts, figures)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; none: all")
    parser.add_argument("--mb", type=int, help="megabytes of synthetic data, instead of each benchmark's own size")
    parser.add_argument("--tracks", type=count, help="the same for catalogues, in recordings: 10M")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where to work; in memory (tmpfs), the disk does not count")
    parser.add_argument("--peers", metavar="PYTHON", help="a Python in which torf is installed")
    parser.add_argument("--audio", type=Path, default=ROOT.parent / "shared" / "data" / "audio", help="real music")
    parser.add_argument("--beside", type=Path, metavar="ARCHIVE",
                        help="for 'ingesting': add to this archive, which stays as it is, instead of to an empty one; "
                             "take another --seed than its own")  # fmt: skip
    parser.add_argument("--only", default="", metavar="P1,P2", help="for 'ingesting': some of its promises")
    parser.add_argument("--record", action="store_true", help=f"append the figures to {PAGE.relative_to(ROOT)}")
    parser.add_argument("--note", action="append", default=[], help="a remark to record with the figures")
    args = parser.parse_args()
    args.mb = args.tracks // 1000 if args.tracks else args.mb
    unknown = [name for name in args.names if name not in NAMES]
    if unknown:
        parser.error(f"{', '.join(unknown)}: there are only {', '.join(NAMES)}")
    return args


def run(name: str, args: argparse.Namespace) -> list[Figure]:
    """One benchmark in a folder of its own, which goes at the end."""
    promise, megabytes = NAMES[name]
    folder = Path(tempfile.mkdtemp(prefix="fonoteca-bench-", dir=args.folder)).absolute()
    audio = args.audio if args.audio.is_dir() else None
    print(f"{promise} {name}, load {machine.load()}", flush=True)
    os.sync()
    try:
        setup = Setup(folder, args.mb or megabytes, args.repeats, args.seed, _tell, args.peers, audio, *_given(args))
        figures: list[Figure] = importlib.import_module(f"benchmarks.{name}").measure(setup)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for figure in figures:
        print(f"  {figure.what} beside {figure.beside or 'nothing'}: {figure.ratio:.2f}, {figure.verdict}", flush=True)
    return figures


def _given(args: argparse.Namespace) -> tuple[Path | None, str, tuple[str, ...]]:
    """``base``, ``beside`` and ``only`` of a :class:`Setup`."""
    only = tuple(filter(None, args.only.split(",")))
    if args.beside is None:
        return None, "", only
    base = args.beside.absolute()
    told = generation.load(Places.of(ArchiveLayout(base)))
    held = sum(chunk.rows.rows for chunk in told.chunks("recording"))
    return base, f", beside {held:,} others", only


def _tell(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
