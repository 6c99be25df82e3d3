"""Fixtures that all tests share."""

from __future__ import annotations

import os
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
