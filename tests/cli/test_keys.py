from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from harness import fonoteca, ok

pytestmark = pytest.mark.core

ROLES = ["root", "targets", "snapshot", "timestamp", "withdrawals"]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    ok("init", "a", cwd=tmp_path)
    return tmp_path / "a"


def test_list(archive: Path) -> None:
    found = ok("keys", "list", "--json", cwd=archive).json["keys"]
    assert [k["role"] for k in found] == ROLES
    assert all(len(k["key_id"]) == 64 and not k["exposed"] for k in found)
    assert [k["role"] for k in found if k["should_be_offline"]] == ["root", "targets"]
    assert "PRIVATE" not in ok("keys", "list", cwd=archive).stdout


def test_export_makes_the_first_root_and_gives_the_same_afterwards(archive: Path) -> None:
    first = ok("keys", "export", "-o", "out/root.json", "--json", cwd=archive).json
    assert first["version"] == 1
    data = (archive / "out" / "root.json").read_bytes()
    assert json.loads(data)["signed"]["_type"] == "root"
    assert b"PRIVATE" not in data
    assert ok("keys", "export", "--json", cwd=archive).json["sha256"] == first["sha256"]
    assert (archive / "root.json").read_bytes() == data


@pytest.mark.parametrize("role", ROLES)
def test_rotate_before_the_first_publication(archive: Path, role: str) -> None:
    ok("keys", "export", cwd=archive)
    done = ok("keys", "rotate", role, "--json", cwd=archive).json
    assert done["role"] == role
    assert done["old_key_id"] != done["new_key_id"]
    assert done["root_version"] == (1 if role == "withdrawals" else 2)
    listed = {k["role"]: k["key_id"] for k in ok("keys", "list", "--json", cwd=archive).json["keys"]}
    assert listed[role] == done["new_key_id"]


def test_an_unknown_role(archive: Path) -> None:
    ran = fonoteca("keys", "rotate", "mirror", "--json", cwd=archive)
    assert (ran.code, ran.json["code"]) == (2, "unknown-role")


def test_a_key_that_is_offline_is_asked_for(archive: Path) -> None:
    (archive / "keys" / "root.pem").unlink()
    ran = fonoteca("keys", "rotate", "timestamp", "--json", cwd=archive)
    assert (ran.code, ran.json["code"]) == (1, "key-missing")
    assert not (archive / "keys" / "timestamp.next.pem").exists()
    assert "not here" in ok("keys", "list", cwd=archive).stdout


@pytest.mark.skipif(os.name == "nt", reason="file modes are POSIX")
def test_a_key_that_others_can_read_is_shown(archive: Path) -> None:
    (archive / "keys" / "timestamp.pem").chmod(0o644)
    assert "chmod 600" in ok("keys", "list", cwd=archive).stdout


@pytest.mark.parametrize(
    "content", [b"", b"garbage", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_garbage_in_place_of_a_key(archive: Path, content: bytes) -> None:
    (archive / "keys" / "snapshot.pem").write_bytes(content)
    ran = fonoteca("keys", "list", "--json", cwd=archive)
    assert (ran.code, ran.json["code"]) == (1, "bad-key")


def test_no_keys_and_no_archive(archive: Path, tmp_path: Path) -> None:
    for path in (archive / "keys").iterdir():
        path.unlink()
    ran = fonoteca("keys", "list", "--json", cwd=archive)
    assert (ran.code, ran.json["code"]) == (1, "no-keys")
    assert fonoteca("keys", "list", cwd=tmp_path).code == 10
    assert fonoteca("keys", "export", cwd=tmp_path).code == 10


def test_damaged_metadata_is_said_to_be_unreadable_also_by_list(archive: Path) -> None:
    ok("keys", "export", cwd=archive)
    (archive / "publication" / "metadata" / "1.root.json").write_bytes(b"{")
    ran = fonoteca("keys", "list", "--json", cwd=archive)
    assert (ran.code, ran.json["code"], ran.json["what"]) == (
        4, "bad-metadata", "The signed metadata could not be read",
    )  # fmt: skip
