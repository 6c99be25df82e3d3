"""intake on the command line: summary, items, exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from fonoteca.archive.holdings import Holdings, ledger_path
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.lock import one_writer
from harness import fonoteca, ok
from simulators.sounds import sound, write

pytestmark = pytest.mark.core


@pytest.fixture
def root(tmp_path: Path) -> Path:
    ok("init", "archive", cwd=tmp_path)
    return tmp_path / "archive"


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    write(folder, "a.flac", sound("flac", 0.3, 300, "Alpha"))
    write(folder, "b.opus", sound("opus", 0.3, 400, "Beta"))
    return folder


def test_the_summary_has_the_contracts_fields_and_the_catalogue_follows(root: Path, music: Path) -> None:
    ran = ok("--archive", root, "intake", music, "--licence", "CC0-1.0", "--evidence", "letter", "--json", cwd=root)
    assert {k: ran.json[k] for k in ("message_type", "files", "accepted", "duplicates", "refused")} == {
        "message_type": "summary", "files": 2, "accepted": 2, "duplicates": 0, "refused": 0}  # fmt: skip
    assert ran.json["bytes"] == sum(p.stat().st_size for p in music.iterdir())
    assert ran.json["generation"] == 1
    rows = ok("--archive", root, "sql", "select title from recordings order by title", "--json", cwd=root)
    assert "Alpha" in rows.stdout
    assert "Beta" in rows.stdout
    again = ok("--archive", root, "intake", music, "--licence", "CC0-1.0", "--evidence", "letter", "--json", cwd=root)
    assert (again.json["accepted"], again.json["duplicates"], again.json["generation"]) == (0, 2, 1)


def test_refused_files_are_items_and_exit_3(root: Path, music: Path) -> None:
    write(music, "cut.flac", sound("flac", 0.3)[:-50])
    write(music, "text.mp3", b"words" * 100)
    ran = fonoteca("--archive", root, "intake", music, "--json", cwd=root)
    assert (ran.code, ran.json["refused"], ran.json["accepted"]) == (3, 2, 2)
    assert {(i["path"], i["code"]) for i in ran.items()} == {("cut.flac", "truncated-audio"), ("text.mp3", "not-audio")}
    assert all(i["reason"] for i in ran.items())
    plain = fonoteca("--archive", root, "intake", music, cwd=root)
    assert "truncated-audio: cut.flac" in plain.stderr
    assert "2 refused" in plain.stdout


def test_a_plan_changes_nothing(root: Path, music: Path) -> None:
    ran = ok("--archive", root, "intake", music, "--plan", "--json", cwd=root)
    assert (ran.json["message_type"], ran.json["files"]) == ("plan", 2)
    assert not ledger_path(ArchiveLayout(root)).exists()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nothing-there"], "no-such-path"),
        (["{music}", "--licence", "CC0-1.0"], "bad-arguments"),
        (["{music}", "--licence", "All mine", "--evidence", "me"], "no-such-licence"),
        (["{music}", "--mapping", "x.toml"], "bad-arguments"),
        (["{music}", "--claims", "nothing.csv"], "unreadable-dump"),
        ([], "bad-arguments"),
    ],
)
def test_wrong_words_are_usage_errors_with_a_remedy(root: Path, music: Path, words: list[str], code: str) -> None:
    ran = fonoteca("--archive", root, "--json", "intake", *[w.format(music=music) for w in words], cwd=root)
    assert (ran.code, ran.json["code"]) == (2, code)
    assert ran.json["remedy"]
    assert not ledger_path(ArchiveLayout(root)).exists()


def test_without_an_archive_it_is_exit_10_and_behind_another_writer_11(root: Path, music: Path, tmp_path: Path) -> None:
    assert fonoteca("--archive", tmp_path, "intake", music, cwd=tmp_path).code == 10
    with one_writer(root / ".lock", "test"):
        ran = fonoteca("--archive", root, "intake", music, "--json", cwd=root)
    assert (ran.code, ran.json["code"]) == (11, "locked")


def test_a_damaged_ledger_is_exit_4(root: Path, music: Path) -> None:
    ok("--archive", root, "intake", music, cwd=root)
    path = ledger_path(ArchiveLayout(root))
    path.write_bytes(path.read_bytes().replace(b"Alpha", b"Gamma"))
    ran = fonoteca("--archive", root, "intake", music, "--json", cwd=root)
    assert (ran.code, ran.json["code"]) == (4, "ledger-damaged")


@pytest.mark.shared_data
def test_the_92_real_files_are_taken_in_with_their_index_as_claims(
    root: Path, shared_data: Path, tmp_path: Path
) -> None:
    mapping = write(tmp_path, "map.toml", (
        b'[columns]\nfile = "file"\ntitle = "title"\nartist = "artist"\nrelease = "album_or_source"\n'
        b'licence = "licence_spdx"\nlicence_url = "licence_url"\nevidence = "licence_evidence"\n'
        b'source = "source_repository"\n'
    ))  # fmt: skip
    audio = shared_data / "audio"
    folders = sorted(p for p in audio.iterdir() if p.is_dir())
    ran = ok("--archive", root, "intake", *folders, "--claims", audio / "INDEX.csv", "--mapping", mapping, "--json",
             cwd=root)  # fmt: skip
    assert (ran.json["files"], ran.json["accepted"], ran.json["refused"]) == (92, 92, 0)
    ledger = Holdings.open(ArchiveLayout(root))
    claimed = {c.subject for c in ledger.claims() if c.source != "tags"}
    assert claimed == set(ledger.blobs())
    assert ok("--archive", root, "verify", "--json", cwd=root).json["damaged"] == 0
