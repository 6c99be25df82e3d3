"""What is installed is whole: every file that is no module is named as package data."""

from __future__ import annotations

import fnmatch
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.core

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "fonoteca"


def test_every_data_file_goes_into_the_wheel() -> None:
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["package-data"]
    globs = [f"{package.replace('.', '/')}/{pattern}" for package, listed in patterns.items() for pattern in listed]
    data = [
        path.relative_to(SOURCE.parent).as_posix()
        for path in SOURCE.rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc"} and not any(p.startswith(".") for p in path.parts)
    ]
    assert any(name.endswith("tunes.abc") for name in data)
    left = [name for name in data if not any(fnmatch.fnmatch(name, glob) for glob in globs)]
    assert not left, f"in no package-data: {left}"


def test_no_pattern_of_package_data_is_empty() -> None:
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["package-data"]
    for package, listed in patterns.items():
        folder = SOURCE.parent / package.replace(".", "/")
        assert all(list(folder.glob(pattern)) for pattern in listed), package
