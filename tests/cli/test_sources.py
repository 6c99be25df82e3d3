"""``fonoteca sources``: all, one, none of that name."""

from __future__ import annotations

from pathlib import Path

import pytest

from fonoteca.sources.registry import SOURCES
from harness import fonoteca, ok

pytestmark = pytest.mark.core


def test_all_sources_with_their_licences(tmp_path: Path) -> None:
    found = ok("sources", "--json", cwd=tmp_path).json["sources"]
    assert [s["name"] for s in found] == sorted(SOURCES)
    assert all(s["licences"][0]["licence"] and s["where"] and s["files"] and s["size"] for s in found)
    assert "CC-BY-NC-SA-4.0" in ok("sources", cwd=tmp_path).stdout


def test_one_source_in_detail(tmp_path: Path) -> None:
    assert ok("sources", "fma", "--json", cwd=tmp_path).json["licences"][0]["licence"] == "CC-BY-4.0"
    text = ok("sources", "fma", cwd=tmp_path).stdout
    assert "raw_tracks.csv" in text
    assert "ISMIR 2017" in text


def test_an_unknown_source_is_a_usage_error(tmp_path: Path) -> None:
    ran = fonoteca("sources", "fme", "--json", cwd=tmp_path)
    assert ran.code == 2
    assert ran.json["code"] == "unknown-source"
    assert "fma" in ran.json["remedy"]
