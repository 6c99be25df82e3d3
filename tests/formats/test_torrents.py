from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fonoteca.core import canonical
from fonoteca.core.errors import Damaged, Failed
from fonoteca.formats.torrents import TorrentInfo, encode, parse

pytestmark = pytest.mark.core

VOLUME = TorrentInfo(
    "head-free-0001-01", "torrents/head-free-0001-01.torrent", "packs/head-free-0001-01", "volume", "a" * 40, "b" * 64,
    "magnet:?xt=urn:btih:" + "a" * 40, 16_384, 1, "head", "free", ("head-0123456789abcdef",),
    0.5, ("CC0-1.0",), 1, None,
    ("http://127.0.0.1/packs/",), ("http://127.0.0.1/announce",),
)  # fmt: skip


def _changed(**fields: Any) -> bytes:
    value = json.loads(encode([VOLUME], 1))
    value["torrents"][0] |= fields
    return canonical.encode(value)


def test_round_trip() -> None:
    gone = replace(VOLUME, name="old", superseded_by=VOLUME.name)
    assert parse(encode([VOLUME, gone], 3)) == [VOLUME, gone]
    assert VOLUME.current
    assert not gone.current


def test_all_fields_of_the_format_are_there() -> None:
    assert set(VOLUME.as_json()) >= {
        "name", "infohash_v1", "infohash_v2", "magnet", "bytes", "files", "tier", "class", "packs", "coverage",
        "licences", "added", "superseded_by", "web_seeds", "trackers",
    }  # fmt: skip


def test_unknown_fields_survive() -> None:
    (torrent,) = parse(_changed(later=[1]))
    assert torrent.extra == {"later": [1]}
    assert encode([torrent], 1) == _changed(later=[1])


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "a/b"}, {"name": ".."}, {"path": "../a"}, {"content": "/packs"}, {"infohash_v1": "a" * 39},
        {"infohash_v2": "B" * 64}, {"bytes": -1}, {"bytes": "1"}, {"coverage": 1.5}, {"coverage": True},
        {"packs": "head"}, {"packs": [1]}, {"superseded_by": 1}, {"class": None}, {"tier": 5}, {"web_seeds": None},
    ],
    ids=str,
)  # fmt: skip
def test_what_breaks_a_rule_is_damage(fields: dict[str, Any]) -> None:
    with pytest.raises(Damaged) as refused:
        parse(_changed(**fields))
    assert refused.value.code == "bad-torrents"


def test_two_torrents_of_one_name_are_refused() -> None:
    with pytest.raises(Damaged, match="one name"):
        parse(encode([VOLUME, replace(VOLUME, name=VOLUME.name.upper())], 1))


def test_a_newer_format_is_refused_with_a_sentence() -> None:
    data = canonical.encode(json.loads(encode([VOLUME], 1)) | {"format": 2})
    with pytest.raises(Failed) as refused:
        parse(data)
    assert refused.value.code == "newer-format"


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"torrents":[1],"format":1}', b'{"torrents":{},"format":1}'])
def test_noise_is_damage(data: bytes) -> None:
    with pytest.raises(Damaged):
        parse(data)


def test_golden_torrents(golden: Callable[[str, bytes], None]) -> None:
    table = replace(VOLUME, name="fonoteca-0002-artists.parquet", path="torrents/fonoteca-0002-artists.parquet.torrent",
                    content="editions/0002/snapshot/artists.parquet", kind="snapshot", tier="metadata", packs=(),
                    coverage=0.0, added=2)  # fmt: skip
    gone = replace(VOLUME, name="tail-nc-0001-01", path="torrents/tail-nc-0001-01.torrent", tier="tail",
                   content="packs/tail-nc-0001-01", permit_class="nc", superseded_by="tail-nc-0002-01")  # fmt: skip
    twin = replace(VOLUME, v1_path="torrents/v1/head-free-0001-01.torrent", v1_infohash="c" * 40,
                   v1_magnet="magnet:?xt=urn:btih:" + "c" * 40)  # fmt: skip
    golden("edition/torrents.json", encode([table, twin, gone], 2))
    assert parse(encode([table, twin, gone], 2)) == [table, twin, gone]


@pytest.mark.parametrize(
    "fields",
    [
        {"v1_path": "torrents/v1/a.torrent"},
        {"v1_path": "../a", "v1_infohash": "a" * 40, "v1_magnet": ""},
        {"v1_path": "a", "v1_infohash": "a" * 64, "v1_magnet": ""},
    ],
    ids=["alone", "path_leaves", "long_hash"],
)
def test_half_a_twin_is_damage(fields: dict[str, Any]) -> None:
    with pytest.raises(Damaged):
        parse(_changed(**fields))
