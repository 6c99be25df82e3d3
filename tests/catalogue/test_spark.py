"""Both engines run one definition: every operation gives on a Spark cluster, row for row, what DuckDB gives.

The cluster is a real one, in standalone mode: one master and two workers, processes of their own on 127.0.0.1.
"""

from __future__ import annotations

import decimal
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytest.importorskip("pyspark", reason="the extra 'spark' is not installed here: make test-spark")

import fonoteca
from fonoteca.catalogue import operations
from fonoteca.catalogue import spark as engine
from fonoteca.catalogue.coverage import BY, coverage
from fonoteca.catalogue.engine import connect, parquet
from fonoteca.catalogue.ingest import IngestResult, execute, plan, rank
from fonoteca.catalogue.query import Catalogue
from fonoteca.core.errors import Failed, Usage
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.progress import SILENT
from fonoteca.core.settings import Settings, resolve
from fonoteca.publish.tiers import BANDS
from fonoteca.sources.records import Dump
from fonoteca.sources.table import Table
from fonoteca.sources.table_pieces import Piece
from simulators import hostile_counts, hostile_table, spark_cluster
from simulators.made_bulk import Made
from simulators.tiny_catalogue import archive, filled

if TYPE_CHECKING:
    import duckdb

pytestmark = pytest.mark.spark

SEED = 20_261_124
FILES = 4
MEMORY = 512 << 20
Rows = list[tuple[Any, ...]]


def listens(draw: random.Random) -> int | None:
    """Many ties, many unknown, some as large as a count can be."""
    return draw.choice([None, None, 0, 0, 1, 1, 1, 2, 3, 7, 7, 99, 1_000, 123_456, 10**10, *[2**53 - 1] * 8,
                        draw.randrange(50), draw.randrange(10**6)])  # fmt: skip


def world(draw: random.Random) -> dict[str, pa.Table]:
    """Tables of the catalogue's columns, with ties, nulls and rows that name nothing that is there."""
    ids = sorted({draw.randrange(2**63) for _ in range(6_000)} | {0, 1, 2**63 - 1, 2**63 - 2})
    heard = {
        "recording_id": pa.array(ids, pa.int64()),
        "source": [draw.choice(["fma", "jamendo", "table", None]) for _ in ids],
        "year": pa.array([draw.choice([None, 0, 1969, 1999, 2000, 2024]) for _ in ids], pa.int32()),
        "release_id": pa.array([draw.choice([None, *range(40)]) for _ in ids], pa.int64()),
        "listens": pa.array([listens(draw) for _ in ids], pa.int64()),
    }
    isrcs = [draw.choice([None, f"PTAAA{n:07d}"]) for n in range(400)]
    editions = [(draw.choice(isrcs), *draw.choice(list(zip(ids, heard["listens"].to_pylist(), strict=True))))
                for _ in range(5_000)]  # fmt: skip
    values = [5.0, 5.0, 0.5, 1.5, 1e15, -1.0, float("nan"), float("inf"), float("-inf"), 2.0**53, 0.0, 4.4]
    kinds = ["downloads", "favourites", "listeners", "listens", "rating"]
    signals = [(draw.choice(ids), draw.choice(kinds), draw.choice(values)) for _ in range(6_000)]
    credits_ = [(draw.choice(ids), draw.choice(["recording", "release"]), draw.choice([None, *range(90)]))
                for _ in range(4_000)]  # fmt: skip
    tracks = [(draw.choice(ids), draw.randrange(200)) for _ in range(4_000)]
    return {
        "heard": pa.table(heard),
        "editions": _table(editions, isrc=pa.string(), recording_id=pa.int64(), listens=pa.int64()),
        "signals": _table(signals, recording_id=pa.int64(), kind=pa.string(), value=pa.float64()),
        "credits": _table(credits_, entity_id=pa.int64(), kind=pa.string(), artist_id=pa.int64()),
        "tracks": _table(tracks, recording_id=pa.int64(), release_id=pa.int64()),
        "nothing": pa.table({"recording_id": pa.array([], pa.int64()), "listens": pa.array([], pa.int64())}),
    }


def _table(rows: Rows, **schema: pa.DataType) -> pa.Table:
    columns = zip(*rows, strict=True)
    return pa.table([pa.array(c, t) for c, t in zip(columns, schema.values(), strict=True)], names=list(schema))


class Both:
    """The same files behind both engines."""

    def __init__(self, database: duckdb.DuckDBPyConnection, spark: engine.Spark) -> None:
        self._database, self.spark = database, spark

    def name(self, name: str, paths: list[Path]) -> None:
        """Name files in both."""
        self._database.execute(f"CREATE VIEW {name} AS SELECT * FROM {parquet(paths)}")
        self.spark.name(name, paths)

    def same(self, query: str) -> Rows:
        """The rows, sorted, which must be the same to the last digit."""
        ours = _sorted(self._database.sql(query).fetchall())
        theirs = _sorted([tuple(row.values()) for row in self.spark.sql(query).table().to_pylist()])
        for our, their in zip(ours, theirs, strict=True):
            assert our == their
        return ours


def _sorted(rows: Rows) -> Rows:
    plain = [tuple(int(v) if isinstance(v, decimal.Decimal) else v for v in row) for row in rows]
    return sorted(plain, key=repr)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cluster")


@pytest.fixture(scope="module")
def both(folder: Path, need_java: None) -> Iterator[Both]:
    # What our settings do not say is Spark's own: few partitions, since the tables are small.
    (folder / "spark-defaults.conf").write_text("spark.sql.shuffle.partitions 4\n")
    with (
        spark_cluster.cluster(folder, workers=2) as master,
        spark_cluster.variables(SPARK_CONF_DIR=str(folder), SPARK_LOCAL_IP=spark_cluster.HOST),
        engine.connect(engine.Cluster(master, MEMORY)) as spark,
        connect_duckdb() as database,
    ):
        found = Both(database, spark)
        for name, table in world(random.Random(SEED)).items():
            found.name(name, _written(folder / "tables" / name, table))
        yield found


def connect_duckdb() -> Any:
    from fonoteca.catalogue.engine import Engine

    return connect(Engine(MEMORY))


def _written(folder: Path, table: pa.Table) -> list[Path]:
    """The table in several files, so that both workers have something to read."""
    folder.mkdir(parents=True)
    size = -(-max(1, table.num_rows) // FILES)
    paths = []
    for start in range(0, max(1, table.num_rows), size):
        paths.append(folder / f"{start}.parquet")
        pq.write_table(table.slice(start, size), paths[-1], row_group_size=128)
    return paths


@pytest.fixture(scope="module")
def need_java(need_tool: Any) -> None:
    need_tool("java")


def test_every_isrc_has_the_same_recording(both: Both) -> None:
    rows = both.same(operations.isrc_groups("editions"))
    assert len(rows) > 100
    assert None not in {isrc for isrc, *_ in rows}


def test_ranks_scores_and_shares_are_the_same_to_the_digit(both: Both) -> None:
    rows = both.same(operations.ranks("heard"))
    assert min(rank for _, _, rank, *_ in rows) == 1
    # More than 2^63 listens in all: sums have 128 bits in both.
    assert max(heard for *_, heard, _ in rows) > 2**63
    both.same(operations.popularity("heard", f"({operations.ranks('heard')})"))


def test_every_score_up_to_a_million_is_the_same(both: Both) -> None:
    both.same(f"SELECT recording_id, {operations.score('recording_id')} AS score FROM "
              "(SELECT r.n * 1000 + s.n AS recording_id FROM (SELECT unnest(range(1000)) AS n) AS r "
              "CROSS JOIN (SELECT unnest(range(1000)) AS n) AS s) AS x")  # fmt: skip


def test_thresholds_and_histograms(both: Both) -> None:
    assert len(both.same(operations.thresholds(f"({operations.ranks('heard')})"))) == 3
    both.same(operations.histogram("heard", "source", "year"))
    assert both.same(operations.ranks("nothing")) == []
    assert both.same(operations.thresholds(f"({operations.ranks('nothing')})")) == []


def test_the_unheard_tail_has_one_order(both: Both) -> None:
    rows = both.same(operations.unheard("heard", "signals", "credits", "tracks"))
    assert sorted(row[-1] for row in rows) == list(range(1, len(rows) + 1))
    both.same(operations.listeners("signals"))


def test_values_can_be_given_and_joined(both: Both) -> None:
    table = pa.table({"id": pa.array([0, 2**63 - 1, None], pa.int64()), "word": ["ä'\\n", None, ""]})
    both.spark.give("given", table)
    assert both.spark.sql("SELECT id, word FROM given ORDER BY id NULLS LAST").table().to_pylist() == [
        {"id": 0, "word": "ä'\\n"}, {"id": 2**63 - 1, "word": None}, {"id": None, "word": ""},
    ]  # fmt: skip


def test_large_results_are_written_where_all_can_read_them(both: Both, tmp_path: Path) -> None:
    both.spark.sql(operations.isrc_groups("editions")).write(tmp_path / "groups")
    written = pq.read_table(tmp_path / "groups").to_pylist()
    expected = both.spark.sql(operations.isrc_groups("editions")).table().to_pylist()
    assert sorted(written, key=repr) == sorted(expected, key=repr)


def test_a_query_that_cannot_run_is_an_error_of_ours(both: Both) -> None:
    with pytest.raises(Failed, match="Spark") as error:
        both.spark.sql("SELECT nothing_of_the_sort FROM heard").table()
    assert error.value.code == "spark-failed"


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> ArchiveLayout:
    """A catalogue with flat partitions, with wide ones of several files, and with recordings that several describe."""
    layout = filled(tmp_path_factory.mktemp("archive"))
    dump = layout.root / "dump"
    dump.write_bytes(b"made up")
    for dataset, source in (("x", Made(3)), ("y", Made(1, first=200))):
        execute(plan(layout, source, Dump([dump], dataset), resolve([])), SILENT)
    return layout


@pytest.mark.parametrize("by", [None, *BY])
def test_coverage_of_a_catalogue_is_the_same(by: str | None, both: Both, layout: ArchiveLayout) -> None:
    names = pa.table({"licence": ["CC-BY-4.0"], "url": ["https://x"], "key": ["CC-BY-4.0"]})
    with Catalogue.open(layout) as catalogue, engine.opened(catalogue, engine.Cluster()) as spark:
        ids = catalogue.recording_ids()
        held, published = ids.take(pa.array(range(0, len(ids), 2))), ids.take(pa.array(range(0, len(ids), 5)))
        ours, theirs = (coverage(r, held, published, by, bands=BANDS, licences=names) for r in (catalogue, spark))
    assert ours == theirs
    assert ours.known > 1_000_000
    assert not by or len(ours.by) > 1


@pytest.mark.parametrize(("view", "columns"), [
    ("heard", "*"), ("recordings", "id, title, year, release_id, source, position"), ("popularity", "*"),
    ("identifiers", "*"), ("genres", "*"), ("tracks", "*"), ("credits", "*"), ("signals", "*"), ("facts_claim", "*"),
])  # fmt: skip
def test_every_view_that_operations_need_has_the_same_rows(
    view: str, columns: str, both: Both, layout: ArchiveLayout
) -> None:
    query = f"SELECT {columns} FROM {view}"
    with Catalogue.open(layout) as catalogue, engine.opened(catalogue, engine.Cluster()) as spark:
        ours, theirs = (
            _sorted([tuple(r.values()) for r in e.sql(query).table().to_pylist()]) for e in (catalogue, spark)
        )
    assert len(ours) > 4
    assert ours == theirs


def test_the_command_counts_on_the_cluster_that_the_settings_name(both: Both, layout: ArchiveLayout) -> None:
    words = [sys.executable, "-m", "fonoteca", "coverage", "--by", "country", "--unheard", "7", "--json"]
    on = {"FONOTECA_CATALOGUE_ENGINE": "spark", "FONOTECA_CATALOGUE_MEMORY": str(MEMORY)}
    found = []
    for more in ({}, on):
        ran = subprocess.run(words, cwd=layout.root, env=os.environ | more, capture_output=True, text=True, check=True)
        found.append(json.loads(ran.stdout))
    assert found[0] == found[1]
    assert len(found[0]["unheard"]) == 7


TOLD = """
about = "recordings"
dataset = "hostile"
licence = "CC0-1.0"
key = ["key"]
[columns]
title = "title"
artist = "artist"
release = "release"
isrc = "isrc"
mbid = "mbid"
[signals]
listens = "listens"
"""


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> Dump:
    """A hostile table in three files: keys meet, releases come again, artists are named in each."""
    folder = tmp_path_factory.mktemp("dump")
    rows = hostile_table.written(random.Random(SEED), 900).drop_columns(["line"])
    pq.write_table(rows.slice(0, 300), folder / "a.parquet")
    with (folder / "b.jsonl").open("w") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in rows.slice(300, 300).to_pylist())
        stream.write('{"key": "\\ud800", "title": "no text"}\n{not json\n')
    pq.write_table(rows.slice(600), folder / "c.parquet")
    (folder / "mapping.toml").write_text(TOLD)
    return Dump([folder / name for name in ("a.parquet", "b.jsonl", "c.parquet")],
                options={"mapping": folder / "mapping.toml"})  # fmt: skip


def on_spark(master: str = "") -> Settings:
    return resolve([]).replaced(catalogue__engine="spark", catalogue__spark_master=master, catalogue__memory=MEMORY)


def bytes_of(layout: ArchiveLayout) -> dict[str, bytes]:
    """Every file of the catalogue and of the quarantine."""
    return {
        path.relative_to(layout.root).as_posix(): path.read_bytes()
        for folder in (layout.catalogue, layout.quarantine) for path in sorted(folder.rglob("*")) if path.is_file()
    }  # fmt: skip


def the_same(dump: Dump, folder: Path, make: Callable[[Path], ArchiveLayout] = archive) -> IngestResult:
    """Ingest on both engines, into archives made alike; every byte must be the same."""
    found, results = [], []
    for name, settings in (("here", resolve([])), ("spark", on_spark())):
        layout = make(folder / name)
        results.append(execute(plan(layout, Table(), dump, settings), SILENT))
        found.append(bytes_of(layout))
        assert not (layout.catalogue / "spool").exists()
    assert results[0] == results[1]
    assert results[1].duplicates and results[1].refused
    assert found[0] == found[1]
    return results[1]


def test_a_table_becomes_the_same_bytes_on_either_engine(both: Both, dump: Dump, tmp_path: Path) -> None:
    assert the_same(dump, tmp_path).records > 200


def test_counts_become_the_same_bytes_on_either_engine(
    both: Both, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile_counts.write(tmp_path / "heard.parquet", random.Random(SEED))
    counts = Dump([tmp_path / "heard.parquet"], options={"mapping": hostile_counts.MAPPING})
    # One file, and each part of it may be another executor's.
    monkeypatch.setattr(Piece.parts, "__defaults__", (2_000,))
    assert len(Table().pieces(Table().resolve(counts))) == 6
    assert the_same(counts, tmp_path, filled).records > 10_000


def test_ranks_are_made_anew_on_the_cluster(both: Both, tmp_path: Path) -> None:
    found = []
    for name, cluster in (("here", None), ("spark", engine.Cluster())):
        layout = filled(tmp_path / name)
        (tmp_path / "dump").write_bytes(b"made up")
        execute(plan(layout, Made(3), Dump([tmp_path / "dump"], "x"), resolve([])), SILENT)
        told, changed = rank(layout, ["CC0-1.0", "CC-BY-4.0"], cluster=cluster)
        assert changed
        assert told.popularity is not None and told.popularity.ranks
        found.append(bytes_of(layout))
    assert found[0] == found[1]


def test_what_spark_cannot_read_is_refused(both: Both, tmp_path: Path) -> None:
    (tmp_path / "dump").write_bytes(b"made up")
    with pytest.raises(Usage, match=r"catalogue\.engine is 'spark'") as error:
        plan(archive(tmp_path / "archive"), Made(3), Dump([tmp_path / "dump"], "x"), on_spark())
    assert error.value.code == "not-on-spark"
    assert "FONOTECA_CATALOGUE_ENGINE=duckdb" in error.value.remedy


def test_from_python_the_setting_of_the_folder_chooses(both: Both, layout: ArchiveLayout) -> None:
    found = []
    for settings in ("", f'catalogue.engine = "spark"\ncatalogue.memory = {MEMORY}\n'):
        layout.settings.write_text(settings)
        with fonoteca.open(layout.root) as opened:
            found.append((opened.isrc_groups().to_pylist(), opened.coverage("decade")))
    layout.settings.write_text("")
    assert found[0] == found[1]
    assert found[0][0]


def test_both_workers_took_part(both: Both, folder: Path) -> None:
    both.same("SELECT count(*) FROM heard")
    for number in range(2):
        assert list((folder / f"worker-{number}").glob("app-*/*/stderr")), f"worker {number} ran no executor"
