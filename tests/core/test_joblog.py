"""The job log: what a run that was cut short left behind is taken up again."""

from __future__ import annotations

from pathlib import Path

import pytest

from fonoteca.core.errors import Damaged
from fonoteca.core.joblog import JobLog

pytestmark = pytest.mark.core

AT, LATER = "2026-11-24T12:00:00Z", "2026-11-25T12:00:00Z"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs" / "jobs.jsonl"


def test_a_log_that_is_not_there_is_empty(path: Path) -> None:
    assert JobLog(path).events() == []
    assert JobLog(path).unfinished("publish") is None


def test_a_job_that_ended_is_not_taken_up(path: Path) -> None:
    log = JobLog(path)
    log.end(log.start("publish", AT), LATER, {"edition": 1})
    assert log.unfinished("publish") is None
    assert [event["event"] for event in log.events()] == ["start", "end"]


def test_a_job_that_was_cut_short_keeps_its_start_time(path: Path) -> None:
    started = JobLog(path).start("publish", AT, {"n": 1})
    JobLog(path).start("ingest", LATER)
    found = JobLog(path).unfinished("publish")
    assert found == started
    assert found is not None
    assert found.at == AT


def test_only_the_same_detail_is_taken_up(path: Path) -> None:
    log = JobLog(path)
    log.start("publish", AT, {"edition": 1})
    assert log.unfinished("publish", {"edition": 2}) is None
    assert log.unfinished("publish", {"edition": 1}) is not None


def test_numbers_go_up_and_the_latest_is_taken(path: Path) -> None:
    log = JobLog(path)
    jobs = [log.start("publish", AT) for _ in range(3)]
    assert [job.number for job in jobs] == [1, 2, 3]
    assert log.unfinished("publish") == jobs[-1]


@pytest.mark.parametrize("torn", [b"{", b'{"job": 9, "event": "st', b'{"job": 9, "event": "end", "command": "x"}'])
def test_a_torn_tail_is_ignored_and_cut_off_before_the_next_line(path: Path, torn: bytes) -> None:
    log = JobLog(path)
    job = log.start("publish", AT)
    with path.open("ab") as stream:
        stream.write(torn)
    assert log.unfinished("publish") == job
    assert log.start("publish", LATER).number == 2
    assert len(log.events()) == 2


def test_an_end_that_was_torn_is_written_again(path: Path) -> None:
    """Killed while writing the end, then taken up without a new start."""
    log = JobLog(path)
    job = log.start("publish", AT)
    with path.open("ab") as stream:
        stream.write(b'{"job": 1, "event": "e')
    again = log.unfinished("publish")
    assert again == job
    log.end(job, LATER)
    assert [event["event"] for event in log.events()] == ["start", "end"]


@pytest.mark.parametrize("line", [
    b"nonsense\n", b"[]\n", b'{"job": 1}\n', b'{"job":"x","event":"end","command":"a","at":"b"}\n',
    b'{"job":1,"event":"start","command":"a","at":"b"}\n',
])  # fmt: skip
def test_a_damaged_line_is_named_with_a_remedy(path: Path, line: bytes) -> None:
    JobLog(path).start("publish", AT)
    path.write_bytes(path.read_bytes() + line)
    with pytest.raises(Damaged, match=r"line 2 .*move the file away") as caught:
        JobLog(path).unfinished("publish")
    assert caught.value.code == "job-log-damaged"
