"""Fixtures that all tests share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real catalogues and music beside the checkout; skips, saying so, where it is not there."""
    named = os.environ.get("FONOTECA_SHARED_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if not (folder / "README.md").is_file():
        pytest.skip(f"no shared data at {folder}")
    return folder


@pytest.fixture(scope="session")
def need_tool() -> Callable[[str], str]:
    """The path of a program that scripts/test-tools installs: skips where it is missing, fails when CI=true."""

    def find(name: str) -> str:
        found = shutil.which(name)
        if found is None and os.environ.get("CI") == "true":
            pytest.fail(f"{name} is missing: scripts/test-tools should have installed it")
        if found is None:
            pytest.skip(f"{name} is missing: run scripts/test-tools")
        return found

    return find
