from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from fonoteca.core.clock import FixedClock
from fonoteca.site.app import SiteData, create_app
from simulators.tiny_edition import Published, publish
from simulators.tiny_site import PIECES

CLOCK = FixedClock(datetime.datetime(2026, 11, 24, 12, tzinfo=datetime.UTC))


@pytest.fixture
def published(tmp_path: Path) -> Published:
    return publish(tmp_path / "archive" / "publication", PIECES, withheld={"Secret": "conflicting-claims"})


@pytest.fixture
def data(published: Published, tmp_path: Path) -> SiteData:
    return SiteData(published.layout, tmp_path / "archive" / "search", CLOCK, "The Test Archive")


@pytest.fixture
def app(data: SiteData) -> object:
    return create_app(data)
