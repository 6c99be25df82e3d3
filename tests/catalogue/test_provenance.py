"""Promise I12: every row can be traced to its dump and to the row of the source that it came from."""

from __future__ import annotations

import csv
import gzip
import hashlib
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from fonoteca.catalogue import generation
from fonoteca.catalogue.ingest import execute, plan
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.tables import FACTS
from fonoteca.core.ids import Kind, make_id
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.settings import resolve
from fonoteca.sources.fma import Fma
from fonoteca.sources.records import Dump
from simulators.tiny_catalogue import archive

SETTINGS = resolve([])


@pytest.fixture(scope="module")
def excerpt(shared_data: Path) -> list[Path]:
    folder = shared_data / "catalogues" / "fma-excerpt"
    return [folder / "raw_tracks_excerpt.csv.gz", folder / "raw_albums_excerpt.csv.gz"]


@pytest.fixture(scope="module")
def ingested(excerpt: list[Path], tmp_path_factory: pytest.TempPathFactory) -> ArchiveLayout:
    layout = archive(tmp_path_factory.mktemp("fma"))
    execute(plan(layout, Fma(), Dump(excerpt), SETTINGS))
    return layout


def source_rows(path: Path) -> dict[str, dict[str, str]]:
    """Position → row, read without any of our code. A cell may hold line breaks: a row stands where it starts."""
    found, line = {}, 2
    with gzip.open(path, "rt", encoding="utf-8", errors="replace", newline="") as stream:
        reader = csv.DictReader(stream)
        for row in reader:
            found[f"{path.name}:{line}"] = row
            line = reader.line_num + 1
    return found


def fact_rows(layout: ArchiveLayout, table: str) -> list[dict[str, Any]]:
    refs = generation.load(Places.of(layout)).facts(table)
    return [row for ref in refs for row in pq.read_table(Places.of(layout).file(ref.sha256)).to_pylist()]


@pytest.mark.shared_data
def test_every_recording_leads_back_to_the_row_with_its_key(ingested: ArchiveLayout, excerpt: list[Path]) -> None:
    rows = source_rows(excerpt[0])
    facts = fact_rows(ingested, "recording")
    assert len(facts) > 1_000
    for fact in facts:
        row = rows[fact["position"]]
        assert row["track_id"] == fact["key"]
        assert fact["id"] == make_id(Kind.RECORDING, "fma", row["track_id"])


@pytest.mark.shared_data
def test_every_row_of_every_table_names_a_row_of_the_dump(ingested: ArchiveLayout, excerpt: list[Path]) -> None:
    known = {position for path in excerpt for position in source_rows(path)}
    dump = generation.load(Places.of(ingested)).partitions[0].dump
    for table in FACTS:
        for fact in fact_rows(ingested, table):
            assert fact["position"] in known
            assert (fact["source"], fact["dump"]) == ("fma", dump.id)


@pytest.mark.shared_data
def test_the_manifest_holds_the_digest_of_each_file_of_the_dump(ingested: ArchiveLayout, excerpt: list[Path]) -> None:
    dump = generation.load(Places.of(ingested)).partitions[0].dump
    expected = [(p.name, p.stat().st_size, hashlib.sha256(p.read_bytes()).hexdigest()) for p in excerpt]
    assert sorted((f.name, f.bytes, f.sha256) for f in dump.files) == sorted(expected)


@pytest.mark.shared_data
def test_the_rows_of_the_excerpt_reconcile(ingested: ArchiveLayout, excerpt: list[Path]) -> None:
    counts = generation.load(Places.of(ingested)).partitions[0].counts
    assert counts["rows"] == len(source_rows(excerpt[0]))
    assert counts["rows"] == counts["recordings"] + counts["duplicates"] + counts["refused"]
