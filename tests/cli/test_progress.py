"""The faces of progress: JSON lines, a line a minute, items."""

from __future__ import annotations

import io
import json

import pytest

from fonoteca.cli.progress import JsonLines, Lines, face, item_line
from fonoteca.core.clock import FixedClock
from fonoteca.core.progress import Silent, Unit
from harness import START

pytestmark = pytest.mark.core


def test_without_a_terminal_there_is_one_line_a_minute_with_rate_and_time_left() -> None:
    stream, clock = io.StringIO(), FixedClock(START)
    lines = Lines(stream, clock)
    lines.stage("hashing", 1_000_000, Unit.BYTES)
    for _ in range(121):
        clock.sleep(1)
        lines.advance(5000)
    told = stream.getvalue().splitlines()
    assert len(told) == 2
    assert told[0] == "hashing: 300 kB of 1 MB, 5 kB/s, 2 min 20 s left"


def test_json_status_comes_at_most_once_a_second_and_carries_a_total() -> None:
    stream, clock = io.StringIO(), FixedClock(START)
    lines = JsonLines(stream, clock)
    lines.stage("reading", 100, Unit.ROWS)
    for _ in range(40):
        clock.sleep(0.1)
        lines.advance(1)
    said = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert 4 <= len(said) <= 6
    assert all(line["message_type"] == "status" and line["total"] == 100 for line in said)


def test_items_and_warnings_are_json_lines_of_their_type() -> None:
    stream = io.StringIO()
    lines = JsonLines(stream, FixedClock(START))
    lines.item({"code": "not-audio", "path": "a.mp3"})
    lines.warn("slow disk")
    assert [json.loads(line)["message_type"] for line in stream.getvalue().splitlines()] == ["item", "warning"]


def test_an_item_line_names_code_path_blocks_and_repair() -> None:
    line = item_line({"code": "block-damaged", "path": "blobs/x", "block": [3, 5], "repair": "fonoteca repair"})
    assert line == "block-damaged: blobs/x blocks 3-5    repair: fonoteca repair"


def test_quiet_is_silent() -> None:
    out = io.StringIO()
    assert isinstance(face(out, out, FixedClock(START), as_json=False, quiet=True, terminal=True), Silent)
