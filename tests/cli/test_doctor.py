"""doctor: what is missing, and the exact fix."""

from __future__ import annotations

import datetime
import json
import os
from pathlib import Path

import pytest

from fonoteca.cli.diagnosis import Check, diagnose
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


def mirror_with(root: Path, **noted: object) -> dict[str, Check]:
    (root / "mirror.toml").write_text("")
    (root / "state").mkdir(exist_ok=True)
    (root / "state" / "status.json").write_text(json.dumps(noted))
    return {c.name: c for c in diagnose(root, FixedClock(START))}


@pytest.mark.parametrize(("expires", "fine", "found"), [
    ("2026-11-30T00:00:00Z", True, "valid until 2026-11-30T00:00:00Z"),
    ("2026-11-20T12:00:00Z", False, "stale since 2026-11-20T12:00:00Z; served for 41 days more"),
    ("2026-10-11T12:00:00Z", False, "served for 24 h more"),
    ("2026-10-01T00:00:00Z", False, "the time of grace is over, nothing is served"),
])  # fmt: skip
def test_a_mirror_is_told_how_long_its_signatures_last(tmp_path: Path, expires: str, fine: bool, found: str) -> None:
    told = mirror_with(tmp_path, expires=expires)["signatures"]
    assert told.ok is fine
    assert found in told.found
    assert told.needed
    assert "mirror run" in told.fix


def test_a_mirror_that_never_ran_lacks_both_and_is_no_failure(tmp_path: Path) -> None:
    told = mirror_with(tmp_path)
    assert [(told[n].ok, told[n].needed) for n in ("signatures", "budget")] == [(False, False)] * 2
    assert ok("doctor", cwd=tmp_path)


def test_the_budget_of_a_mirror_is_held_against_what_it_takes_and_what_the_disk_has(tmp_path: Path) -> None:
    assert mirror_with(tmp_path, disk=1 << 30)["budget"].ok
    small = mirror_with(tmp_path, disk=100)["budget"]
    assert not small.ok and "exceeded" in small.found and "mirror run --disk" in small.fix
    vast = mirror_with(tmp_path, disk=1 << 60)["budget"]
    assert not vast.ok and "the disk has not so much" in vast.found
