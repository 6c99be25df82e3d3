"""The same dump gives the same bytes, whatever the number of threads: for each source that goes by columns."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from conftest import REPOSITORY
from fonoteca.catalogue import generation
from fonoteca.catalogue.ingest import execute, plan
from fonoteca.catalogue.places import Places
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.progress import SILENT
from fonoteca.core.settings import resolve
from fonoteca.sources import registry
from fonoteca.sources.records import Dump

sys.path.insert(0, str(REPOSITORY))

from benchmarks.generate.model import Shard
from benchmarks.generate.writing import write

pytestmark = pytest.mark.core
RECORDINGS = 30_000
"""Several row groups of each table: where threads meet is where bytes would differ."""


@pytest.mark.parametrize(
    ("form", "source"), [("mbdump", "musicbrainz"), ("jsonl", "musicbrainz"), ("discogs", "discogs")]
)
def test_bytes_do_not_depend_on_threads(form: str, source: str, tmp_path: Path) -> None:
    write(form, Shard.of(1, RECORDINGS, 0, 1), tmp_path / "dump")
    found = []
    for threads in (1, 2, 4):
        layout = ArchiveLayout(tmp_path / f"with-{threads}")
        layout.root.mkdir()
        settings = resolve([]).replaced(catalogue__threads=threads)
        result = execute(plan(layout, registry.find(source), Dump([tmp_path / "dump"]), settings), SILENT)
        assert result.records > RECORDINGS // 2
        current = generation.load(Places.of(layout))
        assert current.wide
        found.append(current.as_json())
    assert found[0] == found[1] == found[2]
