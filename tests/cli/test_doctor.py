"""doctor: what is missing, and the exact fix."""

from __future__ import annotations

import datetime
import json
import os
from pathlib import Path

import pytest

from fonoteca.cli.diagnosis import diagnose
from fonoteca.core.clock import FixedClock
from harness import START, fonoteca, ok

pytestmark = pytest.mark.core


def test_a_sound_machine_is_told_so(tmp_path: Path) -> None:
    found = ok("doctor", "--json", cwd=tmp_path).json
    assert found["ok"]
    assert {"Python", "libtorrent", "pyarrow", "disk", "clock"} <= {c["name"] for c in found["checks"]}


def test_a_clock_in_the_past_is_named(tmp_path: Path) -> None:
    clock = FixedClock(datetime.datetime(1999, 1, 1, tzinfo=datetime.UTC))
    ran = fonoteca("doctor", "--json", cwd=tmp_path, clock=clock)
    assert ran.code == 1
    assert [c["name"] for c in ran.json["checks"] if c["needed"] and not c["ok"]] == ["clock"]


def archive_with(tmp_path: Path, expires: str) -> Path:
    (tmp_path / "fonoteca.toml").write_text("")
    metadata = tmp_path / "publication" / "metadata"
    metadata.mkdir(parents=True)
    (metadata / "timestamp.json").write_text(json.dumps({"signed": {"expires": expires}}))
    return tmp_path


@pytest.mark.parametrize(("expires", "fine"), [("2026-12-01T12:00:00Z", True), ("2026-11-26T12:00:00Z", False)])
def test_metadata_near_its_expiry_is_warned_of_at_half_time(tmp_path: Path, expires: str, fine: bool) -> None:
    checks = diagnose(archive_with(tmp_path, expires), FixedClock(START))
    expiry = next(c for c in checks if c.name == "expiry")
    assert expiry.ok is fine
    assert "publish --refresh" in expiry.fix


@pytest.mark.skipif(os.name == "nt", reason="file modes are POSIX")
def test_a_readable_private_key_and_an_online_root_key_are_named(tmp_path: Path) -> None:
    (tmp_path / "fonoteca.toml").write_text("")
    keys = tmp_path / "keys"
    keys.mkdir()
    for name in ("root.pem", "timestamp.pem"):
        (keys / name).write_text("-----BEGIN PRIVATE KEY-----\n")
    (keys / "timestamp.pem").chmod(0o644)
    (keys / "root.pem").chmod(0o600)
    found = {c.name: c for c in diagnose(tmp_path, FixedClock(START))}
    assert found["key timestamp.pem"].fix == f"chmod 600 {keys / 'timestamp.pem'}"
    assert not found["root key"].needed


@pytest.mark.parametrize("junk", ["junk", "[]", "{}", '{"signed":{"expires":7}}', '{"signed":{"expires":"soon"}}'])
def test_damaged_metadata_is_a_finding_and_no_traceback(tmp_path: Path, junk: str) -> None:
    root = archive_with(tmp_path, "2026-12-01T12:00:00Z")
    (root / "publication" / "metadata" / "timestamp.json").write_text(junk)
    ran = fonoteca("doctor", "--json", cwd=root)
    told = next(c for c in ran.json["checks"] if c["name"] == "expiry")
    assert not told["ok"]
    assert "cannot be read" in told["found"]
    assert "fonoteca verify" in told["fix"]
