from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from fonoteca.cli.commands.serve import site_data
from fonoteca.cli.context import Context
from fonoteca.cli.env import Env
from fonoteca.core import durable
from fonoteca.core.clock import FixedClock
from fonoteca.core.progress import SILENT
from fonoteca.core.settings import resolve
from fonoteca.site.shelf import Standing
from harness import START, fonoteca
from simulators.tiny_edition import publish
from simulators.tiny_site import ELISE, PIECES

pytestmark = pytest.mark.core


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    folder = tmp_path / "mirror"
    publish(folder / "publication", PIECES, withheld={"Secret": "conflicting-claims"})
    (folder / "mirror.toml").write_bytes(b"")
    return folder


def test_serves_until_it_is_told_to_stop(mirror: Path) -> None:
    variables = {k: v for k, v in os.environ.items() if not k.startswith("FONOTECA_")}
    words = [sys.executable, "-m", "fonoteca", "--archive", str(mirror), "--json", "serve", "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=variables) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        told: dict[str, object] = {}
        while "url" not in told:
            told = json.loads(process.stdout.readline())
        start = time.monotonic()
        with urllib.request.urlopen(f"{told['url']}search.json?q=elise", timeout=10) as answer:
            assert json.load(answer)["hits"][0]["id"] == ELISE.id
        assert time.monotonic() - start < 5
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert "Traceback" not in process.stderr.read()


def test_a_port_in_use(mirror: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = fonoteca("serve", "--port", str(taken.getsockname()[1]), "--json", cwd=mirror)
    assert (ran.code, ran.json["code"]) == (1, "port-in-use")
    assert "fonoteca serve --port" in ran.json["remedy"]


@pytest.mark.parametrize(("words", "code"), [
    (["--port", "70000"], "bad-port"), (["--port", "-1"], "bad-setting"), (["--port", "x"], "bad-arguments"),
    (["--host", "300.1.1.1.1"], "bad-host"),
])  # fmt: skip
def test_wrong_words(mirror: Path, words: list[str], code: str) -> None:
    ran = fonoteca("serve", *words, "--json", cwd=mirror)
    assert (ran.code, ran.json["code"]) == (2, code)


def test_nothing_to_serve(tmp_path: Path) -> None:
    ran = fonoteca("serve", "--json", cwd=tmp_path)
    assert (ran.code, ran.json["code"]) == (10, "no-archive")
    (tmp_path / "mirror.toml").write_bytes(b"")
    ran = fonoteca("serve", "--json", cwd=tmp_path)
    assert (ran.code, ran.json["code"]) == (10, "no-edition")


@pytest.mark.parametrize(("expires", "standing"), [
    (None, Standing()), ("2026-11-25T00:00:00Z", Standing()),
    ("2026-11-20T00:00:00Z", Standing(True, "2026-11-20T00:00:00Z")),
    ("2026-10-01T00:00:00Z", Standing(False, "2026-10-01T00:00:00Z")),
])  # fmt: skip
def test_a_mirror_serves_until_its_time_of_grace_is_over(mirror: Path, expires: str | None, standing: Standing) -> None:
    if expires:
        durable.write_bytes(mirror / "state" / "status.json", json.dumps({"expires": expires}).encode())
    env = Env(io.StringIO(), io.StringIO(), mirror, mirror, {}, FixedClock(START), terminal=False)
    context = Context(env, mirror, resolve([]), SILENT, "serve", json=False, quiet=True, verbose=False)
    data = site_data(context)
    assert data.standing() == standing
    assert data.hosts == {"localhost", "127.0.0.1", "[::1]"}
