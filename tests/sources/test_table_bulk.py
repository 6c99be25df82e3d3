"""A large table of counts goes by columns, and says the same as record by record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fonoteca.catalogue.ingest import IngestResult, execute, plan
from fonoteca.catalogue.query import Catalogue
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.progress import SILENT
from fonoteca.core.settings import resolve
from fonoteca.sources import table_bulk
from fonoteca.sources.records import Dump
from fonoteca.sources.table import Table

pytestmark = pytest.mark.core
MAPPING = {"about": "signals", "source": "musicbrainz", "key": ["mbid"], "licence": "CC0-1.0", "dataset": "heard",
           "signals": {"listens": "n"}}  # fmt: skip
KEYS = [f"{i:08d}-0000-4000-8000-000000000000" for i in range(50)]
ROWS = [*[{"mbid": key, "n": i * i} for i, key in enumerate(KEYS)],
        {"mbid": KEYS[3], "n": 9}, {"mbid": KEYS[4], "n": 17}, {"mbid": "", "n": 5}, {"mbid": None, "n": 6},
        {"mbid": "no-count", "n": None}, {"mbid": "negative", "n": -1}, {"mbid": KEYS[3], "n": 9}]  # fmt: skip


def ingested(tmp_path: Path, name: str, smallest: int, monkeypatch: pytest.MonkeyPatch) -> tuple[IngestResult, Any]:
    path = tmp_path / "heard.parquet"
    pq.write_table(pa.Table.from_pylist(ROWS), path)
    layout = ArchiveLayout(tmp_path / name)
    layout.root.mkdir()
    monkeypatch.setattr(table_bulk.bulk, "__defaults__", (smallest,))
    result = execute(plan(layout, Table(), Dump([path], options={"mapping": MAPPING}), resolve([])), SILENT)
    with Catalogue.open(layout) as catalogue:
        signals = catalogue.select("SELECT * FROM signals ORDER BY ALL")
    quarantine = (layout.root / str(result.quarantine)).read_text().splitlines()
    return result, (signals, sorted(line.split('"raw"')[0] for line in quarantine))


def test_both_ways_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow, told_slowly = ingested(tmp_path, "slow", 1 << 40, monkeypatch)
    quick, told = ingested(tmp_path, "quick", 0, monkeypatch)
    assert told[0] == told_slowly[0]
    assert len(told[0]) == 50
    assert [line.split('"reason"')[0] for line in told[1]] == [line.split('"reason"')[0] for line in told_slowly[1]]
    for name in ("read", "records", "duplicates", "refused", "dump"):
        assert getattr(quick, name) == getattr(slow, name), name


@pytest.mark.parametrize("change", [
    {"source": "", "columns": {"source": "x"}}, {"key": ["mbid", "x"]},
    {"about": "claims", "columns": {"licence": "x"}},
])  # fmt: skip
def test_other_tables_go_record_by_record(change: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"mbid": KEYS, "n": range(50), "x": ["y"] * 50}), path)
    assert Table().bulk(Dump([path], options={"mapping": MAPPING | change})) is None
