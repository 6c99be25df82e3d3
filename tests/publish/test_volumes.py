from __future__ import annotations

import pytest

from fonoteca.publish import volumes
from fonoteca.publish.inputs import PublishedPack

pytestmark = pytest.mark.core


def _pack(name: str, volume: str) -> PublishedPack:
    return PublishedPack(name, 0, "head", "free", volume, 16_384, "0" * 64, "0" * 64, 1)


def test_names_run_in_each_tier_and_class() -> None:
    names = volumes.Names(12)
    assert [names.next("head", "free"), names.next("head", "nc"), names.next("head", "free")] == [
        "head-free-0012-01", "head-nc-0012-01", "head-free-0012-02",
    ]  # fmt: skip


def test_only_volumes_with_a_lost_entry_are_re_issued() -> None:
    packs = [_pack("head-a", "old-1"), _pack("head-b", "old-1"), _pack("head-c", "old-2")]
    kept, redacted, new = volumes.reissue(packs, {"head-b": ("f" * 64,)}, volumes.Names(2))
    assert [(k.id, k.volume) for k in kept] == [("head-a", "head-free-0002-01"), ("head-c", "old-2")]
    assert [(r.id, r.revision, r.volume) for r in redacted] == [("head-b", 1, "head-free-0002-01")]
    assert [(v.name, v.replaces) for v in new] == [("head-free-0002-01", "old-1")]
    assert new[0].files == (("head-a", "head-a.r0.tar", 16_384), ("head-b", "head-b.r1.tar", 16_384))


def test_nothing_lost_re_issues_nothing() -> None:
    kept, redacted, new = volumes.reissue([_pack("head-a", "old-1")], {}, volumes.Names(2))
    assert [k.volume for k in kept] == ["old-1"]
    assert (redacted, new) == ([], [])
