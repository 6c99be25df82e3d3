from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from fonoteca.core.layout import PublicationLayout
from fonoteca.formats import metainfo
from fonoteca.formats.torrents import TorrentInfo
from fonoteca.publish import torrents
from fonoteca.publish.torrents import Addresses
from fonoteca.publish.volumes import Volume
from packing import PIECE, content, torrent_file

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


def test_a_torrent_is_stored_with_its_twin_and_described_with_it(tmp_path: Path) -> None:
    publication = PublicationLayout(tmp_path)
    files = [torrent_file(("a.r0.tar",), content(PIECE, "a"))]
    made = metainfo.hybrid("v", files, PIECE, trackers=["http://t.example/a"], web_seeds=["http://w.example/packs/"])
    refs = torrents.store(publication, made)
    assert [ref.path for ref in refs] == ["torrents/v.torrent", "torrents/v1/v.torrent"]
    for ref in refs:
        assert hashlib.sha256((tmp_path / ref.path).read_bytes()).hexdigest() == ref.sha256
    metainfo.check_twin(made, (tmp_path / refs[1].path).read_bytes())
    info = torrents.describe(made, _info("v", "head"))
    assert (info.path, info.v1_path) == (refs[0].path, refs[1].path)
    assert (info.v1_infohash, info.v1_magnet) == (metainfo.twin_infohash(made), metainfo.twin_magnet(made))
    before = [(tmp_path / ref.path).stat().st_mtime_ns for ref in refs]
    assert torrents.store(publication, made) == refs
    assert [(tmp_path / ref.path).stat().st_mtime_ns for ref in refs] == before


@pytest.mark.parametrize("base", ["https://a.example/pub", "https://a.example/pub/", "https://a.example/pub//"])
def test_web_seeds_are_addresses_of_the_publication(base: str) -> None:
    at = Addresses(base)
    assert at.folder_seeds() == ("https://a.example/pub/packs/",)
    assert at.file_seeds("editions/0001/x.parquet") == ("https://a.example/pub/editions/0001/x.parquet",)


def test_without_an_address_there_is_no_web_seed() -> None:
    assert Addresses().folder_seeds() == Addresses().file_seeds("x") == ()
