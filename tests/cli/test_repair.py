"""``fonoteca repair``: its words, its JSON, its exit codes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fonoteca.mirror.budget import allocated
from harness import fonoteca, ok
from mirror.world import run as run_mirror
from mirror.world import served, tree
from simulators import small_archive
from simulators.edition_server import EditionServer, Fault

pytestmark = pytest.mark.core
HEAVY = ("duckdb", "av", "mutagen", "tantivy", "starlette", "jinja2", "uvicorn")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = small_archive.fresh(tmp_path_factory.mktemp("published"))
    ok("--archive", root, "publish", cwd=root)
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    """A published archive that may be spoiled."""
    shutil.copytree(made, tmp_path / "archive")
    return tmp_path / "archive"


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 16
    path.chmod(0o644)
    path.write_bytes(data)


def pack(root: Path) -> Path:
    return max((root / "publication/packs").glob("*/*.tar"), key=lambda p: (p.stat().st_size, p.name))


@pytest.mark.parametrize("where", ["archive", "publication"])
def test_verify_names_the_command_that_mends_and_it_mends(root: Path, made: Path, where: str) -> None:
    data = pack(root).read_bytes()
    flip(pack(root), 20_000)
    found = fonoteca("--archive", root, "verify", "--json", cwd=root)
    [finding] = found.items()
    assert (found.code, finding["repair"]) == (4, "fonoteca repair --from URL|PATH")
    source = made if where == "archive" else made / "publication"
    ran = ok("--archive", root, "repair", "--from", source, "--json", cwd=root)
    [item] = ran.items()
    assert (item["code"], item["path"]) == ("block-damaged", finding["path"])
    assert (item["blocks"], item["fetched"], item["result"]) == (1, 16_384, "repaired")
    summary = ran.json
    assert summary["message_type"] == "summary"
    assert (summary["damaged"], summary["repaired"], summary["unrepaired"]) == (1, 1, 0)
    assert summary["bytes"] == {"fetched": 16_384}
    assert summary["checked"] > 40
    assert pack(root).read_bytes() == data
    ok("--archive", root, "verify", "--full", cwd=root)
    assert (root / item["kept"]).is_file()


def test_no_damage_is_exit_0_and_one_sentence(root: Path) -> None:
    assert "no damage" in ok("--archive", root, "repair", cwd=root).stdout


def test_damage_that_is_left_is_exit_4_and_says_what_to_name(root: Path) -> None:
    flip(pack(root), 20_000)
    before = tree(root / "publication")
    ran = fonoteca("--archive", root, "repair", cwd=root)
    assert ran.code == 4
    assert "fonoteca repair --from URL|PATH" in ran.stdout
    assert tree(root / "publication") == before


def test_a_url_mends_and_only_blocks_are_moved(root: Path, made: Path) -> None:
    flip(pack(root), 20_000)
    with EditionServer(made / "publication") as server:
        ok("--archive", root, "repair", "--from", server.url, cwd=root)
        assert server.sent("*") == 16_384
    ok("--archive", root, "verify", cwd=root)


def test_a_network_that_fails_is_exit_14_with_a_summary_and_the_same_command_goes_on(root: Path, made: Path) -> None:
    data, path = pack(root).read_bytes(), pack(root)
    path.write_bytes(b"")
    with EditionServer(made / "publication") as server:
        server.faults.append(Fault(cut=10))
        ran = fonoteca("--archive", root, "repair", "--from", server.url, "--json", cwd=root)
        assert (ran.code, ran.json["unrepaired"], ran.json["network"]) == (14, 1, "cut-short")
        assert path.read_bytes() == b""
        server.faults.clear()
        ok("--archive", root, "repair", "--from", server.url, cwd=root)
    assert path.read_bytes() == data


def test_nobody_at_the_address_is_exit_14(root: Path) -> None:
    flip(pack(root), 20_000)
    ran = fonoteca("--archive", root, "repair", "--from", "http://127.0.0.1:1/", "--json", cwd=root)
    assert (ran.code, ran.json["network"]) == (14, "unreachable")


def test_several_sources_are_asked_in_their_order(root: Path, made: Path, tmp_path: Path) -> None:
    flip(pack(root), 20_000)
    empty = tmp_path / "empty"
    empty.mkdir()
    ran = ok("--archive", root, "repair", "--from", empty, "--from", "http://127.0.0.1:1", "--from", made, "--json",
             cwd=root)  # fmt: skip
    assert (ran.json["repaired"], ran.json["network"]) == (1, None)


@pytest.mark.parametrize("word", ["ftp://example.org/x", "http://", "nowhere", "fonoteca.toml", "a\0b"])
def test_a_source_that_is_none_is_a_usage_error(root: Path, word: str) -> None:
    ran = fonoteca("--archive", root, "repair", "--from", word, "--json", cwd=root)
    assert ran.code == 2
    assert ran.json["remedy"]


@pytest.mark.parametrize("word", ["0", "-1", "9" * 400, "x", ""])
def test_a_wrong_number_of_threads_is_a_usage_error(root: Path, word: str) -> None:
    assert fonoteca("--archive", root, "repair", "--workers", word, cwd=root).code == 2


def test_no_archive_is_exit_10(tmp_path: Path) -> None:
    assert fonoteca("repair", cwd=tmp_path).code == 10


def test_a_second_writer_is_exit_11(root: Path) -> None:
    from fonoteca.core.lock import one_writer

    with one_writer(root / ".lock", "a test"):
        assert fonoteca("--archive", root, "repair", cwd=root).code == 11


def test_damage_of_the_ledger_and_the_catalogue_is_said_plainly(root: Path, made: Path, tmp_path: Path) -> None:
    ledger = root / "holdings/holdings.jsonl"
    ledger.write_bytes(ledger.read_bytes()[:-60] + b"?" * 59 + b"\n")
    flip(next((root / "catalogue/files").glob("*")), 60)
    music = tmp_path / "music"
    music.mkdir()
    ran = fonoteca("--archive", root, "repair", "--from", music, "--json", cwd=root)
    assert ran.code == 4
    details = {item["code"]: item["detail"] for item in ran.items() if item["result"] == "unrepaired"}
    assert "backup" in details["ledger-line-damaged"]
    assert "ingest the same dumps again" in details["catalogue-file-damaged"]


def test_a_mirror_asks_its_publisher_by_itself_and_loads_no_library_of_the_archive(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        publisher.add(30_000, 300_000)
        publisher.publish()
        folder = tmp_path / "mirror"
        run_mirror(folder, server.url, publisher.root_json)
        before = tree(folder / "publication")
        flip(pack(folder), 200_000)
        words = (
            "import sys; from fonoteca.cli.env import Env; from fonoteca.cli.main import run\n"
            f"code = run(['--archive', {str(folder)!r}, 'repair'], Env.of_process())\n"
            f"print(sorted(set(sys.modules) & set({HEAVY!r}))); sys.exit(code)"
        )
        done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip().endswith("[]")
        assert tree(folder / "publication") == before


def test_a_mirror_keeps_to_its_budget_while_it_mends(tmp_path: Path) -> None:
    """T7: where there is no room for a copy, blocks are mended where they are, and the damaged ones are kept."""
    with served(tmp_path) as (publisher, server):
        made = publisher.add(30_000, 300_000)
        publisher.publish()
        folder = tmp_path / "mirror"
        run_mirror(folder, server.url, publisher.root_json)
        before = tree(folder / "publication")
        data = pack(folder).read_bytes()
        flip(pack(folder), 200_000)
        bad = pack(folder).read_bytes()
        room = allocated(folder) + 100_000
        assert room < allocated(folder) + made.fixity.bytes
        ran = ok("--archive", folder, "repair", "--json", cwd=folder, variables={"FONOTECA_MIRROR_DISK": str(room)})
        assert allocated(folder) <= room
        assert tree(folder / "publication") == before
        [item] = ran.items()
        kept = (folder / item["kept"]).read_bytes()
        assert kept == bad[12 * 16_384 : 13 * 16_384]
        assert data != bad
