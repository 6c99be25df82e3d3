"""``fonoteca rank`` as a user types it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import fonoteca, ok
from simulators.catalogue_archive import made
from simulators.tiny_catalogue import archive

pytestmark = pytest.mark.core


def test_licences_are_a_setting_named_in_the_result(tmp_path: Path) -> None:
    made(tmp_path)
    first = ok("rank", "--json", cwd=tmp_path).json
    assert (first["licences"], first["ranked"], first["unknown"], first["changed"]) == (["CC0-1.0"], 2, 3, False)
    assert first["synthetic"]
    second = ok("rank", "--licences", "CC-BY-NC-4.0,CC0-1.0", "--json", cwd=tmp_path).json
    assert (second["ranked"], second["changed"], second["generation"]) == (3, True, first["generation"] + 1)
    variables = {"FONOTECA_POPULARITY_LICENCES": "CC-BY-NC-4.0"}
    third = ok("rank", "--json", cwd=tmp_path, variables=variables).json
    assert (third["ranked"], third["synthetic"]) == (1, False)


def test_a_person_reads_one_line(tmp_path: Path) -> None:
    made(tmp_path)
    assert "2 of 5 recordings have known listens under CC0-1.0 (made-up" in ok("rank", cwd=tmp_path).stdout


def test_no_archive_and_no_catalogue_exit_10(tmp_path: Path) -> None:
    assert fonoteca("rank", "--json", cwd=tmp_path).json["code"] == "no-archive"
    archive(tmp_path)
    ran = fonoteca("rank", "--json", cwd=tmp_path)
    assert (ran.code, ran.json["code"]) == (10, "no-catalogue")
