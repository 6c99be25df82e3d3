"""The frame of the command line: words in, one error shape and the right exit code out."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from fonoteca.cli.context import clean
from fonoteca.cli.main import COMMANDS, build_parser, parser_for
from harness import fonoteca, ok

pytestmark = pytest.mark.core


def test_an_unknown_command_is_a_usage_error_with_a_remedy(tmp_path: Path) -> None:
    ran = fonoteca("frobnicate", cwd=tmp_path)
    assert ran.code == 2
    assert "--help" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_json_errors_have_the_contract_s_fields_even_when_parsing_fails(tmp_path: Path) -> None:
    error = fonoteca("--json", "frobnicate", cwd=tmp_path).json
    assert set(error) == {"message_type", "code", "exit", "what", "why", "remedy", "subject"}
    assert error["message_type"] == "error"
    assert error["exit"] == 2


def test_common_flags_may_stand_before_or_behind_the_command(tmp_path: Path) -> None:
    before = ok("--json", "config", cwd=tmp_path).json
    behind = ok("config", "--json", cwd=tmp_path).json
    assert before == behind


def test_a_home_of_nobody_is_a_usage_error_wherever_it_stands(tmp_path: Path) -> None:
    nobody = "~no such user/x"
    runs = [
        fonoteca("--archive", nobody, "doctor", "--json", cwd=tmp_path),
        fonoteca("config", "--json", cwd=tmp_path, variables={"FONOTECA_ARCHIVE": nobody}),
        fonoteca("init", nobody, "--json", cwd=tmp_path),
    ]
    assert [(ran.code, ran.json["code"]) for ran in runs] == [(2, "no-such-user")] * 3
    assert not list(tmp_path.iterdir())


def test_a_file_that_begins_with_a_tilde_is_still_a_file(tmp_path: Path) -> None:
    (tmp_path / "~archive").mkdir()
    assert ok("--archive", "~archive", "doctor", cwd=tmp_path)


def test_every_group_s_subcommands_take_the_common_flags(tmp_path: Path) -> None:
    parser = build_parser()
    args = parser.parse_args(["mirror", "status", "--json", "--archive", str(tmp_path)])
    assert args.json
    assert args.archive == str(tmp_path)


def test_the_archive_comes_from_flag_then_variable_then_current_folder(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    (here / "fonoteca.toml").write_text("[serve]\nport = 1\n")
    (there / "fonoteca.toml").write_text("[serve]\nport = 2\n")

    def port(*words: str, variables: dict[str, str] | None = None) -> int:
        settings = ok(*words, "config", "--json", cwd=here, variables=variables).json["settings"]
        return int(settings["serve.port"]["value"])

    assert port() == 1
    assert port(variables={"FONOTECA_ARCHIVE": str(there)}) == 2
    assert port("--archive", str(here), variables={"FONOTECA_ARCHIVE": str(there)}) == 1


def test_help_names_every_command_and_starts_without_heavy_libraries() -> None:
    code = (
        "import sys; from fonoteca.cli.main import build_parser; print(build_parser().format_help());"
        "heavy = {'pyarrow','duckdb','numpy','av','tuf','libtorrent','starlette','tantivy','rich'} & set(sys.modules);"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert all(name in ran.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_s_help_ends_in_examples(name: str) -> None:
    ran = subprocess.run([sys.executable, "-m", "fonoteca", name, "--help"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "examples:" in ran.stdout


def test_terminal_escapes_in_titles_do_not_reach_the_terminal() -> None:
    assert "\x1b" not in clean("\x1b]0;owned\x07title")
    assert clean("さくら\tÅland") == "さくら\tÅland"


def test_a_closed_pipe_ends_quietly() -> None:
    ran = subprocess.run(f"{sys.executable} -m fonoteca config | head -n 1", shell=True, capture_output=True, text=True)
    assert "Traceback" not in ran.stderr


def test_version() -> None:
    ran = subprocess.run([sys.executable, "-m", "fonoteca", "--version"], capture_output=True, text=True)
    assert ran.returncode == 0
    assert ran.stdout.startswith("fonoteca ")


def test_json_output_is_one_object_for_short_commands(tmp_path: Path) -> None:
    ran = ok("--json", "config", cwd=tmp_path)
    assert len(ran.stdout.splitlines()) == 1
    json.loads(ran.stdout)


def test_only_what_the_words_need_of_the_grammar_is_made_and_reads_the_same(tmp_path: Path) -> None:
    def text(words: list[str], grammar: argparse.ArgumentParser) -> str:
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
            grammar.parse_args(words)
        return said.getvalue()

    whole = build_parser()
    for words in (["--help"], ["--archive", "verify", "--help"], *([name, "--help"] for name in COMMANDS)):
        assert text(words, parser_for(words)) == text(words, whole) != "", words
    for words in (
        ["--archive", "serve", "verify", "x"],
        ["--archive=a", "--json", "verify"],
        ["--arch", "serve", "rank"],
    ):
        assert parser_for(words).parse_args(words) == whole.parse_args(words)
    wrong = fonoteca("no-such-command", cwd=tmp_path)
    assert all(f"'{name}'" in wrong.stderr for name in COMMANDS)
