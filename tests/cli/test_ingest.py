"""``fonoteca ingest`` as a user types it."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from fonoteca.core.lock import one_writer
from harness import fonoteca, ok
from simulators.catalogue_archive import SONGS, songs
from simulators.tiny_catalogue import archive, tree

pytestmark = pytest.mark.core


def test_the_summary_has_the_fields_of_the_contract(tmp_path: Path) -> None:
    archive(tmp_path)
    ran = ok("ingest", "table", songs(tmp_path), "--json", cwd=tmp_path)
    assert ran.json["message_type"] == "summary"
    assert set(ran.json) >= {"source", "records", "refused", "quarantine", "generation", "seconds"}
    assert (ran.json["records"], ran.json["refused"], ran.json["quarantine"], ran.json["generation"]) == (2, 0, None, 1)
    plan = next(line for line in ran.lines if line["message_type"] == "plan")
    assert (plan["action"], plan["dataset"], plan["files"][0]["name"]) == ("add", "songs", "songs.csv")


def test_the_plan_is_what_is_then_done_and_changes_nothing(tmp_path: Path) -> None:
    archive(tmp_path)
    path = songs(tmp_path)
    before = tree(tmp_path)
    planned = ok("ingest", "table", path, "--plan", "--json", cwd=tmp_path).json
    assert tree(tmp_path) == before
    done = next(ln for ln in ok("ingest", "table", path, "--json", cwd=tmp_path).lines if ln["message_type"] == "plan")
    assert done == planned


def test_the_second_run_changes_nothing_and_says_so(tmp_path: Path) -> None:
    archive(tmp_path)
    path = songs(tmp_path)
    ok("ingest", "table", path, cwd=tmp_path)
    before = tree(tmp_path)
    ran = ok("ingest", "table", path, cwd=tmp_path)
    assert "nothing new" in ran.stdout
    assert {k: v for k, v in tree(tmp_path).items() if k != ".lock"} == {
        k: v for k, v in before.items() if k != ".lock"
    }


def test_refused_rows_exit_3_both_times_and_name_the_quarantine(tmp_path: Path) -> None:
    archive(tmp_path)
    path = songs(tmp_path, SONGS + "1,Other title,Ana,,\n3\n")
    for _ in range(2):
        ran = fonoteca("ingest", "table", path, "--json", cwd=tmp_path)
        assert ran.code == 3
        assert ran.json["refused"] == 2
        assert ran.json["read"] == ran.json["records"] + ran.json["duplicates"] + ran.json["refused"]
        assert (tmp_path / ran.json["quarantine"]).is_file()


def test_a_mapping_says_what_the_columns_mean(tmp_path: Path) -> None:
    archive(tmp_path)
    path = songs(tmp_path, "nr,what,who\n1,One,Ana\n")
    mapping = tmp_path / "m.toml"
    mapping.write_text(
        'dataset = "mine"\nlicence = "CC0-1.0"\nkey = ["nr"]\n[columns]\ntitle = "what"\nartist = "who"\n'
    )
    ran = ok("ingest", "table", path, "--mapping", mapping, "--json", cwd=tmp_path)
    assert (ran.json["dataset"], ran.json["records"]) == ("mine", 1)
    shown = ok("show", "table:1", "--json", cwd=tmp_path)
    assert shown.json["fields"]["title"]["value"] == "One"
    mapping.write_text(mapping.read_text().replace('title = "what"', 'title = "who"'))
    assert ok("ingest", "table", path, "--mapping", mapping, "--json", cwd=tmp_path).json["changed"]


@pytest.mark.parametrize(("words", "code", "exit_code"), [
    (("table", "nowhere.csv"), "no-dump", 2),
    (("tabel", "songs.csv"), "unknown-source", 2),
    (("fma", "songs.csv"), "not-a-dump", 2),
    (("table", "songs.csv", "--mapping", "nowhere.toml"), "bad-mapping", 2),
    (("fma", "songs.csv", "--mapping", "songs.csv"), "bad-arguments", 2),
    (("table",), "bad-arguments", 2),
])  # fmt: skip
def test_wrong_words_give_a_sentence_and_a_remedy(
    words: tuple[str, ...], code: str, exit_code: int, tmp_path: Path
) -> None:
    archive(tmp_path)
    songs(tmp_path)
    ran = fonoteca("ingest", *words, "--json", cwd=tmp_path)
    assert (ran.code, ran.json["code"]) == (exit_code, code)
    assert ran.json["remedy"]
    assert not (tmp_path / "catalogue").exists()


def test_no_archive_exits_10(tmp_path: Path) -> None:
    assert fonoteca("ingest", "table", songs(tmp_path), "--json", cwd=tmp_path).code == 10


def test_a_second_writer_exits_11_and_names_the_first(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    with one_writer(layout.lock, "a long ingest"):
        ran = fonoteca("ingest", "table", songs(tmp_path), "--json", cwd=tmp_path)
    assert ran.code == 11
    assert "a long ingest" in ran.json["why"]


def test_a_truncated_gzip_is_no_traceback(tmp_path: Path) -> None:
    archive(tmp_path)
    path = tmp_path / "songs.csv.gz"
    path.write_bytes(gzip.compress((SONGS * 500).encode())[:-200])
    ran = fonoteca("ingest", "table", path, "--json", cwd=tmp_path)
    assert ran.code in {2, 3}
    assert "Traceback" not in ran.stderr


def test_a_mapping_names_the_licence_of_harvested_pages(tmp_path: Path) -> None:
    archive(tmp_path)
    (tmp_path / "page.xml").write_text(
        '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords><record><header><identifier>a:1</identifier>'
        '<datestamp>2020-01-01</datestamp></header><metadata><d xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<dc:title>T</dc:title><dc:type>sound</dc:type></d></metadata></record></ListRecords></OAI-PMH>"
    )
    (tmp_path / "m.toml").write_text('licence = "CC0-1.0"\ncredit = "A library"\n')
    ran = ok("ingest", "oai_pmh", "page.xml", "--mapping", "m.toml", "--json", cwd=tmp_path)
    assert (ran.json["records"], ran.json["refused"]) == (1, 0)
    assert "CC0-1.0" in (tmp_path / "catalogue/generations/000001.json").read_text()
