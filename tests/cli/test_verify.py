"""verify on the command line: what it is pointed at, summary, exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from fonoteca.core.layout import ArchiveLayout
from harness import fonoteca, ok
from simulators import small_archive

pytestmark = pytest.mark.core


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published archive."""
    made = small_archive.fresh(tmp_path_factory.mktemp("verified"))
    ok("--archive", made, "publish", cwd=made)
    return made


def damage(path: Path) -> bytes:
    data = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    return data


def test_a_sound_archive_is_exit_0_with_the_contracts_summary(root: Path) -> None:
    ran = ok("--archive", root, "verify", "--json", cwd=root)
    assert (ran.json["message_type"], ran.json["damaged"]) == ("summary", 0)
    assert ran.json["checked"] > 10
    assert ran.json["bytes"] > 100_000
    assert ran.items() == []
    assert "no damage" in ok("--archive", root, "verify", "--full", cwd=root).stdout


@pytest.mark.parametrize("where", ["archive", "publication", "edition"])
def test_damage_is_an_item_with_code_path_block_and_repair_and_exit_4(root: Path, where: str) -> None:
    publication = ArchiveLayout(root).publication
    targets = {"archive": root, "publication": publication.root, "edition": publication.edition(1)}
    path = publication.edition(1) / "locator.parquet"
    whole = damage(path)
    words = ["--archive", root, "verify"] if where == "archive" else ["verify", targets[where]]
    ran = fonoteca(*words, "--json", cwd=root)
    path.write_bytes(whole)
    assert (ran.code, ran.json["damaged"]) == (4, 1)
    (item,) = ran.items()
    assert item["path"] == path.relative_to(targets[where]).as_posix()
    assert item["block"] == [0, 0]
    assert item["repair"]
    assert ok(*words, cwd=root).code == 0


def test_a_damaged_catalogue_file_is_found_too(root: Path) -> None:
    path = min(p for p in (root / "catalogue").rglob("*") if p.is_file() and p.stat().st_size > 100)
    whole = damage(path)
    ran = fonoteca("--archive", root, "verify", "--json", cwd=root)
    path.write_bytes(whole)
    assert ran.code == 4
    assert any(i["path"].startswith("catalogue/") for i in ran.items())


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (["verify", "{tmp}"], "no-archive", 10),
        (["verify"], "no-archive", 10),
        (["--archive", "{root}", "verify", "--for", "soon"], "bad-arguments", 2),
        (["verify", "{root}/publication", "--for", "1h"], "bad-arguments", 2),
    ],
)
def test_wrong_words(root: Path, tmp_path: Path, words: list[str], code: str, exit_code: int) -> None:
    ran = fonoteca("--json", *[w.format(root=root, tmp=tmp_path) for w in words], cwd=tmp_path)
    assert (ran.code, ran.json["code"]) == (exit_code, code)
    assert ran.json["remedy"]


def test_a_duration_is_taken_and_says_what_is_left(root: Path) -> None:
    ran = ok("--archive", root, "verify", "--for", "1h", "--json", cwd=root)
    assert ran.json["left"] == 0
    assert ok("verify", root, "--for", "90 s", cwd=root).code == 0
    assert "left for the next run" in ok("--archive", root, "verify", "--for", "0s", cwd=root).stdout
