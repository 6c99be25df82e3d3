"""H2: a decoder that is taken over gets nothing: no network, no file but its input, no process, no signal."""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from fonoteca.audio.facts import Limits
from fonoteca.audio.pool import Child

pytestmark = [
    pytest.mark.core,
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the decoder is a plain limited process"),
]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a hostile decoder could do, and what became of the things that it went for."""
    folder = tmp_path_factory.mktemp("outside")
    canary = folder / "canary"
    canary.write_bytes(b"alive")
    listed = sorted(p.name for p in folder.iterdir())
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_UNIX) as unix,
        socket.socket(socket.AF_UNIX) as abstract,
        tempfile.TemporaryDirectory() as short,
    ):
        unix.bind(f"{short}/s")
        unix.listen()
        abstract.bind(f"\0fonoteca-{os.getpid()}")
        abstract.listen()
        told = {
            "canary": str(canary), "folder": str(folder), "parent": os.getpid(), "port": tcp.getsockname()[1],
            "unix": f"{short}/s", "abstract": f"fonoteca-{os.getpid()}",
        }  # fmt: skip
        script = tmp_path_factory.mktemp("input") / "file"
        script.write_text(json.dumps(told))
        child = Child(Limits(decode_seconds=60), "simulators.hostile_worker")
        try:
            with script.open("rb") as stream:
                answer = child.ask(stream, script.stat().st_size)
        finally:
            child.close()
        tcp.setblocking(False)
        unix.setblocking(False)
        for listener in (tcp, unix):
            with pytest.raises(BlockingIOError):
                listener.accept()
    return answer | {
        "missing": child.missing, "canary": canary.read_bytes(), "mode": canary.stat().st_mode & 0o777,
        "before": listed, "after": sorted(p.name for p in folder.iterdir()), "input": json.loads(script.read_text()),
        "told": told,
    }  # fmt: skip


def test_nothing_outside_was_touched(outcome: dict[str, Any]) -> None:
    assert outcome["canary"] == b"alive"
    assert outcome["after"] == outcome["before"]
    assert outcome["mode"] != 0o777
    assert outcome["input"] == outcome["told"]
    assert not Path("/tmp/fonoteca-escape").exists()
    assert not Path("/dev/shm/fonoteca-escape").exists()


def test_no_attempt_out_of_fifty_succeeds(outcome: dict[str, Any]) -> None:
    if outcome["missing"]:
        pytest.skip(f"this kernel does not offer everything: {'; '.join(outcome['missing'])}")
    assert len(outcome["tried"]) >= 50
    assert outcome["done"] == []


def test_a_plain_limited_process_still_writes_no_file_and_reaches_no_parent(outcome: dict[str, Any]) -> None:
    """What POSIX limits alone give, on every kernel."""
    assert not {"make a file in tmp", "more memory", "raise the memory limit", "write to the input"} & set(
        outcome["done"]
    )
