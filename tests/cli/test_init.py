"""init: folders, commented settings, keys; never over something that is there."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path

import pytest

from fonoteca.core.settings import TABLE
from harness import fonoteca, ok

pytestmark = pytest.mark.core


def test_a_new_archive_has_folders_settings_and_private_keys(tmp_path: Path) -> None:
    ran = ok("init", "archive", cwd=tmp_path)
    root = tmp_path / "archive"
    assert {"blobs", "catalogue", "dumps", "fonoteca.toml", "holdings", "keys", "publication"} <= {
        p.name for p in root.iterdir()
    }
    keys = list((root / "keys").iterdir())
    assert keys
    assert all(stat.S_IMODE(p.stat().st_mode) == 0o600 for p in keys)
    assert len(ran.stdout.splitlines()) == 5
    for word in ("free", "policy.publish", "offline", "intake"):
        assert word in ran.stdout
    assert ok("--archive", root, "verify", cwd=tmp_path).code == 0


def test_every_setting_of_an_archive_is_there_commented_and_good_as_it_stands(tmp_path: Path) -> None:
    ok("init", "archive", cwd=tmp_path)
    text = (tmp_path / "archive" / "fonoteca.toml").read_text("utf-8")
    assert {k: v for k, v in tomllib.loads(text).items() if v} == {}
    uncommented = "\n".join(
        line[2:] if line.startswith("# ") and " = " in line and line[2:3].isalpha() else line
        for line in text.splitlines()
    )
    values = tomllib.loads("\n".join(line for line in uncommented.splitlines() if " = " in line or line[:1] in "[#"))
    for setting in TABLE:
        group, _, name = setting.name.partition(".")
        if group != "mirror":
            assert values[group][name] == setting.default


@pytest.mark.parametrize("there", ["archive", "mirror", "something", "file"])
def test_what_is_there_is_never_written_over(tmp_path: Path, there: str) -> None:
    root = tmp_path / "place"
    if there == "file":
        root.write_text("mine")
    else:
        root.mkdir()
        name = {"archive": "fonoteca.toml", "mirror": "mirror.toml", "something": "notes.txt"}[there]
        (root / name).write_text("")
    ran = fonoteca("init", root, "--json", cwd=tmp_path)
    assert ran.code == 2
    assert ran.json["code"] in {"already-an-archive", "folder-not-empty"}
    assert ran.json["remedy"]
    assert root.is_file() or len(list(root.iterdir())) == 1


def test_an_init_that_was_cut_short_is_completed_and_keeps_its_keys(tmp_path: Path) -> None:
    ok("init", "archive", cwd=tmp_path)
    root = tmp_path / "archive"
    before = {p.name: p.read_bytes() for p in (root / "keys").iterdir()}
    (root / "fonoteca.toml").unlink()
    ok("init", "archive", cwd=tmp_path)
    assert {p.name: p.read_bytes() for p in (root / "keys").iterdir()} == before


def test_a_place_that_cannot_be_written_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = fonoteca("init", tmp_path / "file" / "archive", "--json", cwd=tmp_path)
    assert (ran.code, ran.json["code"]) == (1, "unwritable")
    assert ran.json["remedy"]
