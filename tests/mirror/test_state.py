"""Journal, status and settings of a mirror, as docs/formats/mirror.md fixes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from fonoteca.core.layout import MirrorLayout
from fonoteca.mirror import publisher as publishers
from fonoteca.mirror import state
from fonoteca.mirror.courier import Options
from fonoteca.mirror.publisher import Publisher
from fonoteca.mirror.state import Entry, Journal
from mirror.world import run, served
from simulators.tiny_publication import TinyPublisher

pytestmark = pytest.mark.core
ENTRY = Entry(
    "head-0123456789abcdef.r0", "head-free-0001-01", "ab" * 32, 268_435_456, "torrent", "2026-11-24T12:00:00Z"
)


def test_golden_files(tmp_path: Path, golden: Callable[[str, bytes], None]) -> None:
    layout = MirrorLayout(tmp_path)
    publishers.save(layout, Publisher("https://archive.example/publication", "archive.example", "cd" * 32))
    golden("mirror/mirror.toml", layout.settings.read_bytes())
    assert publishers.load(layout).name == "archive.example"
    Journal(layout).add(ENTRY)
    golden("mirror/journal.jsonl", (layout.state / "journal.jsonl").read_bytes())
    state.note(layout, disk=2 * 10**12, edition=1, refreshed="2026-11-24T12:00:00Z", expires="2026-12-01T12:00:00Z",
               failed=None, failure=None)  # fmt: skip
    golden("mirror/status.json", (layout.state / "status.json").read_bytes())


def test_a_torn_or_damaged_line_costs_a_hashing_and_no_more(tmp_path: Path) -> None:
    layout = MirrorLayout(tmp_path)
    Journal(layout).add(ENTRY)
    path = layout.state / "journal.jsonl"
    path.write_bytes(b'{"pack": 1\n{"other": "fields"}\n' + path.read_bytes() + b'{"pack": "torn')
    journal = Journal(layout)
    assert journal.get(ENTRY.pack) == ENTRY
    journal.add(ENTRY)
    assert path.read_bytes().count(b"torn") == 0


def test_the_journal_forgets_what_is_gone(tmp_path: Path) -> None:
    layout = MirrorLayout(tmp_path)
    journal = Journal(layout)
    for name in ("a.r0", "b.r0", "a.r0"):
        journal.add(Entry(name, "v", "ab" * 32, 1, "http", ENTRY.at))
    journal.compact({"a.r0": None})
    assert [json.loads(line)["pack"] for line in (layout.state / "journal.jsonl").read_bytes().splitlines()] == ["a.r0"]
    assert Journal(layout).get("b.r0") is None


def test_damaged_status_is_none(tmp_path: Path) -> None:
    layout = MirrorLayout(tmp_path)
    for data in (b"", b"[]", b"{", b"\xff"):
        layout.state.mkdir(exist_ok=True)
        (layout.state / "status.json").write_bytes(data)
        assert state.status(layout) == {}


@pytest.mark.parametrize("lost", ["state", "partial"])
def test_a_lost_state_folder_costs_a_hashing_and_no_download(tmp_path: Path, lost: str) -> None:
    import shutil

    with served(tmp_path) as (publisher, server):
        publisher.add(60_000)
        publisher.publish()
        http = Options(transport="http")
        run(tmp_path / "mirror", server.url, publisher.root_json, options=http)
        shutil.rmtree(tmp_path / "mirror" / lost, ignore_errors=True)
        server.requests.clear()
        summary = run(tmp_path / "mirror", server.url, publisher.root_json, options=http)
        assert (summary.packs, summary.verified, summary.fetched) == (1, 1, 0)
        assert not server.asked("packs/*")


def test_a_damaged_pack_without_a_journal_line_is_mended(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        made = publisher.add(200_000)
        publisher.publish()
        http = Options(transport="http")
        run(tmp_path / "mirror", server.url, publisher.root_json, options=http)
        path = damage(tmp_path, publisher)
        (tmp_path / "mirror/state/journal.jsonl").unlink()
        summary = run(tmp_path / "mirror", server.url, publisher.root_json, options=http)
        assert summary.fetched == 16_384
        assert path.read_bytes() == (tmp_path / "publication/packs" / made.volume / made.file).read_bytes()


def damage(tmp_path: Path, publisher: TinyPublisher) -> Path:
    made = publisher.packs[0]
    path = tmp_path / "mirror/publication/packs" / made.volume / made.file
    data = bytearray(path.read_bytes())
    data[40_000] ^= 1
    path.write_bytes(bytes(data))
    return path


@pytest.mark.parametrize(
    "junk", ['{"expires":"x","disk":"y","edition":true}', '{"expires":7,"refreshed":null,"disk":-1}']
)
def test_what_is_damaged_in_the_status_counts_as_not_noted(tmp_path: Path, junk: str) -> None:
    layout = MirrorLayout(tmp_path)
    state.note(layout, failure="stalled")
    (layout.state / "status.json").write_text(junk[:-1] + ',"failure":"stalled"}')
    assert state.status(layout) == {"failure": "stalled"}
