"""Layering rule L7 and friends, over the syntax tree: few doors, each in its place."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.core

SOURCE = Path(__file__).resolve().parent.parent / "src" / "fonoteca"


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Every module as (path inside the package, tree)."""
    for path in sorted(SOURCE.rglob("*.py")):
        yield path.relative_to(SOURCE).as_posix(), ast.parse(path.read_text("utf-8"))


def calls(tree: ast.AST) -> Iterator[tuple[int, str, ast.Call]]:
    """Every call as (line, dotted name as written, node)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func), node


def imported(tree: ast.AST) -> set[str]:
    """Top-level names of all imported modules."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def offenders(allowed: tuple[str, ...], names: set[str]) -> list[str]:
    """Calls of these dotted names outside the allowed modules."""
    return [
        f"{path}:{line}: {name}"
        for path, tree in modules()
        if not path.startswith(allowed)
        for line, name, _ in calls(tree)
        if name in names
    ]


WORKERS = ("audio/worker.py", "sources/discogs_worker.py")
"""Child processes of ours: their input and output are the pipe to their parent."""


def test_only_the_command_line_prints_or_reads_argv_and_environment() -> None:
    found = offenders(
        ("cli/", *WORKERS),
        {"print", "input", "os.getenv", "os.environ.get", "Path.home", "Path.cwd", "os.getcwd"},
    )
    for path, tree in modules():
        if path.startswith(("cli/", *WORKERS)):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in {
                "sys.argv",
                "os.environ",
                "sys.stdout",
                "sys.stdin",
            }:
                found.append(f"{path}:{node.lineno}: {ast.unparse(node)}")
    assert not found, "L7: hand values down from cli instead:\n" + "\n".join(found)


def test_only_the_command_line_reads_the_wall_clock_or_sleeps() -> None:
    names = {
        "time.time", "time.sleep", "time.monotonic", "time.perf_counter", "datetime.datetime.now", "datetime.now",
        "datetime.datetime.utcnow", "datetime.date.today", "date.today",
    }  # fmt: skip
    found = offenders(("cli/",), names)
    assert not found, "L7: take a Clock instead:\n" + "\n".join(found)


def test_randomness_comes_from_a_seed() -> None:
    names = {
        "random.random", "random.randint", "random.choice", "random.shuffle", "random.Random()", "uuid.uuid4",
        "os.urandom", "secrets.token_hex", "secrets.token_bytes",
    }  # fmt: skip
    found = offenders((), names)
    assert not found, "L7: randomness is a seed:\n" + "\n".join(found)


def test_sockets_live_behind_few_doors() -> None:
    network = {"socket", "ssl", "urllib3", "http", "httpx", "requests", "aiohttp", "uvicorn", "libtorrent"}
    # audio passes file descriptors to its decoder over a socket pair; serve and demo start the site's server.
    doors = ("core/fetch.py", "core/objectstore.py", "mirror/", "site/", "cli/commands/serve.py", "cli/demo/", "audio/")
    found = [
        f"{path}: {sorted(imported(tree) & network)}"
        for path, tree in modules()
        if not path.startswith(doors) and imported(tree) & network
    ]
    assert not found, "L7: sockets only in core.fetch, mirror and site:\n" + "\n".join(found)


def test_spark_lives_behind_one_door() -> None:
    found = [
        f"{path}: {sorted(imported(tree) & {'pyspark', 'py4j', 'sqlglot', 'ibis'})}"
        for path, tree in modules()
        if path != "catalogue/spark.py" and imported(tree) & {"pyspark", "py4j", "sqlglot", "ibis"}
    ]
    assert not found, "L7: Spark only behind the catalogue's engine:\n" + "\n".join(found)


def _writes(call: ast.Call, name: str) -> bool:
    if name.endswith((".write_text", ".write_bytes")) and not name.startswith("durable."):
        return True
    if name in {"os.replace", "os.rename", "os.link", "shutil.move", "shutil.copyfile", "shutil.copy", "os.truncate"}:
        return True
    if name == "open" or name.endswith(".open"):
        position = 1 if name in {"open", "gzip.open", "os.fdopen"} else 0
        modes = list(call.args[position : position + 1]) + [k.value for k in call.keywords if k.arg == "mode"]
        texts = [m.value for m in modes if isinstance(m, ast.Constant) and isinstance(m.value, str)]
        return any(set(text) & set("wax+") for text in texts)
    return False


# Libraries that write by themselves (libtorrent, Tantivy, Parquet) get paths from durable, or folders not yet renamed.
WRITERS = ("core/durable.py",)


def test_files_are_written_in_one_place() -> None:
    found = [
        f"{path}:{line}: {name}"
        for path, tree in modules()
        if not path.startswith(WRITERS)
        for line, name, call in calls(tree)
        if _writes(call, name)
    ]
    assert not found, "files are written through core.durable:\n" + "\n".join(found)


def test_nothing_is_pickled_evaluated_or_run_through_a_shell() -> None:
    names = {"pickle.load", "pickle.loads", "eval", "exec", "os.system", "marshal.loads", "yaml.load"}
    found = offenders((), names)
    for path, tree in modules():
        for line, name, call in calls(tree):
            if any(k.arg == "shell" and isinstance(k.value, ast.Constant) and k.value.value for k in call.keywords):
                found.append(f"{path}:{line}: {name}(shell=True)")
    assert not found, "\n".join(found)


def test_cleared_is_made_in_the_gate_alone() -> None:
    found = offenders(("rights/gate.py",), {"Cleared", "gate.Cleared"})
    assert not found, "L4: only the gate makes Cleared:\n" + "\n".join(found)


def test_sources_know_nothing_of_each_other() -> None:
    shared = {"records", "registry"}
    names = {p.stem for p in (SOURCE / "sources").glob("*.py")} - shared - {"__init__"}
    sources = "folder table fma freemusi jamendo musicbrainz discogs internet_archive listenbrainz oai_pmh acoustid"
    registered = set(sources.split()) & names
    found = []
    for path, tree in modules():
        if not path.startswith("sources/") or Path(path).stem not in registered:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("fonoteca.sources"):
                targets = {node.module.rpartition(".")[2]} | {a.name for a in node.names}
                if targets & (registered - {Path(path).stem}):
                    found.append(f"{path}:{node.lineno}: {ast.unparse(node)}")
    assert not found, "L6: a source imports no other source:\n" + "\n".join(found)


def test_every_public_name_says_what_it_is() -> None:
    """Public modules, classes and functions carry a docstring; functions are annotated (mypy checks the types)."""
    found = []
    for path, tree in modules():
        if not ast.get_docstring(tree):
            found.append(f"{path}: no module docstring")
        for node in ast.walk(tree):
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) or node.name.startswith("_"):
                continue
            # A body of one statement says itself what it does.
            if len(node.body) == 1 or _nested_in_function(tree, node) or ast.get_docstring(node):
                continue
            found.append(f"{path}:{node.lineno}: {node.name}")
    assert not found, "no docstring:\n" + "\n".join(found[:40])


def _nested_in_function(tree: ast.Module, wanted: ast.AST) -> bool:
    return any(
        child is wanted
        for node in ast.walk(tree)
        if node is not wanted and (isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or _private(node))
        for child in ast.walk(node)
    )


def _private(node: ast.AST) -> bool:
    return isinstance(node, ast.ClassDef) and node.name.startswith("_")
