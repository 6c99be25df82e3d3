"""The page about the tables names every table and every column that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fonoteca.catalogue.query import PUBLISHED_VIEWS, VIEWS
from fonoteca.catalogue.tables import FACTS, PROVENANCE

pytestmark = pytest.mark.core
DOCS = Path(__file__).resolve().parents[2] / "docs"


def sections(text: str) -> dict[str, list[str]]:
    """Table → columns, of the page's tables."""
    found: dict[str, list[str]] = {}
    for part in re.split(r"^### ", text, flags=re.MULTILINE)[1:]:
        name = re.match(r"`(\w+)`", part)
        assert name is not None
        found[name.group(1)] = re.findall(r"^\| `(\w+)` \|", part, flags=re.MULTILINE)
    return found


def test_every_view_stands_there_with_its_columns_in_order() -> None:
    told = sections((DOCS / "reference" / "database-schema.md").read_text(encoding="utf-8"))
    expected = {
        name: [c for c in schema.names if c not in {"source", "dump", "position"}] for name, schema in VIEWS.items()
    }
    assert told == expected


def test_published_tables_stand_there_with_their_columns() -> None:
    text = (DOCS / "reference" / "database-schema.md").read_text(encoding="utf-8")
    for name, schema in PUBLISHED_VIEWS.items():
        line = next(ln for ln in text.splitlines() if ln.startswith(f"- `{name}`"))
        assert re.findall(r"`(\w+)`", line)[1:][: len(schema.names)] == schema.names


def test_fact_tables_stand_in_the_format_with_their_columns() -> None:
    text = (DOCS / "formats" / "generation.md").read_text(encoding="utf-8")
    for name, schema in FACTS.items():
        line = next(ln for ln in text.splitlines() if ln.startswith(f"| `{name}` | `"))
        assert re.findall(r"`(\w+)`", line)[1:] == [c for c in schema.names if c not in PROVENANCE]
