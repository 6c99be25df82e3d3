"""Promise T3, small: hostile torrents write nothing outside, and cost little time and memory."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fonoteca.core.errors import TrustFailed
from mirror.world import mirror, served
from simulators.tiny_publication import TinyPublisher

pytestmark = pytest.mark.core
DRIVER = Path(__file__).with_name("hostile.py")
MUTATIONS = 200
SECONDS, MEMORY = 1.0, 256 << 20
NAMES = ["../../canary", "/canary", "..", "con", "a/../../canary", "\x00", "~", "C:\\canary", "." * 300, ""]


def mutated(data: bytes, dice: random.Random) -> bytes:
    """One torrent, made worse: bytes flipped, cut, doubled; numbers made huge or negative; names that climb."""
    way = dice.randrange(7)
    at = dice.randrange(len(data))
    if way == 0:
        return data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :]
    if way == 1:
        return data[:at]
    if way == 2:
        end = min(len(data), at + dice.randrange(1, 200))
        return data[:end] + data[at:end] + data[end:]
    if way == 3:
        number = dice.choice([b"i-1e", b"i0e", b"i9223372036854775807e", b"i99999999999999999999999e", b"i00e"])
        spots = list(re.finditer(rb"i\d+e", data))
        spot = dice.choice(spots) if spots else None
        return data[: spot.start()] + number + data[spot.end() :] if spot else data + number
    if way == 4:
        return b"d4:info" + b"l" * dice.randrange(50, 100_000) + data[at:]
    if way == 5:
        return data[:at] + b"%d:" % dice.choice([10**9, 2**63, 0]) + data[at:]
    name = dice.choice(NAMES).encode()
    spots = list(re.finditer(rb"4:name(\d+):", data))
    if not spots:
        return data
    spot = dice.choice(spots)
    start, length = spot.end(), int(spot[1])
    return data[: spot.start()] + b"4:name%d:" % len(name) + name + data[start + length :]


def offered(folder: Path, home: Path) -> dict[str, Any]:
    """Offer all torrents of a folder to a mirror that saves in ``home/a/b/save``; all around must stay as it is."""
    save = home / "a" / "b" / "save"
    save.mkdir(parents=True)
    (home / "canary").write_text("sings")
    path = os.pathsep.join([str(DRIVER.parent.parent), *sys.path])
    ran = subprocess.run([sys.executable, str(DRIVER), str(folder), str(save)], capture_output=True, text=True,
                         cwd=home / "a", env=os.environ | {"PYTHONPATH": path}, timeout=300)  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-2000:]
    inside = set(save.rglob("*"))
    outside = {p.relative_to(home).as_posix() for p in home.rglob("*") if p not in inside}
    assert outside == {"a", "a/b", "a/b/save", "canary"}
    assert (home / "canary").read_text() == "sings"
    told: dict[str, Any] = json.loads(ran.stdout)
    slow = {name: seconds for name, (_, seconds) in told["fates"].items() if seconds > SECONDS}
    assert not slow
    assert told["grown"] < MEMORY
    return told


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[list[bytes]]:
    with served(tmp_path / "ours") as (publisher, _):
        publisher.trackers = ("http://127.0.0.1:1/announce",)
        publisher.add(60_000, 30_000)
        publisher.add(20_000)
        publisher.publish()
        yield [p.read_bytes() for p in sorted(publisher.layout.torrents.glob("*.torrent"))]


def test_200_mutations_of_our_own_torrents(tmp_path: Path, ours: list[bytes]) -> None:
    dice, folder = random.Random(3), tmp_path / "torrents"
    folder.mkdir()
    for number in range(MUTATIONS):
        (folder / f"{number:03d}").write_bytes(mutated(dice.choice(ours), dice))
    fates = [fate for fate, _ in offered(folder, tmp_path / "home")["fates"].values()]
    assert len(fates) == MUTATIONS
    assert len(set(fates)) > 5, "many kinds of refusals"
    assert fates.count("accepted") < MUTATIONS // 4


@pytest.mark.shared_data
def test_the_torrents_of_others_and_their_mutations(tmp_path: Path, shared_data: Path) -> None:
    dice, folder = random.Random(4), tmp_path / "torrents"
    folder.mkdir()
    others = [p.read_bytes() for p in sorted((shared_data / "torrents").glob("*.torrent"))]
    assert len(others) == 17
    for number, data in enumerate(others):
        (folder / f"whole-{number:02d}").write_bytes(data)
    for number in range(MUTATIONS):
        (folder / f"{number:03d}").write_bytes(mutated(dice.choice(others), dice))
    assert len(offered(folder, tmp_path / "home")["fates"]) == MUTATIONS + 17


CLIMBING = [b"../../up", b"/etc/up", b"..", b"a\\..\\up"]


@pytest.mark.parametrize("name", CLIMBING)
def test_a_signed_torrent_that_climbs_is_refused(tmp_path: Path, name: bytes) -> None:
    """The publisher's own key does not help a torrent that would write elsewhere."""
    home = tmp_path / "home"
    home.mkdir()
    with served(home) as (publisher, server):
        made = publisher.add(40_000)
        old = b"4:name%d:%s" % (len(made.volume), made.volume.encode())
        _swap(publisher, old, b"4:name%d:%s" % (len(name), name))
        publisher.publish()
        before = {p.relative_to(tmp_path) for p in tmp_path.rglob("*")}
        with pytest.raises(TrustFailed):
            mirror(home / "mirror", server.url, publisher.root_json).run()
    inside = {home / "mirror", *(home / "mirror").rglob("*")}
    assert {p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p not in inside} == before
    assert not list((home / "mirror").rglob("*.tar"))


def _swap(publisher: TinyPublisher, old: bytes, new: bytes) -> None:
    """From now on the publisher signs volumes' torrents in which ``new`` stands in the place of ``old``."""
    write = publisher._file

    def swapped(path: Path, name: str, data: bytes) -> Any:
        return write(path, name, data.replace(old, new) if name.endswith(".torrent") else data)

    publisher._file = swapped  # type: ignore[method-assign]
