"""docs/support.md says what the code accepts: a container, codec or source that it does not name fails here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fonoteca.audio.containers import CONTAINERS
from fonoteca.sources.registry import SOURCES

pytestmark = pytest.mark.core

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "support.md").read_text("utf-8")


@pytest.mark.parametrize("name", sorted(CONTAINERS))
def test_every_container_is_listed_with_its_codecs_types_and_extensions(name: str) -> None:
    [row] = re.findall(rf"^\|[^|\n]*\(`{name}`\).*$", PAGE, re.MULTILINE)
    for codec, mime, extension in CONTAINERS[name].codecs.values():
        assert re.search(rf"\b{codec}\b", row)
        assert mime in row
        assert f"`.{extension}`" in row


def test_every_source_is_listed_and_no_other() -> None:
    section = PAGE.split("## Dumps that sources read")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == set(SOURCES)
