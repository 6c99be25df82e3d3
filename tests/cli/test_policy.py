"""A policy that is none is told as such by every command that asks the rights gate."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import fonoteca, ok
from simulators.sounds import sound, write

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    "words",
    [("sql", "SELECT 1"), ("search", "x"), ("show", "sha256:" + "0" * 64), ("index",),
     ("export", "SELECT 1", "-o", "x.csv"),
     ("rights", "report"), ("publish", "--plan"), ("publish",)],
    ids=" ".join,
)  # fmt: skip
def test_a_policy_that_is_none_is_a_usage_error_with_its_origin(tmp_path: Path, words: tuple[str, ...]) -> None:
    ok("init", "archive", cwd=tmp_path)
    write(tmp_path / "music", "a.flac", sound("flac", 0.3, 300, "Alpha"))
    ok("intake", "../music", "--licence", "CC0-1.0", "--evidence", "letter", cwd=tmp_path / "archive")
    settings = tmp_path / "archive" / "fonoteca.toml"
    settings.write_text('policy.publish = "everything"\n')
    ran = fonoteca(*words, "--json", cwd=tmp_path / "archive")
    assert (ran.code, ran.json["code"], ran.json["subject"]) == (2, "bad-setting", "policy.publish")
    assert str(settings) in ran.json["why"]
