"""Fixtures that all tests share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


GOLDENS = REPOSITORY / "tests" / "goldens"


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--rewrite-goldens``: write the golden files anew instead of comparing with them."""
    parser.addoption("--rewrite-goldens", action="store_true", help="write tests/goldens anew, then look at the diff")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, bytes], None]:
    """``golden("pack/three.r0.tar", data)``: the bytes must be those of the file under ``tests/goldens``."""
    rewrite = bool(request.config.getoption("--rewrite-goldens"))

    def compare(name: str, data: bytes) -> None:
        path = GOLDENS / name
        if rewrite:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        assert path.is_file(), f"no golden file {name}: pytest --rewrite-goldens makes it"
        assert path.read_bytes() == data, f"{name} is not what it was: docs/formats must say why"

    return compare


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
