"""The mirror commands as they are typed: results, exit codes, remedies."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from fonoteca.core.clock import FixedClock
from fonoteca.core.lock import one_writer
from fonoteca.mirror.seed import Seeder
from harness import START, Ran, fonoteca, ok
from mirror.world import served, tree
from simulators import small_archive
from simulators.edition_server import EditionServer, Fault
from simulators.tiny_publication import TinyPublisher

pytestmark = pytest.mark.core


class Scene:
    def __init__(self, tmp_path: Path, publisher: TinyPublisher, server: EditionServer) -> None:
        self.folder = tmp_path
        self.publisher = publisher
        self.server = server
        self.root = tmp_path / "root.json"
        self.root.write_bytes(publisher.root_json)

    def add(self) -> Ran:
        return ok("--archive", "m", "mirror", "add", self.server.url, "--root", self.root, "--json", cwd=self.folder)

    def ok(self, *words: str | Path) -> Ran:
        return ok("--archive", "m", "mirror", *words, "--json", cwd=self.folder)

    def fails(self, *words: str | Path, archive: str = "m") -> Ran:
        ran = fonoteca("--archive", archive, "mirror", *words, "--json", cwd=self.folder)
        assert ran.code != 0
        error = ran.json
        assert error["message_type"] == "error"
        assert error["exit"] == ran.code
        assert error["what"]
        assert error["why"]
        assert error["remedy"]
        assert "Traceback" not in ran.stderr
        return ran


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with served(tmp_path) as (publisher, server):
        publisher.add(60_000, coverage=0.4)
        publisher.add(50_000, coverage=0.2)
        publisher.publish()
        yield Scene(tmp_path, publisher, server)


def test_add_plan_run_status(scene: Scene) -> None:
    added = scene.add().json
    assert added["edition"] == 1
    plan = scene.ok("plan", "--disk", "2MB").json
    assert (plan["edition"], plan["budget"]) == (1, 2_000_000)
    assert plan["bytes"] <= 2_000_000
    assert [p["action"] for p in plan["packs"]] == ["fetch", "fetch"]
    assert set(plan["packs"][0]) >= {"pack", "bytes", "coverage", "copies", "action"}
    assert plan["coverage"] == pytest.approx(0.6)
    done = scene.ok("run", "--once")  # The budget is the one that was planned last.
    assert done.json["message_type"] == "summary"
    assert (done.json["edition"], done.json["packs"], done.json["verified"]) == (1, 2, 2)
    assert set(done.json["bytes"]) == {"held", "fetched", "reused"}
    assert done.json["bytes"]["fetched"] == done.json["bytes"]["held"] > 0
    assert [item["how"] for item in done.items()] == ["http", "http"]
    status = scene.ok("status").json
    assert (status["edition"], status["packs"], status["offered"]) == (1, 2, 2)
    assert status["bytes"]["allocated"] <= status["budget"] == 2_000_000
    assert (status["serving"], status["stale_since"], status["failure"]) == (True, None, None)
    again = scene.ok("run", "--once").json
    assert again["bytes"] == {"held": done.json["bytes"]["held"], "fetched": 0, "reused": done.json["bytes"]["held"]}


def test_the_same_words_for_a_person(scene: Scene) -> None:
    lines = ok("--archive", "m", "mirror", "add", scene.server.url, "--root", scene.root, cwd=scene.folder).stdout
    assert "edition 1" in lines
    assert "fetch: 2 packs" in ok("--archive", "m", "mirror", "plan", "--disk", "2MB", cwd=scene.folder).stdout
    assert "2 packs held" in ok("--archive", "m", "mirror", "run", "--once", cwd=scene.folder).stdout
    assert "2 of 2 packs" in ok("--archive", "m", "mirror", "status", cwd=scene.folder).stdout


def test_run_over_bittorrent_from_a_peer(scene: Scene) -> None:
    scene.add()
    with Seeder(scene.publisher.layout) as seeder:
        peer = f"127.0.0.1:{seeder.port}"
        done = scene.ok("run", "--once", "--disk", "2MB", "--transport", "torrent", "--peer", peer)
    assert done.json["packs"] == 2
    assert [item["how"] for item in done.items()] == ["torrent", "torrent"]


def test_adding_twice_is_no_mistake(scene: Scene) -> None:
    scene.add()
    scene.add()


def test_wrong_root_is_exit_12_and_leaves_no_mirror(scene: Scene, tmp_path: Path) -> None:
    other = TinyPublisher(tmp_path / "other", tmp_path / "other-keys")
    other.publish()
    (tmp_path / "wrong.json").write_bytes(other.root_json)
    ran = scene.fails("add", scene.server.url, "--root", tmp_path / "wrong.json")
    assert (ran.code, ran.json["code"]) == (12, "trust-signature")
    assert scene.fails("status").code == 10
    scene.add()


@pytest.mark.parametrize("junk", [b"", b"not json", b"[]", b'{"signed": {"_type": "targets"}}'])
def test_a_root_that_is_none_is_exit_2(scene: Scene, junk: bytes) -> None:
    scene.root.write_bytes(junk)
    ran = scene.fails("add", scene.server.url, "--root", scene.root)
    assert (ran.code, ran.json["code"]) == (2, "bad-root")
    assert not (scene.folder / "m").exists()


def test_wrong_words_are_exit_2(scene: Scene) -> None:
    assert scene.fails("add", "ftp://127.0.0.1/", "--root", scene.root).code == 2
    assert scene.fails("add", scene.server.url, "--root", scene.folder / "missing.json").code == 2
    assert scene.fails("add", scene.server.url, "--root", scene.root, "--name", "../up").code == 2
    scene.add()
    assert scene.fails("run", "--once").json["code"] == "no-budget"
    assert scene.fails("plan", "--disk", "much").code == 2
    assert scene.fails("run", "--once", "--disk", "2MB", "--transport", "pigeon").code == 2
    for peer in ("127.0.0.1", "127.0.0.1:0", "127.0.0.1:x", ":1", "127.0.0.1:99999"):
        assert scene.fails("run", "--once", "--disk", "2MB", "--peer", peer).code == 2
    other = scene.folder / "other.json"
    other.write_bytes(scene.root.read_bytes() + b"\n")
    assert scene.fails("add", scene.server.url, "--root", other).json["code"] == "other-publisher"
    assert scene.fails("add", scene.server.url, "--root", scene.root, "--name", "b").json["code"] == "other-publisher"
    (scene.folder / "archive").mkdir()
    (scene.folder / "archive" / "fonoteca.toml").write_text("")
    assert scene.fails("add", scene.server.url, "--root", scene.root, archive="archive").json["code"] == "is-archive"


def changed(before: dict[str, bytes], after: dict[str, bytes]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def test_a_publisher_that_moved_is_followed_and_nothing_else_changes(scene: Scene) -> None:
    scene.add()
    scene.ok("run", "--once", "--disk", "2MB")
    mirror = scene.folder / "m"
    with (mirror / "mirror.toml").open("a") as file:
        file.write("\n[mirror]\ngrace_days = 30  # we are slow\n")
    before = tree(mirror)
    lost = scene.fails("add", scene.server.url + "/nowhere", "--root", scene.root)
    assert lost.code == 14
    assert changed(before, tree(mirror)) <= {"state/status.json", ".lock"}
    with EditionServer(scene.publisher.layout.root) as server:
        words = ("--archive", "m", "mirror", "add", server.url + "/", "--root", scene.root)
        assert f"its address was {scene.server.url}" in ok(*words, cwd=scene.folder).stdout
        assert scene.ok("add", server.url, "--root", scene.root).json["moved_from"] is None
        before["mirror.toml"] = before["mirror.toml"].replace(scene.server.url.encode(), server.url.encode())
        assert changed(before, tree(mirror)) <= {"state/status.json", ".lock"}
        done = scene.ok("run", "--once").json
        assert (done["bytes"]["fetched"], server.sent("packs/*")) == (0, 0)


def test_a_damaged_mirror_file_is_exit_2(scene: Scene) -> None:
    scene.add()
    for text in ("[publisher]\n", "[publisher]\nurl = 3\n", "x = [", '[publisher]\nurl = "http://a"\nname = "../b"\n'):
        (scene.folder / "m" / "mirror.toml").write_text(text)
        assert scene.fails("status").code == 2


def test_no_mirror_is_exit_10(scene: Scene) -> None:
    for words in (("plan", "--disk", "1MB"), ("run", "--once", "--disk", "1MB"), ("status",)):
        ran = scene.fails(*words)
        assert (ran.code, ran.json["code"]) == (10, "no-mirror")


def test_a_second_writer_is_exit_11(scene: Scene) -> None:
    scene.add()
    with one_writer(scene.folder / "m" / ".lock", "a test"):
        ran = scene.fails("run", "--once", "--disk", "2MB")
    assert ran.code == 11
    assert "a test" in ran.json["why"]


def test_a_tampered_publication_is_exit_12_and_the_old_one_stays(scene: Scene) -> None:
    scene.add()
    scene.ok("run", "--once", "--disk", "2MB")
    before = tree(scene.folder / "m" / "publication")
    scene.publisher.publish()
    path = scene.publisher.layout.edition(2) / "edition.json"
    path.write_bytes(path.read_bytes().replace(b"2026", b"2027"))
    ran = scene.fails("run", "--once")
    assert (ran.code, ran.json["code"]) == (12, "trust-arbitrary-file")
    assert tree(scene.folder / "m" / "publication") == before
    status = scene.ok("status").json
    assert status["failure"] == "trust-arbitrary-file"
    assert status["serving"] is True


def test_damaged_packs_on_the_server_are_exit_14(scene: Scene) -> None:
    scene.add()
    scene.server.faults = [Fault("packs/*", change=lambda data: bytes(len(data)))]
    ran = scene.fails("run", "--once", "--disk", "2MB")
    assert (ran.code, ran.json["code"]) == (14, "wrong-bytes")
    scene.server.faults = [Fault("editions/*.parquet", change=lambda data: bytes(len(data)))]
    scene.publisher.add(10_000)
    scene.publisher.publish()
    assert scene.fails("run", "--once").code == 14


def test_nobody_at_home_is_exit_14(scene: Scene) -> None:
    scene.add()
    scene.server.faults = [Fault(status=503)]
    assert scene.fails("run", "--once", "--disk", "2MB").code == 14
    assert scene.fails("add", "http://127.0.0.1:9/", "--root", scene.root, archive="other").code == 14


def test_no_room_is_exit_13(scene: Scene) -> None:
    scene.add()
    for words in (("plan", "--disk", "20kB"), ("run", "--once", "--disk", "20kB")):
        ran = scene.fails(*words)
        assert (ran.code, ran.json["code"]) == (13, "over-budget")


def test_where_no_pack_fits_the_smallest_is_named_with_a_budget_that_is_enough(scene: Scene) -> None:
    scene.publisher.add(3_000_000)
    scene.publisher.publish()
    scene.add()
    scene.ok("run", "--once", "--disk", "2MB")
    needed = scene.fails("plan", "--disk", "20kB").json["why"].split("need ")[1].split()[0]
    tight = str(int(needed) + 4096)
    plan = scene.ok("plan", "--disk", tight).json
    assert plan["left_out"]["packs"] == 3
    assert plan["left_out"]["smallest"] == min(p["bytes"] for p in plan["packs"])
    words = ("--archive", "m", "mirror", "run", "--once")
    told = ok(*words, cwd=scene.folder)
    assert "no pack fits: 3 packs are left out" in told.stderr
    enough = int(told.stderr.split("--disk ")[1].split()[0])
    assert scene.ok("run", "--once").json["left_out"]["disk"] == enough
    done = scene.ok("run", "--once", "--disk", str(enough)).json
    assert done["packs"] == 1
    assert "left_out" not in done


def test_an_unwritable_folder_is_exit_1(scene: Scene) -> None:
    (scene.folder / "file").write_text("in the way")
    assert scene.fails("add", scene.server.url, "--root", scene.root, archive="file/m").code == 1


def test_expired_signatures_are_exit_12_and_status_says_since_when(scene: Scene) -> None:
    scene.add()
    scene.ok("run", "--once", "--disk", "2MB")
    late = FixedClock(START.replace(year=START.year + 1))
    ran = fonoteca("--archive", "m", "mirror", "run", "--once", "--json", cwd=scene.folder, clock=late)
    assert (ran.code, ran.json["code"]) == (12, "trust-freeze")
    status = ok("--archive", "m", "mirror", "status", "--json", cwd=scene.folder, clock=late).json
    assert status["stale_since"] == "2026-12-01T12:00:00Z"
    assert status["serving"] is False
    soon = FixedClock(START.replace(month=12, day=10))
    status = ok("--archive", "m", "mirror", "status", "--json", cwd=scene.folder, clock=soon).json
    assert (status["stale_since"], status["serving"]) == ("2026-12-01T12:00:00Z", True)
    assert "stale since" in ok("--archive", "m", "mirror", "status", cwd=scene.folder, clock=soon).stdout


def test_status_before_the_first_run(scene: Scene) -> None:
    scene.add()
    status = scene.ok("status").json
    assert (status["edition"], status["packs"], status["serving"]) == (None, 0, False)
    assert json.dumps(status)


def test_a_mirror_that_runs_on_is_searched_and_served_by_other_processes(tmp_path: Path) -> None:
    archive = small_archive.fresh(tmp_path)
    ok("--archive", archive, "publish", cwd=archive)
    folder = tmp_path / "m"
    words = [sys.executable, "-m", "fonoteca", "--archive", str(folder), "--json"]
    with EditionServer(archive / "publication") as server, ExitStack() as stack:
        root = archive / "publication/metadata/1.root.json"
        ok("--archive", folder, "mirror", "add", server.url, "--root", root, cwd=tmp_path)
        running = started(stack, [*words, "mirror", "run", "--disk", "50MB", "--listen", "127.0.0.1:0"])
        assert told(running, "verified")["edition"] == 1
        locked = fonoteca("--archive", folder, "mirror", "run", "--once", cwd=tmp_path)
        assert locked.code == 11
        serving = started(stack, [*words, "serve", "--port", "0"])
        with urlopen(told(serving, "url")["url"] + "search?q=a") as answer:
            assert answer.status == 200
        ok("--archive", folder, "index", cwd=tmp_path)
        ok("--archive", folder, "verify", cwd=tmp_path)
        assert running.poll() is None


def started(stack: ExitStack, words: list[str]) -> subprocess.Popen[str]:
    """A process that ends with the test."""
    process = stack.enter_context(subprocess.Popen(words, stdout=subprocess.PIPE, text=True))
    stack.callback(process.terminate)
    return process


def told(process: subprocess.Popen[str], field: str) -> dict[str, Any]:
    """The first object with a field that a process tells."""
    assert process.stdout is not None
    for line in process.stdout:
        value: dict[str, Any] = json.loads(line)
        if field in value:
            return value
    raise AssertionError(f"it ended with {process.wait()}")
