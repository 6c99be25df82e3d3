"""Leaves check themselves against the root."""

from __future__ import annotations

from pathlib import Path

import pytest

from fonoteca.core.fixity import Digester
from fonoteca.formats import leaves

pytestmark = pytest.mark.core


def test_what_was_stored_is_loaded_only_for_its_root(tmp_path: Path) -> None:
    digester = Digester()
    digester.update(b"x" * 100_000)
    root = digester.finish().merkle_root
    leaves.store(tmp_path, leaves.pack_name("head-0", 1), digester.leaves)
    path = tmp_path / "packs" / "head-0.r1.tar.leaves"
    before = path.stat().st_mtime_ns
    leaves.store(tmp_path, leaves.pack_name("head-0", 1), digester.leaves)
    assert path.stat().st_mtime_ns == before
    assert leaves.load(tmp_path, "packs/head-0.r1.tar.leaves", root) == digester.leaves
    assert leaves.load(tmp_path, "packs/head-0.r1.tar.leaves", "00" * 32) is None
    assert leaves.load(tmp_path, "packs/other", root) is None


def test_each_damage_is_told(tmp_path: Path) -> None:
    digester = Digester()
    digester.update(b"x" * 100_000)
    root = digester.finish().merkle_root
    leaves.store(tmp_path, "a", digester.leaves)
    data = (tmp_path / "a").read_bytes()
    for changed in (data[:-1], data[:-32], data + bytes(32), bytes([data[0] ^ 1]) + data[1:], b""):
        (tmp_path / "a").write_bytes(changed)
        assert leaves.load(tmp_path, "a", root) is None


def test_what_is_kept_is_read_when_it_is_looked_at(tmp_path: Path) -> None:
    digester = Digester()
    digester.update(b"x" * 100_000)
    root = digester.finish().merkle_root
    leaves.store(tmp_path, "a", digester.leaves)
    kept = leaves.kept(tmp_path, "a", root)
    assert kept is not None
    assert (len(kept), kept[0], kept[1:], list(kept)) == (
        len(digester.leaves), digester.leaves[0], digester.leaves[1:], digester.leaves,
    )  # fmt: skip
    assert leaves.kept(tmp_path, "a", "00" * 32) is None
    assert leaves.kept(tmp_path, "b", root) is None
