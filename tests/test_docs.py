"""Docs cannot lag: an undocumented command, setting, code, decision or format fails here."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from fonoteca.cli.main import COMMANDS, build_parser
from fonoteca.core.errors import ExitCode
from fonoteca.core.settings import TABLE

pytestmark = pytest.mark.core

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


def read(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def test_generated_pages_are_what_the_code_says() -> None:
    ran = subprocess.run([sys.executable, ROOT / "scripts" / "make-docs", "--check"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_command_is_documented_and_has_two_examples() -> None:
    import importlib

    page = read("reference/cli.md")
    for name in COMMANDS:
        assert f"`fonoteca {name}`" in page
        module = importlib.import_module(f"fonoteca.cli.commands.{name}")
        assert len(module.EXAMPLES) >= 2
        assert all(example.startswith("fonoteca ") for example in module.EXAMPLES)


def test_every_example_of_every_command_parses() -> None:
    import importlib
    import shlex

    parser = build_parser()
    for name in COMMANDS:
        for example in importlib.import_module(f"fonoteca.cli.commands.{name}").EXAMPLES:
            parser.parse_args(shlex.split(example)[1:])


def test_every_setting_and_exit_code_is_documented() -> None:
    settings, codes = read("reference/settings.md"), read("reference/exit-codes.md")
    assert all(f"`{s.name}`" in settings for s in TABLE)
    assert all(f"| {int(c)} |" in codes for c in ExitCode)


def _codes_in_source() -> set[str]:
    """First arguments of error constructors, and everything named ``code=`` in the source."""
    errors = {
        "Failed", "Usage", "Damaged", "RightsRefused", "NoArchive", "Locked", "TrustFailed", "NoSpace", "NetworkFailed",
    }  # fmt: skip
    found: set[str] = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func).rpartition(".")[2]
            values = [k.value for k in node.keywords if k.arg == "code"]
            if name in errors | {"Finding", "Refused", "AudioRefused", "Reason"} and node.args:
                position = 1 if name == "Refused" else 0
                values += node.args[position : position + 1]
            found |= {v.value for v in values if isinstance(v, ast.Constant) and isinstance(v.value, str)}
    return found


def test_every_code_is_listed_and_every_listed_code_is_used() -> None:
    listed = set(tomllib.loads((ROOT / "src/fonoteca/codes.toml").read_text("utf-8")))
    used = _codes_in_source()
    assert used <= listed, f"not in codes.toml: {sorted(used - listed)}"
    text = "\n".join(p.read_text("utf-8") for p in (ROOT / "src").rglob("*.py"))
    unused = sorted(code for code in listed if f'"{code}"' not in text)
    assert not unused, f"in codes.toml, but nowhere in the source: {unused}"


def test_the_index_of_decisions_is_whole() -> None:
    pages = {p.name for p in (DOCS / "decisions").glob("[0-9]*.md")}
    assert pages == set(re.findall(r"\]\(([0-9][^)]+\.md)\)", read("decisions/README.md")))


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = list(project["dependencies"])
    for extra in ("archive", "site"):
        wanted += project["optional-dependencies"][extra]
    page = read("decisions/0006-dependencies.md")
    for line in wanted:
        name = re.split(r"[\[<>=;]", line)[0]
        assert re.search(rf"\b{re.escape(name)}\b", page), name


FORMATS = (
    "id", "claim", "signal", "generation", "pack", "redaction", "packs-parquet", "locator", "ledger", "edition",
    "publication", "mirror",
)  # fmt: skip


def test_every_format_has_its_page_in_the_index() -> None:
    index = read("formats/README.md")
    for name in FORMATS:
        assert (DOCS / "formats" / f"{name}.md").is_file(), name
        assert f"({name}.md)" in index, name


def test_links_inside_the_docs_lead_somewhere() -> None:
    broken = []
    for page in [*DOCS.rglob("*.md"), *ROOT.glob("*.md")]:
        targets = re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8"))
        inside = [t for t in targets if "://" not in t and not t.startswith("mailto:")]
        broken += [f"{page.relative_to(ROOT)}: {t}" for t in inside if not (page.parent / t).exists()]
    assert not broken, "\n".join(broken)


def test_every_promise_names_tests_that_exist() -> None:
    named = re.findall(r"`(tests/[^`]+)`", read("reference/promises.md"))
    assert len(named) > 20
    missing = []
    for name in named:
        path, _, function = name.partition("::")
        text = (ROOT / path).read_text("utf-8") if (ROOT / path).is_file() else ""
        if not text or (function and f"def {function}(" not in text):
            missing.append(name)
    assert not missing, "\n".join(missing)
