"""Whom a mirror mirrors: the file that says so, and a publisher that moves."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from fonoteca.core.errors import Usage
from fonoteca.core.layout import MirrorLayout
from fonoteca.mirror import publisher as publishers
from fonoteca.mirror.publisher import Publisher

pytestmark = pytest.mark.core

ROOT = b'{"signed": {"_type": "root"}}'
DIGEST = hashlib.sha256(ROOT).hexdigest()
OLD, NEW = "https://old.example/publication", "https://new.example:8443/p"


def begun(folder: Path) -> MirrorLayout:
    layout = MirrorLayout(folder)
    assert publishers.save(layout, publishers.prepare(layout, OLD, ROOT)) is None
    return layout


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    layout = begun(tmp_path)
    assert publishers.load(layout) == Publisher(OLD, "old.example", DIGEST)
    assert publishers.root_file(layout, publishers.load(layout)) == ROOT


def test_saved_again_nothing_is_written(tmp_path: Path) -> None:
    layout = begun(tmp_path)
    before = layout.settings.stat().st_mtime_ns
    assert publishers.save(layout, publishers.prepare(layout, OLD + "/", ROOT)) is None
    assert layout.settings.stat().st_mtime_ns == before


def test_the_same_root_elsewhere_is_a_publisher_that_moved(tmp_path: Path) -> None:
    layout = begun(tmp_path)
    moved = publishers.prepare(layout, NEW, ROOT)
    assert moved == Publisher(NEW, "old.example", DIGEST)
    assert publishers.load(layout).url == OLD, "before the new address was accepted, nothing is changed"
    assert publishers.save(layout, moved) == OLD
    assert publishers.load(layout) == moved
    assert [p.name for p in layout.trust.iterdir()] == ["old.example"]


@pytest.mark.parametrize("quote", ['"', "'"])
def test_only_the_address_is_changed_in_a_file_that_people_wrote_in(tmp_path: Path, quote: str) -> None:
    layout = begun(tmp_path)
    text = (
        "# ours\r\n[mirror]\r\ndisk = '2TB'   # url = 'no'\r\n[publisher]\r\n  url   =  {0}{1}{0}  # slow\r\n"
        "root_sha256 = '{2}'\r\nname = 'old.example'\r\n"
    )
    layout.settings.write_bytes(text.format(quote, OLD, DIGEST).encode())
    publishers.save(layout, publishers.prepare(layout, NEW, ROOT))
    assert layout.settings.read_bytes() == text.format('"', NEW, DIGEST).encode()


def test_an_address_that_cannot_be_changed_is_left_with_a_remedy(tmp_path: Path) -> None:
    layout = begun(tmp_path)
    text = f"publisher = {{ name = 'old.example', url = '{OLD}', root_sha256 = '{DIGEST}' }}\n"
    layout.settings.write_text(text)
    with pytest.raises(Usage) as caught:
        publishers.save(layout, publishers.prepare(layout, NEW, ROOT))
    assert NEW in caught.value.remedy
    assert layout.settings.read_text() == text


def test_another_root_is_another_publisher(tmp_path: Path) -> None:
    layout = begun(tmp_path)
    for url, root, name in ((OLD, ROOT + b" ", None), (NEW, ROOT + b" ", None), (NEW, ROOT, "new.example")):
        with pytest.raises(Usage) as caught:
            publishers.prepare(layout, url, root, name)
        assert caught.value.code == "other-publisher"
    assert publishers.load(layout) == Publisher(OLD, "old.example", DIGEST)
    assert [p.name for p in layout.trust.iterdir()] == ["old.example"]
