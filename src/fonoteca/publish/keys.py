"""The operator's signing keys: one Ed25519 key for each role, in files that only the operator reads.

``keys/<role>.pem`` is PKCS 8 in PEM, unencrypted, mode 0600. The key of ``root`` (and of ``targets``, between
editions) is meant to be moved offline: everything that does not need it works without the file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from securesystemslib.signer import CryptoSigner, SSlibKey

from fonoteca.core import durable
from fonoteca.core.errors import Failed, Usage

ROLES = ("root", "targets", "snapshot", "timestamp", "withdrawals")
ONLINE = ("snapshot", "timestamp", "withdrawals")
"""Roles whose keys a daily re-signing needs; the other two may be kept offline."""


@dataclass(frozen=True)
class Keys:
    """The keys that are at hand, by role, and the folder that they are in."""

    folder: Path
    signers: Mapping[str, CryptoSigner]

    def has(self, role: str) -> bool:
        """True where the role's private key is here."""
        return role in self.signers

    def signer(self, role: str) -> CryptoSigner:
        """The signer of a role.

        Raises:
            Failed: its key is not here (``key-missing``).
        """
        if role not in self.signers:
            raise Failed("key-missing", f"The {role} metadata could not be signed",
                         f"{path_of(self.folder, role)} is not there", "put the key back for this command, "
                         "or restore it from the backup of keys/", str(path_of(self.folder, role)))  # fmt: skip
        return self.signers[role]

    def public(self, role: str) -> SSlibKey:
        """The public half. Raises Failed as :meth:`signer`."""
        key = self.signer(role).public_key
        assert isinstance(key, SSlibKey)
        return key

    def key_id(self, role: str) -> str:
        """The TUF key id: SHA-256 of the public key's canonical form. Raises Failed as :meth:`signer`."""
        return str(self.public(role).keyid)


def path_of(folder: Path, role: str) -> Path:
    """Where the key of a role is."""
    return folder / f"{role}.pem"


def next_path(folder: Path, role: str) -> Path:
    """Where the successor of a role's key is while a rotation is under way."""
    return folder / f"{role}.next.pem"


def create(folder: Path) -> Keys:
    """Make the keys that are not there yet; existing ones are never replaced.

    They come from the operating system's generator: the one place where chance is no seed.

    Raises:
        NoSpace, Failed: the folder cannot be written.
    """
    make_private(folder)
    for role in ROLES:
        if not path_of(folder, role).exists():
            write_new_key(path_of(folder, role))
    return load(folder)


def make_private(folder: Path) -> None:
    """The folder, with no access for others."""
    durable.make_folder(folder)
    if os.name != "nt":
        folder.chmod(0o700)


def write_new_key(path: Path) -> None:
    """A fresh private key in a file of its own, mode 0600."""
    private = Ed25519PrivateKey.generate()
    durable.write_bytes(path, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), mode=0o600)


def load(folder: Path) -> Keys:
    """The keys that are in a folder; a missing one is an error only when it is asked for.

    Raises:
        Failed: no key at all is here (``no-keys``), or a file is no Ed25519 key (``bad-key``).
    """
    signers = {role: read_key(path_of(folder, role)) for role in ROLES if path_of(folder, role).is_file()}
    if not signers:
        raise Failed("no-keys", "Nothing can be signed", f"{folder} holds no keys",
                     "make an archive with 'fonoteca init DIR', or restore keys/ from its backup",
                     str(folder))  # fmt: skip
    return Keys(folder, signers)


def read_key(path: Path) -> CryptoSigner:
    """One key.

    Raises:
        Failed: the file is no unencrypted Ed25519 key in PKCS 8 PEM (``bad-key``).
    """
    try:
        private = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise _bad_key(path, str(error).splitlines()[0] if str(error) else "it is not PEM") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise _bad_key(path, "it is a key of another kind")
    return CryptoSigner(private)


def _bad_key(path: Path, why: str) -> Failed:
    return Failed("bad-key", "A signing key could not be read", f"{path}: {why}",
                  "restore the file from the backup of keys/", str(path))  # fmt: skip


@dataclass(frozen=True)
class KeyInfo:
    """What ``keys list`` says of a role. ``key_id`` is None where the private key is not here."""

    role: str
    path: Path
    key_id: str | None
    exposed: bool
    """True where others than the owner may read the file."""

    @property
    def should_be_offline(self) -> bool:
        """True for a key that is here and that the daily work does not need."""
        return self.key_id is not None and self.role not in ONLINE

    def as_json(self) -> dict[str, object]:
        """The fields by name."""
        return {"role": self.role, "path": str(self.path), "key_id": self.key_id, "exposed": self.exposed,
                "should_be_offline": self.should_be_offline}  # fmt: skip


def info(keys: Keys) -> list[KeyInfo]:
    """All roles, in their order."""
    found = []
    for role in ROLES:
        path = path_of(keys.folder, role)
        exposed = os.name != "nt" and path.is_file() and bool(path.stat().st_mode & 0o077)
        found.append(KeyInfo(role, path, keys.key_id(role) if keys.has(role) else None, exposed))
    return found


def check_role(role: str) -> str:
    """The role itself.

    Raises:
        Usage: there is no such role (``unknown-role``).
    """
    if role not in ROLES:
        raise Usage("unknown-role", "No key was changed", f"there is no role {role!r}",
                    f"name one of {', '.join(ROLES)}", role)  # fmt: skip
    return role
