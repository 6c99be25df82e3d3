"""Promise I12: the raw record behind a value can be read again from its dump."""

from __future__ import annotations

import json
import os
import random
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fonoteca.catalogue import raw
from fonoteca.catalogue.ingest import execute, plan
from fonoteca.catalogue.query import Catalogue
from fonoteca.catalogue.show import FACTS
from fonoteca.core.errors import Usage
from fonoteca.core.ids import Kind
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.settings import resolve
from fonoteca.sources.records import Dump
from fonoteca.sources.registry import SOURCES
from harness import fonoteca, ok
from simulators.tiny_catalogue import archive

pytestmark = pytest.mark.core
SAMPLED = 15
SONGS = 'id,title,artist,isrc\n1,One,Ana,PTAAA0900009\n2,"Two\nand ""a half"", too",Bó,\n3,Three,Cy,\n'


def read_in(layout: ArchiveLayout, source: str, paths: list[Path], **options: Any) -> None:
    execute(plan(layout, SOURCES[source], Dump(paths, **options), resolve([])))


def sampled(layout: ArchiveLayout, paths: list[Path], kinds: str = "recording") -> list[tuple[str, list[raw.Raw]]]:
    """Key → raw records of everything that show says, of some entities."""
    found = []
    with Catalogue.open(layout) as catalogue:
        for kind in (k for k in Kind if k.word in kinds):
            rows = catalogue.select(f"SELECT DISTINCT id, key FROM {FACTS[kind][1]} ORDER BY id")
            for row in random.Random(5).sample(rows, min(SAMPLED, len(rows))):
                told = catalogue.show(kind, row["id"])
                found.append((row["key"], raw.find(told, catalogue.partitions, paths)))
    assert found
    return found


@pytest.mark.shared_data
def test_rows_of_fma_are_read_again(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "catalogues" / "fma-excerpt"
    paths = [folder / "raw_tracks_excerpt.csv.gz", folder / "raw_albums_excerpt.csv.gz"]
    layout = archive(tmp_path)
    read_in(layout, "fma", paths)
    for key, found in sampled(layout, paths):
        assert all(one.text for one in found), found
        (own,) = [one for one in found if one.file == paths[0].name]
        assert own.text is not None
        assert own.text.startswith(f"{key},") or f"{key}," in own.text


@pytest.mark.shared_data
def test_elements_of_discogs_are_read_again(shared_data: Path, tmp_path: Path) -> None:
    paths = sorted((shared_data / "discogs").glob("*.xml.gz"))
    layout = archive(tmp_path)
    read_in(layout, "discogs", paths)
    for key, found in sampled(layout, paths, "release artist"):
        texts = [one.text for one in found]
        assert all(texts), found
        number = key.partition(":")[2] or key
        assert any(number in str(text) and str(text).startswith("<") for text in texts), key


@pytest.mark.shared_data
@pytest.mark.parametrize("packed", [False, True])
def test_lines_of_musicbrainz_are_read_again(shared_data: Path, packed: bool, tmp_path: Path) -> None:
    folder = shared_data / "musicbrainz" / "mbdump"
    layout = archive(tmp_path / "a")
    whole = tmp_path / "mbdump"
    shutil.copytree(folder, whole)
    paths = sorted(p for p in whole.rglob("*") if p.is_file())
    given = [whole]
    if packed:
        with tarfile.open(tmp_path / "mbdump.tar.bz2", "w:bz2") as tar:
            for path in paths:
                tar.add(path, f"mbdump/{path.name}")
        given = paths = [tmp_path / "mbdump.tar.bz2"]
    read_in(layout, "musicbrainz", given)
    used = known(layout, paths)
    for key, found in sampled(layout, used, "recording release artist"):
        assert all(one.text for one in found), found
        assert any(key in str(one.text) for one in found)


def known(layout: ArchiveLayout, paths: list[Path]) -> list[Path]:
    """The files that were read: a folder may hold others."""
    with Catalogue.open(layout) as catalogue:
        names = {f.name for p in catalogue.partitions for f in p.dump.files}
    return [path for path in paths if path.name in names]


def test_a_row_over_several_lines_is_whole(tmp_path: Path) -> None:
    root, songs = tmp_path / "a", tmp_path / "songs.csv"
    archive(root)
    songs.write_text(SONGS, encoding="utf-8")
    ok("ingest", "table", "../songs.csv", cwd=root)
    found = ok("show", "table:2", "--raw", "../songs.csv", "--json", cwd=root).json
    (one,) = found["raw"]
    assert one["text"] == '2,"Two\nand ""a half"", too",Bó,'
    assert (one["file"], one["position"], one["why"]) == ("songs.csv", "songs.csv:3", None)
    text = ok("show", "table:3", "--raw", "../songs.csv", cwd=root).stdout
    assert "    3,Three,Cy," in text


def test_another_file_of_the_same_name_is_refused(tmp_path: Path) -> None:
    root, songs = tmp_path / "a", tmp_path / "songs.csv"
    archive(root)
    songs.write_text(SONGS, encoding="utf-8")
    ok("ingest", "table", "../songs.csv", cwd=root)
    songs.write_text(SONGS.replace("One", "Won"), encoding="utf-8")
    ran = fonoteca("show", "table:1", "--raw", "../songs.csv", "--json", cwd=root)
    assert (ran.code, ran.json["code"]) == (2, "not-a-dump")
    ran = fonoteca("show", "table:1", "--raw", "../nowhere.csv", "--json", cwd=root)
    assert (ran.code, ran.json["code"]) == (2, "unreadable-dump")


def test_what_no_file_was_named_for_is_said(tmp_path: Path) -> None:
    root = tmp_path / "a"
    layout = archive(root)
    for name in ("x", "y"):
        path = tmp_path / f"{name}.csv"
        path.write_text(SONGS.replace("One", name), encoding="utf-8")
        read_in(layout, "table", [path])
    with Catalogue.open(layout) as catalogue:
        told = [catalogue.show(*found) for found in catalogue.resolve("isrc:PTAAA0900009")]
        found = raw.find(told, catalogue.partitions, [tmp_path / "x.csv"])
    assert {(one.position, one.text is None, bool(one.why)) for one in found} == {
        ("x.csv:2", False, False), ("y.csv:2", True, True),
    }  # fmt: skip


def test_old_mbids_are_shown_as_redirects(tmp_path: Path) -> None:
    from simulators.random_wide import RandomWide

    layout = archive(tmp_path)
    (tmp_path / "dump").write_bytes(b"x")
    wide = RandomWide(1, count=35)
    execute(plan(layout, wide, Dump([tmp_path / "dump"]), resolve([])))
    row = next(r for r in wide.tables["recording"] if any(i["scheme"] == "mbid" for i in r["identifiers"] or ()))
    old = next(i["value"] for i in row["identifiers"] if i["scheme"] == "mbid")
    found = ok("show", f"mbid:{old}", "--json", cwd=tmp_path).json
    assert found["redirects"] == [old]
    assert f"mbid: {old} (merged into this one)" in ok("show", f"mbid:{old}", cwd=tmp_path).stdout


def test_a_position_of_no_form_is_said() -> None:
    with pytest.raises(Usage):
        raw.find({"source": "s", "dump": "d", "position": "x"}, (), [Path(__file__)])


TEXT = "id,title,artist\n1,Ünë,Ana\n2,Two,Bo\n3,Three,Cy\n"
WRITTEN = {
    "cr.csv": TEXT.replace("\n", "\r").encode(), "crlf.csv": TEXT.replace("\n", "\r\n").encode(),
    "mixed.csv": TEXT.replace("a\n2", "a\r2").encode(), "wide.csv": TEXT.encode("utf-16"),
    "latin.csv": TEXT.encode("cp1252"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(WRITTEN))
def test_rows_are_numbered_and_read_as_the_reader_did(name: str, tmp_path: Path) -> None:
    layout, path = archive(tmp_path / "a"), tmp_path / name
    path.write_bytes(WRITTEN[name])
    read_in(layout, "table", [path])
    told = {key: [one.text for one in found] for key, found in sampled(layout, [path])}
    assert told == {"1": ["1,Ünë,Ana"], "2": ["2,Two,Bo"], "3": ["3,Three,Cy"]}


def test_a_lone_quote_in_a_table_of_tabs_ends_with_its_line(tmp_path: Path) -> None:
    layout, path = archive(tmp_path / "a"), tmp_path / "t.tsv"
    path.write_text('id\ttitle\n1\t7" single\n2\tTwo\n', "utf-8")
    read_in(layout, "table", [path])
    assert {one.text for _, found in sampled(layout, [path]) for one in found} == {'1\t7" single', "2\tTwo"}


def test_rows_of_parquet_come_as_json(tmp_path: Path) -> None:
    layout, path = archive(tmp_path / "a"), tmp_path / "t.parquet"
    pq.write_table(pa.table({"id": ["1", "2"], "title": ["One", "Two"], "n": [1.5, None]}), path)
    read_in(layout, "table", [path])
    told = {key: json.loads(str(one.text)) for key, found in sampled(layout, [path]) for one in found}
    assert told == {"1": {"id": "1", "title": "One", "n": 1.5}, "2": {"id": "2", "title": "Two", "n": None}}


@pytest.mark.shared_data
def test_records_of_oai_pmh_and_documents_of_the_internet_archive_are_read_again(
    shared_data: Path, tmp_path: Path
) -> None:
    layout, pages = archive(tmp_path / "a"), sorted((shared_data / "oai-pmh").glob("*.xml"))
    read_in(layout, "oai_pmh", [shared_data / "oai-pmh"])
    answer = tmp_path / "answer.json"
    answer.write_text(json.dumps({"items": [{"identifier": "a", "title": "A"}, {"identifier": "b", "title": "B"}]}))
    read_in(layout, "internet_archive", [answer])
    told = dict(sampled(layout, [*known(layout, pages), answer]))
    assert {key: len(found) for key, found in told.items()}.keys() >= {"a", "b"}
    for key, found in told.items():
        assert any(key in str(one.text) for one in found), (key, found)


def test_a_folder_stands_for_the_files_in_it_that_were_read(tmp_path: Path) -> None:
    root, dumps = tmp_path / "a", tmp_path / "dumps"
    archive(root)
    dumps.mkdir()
    (dumps / "songs.csv").write_text(SONGS, encoding="utf-8")
    (dumps / "other.txt").write_text("no dump", encoding="utf-8")
    ok("ingest", "table", "../dumps/songs.csv", cwd=root)
    (one,) = ok("show", "table:3", "--raw", "../dumps", "--json", cwd=root).json["raw"]
    assert one["text"] == "3,Three,Cy,"


@pytest.mark.parametrize("source", ["table", "discogs", "oai_pmh"])
def test_a_name_that_is_no_text_does_no_harm(source: str, tmp_path: Path) -> None:
    """Once such a name made a manifest that nobody could read, and the catalogue with it."""
    layout, path = archive(tmp_path / "a"), tmp_path / os.fsdecode(b"\xff\xc3(.csv")
    path.write_bytes({
        "table": SONGS.encode(),
        "discogs": b'<artists><artist><id>1</id><name>1</name></artist></artists>',
        "oai_pmh": b'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords><record><header><identifier>1'
                   b"</identifier><datestamp>2020</datestamp></header><metadata><d "
                   b'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>1</dc:title></d></metadata></record>'
                   b"</ListRecords></OAI-PMH>",
    }[source])  # fmt: skip
    read_in(layout, source, [path])
    for _, found in sampled(layout, [path], "recording artist"):
        assert all(one.text for one in found), found
        assert {one.position.rpartition(":")[0] for one in found} == {"\ufffd\ufffd(.csv"}
