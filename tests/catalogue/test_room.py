"""Room is asked for before an ingest: for what lies on the disk on the way, and for the result."""

from __future__ import annotations

import shutil
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from conftest import REPOSITORY

sys.path.insert(0, str(REPOSITORY))

from benchmarks.generate.model import Shard
from benchmarks.generate.writing import write

from fonoteca.catalogue import room
from fonoteca.catalogue.ingest import execute, plan
from fonoteca.catalogue.places import Places
from fonoteca.core.errors import NoSpace
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.settings import resolve
from fonoteca.sources import registry
from fonoteca.sources.bulk import BulkSource
from fonoteca.sources.records import Dump
from simulators.made_bulk import Made

pytestmark = pytest.mark.core
GIB = 1 << 30
Usage = namedtuple("Usage", "total used free")
FORMS = {"mbdump": "musicbrainz", "jsonl": "musicbrainz", "discogs": "discogs"}


def free(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(count, 0, count))


def test_what_lies_there_on_the_way_and_the_result_must_fit_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = 3 * GIB + 2 * GIB + (256 << 20)
    free(monkeypatch, whole)
    room.ask(tmp_path, 3 * GIB, 2 * GIB)
    free(monkeypatch, whole - 1)
    with pytest.raises(NoSpace) as caught:
        room.ask(tmp_path, 3 * GIB, 2 * GIB)
    assert caught.value.why == (
        f"{tmp_path} has 5,637,144,575 bytes free, and up to 5,637,144,576 are needed: 3,221,225,472 on the way, "
        "2,147,483,648 for the result, 268,435,456 to spare"
    )


def test_a_small_dump_leaves_little_to_spare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, 2 * 1500)
    room.ask(tmp_path, 1000, 500)
    free(monkeypatch, 2 * 1500 - 1)
    with pytest.raises(NoSpace, match="1,000 on the way, 500 for the result, 1,500 to spare"):
        room.ask(tmp_path, 1000, 500)


def test_an_ingest_asks_for_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dump").write_bytes(b"made up")
    made = plan(ArchiveLayout(tmp_path / "archive"), Made(), Dump([tmp_path / "dump"]), resolve([]))
    free(monkeypatch, 2_999)
    with pytest.raises(NoSpace, match="3,000 are needed: 1,000 on the way, 500 for the result"):
        execute(made)
    free(monkeypatch, 3_000)
    assert execute(made).changed


@pytest.mark.parametrize("form", FORMS)
def test_the_result_is_no_larger_than_what_was_asked_for(form: str, tmp_path: Path) -> None:
    """Of small dumps, whose files have more beside their rows than large ones."""
    write(form, Shard.of(1, 30_000, 0, 1), tmp_path / "dump")
    found = next((tmp_path / "dump").glob("*.gz"), tmp_path / "dump")
    layout, source = ArchiveLayout(tmp_path / "archive"), registry.find(FORMS[form])
    assert isinstance(source, BulkSource)
    dump = source.resolve(Dump([found]))
    bulk = source.bulk(dump)
    assert bulk is not None
    execute(plan(layout, source, dump, resolve([])))
    grown = sum(path.stat().st_size for path in Places.of(layout).root.rglob("*") if path.is_file())
    assert bulk.result() / 3 < grown < bulk.result()
