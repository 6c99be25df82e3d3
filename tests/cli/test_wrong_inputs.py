"""Every command, given every kind of wrong thing: the contract's exit code, a sentence with a remedy, nothing changed.

The commands, sub-commands and arguments come from the parsers; ``wrong_inputs/rows.py`` says how each is called
rightly, ``wrong_inputs/values.py`` what is wrong for each kind of argument. A new command, or a new kind of argument,
fails here until it has its line.
"""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.wrong_inputs import unshared
from cli.wrong_inputs.grammar import LEAVES, Argument, Leaf
from cli.wrong_inputs.rows import ROWS, Row
from cli.wrong_inputs.values import wrong_values
from cli.wrong_inputs.world import Scene, newer, readdress, scene, template, tree
from fonoteca import core
from fonoteca.cli.main import COMMANDS
from fonoteca.core.lock import one_writer
from harness import Ran, fonoteca
from simulators.edition_server import EditionServer

pytestmark = pytest.mark.core
CODES = tomllib.loads((Path(core.__file__).parent.parent / "codes.toml").read_text("utf-8"))
NAMES = sorted(LEAVES)
QUICK = [name for name in NAMES if not ROWS[name].slow and not ROWS[name].stays]
STATUS = {"mirror/state/status.json"}
"""A mirror notes that a refresh failed (docs/formats/mirror.md)."""


@pytest.fixture(name="here")
def _here(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as made:
        yield made


def call(here: Scene, name: str, words: list[str], where: str | Path = "", **more: str) -> Ran:
    folder = here.folder(where or ROWS[name].where) if isinstance(where, str) else where
    return fonoteca("--archive", folder, *name.split(), *words, "--json", cwd=here.home, variables=more)


def rightly(here: Scene, name: str) -> list[str]:
    return [here.fill(word) for word in ROWS[name].words]


def complaints(ran: Ran, codes: frozenset[int]) -> list[str]:
    """What is wrong with how a command said no."""
    if ran.code == 0 and 0 in codes:
        return []
    found = [] if ran.code in codes else [f"exit {ran.code}, not one of {sorted(codes)}"]
    if "Traceback" in ran.stderr + ran.stdout:
        found.append("a traceback")
    if ran.code == 0:
        return found
    error = ran.json
    if error.get("message_type") != "error" or error.get("exit") != ran.code:
        return [*found, f"no error object: {error}"]
    found += [f"no {field}" for field in ("code", "what", "why", "remedy") if not error.get(field)]
    if error.get("subject") is None:
        found.append("no subject")
    known = CODES.get(error["code"], {})
    if known.get("exit") != ran.code:
        found.append(f"{error['code']} has exit {known.get('exit')} in codes.toml, not {ran.code}")
    if error["remedy"] not in ran.stderr and error["remedy"].isprintable():
        found.append("a person is not told the remedy")
    return found


def refused(ran: Ran, *codes: int) -> None:
    assert complaints(ran, frozenset(codes)) == [], ran.stdout[-600:]


def changes(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def test_every_command_has_its_row() -> None:
    assert {name.split()[0] for name in LEAVES} == set(COMMANDS)
    assert set(ROWS) == set(LEAVES), "a command without a row in wrong_inputs/rows.py, or a row without a command"


@pytest.mark.parametrize("name", NAMES)
def test_every_argument_has_wrong_values(name: str) -> None:
    for argument in LEAVES[name].arguments:
        assert wrong_values(name, argument.dest, argument.kind), f"{argument.kind} needs a line in values.py"


def put(leaf: Leaf, words: list[str], argument: Argument, value: str) -> list[str]:
    """The right words, with one argument's value in the place of its right one."""
    if argument.flag is None:
        places = [a for a in leaf.arguments if a.flag is None]
        at = places.index(argument)
        return [*words[:at], value, *words[at + 1 :]]
    if argument.flag in words:
        at = words.index(argument.flag)
        words = words[:at] + words[at + 2 :]
    return [*words, f"{argument.flag}={value}" if argument.flag.startswith("--") else f"{argument.flag}{value}"]


CASES = [(name, argument) for name in NAMES for argument in LEAVES[name].arguments]


@pytest.mark.parametrize(("name", "argument"), CASES, ids=[f"{n} {a.flag or a.dest}" for n, a in CASES])
def test_wrong_values(here: Scene, name: str, argument: Argument) -> None:
    leaf, found = LEAVES[name], []
    before = tree(here.home)
    for wrong in wrong_values(name, argument.dest, argument.kind):
        value = here.fill(wrong.value) if wrong.value.startswith("{") else wrong.value
        ran = call(here, name, put(leaf, rightly(here, name), argument, value))
        found += [f"{value[:60]!r}: {complaint}" for complaint in complaints(ran, wrong.codes)]
        after = tree(here.home)
        changed = changes(before, after) - (STATUS if ran.code in {12, 14} else set())
        found += [f"{value[:60]!r}: changed {sorted(changed)[:4]}"] if changed else []
        before = after
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", [n for n in NAMES if any(a.required and a.flag is None for a in LEAVES[n].arguments)])
def test_a_missing_word_is_exit_2(here: Scene, name: str) -> None:
    refused(call(here, name, []), 2)
    refused(call(here, name, [*rightly(here, name), "--no-such-flag"]), 2)


NEEDS = [name for name in NAMES if ROWS[name].where != "none" and name != "mirror add"]


@pytest.mark.parametrize("name", NEEDS)
@pytest.mark.parametrize("folder", ["nothing", "nowhere", "root.json", "wrong"])
def test_no_archive_here_is_exit_10(here: Scene, name: str, folder: str) -> None:
    before = tree(here.home)
    refused(call(here, name, rightly(here, name), here.home / folder), 10)
    assert changes(before, tree(here.home)) == set()


@pytest.mark.parametrize("name", NEEDS)
def test_the_other_kind_of_folder_is_exit_10(here: Scene, name: str) -> None:
    other = "mirror" if ROWS[name].where == "archive" else "archive"
    if ROWS[name].also == other:
        pytest.skip("works in both")
    before = tree(here.home)
    refused(call(here, name, rightly(here, name), other), 10)
    assert changes(before, tree(here.home)) == set()


@pytest.mark.parametrize("name", [name for name in NAMES if ROWS[name].writes])
def test_a_second_writer_is_exit_11_and_told_who_is_first(here: Scene, name: str) -> None:
    before = tree(here.home)
    with one_writer(here.folder(ROWS[name].where) / ".lock", "the first"):
        ran = call(here, name, rightly(here, name))
    refused(ran, 11)
    assert "the first" in ran.json["why"]
    assert changes(before, tree(here.home)) == set()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "text", ['[publish]\npiece_length = "', "[intake]\nworkers = 'many'\n", "[no]\nsuch = 1\n", "\x00\xff"]
)
def test_torn_or_wrong_settings_are_exit_2(here: Scene, name: str, text: str) -> None:
    row = ROWS[name]
    folder = here.folder(row.where)
    (folder / ("mirror.toml" if row.where == "mirror" else "fonoteca.toml")).write_bytes(text.encode("latin-1"))
    before = tree(here.home)
    refused(call(here, name, rightly(here, name)), 2)
    assert changes(before, tree(here.home)) == set()


@pytest.mark.parametrize("name", QUICK)
def test_rightly_called_only_writers_write_and_json_is_json(here: Scene, name: str) -> None:
    before = tree(here.home)
    ran = call(here, name, rightly(here, name))
    assert ran.code == 0, ran.stdout[-500:]
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert lines
    assert all(isinstance(line, dict) for line in lines)
    if len(lines) > 1:
        assert all(line["message_type"] in {"plan", "status", "item", "warning", "summary"} for line in lines)
        assert lines[-1]["message_type"] == "summary"
    changed = {n for n in changes(before, tree(here.home)) if n.startswith(("archive/", "mirror/"))}
    if not ROWS[name].writes:
        assert changed == set(), "it writes, so its row must say so, and it must take the lock"


@pytest.mark.parametrize("name", QUICK)
def test_quiet_is_quiet(here: Scene, name: str) -> None:
    ran = fonoteca("--quiet", "--archive", here.folder(ROWS[name].where), *name.split(), *rightly(here, name),
                   cwd=here.home)  # fmt: skip
    assert (ran.code, ran.stderr) == (0, "")


@pytest.mark.parametrize("name", [name for name in NAMES if LEAVES[name].plans])
def test_a_plan_changes_nothing(here: Scene, name: str) -> None:
    before = tree(here.home)
    ran = call(here, name, [*rightly(here, name), "--plan"])
    assert (ran.code, ran.json["message_type"]) == (0, "plan")
    assert changes(before, tree(here.home)) == set()


def test_unwritable_folders_are_exit_1(here: Scene) -> None:
    """On a file system that is mounted read-only: also the administrator may not write there."""
    names = [name for name in QUICK if ROWS[name].writes or name in {"init", "keys export", "export"}]
    calls = [(name, str(here.folder(ROWS[name].where)), rightly(here, name)) for name in names]
    before = tree(here.home)
    for name, ran in unshared.read_only(here.home, calls).items():
        assert complaints(ran, frozenset({1})) == [], name
        assert ran.json["code"] == "unwritable", name
    assert changes(before, tree(here.home)) == set()


@pytest.mark.parametrize("name", [name for name in QUICK if ROWS[name].writes and name != "repair"])
def test_a_file_in_the_way_is_an_error_with_a_remedy(here: Scene, name: str) -> None:
    """Where the command would make a folder, or open its lock, there is something else."""
    folder = here.folder(ROWS[name].where)
    (folder / ".lock").unlink(missing_ok=True)
    (folder / ".lock").mkdir()
    before = tree(here.home)
    refused(call(here, name, rightly(here, name)), 1)
    assert changes(before, tree(here.home)) == set()


NOT_AUDIO = {"text.mp3": 3, "empty.flac": 3, "zeros.wav": 3, "cut.wav": 3, "binary.csv": 3}


@pytest.mark.parametrize("file", sorted(NOT_AUDIO))
def test_what_is_not_audio_or_cut_short_is_refused_with_a_reason(here: Scene, file: str) -> None:
    ran = call(here, "intake", [here.fill("{wrong}/" + file), "--licence", "CC0-1.0", "--evidence", "a letter"])
    assert ran.code == NOT_AUDIO[file]
    items = [item for item in ran.items() if "reason" in item]
    assert [bool(item["code"] and item["reason"] and item["path"]) for item in items] == [True]
    assert CODES[items[0]["code"]]["kind"] == "refusal"
    assert (ran.json["accepted"], ran.json["refused"]) == (0, 1)


@pytest.mark.parametrize("source", ["fma", "table", "freemusi", "jamendo"])
@pytest.mark.parametrize("file", ["binary.csv", "empty.csv", "prose.csv", "zeros.wav", "list.json"])
def test_what_is_not_a_dump_is_refused(here: Scene, source: str, file: str) -> None:
    before = tree(here.archive)
    ran = call(here, "ingest", [source, here.fill("{wrong}/" + file)])
    if ran.code == 3:
        assert ran.json["refused"] > 0
        assert Path(here.archive / ran.json["quarantine"]).exists()
        return
    refused(ran, 2)
    assert changes(before, tree(here.archive)) == set()


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(bytes(data))


TAMPERED = ["editions/*/edition.json", "metadata/timestamp.json", "metadata/*.snapshot.json",
            "metadata/*.targets.json", "editions/*/packs.parquet", "withdrawals/withdrawals.json",
            "torrents/*.torrent", "packs/*/*.tar"]  # fmt: skip


def victim(publication: Path, pattern: str) -> Path:
    found = sorted(p for p in publication.glob(pattern) if "fonoteca-" not in p.name)
    assert found, f"nothing matches {pattern}"
    return found[-1]


@pytest.mark.parametrize("pattern", TAMPERED)
def test_a_tampered_publication_is_never_taken_over(here: Scene, pattern: str, tmp_path: Path) -> None:
    public = here.home / "tampered"
    shutil.copytree(here.archive / "publication", public)
    flip(victim(public, pattern))
    with EditionServer(public) as server:
        root = str(here.home / "root.json")
        words = (("add", server.url, "--root", root), ("run", "--once", "--disk", "50MB", "--transport", "http"))
        for action, *rest in words:
            ran = call(here, f"mirror {action}", rest, here.home / "fresh")
            if ran.code:
                break
    refused(ran, 12, 14)
    packs = here.home / "fresh/publication"
    good = {p.read_bytes() for p in (here.archive / "publication").rglob("*") if p.is_file()}
    assert all(p.read_bytes() in good for p in packs.rglob("*") if p.is_file()), "only true files are under their names"


@pytest.mark.parametrize("pattern", [p for p in TAMPERED if p != "torrents/*.torrent"])
def test_a_tampered_publication_is_damage_to_verify(here: Scene, pattern: str) -> None:
    flip(victim(here.archive / "publication", pattern))
    before = tree(here.archive)
    for words in ([], [str(here.archive / "publication")]):
        ran = call(here, "verify", words)
        assert ran.code == 4, words
        assert ran.json["damaged"] >= 1
        found = [item for item in ran.items() if item.get("code")]
        assert found
        assert all(item["path"] for item in found)
    assert changes(before, tree(here.archive)) == set()


@pytest.mark.parametrize(
    "pattern", ["editions/*/edition.json", "editions/*/packs.parquet", "editions/*/locator.parquet"]
)
@pytest.mark.parametrize("where", ["archive", "mirror"])
def test_a_garbled_edition_is_not_served(here: Scene, pattern: str, where: str) -> None:
    victim(here.folder(where) / "publication", pattern).write_bytes(b"\x00garbage")
    shutil.rmtree(here.folder(where) / "search", ignore_errors=True)
    refused(call(here, "serve", ["--port", "0"], where), 4)


def test_a_newer_format_is_refused_by_name(here: Scene) -> None:
    newer(here.archive / "publication")
    newer(here.mirror / "publication")
    shutil.rmtree(here.mirror / "search")
    for name, where in (("serve", "archive"), ("serve", "mirror"), ("publish", "archive")):
        ran = call(here, name, rightly(here, name), where)
        refused(ran, 1)
        assert ran.json["code"] == "newer-format"


def test_the_wrong_root_is_exit_12(here: Scene) -> None:
    other = here.home / "other"
    call(here, "init", [str(other)])
    call(here, "keys export", ["-o", str(here.home / "wrong-root.json")], other)
    before = tree(here.home)
    ran = call(here, "mirror add", [here.url, "--root", str(here.home / "wrong-root.json")], here.home / "fresh")
    refused(ran, 12)
    changed = changes(before, tree(here.home))
    assert not any(name.endswith("mirror.toml") or "/publication" in name for name in changed)


@pytest.mark.parametrize("name", ["mirror plan", "mirror run", "mirror add"])
def test_nobody_there_is_exit_14(here: Scene, name: str) -> None:
    readdress(here.mirror, "http://127.0.0.1:9")
    before = tree(here.home)
    words = [word if word != here.url else "http://127.0.0.1:9" for word in rightly(here, name)]
    refused(call(here, name, words), 14)
    assert changes(before, tree(here.home)) <= STATUS


def test_an_unknown_command_is_exit_2(here: Scene) -> None:
    refused(fonoteca("frobnicate", "--json", cwd=here.home), 2)
    refused(fonoteca("--json", cwd=here.home), 2)


def test_the_template_is_as_it_was() -> None:
    """Tests work on copies: what they share must not change under them."""
    assert {p.name for p in template().iterdir()} >= {"archive", "mirror", "music", "more", "root.json", "wrong"}


def test_rows_say_how_each_command_is_called() -> None:
    assert all(isinstance(row, Row) for row in ROWS.values())
