"""The publication's files, as a mirror and a web seed ask for them; and no byte besides (PROMISES S6)."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from simulators.browser import ask
from simulators.tiny_edition import Published

pytestmark = pytest.mark.core
CANARY = b"canary-51d2 this must never leave the store"


def test_every_file_of_the_publication_is_served_whole(app: Any, published: Published) -> None:
    files = [p for p in published.layout.root.rglob("*") if p.is_file()]
    assert len(files) > 15
    for path in files:
        answer = ask(app, "/" + quote(path.relative_to(published.layout.root).as_posix()))
        assert (answer.status, answer.body) == (200, path.read_bytes()), path
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_web_seed_reads_pieces_of_a_pack(app: Any, published: Published) -> None:
    address = f"/packs/{published.volume}/{published.pack_file.name}"
    data = published.pack_file.read_bytes()
    answer = ask(app, address, {"range": "bytes=16384-32767"})
    assert (answer.status, answer.body) == (206, data[16384:32768])
    assert answer.headers["content-type"] == "application/x-tar"


def test_types(app: Any, published: Published) -> None:
    for address, mime in {
        f"/torrents/{published.volume}.torrent": "application/x-bittorrent",
        "/editions/0001/snapshot/recordings.parquet": "application/vnd.apache.parquet",
        "/editions/0001/CREDITS.md": "text/markdown; charset=utf-8", "/metadata/timestamp.json": "application/json",
    }.items():  # fmt: skip
        assert ask(app, address).headers["content-type"] == mime


def test_what_lies_in_the_folders_and_is_not_of_the_publication_is_not_served(app: Any, published: Published) -> None:
    root = published.layout.root
    for path in (
        root / "editions/0001/notes.txt", root / "metadata/secret.txt", root / "metadata/.hidden.json",
        root / "packs" / published.volume / "other.tar", root / "torrents/x.torrent.partial", root / "stray.json",
        root / "packs/stray.tar", root / "metadata/sub/x.json", root / "editions/0002/edition.json.partial",
    ):  # fmt: skip
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(CANARY)
        answer = ask(app, "/" + path.relative_to(root).as_posix())
        assert answer.status == 404 and CANARY not in answer.body


def test_the_v1_twin_of_a_torrent_is_served(app: Any, published: Published) -> None:
    path = published.layout.torrents / "v1" / f"{published.volume}.torrent"
    path.parent.mkdir()
    path.write_bytes(b"d4:infod4:name4:testee")
    for folder in ("v2", "v1/v1"):
        stray = published.layout.torrents / folder / "x.torrent"
        stray.parent.mkdir()
        stray.write_bytes(CANARY)
        assert ask(app, f"/torrents/{folder}/x.torrent").status == 404
    answer = ask(app, f"/torrents/v1/{path.name}")
    assert (answer.status, answer.body) == (200, path.read_bytes())
    assert answer.headers["content-type"] == "application/x-bittorrent"
    assert {ask(app, f"/torrents/{name}").status for name in ("v1", "v1/", "v1/../x", "v1/%2e%2e/x")} == {404}


def test_links_lead_nowhere(app: Any, published: Published, tmp_path: Path) -> None:
    canary = tmp_path / "canary.json"
    canary.write_bytes(CANARY)
    (published.layout.metadata / "link.json").symlink_to(canary)
    listed = published.layout.edition(1) / "CREDITS.md"
    listed.unlink()
    listed.symlink_to(canary)
    published.pack_file.unlink()
    published.pack_file.symlink_to(canary)
    for address in (
        "/metadata/link.json", "/editions/0001/CREDITS.md", f"/packs/{published.volume}/{published.pack_file.name}",
    ):  # fmt: skip
        answer = ask(app, address)
        assert answer.status == 404 and CANARY not in answer.body


def _encoded(path: str, chance: random.Random) -> str:
    ways = {
        ".": [".", "%2e", "%2E", "%252e", "%c0%ae", "%u002e"],
        "/": ["/", "%2f", "%2F", "%5c", "\\", "%5C", "//", "/./", "%252f", "%c0%af", ";/"],
    }  # fmt: skip
    return "".join(chance.choice(ways[c]) if c in ways else c for c in path)


def test_two_thousand_ways_to_leave_the_store(app: Any, published: Published, tmp_path: Path) -> None:
    archive = published.layout.root.parent
    targets = []
    for name in ("canary.txt", "fonoteca.toml", "keys/root.json", "holdings/holdings.jsonl", "blobs/ab/cd.json"):
        path = archive / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(CANARY)
        targets.append(path)
    (tmp_path / "canary.json").write_bytes(CANARY)
    targets.append(tmp_path / "canary.json")
    starts = [
        "metadata", "withdrawals", "live", "editions", "editions/0001", "torrents", "packs",
        f"packs/{published.volume}",
        "static", "audio", "recording", "release", "artist", "",
    ]  # fmt: skip
    chance = random.Random(6)
    tried = set()
    while len(tried) < 2000:
        start, target = chance.choice(starts), chance.choice(targets)
        base = published.layout.root / start
        goal = chance.choice([os.path.relpath(target, base), str(target), "../" * chance.randint(1, 9) + target.name])
        tried.add(
            "/" + start + "/" + _encoded(goal, chance) + chance.choice(["", "%00", "%00.json", "?", "#", ".json"])
        )
    for address in sorted(tried):
        answer = ask(app, address)
        assert CANARY not in answer.body, address
        assert answer.status in {404, 405, 400}, (address, answer.status)
        assert str(archive) not in answer.text.replace(str(archive), "", 0) or answer.status == 404
