"""The pages about sources name everything that the code has; their mappings can be used."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from fonoteca.sources import mapping
from fonoteca.sources.registry import SOURCES

pytestmark = pytest.mark.core

ROOT = Path(__file__).resolve().parent.parent.parent
CODE = "\n".join(p.read_text("utf-8") for p in (ROOT / "src" / "fonoteca" / "sources").glob("*.py"))


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


def test_every_source_has_its_row() -> None:
    text = page("reference/sources.md")
    for name, source in SOURCES.items():
        assert f"| `{name}` |" in text
        assert name == "table" or source.info.licences[0].licence in text


def test_every_flag_and_refusal_is_listed() -> None:
    text = page("reference/sources.md")
    flags = set(re.findall(r'flags\.add\("([a-z0-9-]+)"\)', CODE))
    flags |= {f"bad-{kind}" for kind in mapping.SIGNALS}
    codes = set(re.findall(r'(?:refuse|Torn)\(\s*"([a-z-]+)"', CODE))
    codes |= set(re.findall(r'refused\(.{0,60}?"([a-z]+-[a-z]+)"', CODE, re.DOTALL))
    codes |= set(re.findall(r'trouble = "([a-z-]+)"', CODE)) | set(re.findall(r'\(\("([a-z-]+)", "a ', CODE))
    assert codes >= {"no-key", "key-conflict", "damaged-parquet", "compression-bomb"}
    assert not [name for name in flags | codes if f"`{name}`" not in text]


def test_every_key_and_field_of_a_mapping_is_listed() -> None:
    text = page("formats/mapping.md")
    for name in (*mapping.FIELDS, *mapping.SIGNALS, *mapping.ABOUT, *mapping.UNITS):
        assert f"`{name}`" in text, name
    for name in mapping.TOP:
        assert f"`{name}`" in text or f"`[{name}]`" in text, name


def test_the_mappings_in_the_page_can_be_used() -> None:
    blocks = re.findall(r"```toml\n(.*?)```", page("formats/mapping.md"), re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        assert mapping.parse(tomllib.loads(block)).licence == "CC0-1.0"
