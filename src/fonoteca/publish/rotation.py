"""Replacing a signing key: announced by a root that the old and the new root keys sign, or by the delegation.

Safe to cut short anywhere: the successor waits in ``keys/<role>.next.pem`` until the metadata names it and is
signed with it; the same command again goes on from there. The old key stays in ``keys/retired/``.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace

from fonoteca.core import durable
from fonoteca.core.layout import PublicationLayout
from fonoteca.publish import tuf
from fonoteca.publish.keys import Keys, check_role, make_private, next_path, path_of, read_key, write_new_key


@dataclass(frozen=True)
class Rotation:
    """What a rotation did."""

    role: str
    old_key_id: str
    new_key_id: str
    root_version: int

    def as_json(self) -> dict[str, object]:
        """The fields by name."""
        return {"role": self.role, "old_key_id": self.old_key_id, "new_key_id": self.new_key_id,
                "root_version": self.root_version}  # fmt: skip


def rotate(publication: PublicationLayout, keys: Keys, role: str, now: datetime.datetime) -> Rotation:
    """Give a role a new key, and sign anew what the old one signed.

    Args:
        publication: its metadata is re-signed; before the first publication only the root is written.
        keys: the keys in use. The root key is needed for every role but ``withdrawals``, which needs ``targets``.
        role: one of keys.ROLES.
        now: UTC, whole seconds.

    Raises:
        Usage: no such role.
        Failed: a key that is needed is not here (``key-missing``).
    """
    check_role(role)
    old = keys.key_id(role)
    # Everything that may refuse comes before the first key is made.
    keys.signer("targets" if role == "withdrawals" else "root")
    root = tuf.ensure_root(publication, keys, now)
    waiting = next_path(keys.folder, role)
    if not waiting.exists():
        write_new_key(waiting)
    successor = replace(keys, signers={**keys.signers, role: read_key(waiting)})
    if role in tuf.TOP and successor.key_id(role) not in root.signed.roles[role].keyids:
        root = tuf.next_root(publication, root, keys, now, {role: successor})
    tuf.resign(publication, successor, now)
    _put_in_place(keys, role, old)
    return Rotation(role, old, successor.key_id(role), root.signed.version)


def _put_in_place(keys: Keys, role: str, old: str) -> None:
    retired = keys.folder / "retired" / f"{role}.{old[:16]}.pem"
    make_private(retired.parent)
    # A second name first, so that at no moment a key is nowhere.
    durable.link(path_of(keys.folder, role), retired)
    durable.rename(next_path(keys.folder, role), path_of(keys.folder, role))
