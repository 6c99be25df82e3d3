"""What nobody may use commercially, or whose licence is unknown, is not in ``snapshot/``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from fonoteca.catalogue import generation
from fonoteca.catalogue.engine import Engine
from fonoteca.catalogue.ingest import execute, plan
from fonoteca.catalogue.places import Places
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.progress import SILENT
from fonoteca.core.settings import resolve
from fonoteca.formats import parquet
from fonoteca.formats.tables import SNAPSHOT
from fonoteca.publish import snapshot
from fonoteca.sources.records import Dump
from harness import ok
from simulators.made_bulk import RECORDINGS, Made
from simulators.small_archive import fresh

pytestmark = pytest.mark.core

SECRETS = {"nc": "CC-BY-NC-4.0", "unknown": "ask us", "silent": "", "open": "CC-BY-4.0"}


def _ingest(archive: Path, name: str, licence: str) -> None:
    """A table whose every text carries its dataset's name."""
    table = archive.parent / f"{name}.csv"
    table.write_text(
        "key,title,artist,release,genres,isrc,licence,listens\n"
        f"1,Title-{name},Artist-{name},Release-{name},Genre-{name},USRC1760{len(name):04d},CC0-1.0,5\n"
        f"2,Other-{name},Artist-{name},Release-{name},Genre-{name},,CC0-1.0,7\n"
    )
    mapping = archive.parent / f"{name}.toml"
    mapping.write_text(
        f'dataset = "{name}"\n{f"licence = {chr(34)}{licence}{chr(34)}" if licence else ""}\nkey = ["key"]\n'
        'signal_licence = "CC0-1.0"\n[columns]\ntitle = "title"\nartist = "artist"\nrelease = "release"\n'
        'genres = "genres"\nisrc = "isrc"\nlicence = "licence"\n[signals]\nlistens = "listens"\n'
    )
    ok("--archive", archive, "ingest", "table", table, "--mapping", mapping, cwd=archive)


def _archive(tmp_path: Path) -> Path:
    archive = fresh(tmp_path)
    for name, licence in SECRETS.items():
        _ingest(archive, name, licence)
    ok("--archive", archive, "rank", cwd=archive)
    return archive


def _texts(folder: Path) -> str:
    return "\n".join(str(pq.read_table(p).to_pylist()) for p in sorted(folder.glob("*.parquet")))


def test_no_nc_and_no_unknown_row_is_in_the_snapshot(tmp_path: Path) -> None:
    archive = _archive(tmp_path)
    ok("--archive", archive, "publish", cwd=archive)
    folder = archive / "publication/editions/0001"
    told = _texts(folder / "snapshot")
    assert "Title-open" in told
    assert "Genre-open" in told
    for name in ("nc", "unknown", "silent"):
        assert f"-{name}'" not in told
        everything = b"".join(p.read_bytes() for p in folder.rglob("*") if p.is_file())
        assert f"Title-{name}".encode() not in everything
    assert not (folder / "snapshot-nc").exists()


def test_keys_that_an_nc_table_shares_with_an_open_one_bring_nothing_of_it(tmp_path: Path) -> None:
    """Both tables describe recording 1: the merged row has fields of both, the published one has not."""
    archive = fresh(tmp_path)
    for name, licence in (("nc", "CC-BY-NC-4.0"), ("open", "CC-BY-4.0")):
        _ingest(archive, name, licence)
    merged = ok("--archive", archive, "sql", "SELECT title, artist FROM recordings WHERE source = 'table'", cwd=archive)
    assert merged.stdout.count("Artist-") == 2
    assert "-nc" in merged.stdout
    ok("--archive", archive, "publish", cwd=archive)
    assert "-nc'" not in _texts(archive / "publication/editions/0001/snapshot")


def test_the_nc_snapshot_is_a_setting_and_has_its_own_torrents(tmp_path: Path) -> None:
    archive = _archive(tmp_path)
    variables = {"FONOTECA_PUBLISH_NC_SNAPSHOT": "true"}
    ran = ok("--archive", archive, "--json", "publish", cwd=archive, variables=variables)
    folder = archive / "publication/editions/0001"
    told = _texts(folder / "snapshot-nc")
    assert "Title-nc" in told
    assert all(f"-{name}'" not in told for name in ("unknown", "silent", "open"))
    assert "-nc'" not in _texts(folder / "snapshot")
    names = {p.name for p in (archive / "publication/torrents").glob("*.torrent")}
    assert {f"fonoteca-0001-nc-{table}.parquet.torrent" for table in SNAPSHOT} <= names
    assert len(names) == ran.json["torrents"]


def test_each_column_names_its_sources_and_licences(tmp_path: Path) -> None:
    archive = _archive(tmp_path)
    ok("--archive", archive, "publish", cwd=archive)
    for name in SNAPSHOT:
        notes = parquet.column_notes(archive / f"publication/editions/0001/snapshot/{name}.parquet")
        assert set(notes) == set(SNAPSHOT[name].names)
        for told in notes.values():
            assert told.sources
            assert set(told.licences) <= {"CC0-1.0", "CC-BY-4.0"}
            assert told.licences
    thanks = (archive / "publication/editions/0001/CREDITS.md").read_text()
    assert "table: CC-BY-4.0" in thanks
    assert "NC" not in thanks.partition("## Metadata")[2]


def test_leaving_nothing_out_is_the_same_as_merging_again(tmp_path: Path) -> None:
    archive = fresh(tmp_path)
    layout = ArchiveLayout(archive)
    now = generation.load(Places.of(layout))
    quick = snapshot.build(layout, now, snapshot.commercial, Engine(), SILENT)
    assert now.popularity is not None
    slow = snapshot._merged_again(layout, now, now.popularity.licences, Engine(), SILENT)
    for name in SNAPSHOT:
        keys = SNAPSHOT[name].names
        plain = [k for k in keys if "list" not in str(SNAPSHOT[name].field(k).type)]
        assert parquet.sort(quick.tables[name], plain).equals(parquet.sort(slow[name], plain))
    assert not (layout.catalogue / "spool" / "publish").exists()


@pytest.mark.parametrize(
    ("licences", "table", "allowed"),
    [
        ([("*", "CC0-1.0")], "genre", True),
        ([("*", "CC-BY-NC-SA-3.0")], "genre", False),
        ([("*", "CC0-1.0"), ("genres", "CC-BY-NC-SA-3.0")], "genre", False),
        ([("*", "CC0-1.0"), ("genres", "CC-BY-NC-SA-3.0")], "recording", True),
        ([("*", "CC0-1.0"), ("some_field", "CC-BY-NC-SA-3.0")], "recording", False),
        ([("*", "CC0-1.0"), ("*", "gibberish")], "recording", False),
        ([("*", "")], "recording", False),
        ([], "recording", False),
    ],
)
def test_deny_beats_allow_and_unknown_denies(licences: list[tuple[str, str]], table: str, allowed: bool) -> None:
    told = [{"fields": fields, "licence": licence, "credit": ""} for fields, licence in licences]
    values: Any = {"source": "x", "dataset": "", "dump": generation.DumpId("0"), "licence": told, "mapping": "",
                   "reader": "1", "counts": {}, "quarantine": None, "tables": {}}  # fmt: skip
    assert snapshot.permitted(generation.PartitionEntry(**values), table, snapshot.commercial) is allowed


def test_a_wide_partition_is_published_only_where_all_of_its_facts_may_be(tmp_path: Path) -> None:
    archive = fresh(tmp_path)
    layout = ArchiveLayout(archive)
    (tmp_path / "dump").write_bytes(b"made up")
    execute(plan(layout, Made(), Dump([tmp_path / "dump"]), resolve([])), SILENT)
    current = generation.load(Places.of(layout))
    told = snapshot.build(layout, current, snapshot.commercial, Engine(), SILENT)
    sources = told.tables["recordings"].column("source").to_pylist()
    assert sources.count("musicbrainz") == RECORDINGS
    assert 1 in told.tables["popularity"].column("rank").to_pylist()
    closed = {"fields": "genres", "licence": "CC-BY-NC-SA-3.0", "credit": ""}
    [made] = current.wide
    part = replace(made, licence=[*made.licence, closed])
    kept = snapshot.restricted(replace(current, partitions=(part,)), snapshot.commercial)
    assert not kept.partitions
