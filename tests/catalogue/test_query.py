"""The read side: what can be asked, in which forms the answer comes, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas
import polars
import pyarrow as pa
import pytest

from fonoteca.catalogue import generation
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.query import PUBLISHED_VIEWS, VIEWS, Catalogue
from fonoteca.core import durable
from fonoteca.core.errors import NoArchive, Usage
from fonoteca.core.ids import Kind, make_id, show_id
from fonoteca.core.layout import ArchiveLayout, PublicationLayout
from fonoteca.formats import parquet
from fonoteca.formats.tables import LEDGER, LOCATOR, PUBLISHED_SORT, SNAPSHOT, SORT_KEYS
from simulators.tiny_catalogue import archive, filled

pytestmark = pytest.mark.core
DAWN = make_id(Kind.RECORDING, "fma", "1")


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> ArchiveLayout:
    return filled(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def world(layout: ArchiveLayout) -> Iterator[Catalogue]:
    with Catalogue.open(layout) as catalogue:
        yield catalogue


@pytest.fixture(scope="module")
def publication(layout: ArchiveLayout) -> PublicationLayout:
    """An edition as publishing writes it, with its tables only."""
    folder = layout.publication.edition(1)
    with Catalogue.open(layout) as catalogue:
        for name in SNAPSHOT:
            path = folder / "snapshot" / f"{name}.parquet"
            parquet.write_table(path, catalogue.table(name), sort_by=SORT_KEYS[name])
    row = {
        "recording_id": DAWN,
        "blob_sha256": "ab" * 32,
        "pack": "head-01",
        "offset": 512,
        "bytes": 9,
        "path": "A/B/1",
    }
    locator = pa.Table.from_pylist([row], schema=LOCATOR)
    parquet.write_table(folder / "locator.parquet", locator, sort_by=PUBLISHED_SORT["locator"])
    ledger = pa.Table.from_pylist(
        [{"recording_id": DAWN, "status": "published", "reason": "licence", "detail": "CC BY 4.0"}], schema=LEDGER
    )
    parquet.write_table(folder / "ledger.parquet", ledger, sort_by=PUBLISHED_SORT["ledger"])
    durable.write_bytes(folder / "edition.json", b"{}\n")
    return layout.publication


@pytest.mark.parametrize("query", [
    "COPY recordings TO '/tmp/stolen.csv'", "CREATE TABLE x AS SELECT 1", "DROP VIEW recordings",
    "INSERT INTO remap VALUES (1)", "UPDATE remap SET was = 1", "ATTACH '/tmp/x.db'", "INSTALL httpfs", "LOAD httpfs",
    "SET threads = 99", "PRAGMA database_list", "SELECT 1; SELECT 2", "", "  -- nothing", "EXPORT DATABASE '/tmp/x'",
    "CALL pragma_version()", "PREPARE q AS SELECT 1", "EXPLAIN ANALYZE COPY recordings TO '/tmp/x'", "VACUUM", "BEGIN",
    "SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM glob('/*')",
    "SELECT * FROM read_parquet('/tmp/*.parquet')", "SELECT * FROM 'http://127.0.0.1/x.parquet'",
    "SELECT (SELECT content FROM read_blob('/etc/passwd'))", "SELECT * FROM '/tmp/x.parquet'",
])  # fmt: skip
def test_whatever_does_more_than_read_the_tables_is_refused(world: Catalogue, query: str) -> None:
    with pytest.raises(Usage) as caught:
        world.sql(query).table()
    assert caught.value.code == "sql-refused"
    assert world.sql("SELECT count(*) AS n FROM recordings").table().to_pylist() == [{"n": 5}]


@pytest.mark.parametrize("query", [
    "SELEC 1", "SELECT * FROM nowhere", "SELECT nothing FROM recordings", "SELECT title::INT FROM recordings",
    "SELECT error('x') FROM recordings", "SELECT * FROM pragma_table_info('nowhere')",
    "SELECT * FROM '/etc/passwd'",
])  # fmt: skip
def test_an_error_in_a_query_is_a_sentence(world: Catalogue, query: str) -> None:
    with pytest.raises(Usage) as caught:
        world.sql(query).table()
    assert caught.value.code == "sql-wrong"
    assert "\n" not in caught.value.why


@pytest.mark.parametrize("query", [
    "FROM recordings", "WITH x AS (SELECT 1 AS a) SELECT a FROM x", "VALUES (1)", "DESCRIBE recordings", "SHOW TABLES",
    "SUMMARIZE recordings",
])  # fmt: skip
def test_everything_that_only_reads_is_answered(world: Catalogue, query: str) -> None:
    assert world.sql(query).table().num_rows > 0


def test_python_variables_are_no_tables(world: Catalogue) -> None:
    secret = pa.table({"a": [1]})
    with pytest.raises(Usage):
        world.sql("SELECT * FROM secret").table()
    assert secret.num_rows == 1


def test_rows_go_as_they_are_into_polars_pandas_pyarrow_and_duckdb(world: Catalogue) -> None:
    query = "SELECT id, title FROM recordings ORDER BY id"
    expected = world.sql(query).table().to_pylist()
    assert polars.DataFrame(world.sql(query)).to_dicts() == expected
    assert pandas.DataFrame.from_arrow(world.sql(query)).to_dict("records") == expected
    assert pa.RecordBatchReader.from_stream(world.sql(query)).read_all().to_pylist() == expected
    rows = pa.RecordBatchReader.from_stream(world.sql(query))
    assert duckdb.from_arrow(rows).fetchall() == [(r["id"], r["title"]) for r in expected]
    assert list(world.sql(query).dicts()) == expected


def test_an_unread_answer_does_not_block_the_next_question(world: Catalogue) -> None:
    unread = world.sql("SELECT * FROM range(1000000)")
    assert world.sql("SELECT 1 AS a").table().to_pylist() == [{"a": 1}]
    assert unread.columns == ["range"]


def test_all_views_are_there_with_their_columns(world: Catalogue) -> None:
    for name, schema in (VIEWS | PUBLISHED_VIEWS).items():
        assert world.sql(f"FROM {name}").columns == schema.names


def test_recording_ids_ascend(world: Catalogue) -> None:
    ids = world.recording_ids()
    assert ids.type == pa.int64()
    assert ids.to_pylist() == sorted(ids.to_pylist())
    assert DAWN in ids.to_pylist()


def test_claims_of_a_recording_include_those_of_its_releases(world: Catalogue) -> None:
    kinds = sorted((c.kind, c.source) for c in world.claims_for(DAWN))
    assert kinds == [("recording", "fma"), ("release", "fma")]
    claims, releases = world.claims_of([DAWN, make_id(Kind.RECORDING, "fma", "2")])
    assert sorted(releases[DAWN]) == sorted(make_id(Kind.RELEASE, "fma", k) for k in "89")
    assert set(world.claims_for(DAWN)) < set(claims)
    assert any(c.source == "table" for c in claims)


def test_values_of_the_caller_can_be_joined(layout: ArchiveLayout) -> None:
    held = pa.table({"recording": pa.array([DAWN], pa.int64()), "blob": ["cd" * 32]})
    with Catalogue.open(layout, values={"holdings": held}) as catalogue:
        rows = catalogue.sql("SELECT title FROM recordings JOIN holdings ON recording = id").table().to_pylist()
        assert rows == [{"title": "Dawn"}]
        assert catalogue.resolve("sha256:" + "CD" * 32) == [(Kind.RECORDING, DAWN)]


def test_an_edition_gives_the_same_tables(world: Catalogue, publication: PublicationLayout) -> None:
    with Catalogue.open_edition(publication) as edition:
        assert edition.is_edition
        assert edition.number == 1
        for name in SNAPSHOT:
            assert edition.table(name).equals(world.table(name)), name
        assert edition.sql("SELECT * FROM signals").table().num_rows == 0
        assert edition.resolve("sha256:" + "ab" * 32) == [(Kind.RECORDING, DAWN)]
        found = edition.show(Kind.RECORDING, DAWN)
    assert found["locator"][0]["pack"] == "head-01"
    assert found["verdict"]["state"] == "cleared"
    assert found["fields"]["title"]["sources"] == [{"source": "fma", "dump": "d1", "position": "tracks.csv:2"}]


def test_the_nc_snapshot_is_read_beside_the_other(publication: PublicationLayout) -> None:
    folder = publication.edition(1)
    extra = pa.Table.from_pylist([{"id": 7, "title": "NC only"}], schema=SNAPSHOT["recordings"])
    path = folder / "snapshot-nc" / "recordings.parquet"
    parquet.write_table(path, extra, sort_by=("id",))
    try:
        with Catalogue.open_edition(publication, 1) as edition:
            assert 7 in edition.recording_ids().to_pylist()
    finally:
        path.unlink()


@pytest.mark.parametrize("number", [None, 0, 2, 99])
def test_an_edition_that_is_not_there_is_named(number: int | None, tmp_path: Path) -> None:
    with pytest.raises(NoArchive) as caught, Catalogue.open_edition(PublicationLayout(tmp_path), number):
        pass
    assert caught.value.code == "no-edition"


def test_an_empty_archive_has_no_catalogue(tmp_path: Path) -> None:
    with pytest.raises(NoArchive) as caught, Catalogue.open(archive(tmp_path)):
        pass
    assert caught.value.code == "no-catalogue"


def test_partitions_name_licences_and_dumps(layout: ArchiveLayout, world: Catalogue) -> None:
    assert [(p.source, p.dump.id, p.licence[0]["licence"]) for p in world.partitions] == [
        ("fma", "d1", "CC0-1.0"), ("jamendo", "d1", "CC0-1.0"), ("table", "d1", "CC0-1.0"),
    ]  # fmt: skip
    assert world.number == generation.load(Places.of(layout)).number
    assert world.synthetic
    assert show_id(Kind.RECORDING, DAWN).startswith("r")
