"""The tutorials, typed line by line into a shell's place; what comes back is compared with the page."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq
import pytest

pytestmark = [pytest.mark.shared_data]

TUTORIALS = Path(__file__).resolve().parent.parent / "docs" / "tutorials"
_BLOCK = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PORTS = {"8765": "18765", "8766": "18766"}
_READY_SECONDS = 60.0


@dataclass
class Typist:
    """A person at a terminal: a folder, an environment, and what still runs in the background."""

    folder: Path
    environment: dict[str, str]
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    def read(self, page: Path) -> None:
        """Do what the page says, in its order."""
        for language, name, body in _BLOCK.findall(page.read_text("utf-8")):
            for port, free in _PORTS.items():
                body = body.replace(port, free)
            if language == "console":
                self._console(body)
            elif name:
                (self.folder / name).write_text(body, "utf-8")

    def _console(self, body: str) -> None:
        for typed in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
            line, _, expected = typed.partition("\n")
            words = [os.path.expandvars(w.replace("$DATA", self.environment["DATA"])) for w in shlex.split(line)]
            if words[0] == "cd":
                self.folder = (self.folder / words[1]).resolve()
            elif words[0] == "mkdir":
                (self.folder / words[1]).mkdir()
            elif words[-1] == "&":
                self._start(words[:-1], expected)
            else:
                self._run(words, expected)

    def _run(self, words: list[str], expected: str) -> None:
        ran = subprocess.run(
            self._program(words), cwd=self.folder, env=self.environment, capture_output=True, text=True
        )
        assert ran.returncode in {0, 3}, f"{words}: {ran.returncode}\n{ran.stdout[-1500:]}\n{ran.stderr[-1500:]}"
        print(f"{words}\n{ran.stdout}")
        compare(words, expected, ran.stdout)

    def _start(self, words: list[str], expected: str) -> None:
        process = subprocess.Popen(
            self._program(words), cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, text=True
        )
        self.running.append(process)
        assert process.stdout is not None
        started = time.monotonic()
        first = process.stdout.readline()
        assert first, f"{words} ended with {process.wait()}"
        assert time.monotonic() - started < _READY_SECONDS
        compare(words, expected, first)

    @staticmethod
    def _program(words: list[str]) -> list[str]:
        programs = {"fonoteca": [sys.executable, "-m", "fonoteca"], "python": [sys.executable]}
        return [*programs[words[0]], *words[1:]]

    def stop(self) -> None:
        """End what runs in the background."""
        for process in self.running:
            process.terminate()
            process.wait(30)
            if process.stdout:
                process.stdout.close()


def compare(words: list[str], expected: str, found: str) -> None:
    """``…`` in the page stands for anything; a page that shows nothing says nothing."""
    if not expected.strip():
        return
    pattern = ".*".join(re.escape(part) for part in expected.strip().split("…"))
    assert re.fullmatch(pattern, found.strip(), re.DOTALL), f"{words}\nthe page:\n{expected}\ncame back:\n{found}"


@pytest.fixture
def typist(shared_data: Path, tmp_path: Path) -> Iterator[Typist]:
    """A newcomer with the data and an empty folder."""
    program = tmp_path / "bin"
    program.mkdir()
    (program / "fonoteca").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m fonoteca "$@"\n')
    (program / "fonoteca").chmod(0o755)
    environment = dict(os.environ) | {
        "DATA": str(shared_data), "PATH": f"{program}:{os.environ['PATH']}", "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"), "COLUMNS": "200",
    }  # fmt: skip
    for name in list(environment):
        if name.startswith("FONOTECA_"):
            del environment[name]
    folder = tmp_path / "work"
    folder.mkdir()
    person = Typist(folder, environment)
    yield person
    person.stop()


def test_the_tutorials_do_what_they_say(typist: Typist) -> None:
    typist.read(TUTORIALS / "first-archive.md")
    edition = typist.folder / "publication" / "editions" / "0001"
    typist.read(TUTORIALS / "first-mirror.md")
    assert sources(edition / "snapshot") == {"fma", "folder", "freemusi"}
    assert sources(edition / "snapshot-nc") == {"jamendo"}, "NC rows are published, and only here"


def sources(snapshot: Path) -> set[str]:
    """The sources of all rows of a snapshot's tables; a claim names whoever claims, so claims are left out."""
    columns = [pq.read_table(path) for path in sorted(snapshot.glob("*.parquet")) if path.stem != "claims"]
    return {
        name for table in columns if "source" in table.column_names for name in table["source"].unique().to_pylist()
    }
