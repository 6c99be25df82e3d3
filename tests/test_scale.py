"""A catalogue from generated dumps, one after another: resumed where it was stopped, refused where it does not fit."""

from __future__ import annotations

import json
import shutil
import sys
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import REPOSITORY

sys.path.insert(0, str(REPOSITORY))

from benchmarks import measured, scale, sizes
from benchmarks.scale import Job, NoRoom, StepFailed

pytestmark = pytest.mark.core


class Stopped(Exception):
    """As if the power had failed."""


def _job(tmp_path: Path, heard: list[str], tracks: int = 4_000, dumps: int = 2) -> Job:
    return Job(tracks, dumps, tmp_path / "archive", memory="1GiB", told=heard.append)


def test_a_build_goes_on_where_it_was_stopped_and_ends_with_the_same_figures(tmp_path: Path) -> None:
    heard: list[str] = []

    def stop(text: str) -> None:
        heard.append(text)
        if text.startswith("  ingested 0"):
            raise Stopped

    job = _job(tmp_path, heard)
    with pytest.raises(Stopped):
        scale.build(replace(job, told=stop))
    with job.journal.open("ab") as stream:
        stream.write(b'{"step": "heard 0", "sec')  # cut off in the middle of a line
    figures = scale.build(job)
    assert [text.split(":")[0].strip() for text in heard] == [
        *(f"{step} {n}" for n in (0, 1) for step in ("generated", "ingested", "heard", "tagged", "genres")),
        "verify", *scale.questions(job),
    ]  # fmt: skip
    assert not any(path.exists() for path in (job.dump, *job.beside))
    assert '"key": "rock"' in scale.done(job)["coverage by genre"]["answer"]
    assert '"n": 4000' in scale.done(job)["sql count"]["answer"]
    assert json.loads(job.report.read_text()) == figures
    assert figures["memory"] > 0 and figures["disk"] >= figures["archive"] > 4_000 * 50
    assert sum(figures["bytes a track"].values()) == pytest.approx(
        sum(sizes.by_table(job.archive).values()) / 4_000, abs=1
    )
    text = "\n".join(scale.page(figures))
    assert "### 4,000 tracks from 2 dumps (mbdump)" in text
    assert "last by first" in text
    heard.clear()
    assert scale.build(job) == figures
    assert heard == []
    with pytest.raises(StepFailed, match="about another catalogue"):
        scale.build(_job(tmp_path, heard, tracks=5_000))


def test_what_does_not_fit_is_refused_with_the_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 0, 10**6))
    heard: list[str] = []
    job = _job(tmp_path, heard)
    with pytest.raises(NoRoom, match=r"2,000 recordings and its ingest may need 0\.0 GB.*800,000 bytes are missing"):
        scale.build(job)
    assert heard == []
    assert not job.dump.exists()


def test_a_command_that_fails_stops_the_build_with_what_it_said(tmp_path: Path) -> None:
    job = _job(tmp_path, [])
    job.archive.parent.mkdir(exist_ok=True)
    with pytest.raises(StepFailed, match="exited"):
        scale._fonoteca(job, "show", "mbid:nothing")


def test_peaks_of_memory_and_disk_are_seen(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys, time; held = bytearray(80 << 20); path = pathlib.Path(sys.argv[1], 'x');"
        "path.write_bytes(bytes(3 << 20)); time.sleep(2.5); path.unlink(); print('out'); sys.exit(3)"
    )
    got = measured.run([sys.executable, "-c", program, tmp_path], [tmp_path], tmp_path)
    assert (got.code, got.out) == (3, "out\n")
    assert got.memory > 80 << 20
    assert got.disk >= 3 << 20
    assert measured.used([tmp_path]) == 0


@pytest.mark.long
@pytest.mark.parametrize("form", ["mbdump", "jsonl", "discogs"])
def test_eight_dumps(form: str, tmp_path: Path) -> None:
    figures = scale.build(replace(_job(tmp_path, [], 80_000, 8), form=form))
    assert len(figures["ingested"]) == 8
