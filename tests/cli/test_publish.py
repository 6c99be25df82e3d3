"""``fonoteca publish``: its JSON, and what it says to wrong inputs."""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fonoteca.core.clock import FixedClock, rfc3339
from fonoteca.core.joblog import JobLog
from fonoteca.core.lock import one_writer
from harness import START, fonoteca, ok
from simulators.small_archive import fresh, new_archive

pytestmark = pytest.mark.core


def test_the_summary_has_the_fields_of_the_contract(tmp_path: Path) -> None:
    archive = fresh(tmp_path)
    summary = ok("--archive", archive, "--json", "publish", cwd=tmp_path).json
    assert summary["message_type"] == "summary"
    assert {"edition", "recordings", "withheld", "packs", "bytes", "torrents"} <= set(summary)
    assert set(summary["packs"]) == {"kept", "added", "superseded"}
    assert set(summary["bytes"]) == {"audio", "padding", "new"}
    edition = json.loads((archive / "publication/editions/0001/edition.json").read_bytes())
    assert summary["recordings"] == edition["totals"]["published"]
    hybrids = [t for t in edition["torrents"] if not t["path"].startswith("torrents/v1/")]
    assert summary["torrents"] == len(hybrids)


def test_people_read_sentences(tmp_path: Path) -> None:
    archive = fresh(tmp_path)
    assert "would publish 12 recordings" in ok("--archive", archive, "publish", "--plan", cwd=tmp_path).stdout
    assert "edition 1: 12 recordings published, 0 withheld" in ok("--archive", archive, "publish", cwd=tmp_path).stdout
    assert "nothing new" in ok("--archive", archive, "publish", "--plan", cwd=tmp_path).stdout
    assert "nothing new" in ok("--archive", archive, "publish", cwd=tmp_path).stdout


@pytest.mark.parametrize(("days", "told"), [(3, ""), (4, "run out at"), (30, "ran out at")])
def test_nothing_new_warns_of_signatures_that_age_and_does_not_renew_them(tmp_path: Path, days: int, told: str) -> None:
    archive = fresh(tmp_path)
    first = ok("--archive", archive, "--json", "publish", cwd=tmp_path)
    later = FixedClock(START + datetime.timedelta(days=days))
    ran = ok("--archive", archive, "publish", cwd=tmp_path, clock=later)
    assert "nothing new" in ran.stdout
    assert told in ran.stderr
    assert ("publish --refresh" in ran.stderr) == bool(told)
    again = ok("--archive", archive, "--json", "publish", cwd=tmp_path, clock=later)
    assert first.json["expires"] == again.json["expires"] == "2026-12-01T12:00:00Z"


def test_refresh_signs_anew_without_a_new_edition(tmp_path: Path) -> None:
    archive = fresh(tmp_path)
    ok("--archive", archive, "publish", cwd=tmp_path)
    later = FixedClock(START + datetime.timedelta(days=5))
    ran = ok("--archive", archive, "--json", "publish", "--refresh", cwd=tmp_path, clock=later)
    assert ran.json["edition"] == 1
    assert ran.json["expires"] == "2026-12-06T12:00:00Z"
    assert [p.name for p in (archive / "publication/editions").iterdir()] == ["0001"]


def test_the_policy_free_publishes_no_nc_volume(tmp_path: Path) -> None:
    archive = fresh(tmp_path)
    variables = {"FONOTECA_POLICY_PUBLISH": "free"}
    summary = ok("--archive", archive, "--json", "publish", cwd=tmp_path, variables=variables).json
    assert (summary["recordings"], summary["withheld"]) == (9, 3)
    assert not [p for p in (archive / "publication/packs").iterdir() if "-nc-" in p.name]


def test_a_base_url_changes_torrents_and_keeps_info_hashes(tmp_path: Path) -> None:
    archive = fresh(tmp_path)
    ok("--archive", archive, "publish", cwd=tmp_path)
    ok("--archive", archive, "publish", "--base-url", "https://127.0.0.1/other/", cwd=tmp_path)
    lists = [json.loads((archive / f"publication/editions/{n}/torrents.json").read_bytes()) for n in ("0001", "0002")]
    old, new = ({t["name"]: t for t in listed["torrents"] if t["kind"] == "volume"} for listed in lists)
    assert {n: t["infohash_v2"] for n, t in old.items()} == {n: t["infohash_v2"] for n, t in new.items()}
    assert {seed for t in new.values() for seed in t["web_seeds"]} == {"https://127.0.0.1/other/packs/"}


def _no_archive(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    return tmp_path / "nowhere", {}


def _nothing_taken_in(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    new_archive(tmp_path / "empty", tmp_path)
    return tmp_path / "empty", {}


def _no_keys(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    archive = fresh(tmp_path)
    for key in (archive / "keys").iterdir():
        key.unlink()
    return archive, {}


def _one_key_offline(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    archive = fresh(tmp_path)
    (archive / "keys/targets.pem").unlink()
    return archive, {}


def _with(name: str, value: str) -> Callable[[Path], tuple[Path, dict[str, str]]]:
    return lambda tmp_path: (fresh(tmp_path), {name: value})


def _blob_changed(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    archive = fresh(tmp_path)
    blob = next(p for p in (archive / "blobs").rglob("*") if p.is_file())
    blob.chmod(0o644)
    blob.write_bytes(blob.read_bytes()[:-1] + b"\0")
    return archive, {}


def _edition_changed(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    archive = fresh(tmp_path)
    ok("--archive", archive, "publish", cwd=tmp_path)
    locator = archive / "publication/editions/0001/locator.parquet"
    locator.write_bytes(locator.read_bytes() + b"\0")
    return archive, {}


def _publication_is_a_file(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    archive = fresh(tmp_path)
    (archive / "publication/packs").write_bytes(b"")
    return archive, {}


@pytest.mark.parametrize(
    ("make", "code", "exit_code"),
    [
        (_no_archive, "no-archive", 10),
        (_nothing_taken_in, "no-catalogue", 10),
        (_no_keys, "no-keys", 1),
        (_one_key_offline, "key-missing", 1),
        (_with("FONOTECA_POLICY_PUBLISH", "everything"), "bad-setting", 2),
        (_with("FONOTECA_PUBLISH_PIECE_LENGTH", "20000"), "bad-setting", 2),
        (_with("FONOTECA_PUBLISH_PACK_SIZE", "0"), "bad-setting", 2),
        (_with("FONOTECA_PUBLISH_BASE_URL", "ftp://x"), "bad-setting", 2),
        (_with("SOURCE_DATE_EPOCH", "yesterday"), "bad-setting", 2),
        (_blob_changed, "blob-differs", 4),
        (_edition_changed, "edition-damaged", 4),
        (_publication_is_a_file, "unwritable", 1),
    ],
)
def test_wrong_inputs_give_a_sentence_and_the_contract_s_code(
    make: Callable[[Path], tuple[Path, dict[str, str]]], code: str, exit_code: int, tmp_path: Path
) -> None:
    archive, variables = make(tmp_path)
    ran = fonoteca("--archive", archive, "--json", "publish", cwd=tmp_path, variables=variables)
    assert (ran.json["code"], ran.code) == (code, exit_code), ran.stderr
    assert ran.json["remedy"]
    assert "Traceback" not in ran.stderr
    assert not list((archive / "publication/editions").glob("0002")) if archive.exists() else True


def test_a_failed_run_publishes_nothing_and_the_next_one_completes(tmp_path: Path) -> None:
    archive = fresh(tmp_path)
    blob = next(p for p in (archive / "blobs").rglob("*") if p.is_file())
    good = blob.read_bytes()
    blob.chmod(0o644)
    blob.write_bytes(good[:-1] + b"\0")
    assert fonoteca("--archive", archive, "publish", cwd=tmp_path).code == 4
    assert not (archive / "publication/editions/0001").exists()
    assert not (archive / "publication/metadata/timestamp.json").exists()
    blob.write_bytes(good)
    assert ok("--archive", archive, "--json", "publish", cwd=tmp_path).json["recordings"] == 12


def test_a_second_writer_is_turned_away(tmp_path: Path) -> None:
    archive = fresh(tmp_path)
    with one_writer(archive / ".lock", "a test"):
        assert fonoteca("--archive", archive, "publish", cwd=tmp_path).code == 11
        assert fonoteca("--archive", archive, "publish", "--plan", cwd=tmp_path).code == 0


def test_refresh_before_the_first_edition_says_what_to_do(tmp_path: Path) -> None:
    ran = fonoteca("--archive", fresh(tmp_path), "--json", "publish", "--refresh", cwd=tmp_path)
    assert (ran.json["code"], ran.code) == ("nothing-published", 1)


def test_plan_and_refresh_exclude_each_other(tmp_path: Path) -> None:
    assert fonoteca("--archive", fresh(tmp_path), "publish", "--refresh", "--plan", cwd=tmp_path).code == 2


def test_no_space_is_said_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = fresh(tmp_path)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1_000_000))
    ran = fonoteca("--archive", archive, "--json", "publish", cwd=tmp_path)
    assert (ran.json["code"], ran.code) == ("no-space", 13)
    assert "1000000" in ran.json["why"]
    assert not (archive / "publication/packs").exists()
    monkeypatch.undo()
    ok("--archive", archive, "publish", cwd=tmp_path)


def _created(archive: Path, number: int) -> str:
    return str(json.loads((archive / f"publication/editions/{number:04d}/edition.json").read_bytes())["created"])


def test_a_run_that_failed_begins_anew_and_one_that_was_cut_short_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = fresh(tmp_path)
    days = [FixedClock(START + datetime.timedelta(days=n)) for n in (0, 1, 20)]
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=0))
    assert fonoteca("--archive", archive, "publish", cwd=tmp_path, clock=days[0]).code == 13
    monkeypatch.undo()
    JobLog(archive / "jobs/jobs.jsonl").start("publish", rfc3339(days[1].now()))
    ok("--archive", archive, "publish", cwd=tmp_path, clock=days[2])
    assert _created(archive, 1) == "2026-11-25T12:00:00Z"
    timestamp = json.loads((archive / "publication/metadata/timestamp.json").read_bytes())
    assert timestamp["signed"]["expires"] == "2026-12-21T12:00:00Z"
