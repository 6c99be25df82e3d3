from __future__ import annotations

from dataclasses import replace

import pytest

from fonoteca.formats.torrents import TorrentInfo
from fonoteca.publish import torrents
from fonoteca.publish.torrents import Addresses
from fonoteca.publish.volumes import Volume

pytestmark = pytest.mark.core


def _info(name: str, tier: str, coverage: float = 0.0, kind: str = "volume") -> TorrentInfo:
    return replace(torrents.template(kind, f"packs/{name}", tier, "free", 1), name=name, coverage=coverage)


def _volume(name: str, replaces: str | None) -> Volume:
    return Volume(name, "head", "free", (), replaces)


def test_metadata_first_then_audio_by_popularity_then_what_is_gone() -> None:
    listed = [
        _info("unheard", "unheard"), _info("gone", "head", 0.9), _info("mid", "mid", 0.4), _info("b", "metadata"),
        _info("head-2", "head", 0.1), _info("head-1", "head", 0.3), _info("tail", "tail"), _info("a", "metadata"),
    ]  # fmt: skip
    listed[1] = replace(listed[1], superseded_by="head-2")
    assert [t.name for t in torrents.in_order(listed)] == [
        "a", "b", "head-1", "head-2", "mid", "tail", "unheard", "gone",
    ]  # fmt: skip


def test_a_chain_of_successors_leads_from_the_oldest_to_the_current_one() -> None:
    one, other, table = _info("v1", "head"), _info("w1", "head"), _info("t", "metadata", kind="snapshot")
    second = torrents.superseded([table, one, other], [_volume("v2", "v1")])
    assert [(t.name, t.superseded_by) for t in second] == [("v1", "v2")]
    third = torrents.superseded([*second, other, _info("v2", "head")], [_volume("v3", "v2"), _volume("x", None)])
    assert [(t.name, t.superseded_by) for t in third] == [("v1", "v2"), ("v2", "v3")]


@pytest.mark.parametrize("base", ["https://a.example/pub", "https://a.example/pub/", "https://a.example/pub//"])
def test_web_seeds_are_addresses_of_the_publication(base: str) -> None:
    at = Addresses(base)
    assert at.folder_seeds() == ("https://a.example/pub/packs/",)
    assert at.file_seeds("editions/0001/x.parquet") == ("https://a.example/pub/editions/0001/x.parquet",)


def test_without_an_address_there_is_no_web_seed() -> None:
    assert Addresses().folder_seeds() == Addresses().file_seeds("x") == ()
