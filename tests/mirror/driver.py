"""Runs a mirror in a process of its own, so that a test can kill it: driver.py FOLDER DISK TRANSPORT [PORT]."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path

from fonoteca.core.clock import FixedClock
from fonoteca.core.layout import MirrorLayout
from fonoteca.core.progress import SILENT
from fonoteca.mirror.courier import Options
from fonoteca.mirror.run import Mirror

if __name__ == "__main__":
    folder, disk, transport, *ports = sys.argv[1:]
    clock = FixedClock(datetime.datetime(2026, 11, 24, 12, 0, 0, tzinfo=datetime.UTC))
    options = Options(transport=transport, peers=tuple(("127.0.0.1", int(p)) for p in ports), batch=8 << 20)
    Mirror(MirrorLayout(Path(folder)), int(disk), clock, SILENT, options).run()
