"""The Python door: what a program gets that opens an archive, a mirror or a publication."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas
import polars
import pyarrow as pa
import pytest

import fonoteca
from fonoteca.api import Archive, Recording
from fonoteca.archive.holdings import Holding, Holdings
from fonoteca.catalogue.query import VIEWS, Catalogue
from fonoteca.catalogue.typed import CLASSES
from fonoteca.core import durable
from fonoteca.core.errors import Failed, NoArchive, Usage
from fonoteca.core.ids import Kind, make_id, show_id
from fonoteca.core.layout import ArchiveLayout
from fonoteca.formats import parquet
from fonoteca.formats.tables import LOCATOR, PUBLISHED_SORT, SNAPSHOT, SORT_KEYS
from harness import ok
from simulators.tiny_catalogue import archive as empty_archive
from simulators.tiny_catalogue import filled

pytestmark = pytest.mark.core
DAWN = make_id(Kind.RECORDING, "fma", "1")
BLOB = "ab" * 32


def publish_tables(layout: ArchiveLayout) -> None:
    """An edition with its tables only, that publishes one recording."""
    folder = layout.publication.edition(1)
    with Catalogue.open(layout) as catalogue:
        for name in SNAPSHOT:
            table = catalogue.table(name)
            parquet.write_table(folder / "snapshot" / f"{name}.parquet", table, sort_by=SORT_KEYS[name])
    located = pa.Table.from_pylist([{"recording_id": DAWN, "blob_sha256": BLOB, "pack": "head-01"}], schema=LOCATOR)
    parquet.write_table(folder / "locator.parquet", located, sort_by=PUBLISHED_SORT["locator"])
    durable.write_bytes(folder / "edition.json", b"{}\n")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive that holds one recording and has published it; a mirror and a publication are beside it."""
    folder = tmp_path_factory.mktemp("world")
    layout = filled(folder / "archive")
    publish_tables(layout)
    holding = Holding(DAWN, "fma:1", BLOB, 10, "audio/ogg", "vorbis", "ogg", 96_000, 44_100, 2, 1_000, "ogg", "Dawn",
                      "Ana", "First Light", 1, 1, 2009, "dawn.ogg")  # fmt: skip
    Holdings.open(layout).append([holding])
    (folder / "mirror").mkdir()
    (folder / "mirror" / "mirror.toml").write_text('[publisher.x]\nurl = "http://127.0.0.1/x"\n', "utf-8")
    (folder / "mirror" / "publication").symlink_to(layout.publication.root, target_is_directory=True)
    return folder


@pytest.fixture
def world(root: Path) -> Iterator[Archive]:
    with fonoteca.open(root / "archive") as found:
        yield found


@pytest.mark.parametrize(("place", "edition"), [
    ("archive", None), ("archive", 1), ("mirror", None), ("mirror", 1), ("archive/publication", None),
])  # fmt: skip
def test_archive_mirror_and_publication_open_alike(root: Path, place: str, edition: int | None) -> None:
    with fonoteca.open(root / place, edition=edition) as found:
        assert found.is_edition == (place != "archive" or edition is not None)
        assert sorted(str(r.title) for r in found.recordings()) == ["Dawn", "Dusk", "Meer", "Own", "夜 =1+1"]
        assert found.resolve("isrc:PTAAA0900001") == [show_id(Kind.RECORDING, DAWN)]
        assert found.show("isrc:PTAAA0900001")["fields"]["title"]["value"] == "Dawn"


def test_a_path_may_be_text_and_the_current_folder_is_meant_by_none(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root / "archive")
    with fonoteca.open() as here, fonoteca.open("../archive", memory="256MiB") as named:
        assert here.path == root / "archive"
        assert here.number == named.number


def test_rows_go_as_they_are_into_polars_pandas_pyarrow_and_duckdb(world: Archive) -> None:
    query = "SELECT id, title FROM recordings ORDER BY id"
    expected = list(world.sql(query).dicts())
    assert len(expected) == 5
    assert polars.DataFrame(world.sql(query)).to_dicts() == expected
    assert pandas.DataFrame.from_arrow(world.sql(query)).to_dict("records") == expected
    assert pa.table(world.sql(query)).to_pylist() == expected
    read = pa.RecordBatchReader.from_stream(world.sql(query))
    assert duckdb.from_arrow(read).fetchall() == [(r["id"], r["title"]) for r in expected]


def test_every_table_has_a_class_with_its_columns(world: Archive) -> None:
    assert set(CLASSES) == set(VIEWS)
    for table, schema in VIEWS.items():
        assert [f.name for f in dataclasses.fields(CLASSES[table])] == schema.names
        found = list(getattr(world, table)())
        told = list(world.sql(f"FROM {table}").dicts())
        assert len(found) == len(told) > 0
        for value, row in zip(found, told, strict=True):
            if table == "claims":
                assert value.as_json() == {k: v or "" for k, v in row.items()}
            else:
                asked = dataclasses.asdict(value)
                assert asked == {k: tuple(v or ()) if k == "flags" else v for k, v in row.items()}


def test_values_are_frozen_and_show_their_id(world: Archive) -> None:
    (dawn,) = world.recordings(title="Dawn")
    assert isinstance(dawn, Recording)
    assert dawn.shown == show_id(Kind.RECORDING, DAWN)
    with pytest.raises(dataclasses.FrozenInstanceError):
        dawn.title = "other"  # type: ignore[misc]
    assert len({dawn, *world.recordings()}) == 5


@pytest.mark.parametrize(("filters", "titles"), [
    ({"title": "Dawn"}, ["Dawn"]),
    ({"title": ["Dawn", "Dusk", "None"]}, ["Dawn", "Dusk"]),
    ({"year": 2008}, ["Dusk"]),
    ({"year": range(2001, 2009)}, ["Dusk", "Meer"]),
    ({"year": range(2009, 2000, -8)}, ["Dawn", "Meer"]),
    ({"year": range(5, 5)}, []),
    ({"year": []}, []),
    ({"year": None}, ["Own", "夜 =1+1"]),
    ({"flags": "zero-duration"}, ["夜 =1+1"]),
    ({"year": (2008, 2009), "language": "pt"}, ["Dawn"]),
    ({"id": show_id(Kind.RECORDING, DAWN)}, ["Dawn"]),
    ({"id": [DAWN, 5]}, ["Dawn"]),
    ({"title": "' OR 1=1 --"}, []),
    ({"title": "a\0b"}, []),
])  # fmt: skip
def test_filters_choose(world: Archive, filters: dict[str, object], titles: list[str]) -> None:
    assert sorted(str(r.title) for r in world.recordings(**filters)) == titles  # type: ignore[arg-type]


@pytest.mark.parametrize(("filters", "kind"), [
    ({"nothing": 1}, TypeError), ({"year": "2008"}, TypeError), ({"title": 5}, TypeError), ({"flags": 5}, TypeError),
    ({"id": "Dawn"}, ValueError),
])  # fmt: skip
def test_wrong_filters_are_told_at_once(world: Archive, filters: dict[str, object], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        world.recordings(**filters)  # type: ignore[arg-type]


def test_holdings_and_verdicts_are_joined(world: Archive, root: Path) -> None:
    assert pa.table(world.sql("SELECT recording, state FROM verdicts")).to_pylist() == [
        {"recording": DAWN, "state": "cleared"}
    ]
    shown = world.show("fma:1")
    assert shown == ok("show", "fma:1", "--json", cwd=root / "archive").json
    assert shown["verdict"]["state"] == "cleared"
    assert next(iter(world.sql("FROM holdings").dicts()))["blob"] == BLOB


def test_coverage_counts_what_is_held_and_published(world: Archive, root: Path) -> None:
    told = ok("coverage", "--by", "decade", "--json", cwd=root / "archive").json
    assert world.coverage("decade").as_json() == told
    assert told["listens"]["held"] == told["listens"]["published"] > 0
    with fonoteca.open(root / "mirror") as mirror:
        found = mirror.coverage()
        assert found.held == found.published == told["listens"]["published"]


def test_export_writes_a_file(world: Archive, tmp_path: Path) -> None:
    assert world.export("SELECT id, title FROM recordings", tmp_path / "x.csv") == 5
    with pytest.raises(Usage):
        world.export("SELECT id FROM recordings", tmp_path / "x.xls")


def test_a_closed_archive_answers_no_more(root: Path) -> None:
    found = fonoteca.open(root / "archive")
    found.close()
    found.close()
    for ask in (lambda: found.sql("SELECT 1"), found.recordings, found.coverage, lambda: found.show("fma:1")):
        with pytest.raises(ValueError, match="closed"):
            ask()


@pytest.mark.parametrize(("edition", "code"), [(None, "no-archive"), (7, "no-edition")])
def test_what_is_not_there_is_said(root: Path, edition: int | None, code: str, tmp_path: Path) -> None:
    with pytest.raises(NoArchive) as caught:
        fonoteca.open(root / "archive" if edition else tmp_path, edition=edition)
    assert caught.value.code == code


def test_an_archive_without_a_catalogue_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoArchive) as caught:
        fonoteca.open(empty_archive(tmp_path).root)
    assert caught.value.code == "no-catalogue"


def test_an_id_of_nothing_is_said(world: Archive) -> None:
    assert world.resolve("isrc:ZZZZZ0000000") == []
    with pytest.raises(Failed) as caught:
        world.show("isrc:ZZZZZ0000000")
    assert caught.value.code == "unknown-id"


def run(code: str, *words: str) -> str:
    """What a program of its own prints."""
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    done = subprocess.run([sys.executable, "-c", code, *words], env=os.environ | {"PYTHONPATH": path}, check=True,
                          capture_output=True, text=True)  # fmt: skip
    return done.stdout


def test_importing_it_loads_no_engine() -> None:
    heavy = "duckdb", "pyarrow", "numpy", "libtorrent", "tuf"
    assert run(f"import sys, fonoteca; print([n for n in {heavy} if n in sys.modules])") == "[]\n"


def test_a_mirror_only_install_is_told_what_is_missing(root: Path) -> None:
    code = ("import sys\n"
            "for name in ('duckdb', 'av', 'mutagen', 'numpy', 'tantivy', 'jinja2', 'starlette', 'uvicorn'):\n"
            "    sys.modules[name] = None\n"
            "import fonoteca\n"
            "try: fonoteca.open(sys.argv[1])\n"
            "except fonoteca.core.errors.Failed as error: print(error.code, error.remedy)\n")  # fmt: skip
    assert run(code, str(root / "mirror")) == "missing-extra install it with: pip install 'fonoteca[all]'\n"


MEASURED = """
import sys; from pathlib import Path
import duckdb, fonoteca
from fonoteca.formats.tables import RECORDINGS
peak = lambda: int(Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0]) // 1024
with fonoteca.open(sys.argv[1], memory="256MiB") as archive:
    ids = iter(archive.recordings())
    for _ in range(200_000): next(ids)
    before = peak()
    count = 200_000 + sum(1 for _ in ids)
    rows = sum(batch.num_rows for batch in archive.sql("FROM recordings").batches())
    print(count, rows, peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_a_million_recordings_go_through_in_bounded_memory(tmp_path: Path) -> None:
    folder = tmp_path / "editions" / "0001"
    (folder / "snapshot").mkdir(parents=True)
    durable.write_bytes(folder / "edition.json", b"{}\n")
    duckdb.sql(f"""
        COPY (SELECT range AS id, 'Title ' || md5(range::VARCHAR) AS title, repeat('Artist ' || range, 12) AS artist,
            'Release' AS release, range // 10 AS release_id, 1950::INTEGER AS year, 180000 AS duration_ms,
            'en' AS language, []::VARCHAR[] AS flags, 's' AS source, 'd' AS dump, 'f:' || range AS position
            FROM range(1000000)) TO '{folder}/snapshot/recordings.parquet' (COMPRESSION zstd)""")
    count, rows, grown = map(int, run(MEASURED, str(tmp_path)).split())
    assert count == rows == 1_000_000
    assert grown < 120, "MB: 300 MB of values went through"
