"""What a question spills: beside the catalogue's files, gone at its end, and swept where it had none."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fonoteca.catalogue import spilling
from fonoteca.catalogue.engine import Engine
from fonoteca.catalogue.ingest import ingest_records
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.query import Catalogue
from fonoteca.core.errors import NoSpace
from fonoteca.core.layout import ArchiveLayout
from fonoteca.sources.records import FieldLicence, RecordingRecord, SourceInfo

pytestmark = pytest.mark.core
INFO = SourceInfo("jamendo", "catalogue", "x", (FieldLicence("*", "CC0-1.0"),), "x", "x", "x")
READER = """
import sys
from pathlib import Path
from fonoteca.catalogue import spilling
from fonoteca.core.layout import ArchiveLayout
with spilling.folder(ArchiveLayout(Path(sys.argv[1]))) as spill:
    spill.mkdir()
    (spill / "duckdb_temp_block-1.block").write_bytes(bytes(1000))
    print(spill, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def layout(tmp_path: Path) -> ArchiveLayout:
    ingest(ArchiveLayout(tmp_path / "archive"), "one")
    return ArchiveLayout(tmp_path / "archive")


def ingest(layout: ArchiveLayout, name: str) -> None:
    ingest_records(layout, INFO, "", name, [RecordingRecord(name, "line:1", name)])


@contextlib.contextmanager
def reader(layout: ArchiveLayout) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A process that has spilled, and its folder."""
    words = [sys.executable, "-c", READER, str(layout.root)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, Path(process.stdout.readline().strip())
        finally:
            process.kill()


def left(layout: ArchiveLayout) -> list[str]:
    return sorted(path.name for path in Places.of(layout).root.glob("asked-*"))


def test_a_question_spills_beside_the_files_and_leaves_nothing(layout: ArchiveLayout) -> None:
    before = sorted(layout.root.rglob("*"))
    small = Engine(memory=96 << 20)
    # A set of 8 million different texts does not fit.
    question = "SELECT count(*) AS n FROM (SELECT DISTINCT 'a rather long text ' || i FROM range(8000000) t(i))"
    with spilling.folder(layout) as spill, Catalogue.open(layout, engine=small, only=(), spill=spill) as catalogue:
        assert catalogue.select(question) == [{"n": 8_000_000}]
        assert spill is not None
        assert spill.is_dir()
    assert sorted(layout.root.rglob("*")) == before


def test_nothing_is_spilled_into_an_archive_that_cannot_be_written(
    layout: ArchiveLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A test may run as one who may write everywhere.
    monkeypatch.setattr("os.access", lambda *_: False)
    with spilling.folder(layout) as spill:
        assert spill is None
    assert left(layout) == []


def test_on_a_full_disk_a_question_does_without(layout: ArchiveLayout, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def full(path: str, flags: int, mode: int = 0o777, **given: int) -> int:
        if flags & os.O_CREAT:
            raise OSError(28, os.strerror(28), path)
        return real(path, flags, mode, **given)

    monkeypatch.setattr("os.open", full)
    with spilling.folder(layout) as spill:
        assert spill is None


@pytest.mark.parametrize("sweeper", ["ingest", "question"])
def test_what_a_killed_reader_spilled_goes_and_what_a_living_one_needs_stays(
    sweeper: str, layout: ArchiveLayout
) -> None:
    with reader(layout) as (dead, gone), reader(layout) as (_, used):
        dead.kill()
        dead.wait()
        assert gone.is_dir() and used.is_dir() and len(left(layout)) == 4
        if sweeper == "ingest":
            ingest(layout, "two")
        else:
            with spilling.folder(layout) as spill:
                assert spill is not None and spill not in (gone, used)
        assert left(layout) == [used.name, f"{used.name}.lock"]
        assert (used / "duckdb_temp_block-1.block").stat().st_size == 1000


def test_a_process_that_has_the_number_of_a_dead_one_does_no_harm(layout: ArchiveLayout) -> None:
    """Folders of earlier versions are named by a process; that one of that number lives says nothing."""
    old = Places.of(layout).root / f"asked-{os.getpid()}"
    old.mkdir()
    (old / "block").write_bytes(b"x")
    spilling.sweep(Places.of(layout))
    assert left(layout) == []


def test_a_lock_that_was_swept_before_it_was_held_is_made_anew(
    layout: ArchiveLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, swept = spilling.one_writer, []

    @contextlib.contextmanager
    def late(path: Path, doing: str) -> Iterator[None]:
        with real(path, doing):
            if not swept:
                swept.append(path)
                path.unlink()
            yield

    monkeypatch.setattr(spilling, "one_writer", late)
    with spilling.folder(layout) as spill:
        assert spill is not None
        assert [spill.with_suffix(".lock").name] == left(layout)
        assert spill.with_suffix(".lock") != swept[0]
    assert left(layout) == []


def test_what_cannot_be_swept_stops_nobody(layout: ArchiveLayout, monkeypatch: pytest.MonkeyPatch) -> None:
    (Places.of(layout).root / "asked-1").mkdir()

    def refused(folder: Path) -> None:
        raise NoSpace("io-error", "x", "x", "x", str(folder))

    monkeypatch.setattr(spilling.durable, "remove_tree", refused)
    spilling.sweep(Places.of(layout))
    assert left(layout) == ["asked-1"]
