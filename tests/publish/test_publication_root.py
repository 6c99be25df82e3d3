"""The publication root: which files it has after a first and after a second edition (docs/formats/publication.md)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from fonoteca.core.ids import Kind, show_id
from fonoteca.core.layout import ArchiveLayout
from harness import ok
from simulators.small_archive import fresh

pytestmark = pytest.mark.core

# Packs and torrents are ours to the byte; tables depend on the Parquet library, metadata on this archive's keys.
_OURS = (".tar", ".torrent")


def tree(root: Path) -> bytes:
    """Each file with its digest where the format fixes every byte of it."""
    lines = []
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        fixed = path.suffix in _OURS and "parquet" not in path.name
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if fixed else "-"
        lines.append(f"{path.relative_to(root).as_posix()} {digest}")
    return "\n".join(lines).encode() + b"\n"


def test_the_root_of_two_editions_is_the_golden_one(tmp_path: Path, golden: Callable[[str, bytes], None]) -> None:
    archive = fresh(tmp_path / "archive")
    ok("publish", cwd=archive)
    root = ArchiveLayout(archive).publication.root
    golden("publication/first.txt", tree(root))
    shown = ok("sql", "SELECT recording FROM holdings ORDER BY path LIMIT 1", "--json", cwd=archive).json["rows"]

    ok("rights", "withdraw", show_id(Kind.RECORDING, shown[0]["recording"]), "--reason", "asked for", cwd=archive)
    ok("publish", cwd=archive)
    golden("publication/second.txt", tree(root))
