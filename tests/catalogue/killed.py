"""Run by test_kill: one ingest of a large dump, in a process of its own that is then killed."""

from __future__ import annotations

import sys
from pathlib import Path

from fonoteca.core.layout import ArchiveLayout
from simulators.tiny_catalogue import ingest, many

ingest(ArchiveLayout(Path(sys.argv[1])), "fma", many(int(sys.argv[2])), dump="big")
