"""Promise R1: killed anywhere, the same command again ends in the same bytes, and nothing that counted is lost."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fonoteca.catalogue.query import Catalogue
from fonoteca.core.layout import ArchiveLayout
from simulators.tiny_catalogue import filled, ingest, many, tree

pytestmark = pytest.mark.core
ROWS = 2_000
KILLS = 25


def start(folder: Path) -> subprocess.Popen[bytes]:
    program = Path(__file__).with_name("killed.py")
    path = os.pathsep.join([str(program.parent.parent), *sys.path])
    return subprocess.Popen(
        [sys.executable, str(program), str(folder), str(ROWS)], env=os.environ | {"PYTHONPATH": path}
    )


def wait_for_work(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Until the ingest has begun to write: what comes before is only Python's start."""
    deadline = time.monotonic() + 60
    while not (folder / "catalogue" / "spool").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)


def test_25_kills_at_random_moments_lose_nothing_and_end_in_the_same_bytes(tmp_path: Path) -> None:
    filled(tmp_path / "base")
    shutil.copytree(tmp_path / "base", tmp_path / "clean")
    begun = start(tmp_path / "clean")
    wait_for_work(begun, tmp_path / "clean")
    at = time.monotonic()
    assert begun.wait(120) == 0
    duration = time.monotonic() - at
    whole = tree(tmp_path / "clean")
    moments = random.Random(20_240_229)
    shutil.copytree(tmp_path / "base", tmp_path / "killed")
    layout = ArchiveLayout(tmp_path / "killed")
    for _ in range(KILLS):
        process = start(layout.root)
        wait_for_work(process, layout.root)
        time.sleep(moments.uniform(0, duration))
        process.send_signal(signal.SIGKILL)
        process.wait()
        with Catalogue.open(layout) as catalogue:
            count = catalogue.sql("SELECT count(*) AS n FROM recordings").table().to_pylist()[0]["n"]
        assert count in {5, ROWS + 2}
        if count != 5:
            assert_mended(layout, whole)
            shutil.rmtree(layout.root)
            shutil.copytree(tmp_path / "base", layout.root)
    assert_mended(layout, whole)


def assert_mended(layout: ArchiveLayout, whole: dict[str, str]) -> None:
    ingest(layout, "fma", many(ROWS), dump="big")
    assert tree(layout.root) == whole
