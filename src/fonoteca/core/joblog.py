"""The append-only log of jobs: what was started with which arguments, and how it ended.

One JSON line per event: ``{"job": 7, "event": "start", "command": "publish", "at": "...", ...}``. A run that
was cut short leaves a start without an end; the next run of the same command takes over its start time, so
that it ends in the same bytes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fonoteca.core import durable
from fonoteca.core.errors import Damaged


@dataclass(frozen=True)
class Job:
    """One started job."""

    number: int
    command: str
    at: str
    detail: dict[str, Any]


class JobLog:
    """The log at one path. The caller holds the writer's lock."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def events(self) -> list[dict[str, Any]]:
        """All whole lines, oldest first; a torn last line is ignored.

        Raises:
            Damaged: ``job-log-damaged``: a line is no event.
        """
        if not self._path.is_file():
            return []
        lines = self._path.read_bytes().split(b"\n")[:-1]
        return [self._event(number, line) for number, line in enumerate(lines, 1)]

    def _event(self, number: int, line: bytes) -> dict[str, Any]:
        try:
            event: dict[str, Any] = json.loads(line)
            needed = {"job", "event", "command", "at", *(["detail"] if event["event"] == "start" else [])}
            if needed <= event.keys() and type(event["job"]) is int:
                return event
            raise ValueError("it is no event")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Damaged(
                "job-log-damaged", "The log of jobs could not be read", f"line {number} of {self._path}: {error}",
                "move the file away: it only lets a command that was cut short go on with its start time",
                str(self._path),
            ) from error  # fmt: skip

    def unfinished(self, command: str, detail: dict[str, Any] | None = None) -> Job | None:
        """The last job of this command that has a start and no end (and the same detail, if given)."""
        open_jobs: dict[int, Job] = {}
        for event in self.events():
            if event["event"] == "start" and event["command"] == command:
                open_jobs[event["job"]] = Job(event["job"], command, event["at"], event["detail"])
            elif event["event"] == "end":
                open_jobs.pop(event["job"], None)
        matching = [j for j in open_jobs.values() if detail is None or j.detail == detail]
        return matching[-1] if matching else None

    def start(self, command: str, at: str, detail: dict[str, Any] | None = None) -> Job:
        """Write a start; ``at`` is RFC 3339."""
        number = max((e["job"] for e in self.events()), default=0) + 1
        job = Job(number, command, at, detail or {})
        self._write({"job": number, "event": "start", "command": command, "at": at, "detail": job.detail})
        return job

    def end(self, job: Job, at: str, outcome: dict[str, Any] | None = None) -> None:
        """Write the end of a job, with what came out."""
        self._write({"job": job.number, "event": "end", "command": job.command, "at": at,
                     "outcome": outcome or {}})  # fmt: skip

    def _write(self, event: dict[str, Any]) -> None:
        durable.cut_torn_tail(self._path)
        durable.append_line(self._path, json.dumps(event, sort_keys=True).encode() + b"\n")
