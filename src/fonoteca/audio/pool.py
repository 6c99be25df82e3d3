"""Decoder children: starting, asking, killing, replacing them. Knows nothing of audio."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from multiprocessing.connection import Pipe
from multiprocessing.reduction import send_handle
from pathlib import Path
from typing import IO, Any

from fonoteca.audio.facts import AudioFacts, AudioRefused, Limits

_WORKER = "fonoteca.audio.worker"
_START_SECONDS = 60


class _Dead(Exception):
    """The child went away or answered with nonsense."""


class Child:
    """One confined process. Use from one thread at a time."""

    def __init__(self, limits: Limits, worker: str = _WORKER) -> None:
        ours, theirs = Pipe(duplex=True)
        self._connection = ours
        self._limits = limits
        self.files = 0
        # Nothing of our environment goes in: only where Python finds the same packages.
        environment = {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "LC_ALL": "C.UTF-8"}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-s", "-P", "-B", "-m", worker, str(theirs.fileno()), json.dumps(asdict(limits))],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()], start_new_session=True, env=environment, cwd="/",
            )  # fmt: skip
        try:
            self.missing: list[str] = self._receive(_START_SECONDS)["missing"]
        except (_Dead, TimeoutError) as error:
            self.close()
            raise RuntimeError("the decoder process did not start") from error

    def _receive(self, seconds: float) -> dict[str, Any]:
        try:
            if not self._connection.poll(seconds):
                raise TimeoutError
            answer = json.loads(self._connection.recv_bytes(self._limits.max_reply_bytes))
        except (EOFError, OSError, ValueError) as error:
            if isinstance(error, TimeoutError):
                raise
            raise _Dead from error
        if not isinstance(answer, dict):
            raise _Dead
        return answer

    def ask(self, stream: IO[bytes], size: int) -> dict[str, Any]:
        """Hand over an open file; the child's answer.

        Raises:
            AudioRefused: ``decode-timeout``, or ``decode-error`` where the child died; the child is gone then.
        """
        self.files += 1
        try:
            self._connection.send_bytes(str(size).encode("ascii"))
            send_handle(self._connection, stream.fileno(), self._process.pid)
            return self._receive(self._limits.decode_seconds)
        except TimeoutError:
            self.close()
            raise AudioRefused("decode-timeout", f"it took longer than {self._limits.decode_seconds} s") from None
        except (_Dead, OSError):
            raise self._how_it_died() from None

    def _how_it_died(self) -> AudioRefused:
        self.close()
        code = self._process.returncode
        if code == -signal.SIGXCPU:
            return AudioRefused("decode-timeout", f"it used more than {self._limits.decode_seconds} s of the processor")
        return AudioRefused("decode-error", "the decoder process died of it")

    def kill(self) -> None:
        """End the child and all of its process group; who waits for its answer is told that it died."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End the child and let go of all that belongs to it."""
        self.kill()
        self._connection.close()
        self._process.wait()


class Pool:
    """Up to ``workers`` children, started when needed and replaced after a failure or many files.

    Thread-safe: call :meth:`probe` from as many threads as there are workers.
    """

    def __init__(self, limits: Limits, workers: int = 2, worker: str = _WORKER) -> None:
        self.limits = limits
        self.missing: list[str] = []
        """What the system could not enforce, known after the first file."""
        self._worker = worker
        self._living: set[Child] = set()
        self._closed = False
        self._idle: queue.LifoQueue[Child | None] = queue.LifoQueue()
        for _ in range(max(workers, 1)):
            self._idle.put(None)

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all children, the busy ones too."""
        self._closed = True
        for child in list(self._living):
            child.kill()
        places = 0
        with contextlib.suppress(queue.Empty):
            while True:
                self._end(self._idle.get_nowait())
                places += 1
        # Whoever asks only now must not wait for ever: he gets a place, and is told that the pool is closed.
        for _ in range(places):
            self._idle.put(None)

    def _end(self, child: Child | None) -> None:
        if child is not None:
            child.close()
            self._living.discard(child)

    def _start(self) -> Child:
        if self._closed:
            raise RuntimeError("the pool is closed")
        child = Child(self.limits, self._worker)
        self._living.add(child)
        self.missing = child.missing
        return child

    @contextlib.contextmanager
    def _child(self) -> Iterator[Child]:
        child = self._idle.get()
        keep = False
        try:
            if child is not None and child.files >= self.limits.files_per_child:
                self._end(child)
                child = None
            if child is None:
                child = self._start()
            yield child
            keep = not self._closed
        finally:
            if not keep:
                self._end(child)
            self._idle.put(child if keep else None)

    def check_size(self, size: int) -> None:
        """Refuse without reading. Raises AudioRefused: ``empty-file``, ``too-large``."""
        if not size:
            raise AudioRefused("empty-file", "it has no bytes")
        if size > self.limits.max_bytes:
            raise AudioRefused("too-large", f"it has {size} bytes, more than the {self.limits.max_bytes} allowed")

    def probe(self, path: Path) -> AudioFacts:
        """Decode one file whole.

        Raises:
            AudioRefused: with the code of what is wrong.
            OSError: the file cannot be opened.
        """
        with path.open("rb") as stream:
            return self.probe_stream(stream)

    def probe_stream(self, stream: IO[bytes]) -> AudioFacts:
        """As :meth:`probe`, for a file that is open already."""
        size = os.fstat(stream.fileno()).st_size
        self.check_size(size)
        with self._child() as child:
            answer = child.ask(stream, size)
        return _facts(answer)


def _facts(answer: dict[str, Any]) -> AudioFacts:
    """The child's words are not trusted: another shape than agreed is a refusal."""
    try:
        if "refused" in answer:
            code, reason = answer["refused"]
            raise AudioRefused(str(code), str(reason)[:500])
        return checked(AudioFacts.from_json(answer["facts"]))
    except (KeyError, TypeError, ValueError) as error:
        raise AudioRefused("decode-error", "the decoder process answered with nonsense") from error


def checked(facts: AudioFacts) -> AudioFacts:
    """The same facts, if their types and names are as agreed. Raises ValueError."""
    from fonoteca.audio.containers import CONTAINERS

    known = CONTAINERS[facts.container].codecs.values()
    numbers = (facts.bit_rate, facts.sample_rate, facts.channels, facts.duration_ms, facts.samples)
    if (facts.codec, facts.mime, facts.extension) not in known or not all(type(n) is int and n >= 0 for n in numbers):
        raise ValueError("not the facts of an accepted container")
    if not all(isinstance(v, str) for values in facts.tags.values() for v in values):
        raise ValueError("tags that are no text")
    return facts
