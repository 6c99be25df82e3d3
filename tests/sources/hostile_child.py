"""Run by the tests of hostile inputs: read dumps in a process whose memory and time are measured and limited.

stdin: lines of JSON ``[source, path]``. stdout: for each ``[fate, seconds, peak]``: the code of the refusal, or what
came of the rows; the peak is what the process has held so far at most, in bytes, beyond what it held at first.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet  # noqa: F401 counted as what the process holds at first

from fonoteca.core.errors import FonotecaError, Usage
from fonoteca.sources.records import Dump
from fonoteca.sources.registry import SOURCES
from fonoteca.sources.tally import Tally

SECONDS = 5


class Hung(BaseException):
    """It took too long."""


def peak() -> int:
    """Bytes that the process has held at most."""
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024


def fate(name: str, path: Path) -> dict[str, Any]:
    source = SOURCES[name]
    try:
        dump = source.resolve(Dump([path]))
        source.check(dump)
    except Usage as error:
        return {"refused": error.code, "remedy": error.remedy}
    tally, codes = Tally(), set()
    try:
        for record in tally.watch(source.records(dump)):
            if type(record).__name__ == "Refused":
                codes.add(record.code)
    except FonotecaError as error:  # a dump of tables that is refused as a whole once it is looked at
        return {"refused": error.code, "remedy": error.remedy}
    assert tally.rows == tally.recordings + tally.references + tally.duplicates + tally.refused
    return {"rows": tally.rows, "refused_rows": tally.refused, "codes": sorted(codes)}


def hung(*_: object) -> None:
    raise Hung


def main() -> None:
    base = peak()
    signal.signal(signal.SIGALRM, hung)
    for line in sys.stdin:
        name, path = json.loads(line)
        begun = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, SECONDS * 4)
        try:
            told = fate(name, Path(path))
        except Hung:
            told = {"hung": True}
        except Exception as error:
            told = {"crashed": f"{type(error).__name__}: {error}"}
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(json.dumps([told, time.monotonic() - begun, peak() - base]), flush=True)


if __name__ == "__main__":
    main()
