"""Promise R8 for the ways of ingest that test_full_disk.py does not fill the disk for: ten levels in every run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.wrong_inputs import unshared
from faults.ingesting import RECORDS, WAYS, Way, case
from faults.test_full_disk import books, half

pytestmark = pytest.mark.core
LEVELS = 10


@pytest.mark.parametrize("asked", [(), ("unasked",)], ids=["asked", "unasked"])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_ten_fill_levels(way: Way, asked: tuple[str, ...], tmp_path: Path) -> None:
    """Space is asked for before a bulk ingest begins; ``unasked``: and then somebody else fills the disk."""
    if way is RECORDS and asked:
        pytest.skip("the way by records asks for no space")
    made, place = case(way, tmp_path / "made"), tmp_path / "small"
    place.mkdir()
    script = str(Path(__file__).with_name("full_disk.py"))
    words = [word for word in made.words if word != "--json"]
    levels = LEVELS if asked else LEVELS // 2
    told = unshared.run(script, made.archive, place, str(levels), *asked, task=words)
    codes = []
    for number, level in enumerate(told["levels"]):
        code, stdout, stderr = level["first"]
        codes.append(code)
        assert "Traceback" not in stderr, number
        assert code in {0, 3, 13}, (number, stdout[-400:], stderr[-400:])
        if code == 13:
            error = json.loads(stdout.splitlines()[-1])
            assert (error["code"], error["exit"]) == ("no-space", 13)
            assert error["remedy"]
        # What a bulk ingest goes on from is no part of the catalogue.
        assert [n for n in half(level, told) if "/unfinished/" not in n] == [], number
        assert level["again"][0] in {0, 3}, (number, level["again"][1][-400:])
        assert books(level["after"]) == books(told["clean"]), number
    assert codes[0] == 13, "on a full disk nothing is done"
