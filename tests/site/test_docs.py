"""docs/reference/http-api.md names every route and every route it names is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.core
PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "http-api.md"


def test_every_route_is_documented_and_every_documented_route_exists(app: Any) -> None:
    told = set(re.findall(r"^### `(?:GET )(/[^`]*)`", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    have = {route.path.replace("{path:path}", "{path}") for route in app.routes}
    assert told == have
