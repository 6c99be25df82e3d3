from __future__ import annotations

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from fonoteca.core.errors import Failed, Usage
from fonoteca.publish import keys

pytestmark = pytest.mark.core


def test_five_keys_that_only_the_owner_reads(tmp_path: Path) -> None:
    made = keys.create(tmp_path / "keys")
    assert set(made.signers) == set(keys.ROLES)
    assert len({made.key_id(role) for role in keys.ROLES}) == 5
    if os.name != "nt":
        assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
        assert {p.stat().st_mode & 0o777 for p in (tmp_path / "keys").iterdir()} == {0o600}
    assert not any(info.exposed for info in keys.info(made))


def test_existing_keys_are_never_replaced(tmp_path: Path) -> None:
    before = keys.create(tmp_path)
    keys.path_of(tmp_path, "snapshot").unlink()
    after = keys.create(tmp_path)
    assert {r for r in keys.ROLES if before.key_id(r) != after.key_id(r)} == {"snapshot"}


def test_what_is_loaded_signs_what_the_public_key_verifies(tmp_path: Path) -> None:
    keys.create(tmp_path)
    loaded = keys.load(tmp_path)
    signature = loaded.signer("root").sign(b"data")
    loaded.public("root").verify_signature(signature, b"data")
    assert loaded.public("root").keytype == "ed25519"


def test_a_missing_key_is_an_error_only_when_it_is_asked_for(tmp_path: Path) -> None:
    keys.create(tmp_path)
    keys.path_of(tmp_path, "root").unlink()
    loaded = keys.load(tmp_path)
    assert not loaded.has("root")
    assert loaded.key_id("timestamp")
    with pytest.raises(Failed) as caught:
        loaded.signer("root")
    assert caught.value.code == "key-missing"


def test_an_empty_folder_has_no_keys(tmp_path: Path) -> None:
    with pytest.raises(Failed) as caught:
        keys.load(tmp_path)
    assert caught.value.code == "no-keys"


def _pem(kind: str) -> bytes:
    if kind == "encrypted":
        private = Ed25519PrivateKey.generate()
        return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    if kind == "another-kind":
        return X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return b"" if kind == "empty" else b"-----BEGIN PRIVATE KEY-----\nnot base64\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize("kind", ["encrypted", "another-kind", "empty", "garbage"])
def test_a_file_that_is_no_plain_ed25519_key(tmp_path: Path, kind: str) -> None:
    keys.path_of(tmp_path, "root").write_bytes(_pem(kind))
    with pytest.raises(Failed) as caught:
        keys.load(tmp_path)
    assert caught.value.code == "bad-key"
    assert caught.value.subject == str(keys.path_of(tmp_path, "root"))


def test_roles_have_names() -> None:
    assert keys.check_role("root") == "root"
    with pytest.raises(Usage):
        keys.check_role("admin")
