"""Mapping files: read strictly, wrong ones name the key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fonoteca.core.errors import Usage
from fonoteca.sources import mapping

pytestmark = pytest.mark.core

WHOLE = """
dataset = "my-list"
licence = "CC0-1.0"
credit = "me"
key = ["no"]
list_separator = "|"
artist_separator = " & "
duration_unit = "ms"
signal_licence = "CC-BY-4.0"
synthetic = true
delimiter = ";"
encoding = "latin-1"
quoting = false

[columns]
title = "Song"
artist = "By"

[constants]
licence = "CC-BY-4.0"

[signals]
listens = "Plays"
"""


def test_a_whole_mapping_is_read(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_text(WHOLE)
    found = mapping.parse(mapping.load(path))
    assert found.needed == ["no", "Song", "By", "Plays"]
    assert (found.dataset, found.licence, found.duration_unit, found.synthetic) == ("my-list", "CC0-1.0", "ms", True)
    assert (found.reading.delimiter, found.reading.encoding, found.reading.quoting) == (";", "latin-1", False)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"columns": {"titel": "x"}}, "title"),
        ({"colums": {}}, "columns"),
        ({"columns": {"title": 3}}, "3"),
        ({"constants": {"nothing-like-it": "x"}}, "nothing-like-it"),
        ({"signals": {"play": "x"}}, "play"),
        ({"dataset": "../up"}, "../up"),
        ({"dataset": 3}, "3"),
        ({"key": "no"}, "'no'"),
        ({"duration_unit": "hours"}, "hours"),
        ({"delimiter": ",,"}, ",,"),
        ({"encoding": "rot13"}, "rot13"),
        ({"format": "xml"}, "xml"),
        ({"about": "signals", "source": "fma", "signals": {"listens": "x"}}, "key"),
        ({"about": "signals", "key": ["id"], "signals": {"listens": "x"}}, "source"),
        ({"about": "signals", "key": ["id"], "source": "fma"}, "signals"),
    ],
)
def test_a_wrong_mapping_names_what_is_wrong(values: dict[str, Any], named: str) -> None:
    with pytest.raises(Usage) as caught:
        mapping.parse(values)
    assert caught.value.code == "bad-mapping"
    assert named in caught.value.why


@pytest.mark.parametrize("content", [b"= no", b"\xff\xfe", b"a = " + b"[" * 10_000, b"a = 1\na = 2", b"#" * (2 << 20)])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.toml"
    path.write_bytes(content)
    with pytest.raises(Usage) as caught:
        mapping.load(path)
    assert caught.value.code == "bad-mapping"
    with pytest.raises(Usage):
        mapping.load(tmp_path / "missing.toml")


def test_ordinary_names_are_guessed() -> None:
    found = mapping.guess(["Track ID", "Artist Name", "Song Title", "Length_ms", "Play Count", "License", "colour"])
    assert found.columns["title"] == "Song Title"
    assert found.columns["artist"] == "Artist Name"
    assert found.columns["licence"] == "License"
    assert (found.key, found.duration_unit) == (("Track ID",), "ms")
    assert found.signals == {"listens": "Play Count"}
    assert "colour" not in found.needed


def test_names_that_say_nothing_ask_for_a_mapping() -> None:
    with pytest.raises(Usage) as caught:
        mapping.guess(["a", "b"])
    assert caught.value.code == "no-mapping"
    assert "mapping" in caught.value.remedy
