"""10^5 rows: well under a minute, in bounded memory, and a second run that costs nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fonoteca.catalogue.query import Catalogue
from simulators.tiny_catalogue import archive, ingest

pytestmark = pytest.mark.core
ROWS = 100_000
SECONDS = 60
MEMORY_MB = 2_300
"""What the engine may use here, 2 GiB, and the rest of the program; on an idle machine it is 500 MB."""


def test_a_hundred_thousand_rows_in_bounded_memory_and_time(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from simulators.tiny_catalogue import ingest, many\n"
        "from fonoteca.core.layout import ArchiveLayout\n"
        f"ingest(ArchiveLayout(Path(sys.argv[1])), 'fma', many({ROWS}), dump='big')\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)\n"
    )
    path = os.pathsep.join([str(Path(__file__).parent.parent), *sys.path])
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], env=os.environ | {"PYTHONPATH": path}, check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    seconds = time.monotonic() - began
    assert seconds < SECONDS
    assert int(done.stdout) < MEMORY_MB
    began = time.monotonic()
    assert not ingest(layout, "fma", [], dump="big").changed
    assert time.monotonic() - began < 0.05 * seconds
    with Catalogue.open(layout) as catalogue:
        assert len(catalogue.recording_ids()) == ROWS
        assert catalogue.resolve("fma:77777")
