"""A table of counts by columns says what it says record by record: signals, counts, and each refused row in full."""

from __future__ import annotations

import uuid
from dataclasses import replace
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
from fonoteca.sources.table_counts import BLANKS

pytestmark = pytest.mark.core
MAPPING = {"about": "signals", "source": "musicbrainz", "key": ["mbid"], "licence": "CC0-1.0", "dataset": "heard",
           "signals": {"listens": "n"}}  # fmt: skip
NAN, INF = float("nan"), float("inf")
HOSTILE = ["a", " a", "a\t", "\u00a0b", "b", "\x1cc", "c", "it's", 'q"\'', "back\\", "nul\0x", "\u3000d", "d", "", " ",
           "\t", None, "\ud7ff", "é", "e\u0301", "\ufeffz", "z"]  # fmt: skip
IDS = [uuid.UUID(int=n * 7919 + 1).bytes for n in range(4)]


def counts(keys: Any, n: Any, kind: pa.DataType | None = None, **more: Any) -> pa.Table:
    return pa.table({"mbid": keys if isinstance(keys, pa.Array) else pa.array(keys, pa.string()),
                     "n": pa.array(n, kind), **more})  # fmt: skip


TABLES: dict[str, tuple[pa.Table, dict[str, Any]]] = {
    "the first row of a key is what later ones are held against": (counts(list("aaabbb"), [1, 2, 1, 3, 3, 4]), {}),
    "hostile keys": (counts(HOSTILE, range(len(HOSTILE))), {}),
    "hostile keys twice": (counts(HOSTILE * 2, [5] * len(HOSTILE) * 2), {}),
    "floats": (counts(list("aabbccddeeffgg"), [-1, -2, NAN, None, INF, NAN, 0.0, -0.0, 1e300, 1e300, 0.1, 0.1, -1, -1],
                      pa.float64()), {}),
    "short floats": (counts(list("aabbc"), [0.1, 0.2, -0.1, 3, NAN], pa.float32()), {}),
    "beyond what a float tells apart": (counts(list("aabb"), [2**63 - 1, 2**63 - 2, 2**53, 2**53 + 1], pa.int64()), {}),
    "the largest": (counts(list("aabb"), [2**64 - 1, 2**64 - 2, 2**53, 2**53 + 1], pa.uint64()), {}),
    "two counts": (counts(list("aabbcd"), [1, 1, 2, None, None, -4], m=[1, 2, 3, 4, None, 5]),
                   {"signals": {"listens": "n", "downloads": "m"}, "synthetic": True}),
    "one column, two counts": (counts(list("ab"), [1, 2]), {"signals": {"listens": "n", "downloads": "n"}}),
    "numbers": (counts(pa.array([1, -2, 1, None, 2**62], pa.int64()), range(5)), {}),
    "UUIDs": (counts(pa.array([*IDS, IDS[0], None], pa.uuid()), range(6)), {}),
    "quotes": (counts(list("abb"), [1, 2, 3]).rename_columns(["m\"b'id", "n"]), {"key": ["m\"b'id"]}),
    "our own names": (counts(list("abb"), [1, 2, 3]).rename_columns(["line", "k"]),
                      {"key": ["line"], "signals": {"listens": "k"}}),
    "nothing": (counts([], [], pa.int64()), {}),
    "nothing refused": (counts(list("ab"), [1, 2]), {"licence": ""}),
}  # fmt: skip


def ingested(layout: ArchiveLayout, dump: Dump) -> tuple[IngestResult, list[Any], bytes]:
    layout.root.mkdir(exist_ok=True)
    result = execute(plan(layout, Table(), dump, resolve([])), SILENT)
    with Catalogue.open(layout) as catalogue:
        signals = catalogue.select("SELECT * FROM signals ORDER BY ALL")
    return result, signals, (layout.root / result.quarantine).read_bytes() if result.quarantine else b""


def both(tmp_path: Path, dump: Dump, monkeypatch: pytest.MonkeyPatch) -> list[tuple[IngestResult, list[Any], bytes]]:
    found = []
    for name, smallest in (("slow", 1 << 40), ("quick", 0)):
        monkeypatch.setattr(table_bulk.bulk, "__defaults__", (smallest,))
        assert (Table().bulk(dump) is None) == (name == "slow")
        found.append(ingested(ArchiveLayout(tmp_path / name), dump))
    return found


@pytest.mark.parametrize("name", TABLES)
def test_both_ways_say_the_same(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table, change = TABLES[name]
    pq.write_table(table, tmp_path / "heard.parquet", row_group_size=5)
    slow, quick = both(tmp_path, Dump([tmp_path / "heard.parquet"], options={"mapping": MAPPING | change}), monkeypatch)
    assert slow == quick
    assert slow[0].read == table.num_rows


def test_more_refused_rows_than_are_held_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [f"k{n % 700}" for n in range(3_000)]
    pq.write_table(counts(keys, [n // 800 for n in range(3_000)]), tmp_path / "heard.parquet")
    slow, quick = both(tmp_path, Dump([tmp_path / "heard.parquet"], options={"mapping": MAPPING}), monkeypatch)
    assert slow == quick
    assert quick[0].refused > 1_000 and quick[0].duplicates


def test_a_dump_that_was_read_record_by_record_need_not_be_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, _ = TABLES["hostile keys"]
    pq.write_table(table, tmp_path / "heard.parquet")
    dump = Dump([tmp_path / "heard.parquet"], options={"mapping": MAPPING})
    layout = ArchiveLayout(tmp_path / "archive")
    monkeypatch.setattr(table_bulk.bulk, "__defaults__", (1 << 40,))
    before = ingested(layout, dump)
    monkeypatch.setattr(table_bulk.bulk, "__defaults__", (0,))
    assert not ingested(layout, dump)[0].changed
    again = plan(layout, Table(), dump, resolve([]))
    by_another_reader = replace(again, reading=replace(again.reading, reader="other"), action="replace", generation=2)
    assert execute(by_another_reader, SILENT).changed
    with Catalogue.open(layout) as catalogue:
        assert catalogue.select("SELECT * FROM signals ORDER BY ALL") == before[1]


def test_blanks_are_those_that_strip_takes() -> None:
    assert set(BLANKS) == {chr(n) for n in range(0x110000) if chr(n).isspace()}
