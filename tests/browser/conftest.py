"""One archive for all tests of the browser; for each module a new Chromium."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from browser.visit import Visits
from browser.world import World, opened

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install -e '.[dev]'")

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync",
    "--disable-component-update", "--disable-quic", "--autoplay-policy=no-user-gesture-required", "--mute-audio",
]  # fmt: skip


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The archive, served and seeded."""
    with opened(tmp_path_factory.mktemp("browsed")) as made:
        yield made


# Not for the session: Playwright keeps an event loop in this thread, which the tests of other folders must not meet.
@pytest.fixture(scope="module")
def chromium(need_tool: Callable[[str], str]) -> Iterator[object]:
    """A Chromium with a new profile."""
    path = need_tool("chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visits(chromium: object, world: World) -> Iterator[Visits]:
    """Opens visits; at the end none may have asked anybody else for anything, or have met an error."""
    made = Visits(chromium, world)
    yield made
    made.close()
    assert made.strangers == []
    assert made.complaints == []


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """Where pictures of the pages go: the folder that FONOTECA_SHOTS names; None without it."""
    named = os.environ.get("FONOTECA_SHOTS")
    if not named:
        return None
    folder = Path(named)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core."""
    package = pytest.importorskip("axe_playwright_python", reason="axe is missing: pip install -e '.[dev]'")
    return (Path(package.__file__).parent / "axe.min.js").read_text("utf-8")
