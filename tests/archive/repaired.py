"""Repairs a mirror in a process of its own, to be killed or to have no disk left: repaired.py MIRROR URL [BYTES]."""

from __future__ import annotations

import sys
from pathlib import Path

from fonoteca.archive.quarantine import Home
from fonoteca.archive.repair import Repair
from fonoteca.core.blocks import WebSource
from fonoteca.core.clock import FixedClock
from fonoteca.core.errors import NoSpace
from fonoteca.core.fetch import Fetcher
from fonoteca.core.layout import MirrorLayout
from harness import START

if __name__ == "__main__":
    folder, url, *limit = sys.argv[1:]
    if limit:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit[0]), int(limit[0])))
    clock = FixedClock(START)
    with Fetcher(clock) as fetcher:
        try:
            list(Repair(Home.of_mirror(MirrorLayout(Path(folder))), clock, [WebSource(url, fetcher)]).run())
        except NoSpace:
            sys.exit(13)
