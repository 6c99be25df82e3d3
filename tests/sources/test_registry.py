"""The registry: all sources by name, light to import."""

from __future__ import annotations

import subprocess
import sys

import pytest

from fonoteca.core.errors import Usage
from fonoteca.sources.registry import SOURCES, find

pytestmark = pytest.mark.core


def test_names_are_those_of_the_infos() -> None:
    assert {name: source.info.name for name, source in SOURCES.items()} == {n: n for n in SOURCES}
    assert set(SOURCES) == {
        "folder", "table", "fma", "freemusi", "jamendo", "musicbrainz", "discogs", "internet_archive", "listenbrainz",
        "oai_pmh", "acoustid",
    }  # fmt: skip


def test_a_near_miss_is_named() -> None:
    with pytest.raises(Usage) as caught:
        find("freemusic")
    assert caught.value.code == "unknown-source"
    assert "freemusi" in caught.value.remedy


def test_nothing_heavy_is_imported() -> None:
    heavy = {"pyarrow", "av", "mutagen", "numpy", "duckdb"}
    code = f"import sys, fonoteca.sources.registry; print(sorted({heavy!r} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
