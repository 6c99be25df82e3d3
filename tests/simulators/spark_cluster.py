"""A Spark cluster on this machine: a master and workers as processes of their own, on the loopback address alone."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

HOST = "127.0.0.1"
STARTS_WITHIN = 180


@contextlib.contextmanager
def cluster(folder: Path, workers: int = 2) -> Iterator[str]:
    """The address of a master that so many workers have joined; all of them end with the block.

    Each worker keeps what its executors wrote below ``folder/worker-N``.
    """
    import pyspark

    home = Path(pyspark.__file__).parent
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    address = f"spark://{HOST}:{port}"
    with contextlib.ExitStack() as running:
        _daemon(running, home, folder / "master.log", "master.Master", "--port", str(port))
        _wait(folder / "master.log", ["started at spark://", "New state: ALIVE"])
        for number in range(workers):
            place = folder / f"worker-{number}"
            log = folder / f"worker-{number}.log"
            _daemon(running, home, log, "worker.Worker", "--cores", "1", "--memory", "1g", "-d", str(place), address)
        for number in range(workers):
            _wait(folder / f"worker-{number}.log", ["Successfully registered with master"])
        yield address


@contextlib.contextmanager
def variables(**values: str) -> Iterator[None]:
    """Variables of the environment, for Spark's own programs that this process starts meanwhile."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _daemon(running: contextlib.ExitStack, home: Path, log: Path, name: str, *words: str) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    variables = os.environ | {
        "SPARK_HOME": str(home), "SPARK_LOCAL_IP": HOST, "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_LOCAL_DIRS": str(log.parent),
    }  # fmt: skip
    stream = running.enter_context(log.open("wb"))
    command = [home / "bin" / "spark-class", f"org.apache.spark.deploy.{name}", "--host", HOST, "--webui-port", "0"]
    process = subprocess.Popen([*command, *words], stdout=stream, stderr=subprocess.STDOUT, env=variables)
    running.callback(_end, process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait(log: Path, words: list[str]) -> None:
    end = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < end:
        text = log.read_text("utf-8", "replace")
        if any(word in text for word in words):
            return
        time.sleep(0.2)
    raise AssertionError(f"{log.name} never said {words}:\n{log.read_text('utf-8', 'replace')[-3000:]}")
