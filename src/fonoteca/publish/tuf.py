"""The repository side of The Update Framework: which metadata files exist, and in which order they appear.

Thin on purpose: python-tuf's Metadata API makes and signs each file; a client is python-tuf's own. Rules from
the TUF specification 1.0 (consistent snapshots, section 7; key rotation, section 6) and docs/formats/
publication-metadata.md. ``timestamp.json`` is written last: until then a reader sees the publication as it was.
The chain that it starts is what counts as published; files of a run that was cut short are overwritten.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization import DeserializationError
from tuf.api.serialization.json import JSONSerializer

from fonoteca.core import durable
from fonoteca.core.errors import Damaged, Failed
from fonoteca.core.layout import PublicationLayout
from fonoteca.formats import withdrawals as lists
from fonoteca.publish.keys import Keys

LONG = datetime.timedelta(days=365)
SHORT = datetime.timedelta(days=7)
TOP = ("root", "targets", "snapshot", "timestamp")
WITHDRAWALS_TARGET = "withdrawals/withdrawals.json"

_S = TypeVar("_S", Root, Targets, Snapshot, Timestamp)


@dataclass(frozen=True)
class Target:
    """A file that the metadata vouches for: length in bytes and hex SHA-256."""

    length: int
    sha256: str


@dataclass(frozen=True)
class Versions:
    """The version numbers that stand after signing, and the nearest expiry of the daily roles."""

    root: int
    targets: int
    snapshot: int
    withdrawals: int
    timestamp: int
    expires: datetime.datetime


@dataclass(frozen=True)
class _Committed:
    """What ``timestamp.json`` leads to; None before the first publication."""

    timestamp: Metadata[Timestamp] | None = None
    snapshot: Metadata[Snapshot] | None = None
    targets: Metadata[Targets] | None = None
    withdrawals: Metadata[Targets] | None = None


def sign(
    publication: PublicationLayout, keys: Keys, targets: Mapping[str, Target], withdrawals: bytes,
    now: datetime.datetime,
) -> Versions:  # fmt: skip
    """Sign an edition: write root (if need be), targets, withdrawals, snapshot, and last the timestamp.

    The same arguments give the same bytes; run twice, nothing changes. Targets of earlier editions stay.

    Args:
        publication: its folder ``metadata/`` is written, and ``withdrawals/withdrawals.json``.
        targets: path below the publication → length and digest; ``editions/0001/edition.json``, ...
        withdrawals: the public list as encoded.
        now: UTC, whole seconds; expiries count from here.

    Raises:
        Failed: a key is missing (``key-missing``), or a target of an earlier edition would change
            (``edition-changed``).
        Damaged: the list of withdrawals does not begin with the published one (``withdrawals-shrunk``), or
            metadata that is there cannot be read (``bad-metadata``).
    """
    _check_list_grows(publication, withdrawals)
    root = ensure_root(publication, keys, now)
    committed = _committed(publication)
    top = _sign_targets(publication, keys, committed, _merged(committed.targets, targets), now)
    return _finish(publication, keys, committed, root, top, withdrawals, now)


def refresh(publication: PublicationLayout, keys: Keys, withdrawals: bytes, now: datetime.datetime) -> Versions:
    """Re-sign withdrawals, snapshot and timestamp, with a new list perhaps, without a new edition.

    Needs the three online keys only; targets and root are renewed as well where they are in the second half
    of their time and their keys are here. Arguments and errors as for :func:`sign`.

    Raises:
        Failed: nothing was published yet (``nothing-published``).
    """
    committed = _committed(publication)
    if committed.targets is None:
        raise Failed("nothing-published", "Nothing was re-signed", f"{publication.root} holds no edition yet",
                     "publish one with 'fonoteca publish'", str(publication.root))  # fmt: skip
    _check_list_grows(publication, withdrawals)
    root = ensure_root(publication, keys, now)
    top = committed.targets
    if keys.has("targets") and (_ageing(top.signed, now) or _delegation_changed(top.signed, keys)):
        top = _sign_targets(publication, keys, committed, dict(top.signed.targets), now)
    return _finish(publication, keys, committed, root, top, withdrawals, now)


def resign(publication: PublicationLayout, keys: Keys, now: datetime.datetime) -> None:
    """Sign with these keys whatever they have not signed yet; nothing happens before the first publication."""
    committed, root = _committed(publication), newest_root(publication)
    if committed.targets is None or root is None:
        return
    top = committed.targets
    if keys.has("targets") and (_delegation_changed(top.signed, keys) or keys.key_id("targets") not in top.signatures):
        top = _sign_targets(publication, keys, committed, dict(top.signed.targets), now)
    _finish(publication, keys, committed, root, top, publication.withdrawals.read_bytes(), now)


def ensure_root(publication: PublicationLayout, keys: Keys, now: datetime.datetime) -> Metadata[Root]:
    """The newest root; version 1 is made where there is none, a next one where it is ageing and its key is here."""
    newest = newest_root(publication)
    if newest is None:
        found = Root(version=1, expires=now + LONG, consistent_snapshot=True)
        for role in TOP:
            found.add_key(keys.public(role), role)
        return _write_root(publication, Metadata(found), keys)
    if _ageing(newest.signed, now) and keys.has("root"):
        return next_root(publication, newest, keys, now)
    return newest


def next_root(
    publication: PublicationLayout, newest: Metadata[Root], keys: Keys, now: datetime.datetime,
    replace: Mapping[str, Keys] | None = None,
) -> Metadata[Root]:  # fmt: skip
    """Write the next version of root, signed by the old root key and by the new one.

    Args:
        newest: the root that it follows.
        keys: the keys in use; the root key must be here.
        replace: role → keys whose key of that role takes the old one's place.

    Raises:
        Failed: the root key is not here (``key-missing``).
    """
    keys.signer("root")
    signed = Root.from_dict(newest.signed.to_dict())
    signed.version += 1
    signed.expires = now + LONG
    for role, new in (replace or {}).items():
        for old_id in list(signed.roles[role].keyids):
            signed.revoke_key(old_id, role)
        signed.add_key(new.public(role), role)
    signers = [keys] + ([replace["root"]] if replace and "root" in replace else [])
    return _write_root(publication, Metadata(signed), *signers)


def newest_root(publication: PublicationLayout) -> Metadata[Root] | None:
    """The root with the highest version, or None. Raises Damaged where it cannot be read."""
    versions = [int(p.name.split(".")[0]) for p in publication.metadata.glob("*.root.json")
                if p.name.split(".")[0].isdigit()]  # fmt: skip
    return _load(publication, f"{max(versions)}.root", Root) if versions else None


def root_bytes(publication: PublicationLayout) -> bytes:
    """The newest root as it is on the disk: what mirrors are handed.

    Raises:
        Failed: there is none (``nothing-published``).
    """
    newest = newest_root(publication)
    if newest is None:
        raise Failed("nothing-published", "There is no root to hand out", f"{publication.metadata} holds none",
                     "sign the first with 'fonoteca keys export' or 'fonoteca publish' in the archive",
                     str(publication.metadata))  # fmt: skip
    return (publication.metadata / f"{newest.signed.version}.root.json").read_bytes()


def _write_root(publication: PublicationLayout, root: Metadata[Root], *signers: Keys) -> Metadata[Root]:
    for keys in signers:
        root.sign(keys.signer("root"), append=True)
    _write(publication, f"{root.signed.version}.root", root)
    return root


def _merged(old: Metadata[Targets] | None, new: Mapping[str, Target]) -> dict[str, TargetFile]:
    merged = dict(old.signed.targets) if old else {}
    for path, target in new.items():
        file = TargetFile(target.length, {"sha256": target.sha256}, path)
        if merged.setdefault(path, file) != file:
            raise Failed("edition-changed", "The edition was not signed",
                         f"{path} was signed before, with other content", "an edition never changes: publish the "
                         "new state as a new edition, and restore the old file", path)  # fmt: skip
    return merged


def _sign_targets(
    publication: PublicationLayout, keys: Keys, committed: _Committed, files: dict[str, TargetFile],
    now: datetime.datetime,
) -> Metadata[Targets]:  # fmt: skip
    key = keys.public("withdrawals")
    role = DelegatedRole("withdrawals", [key.keyid], 1, True, paths=["withdrawals/*"])
    signed = Targets(expires=now + LONG, targets=files, delegations=Delegations({key.keyid: key}, {role.name: role}))
    return _put(publication, keys, "targets", signed, committed.targets)


def _finish(
    publication: PublicationLayout, keys: Keys, committed: _Committed, root: Metadata[Root], top: Metadata[Targets],
    withdrawals: bytes, now: datetime.datetime,
) -> Versions:  # fmt: skip
    """Withdrawals, snapshot and timestamp over given targets; the timestamp makes them the published state."""
    _check_keys(root.signed, top.signed, keys)
    file = TargetFile.from_data(WITHDRAWALS_TARGET, withdrawals, ["sha256"])
    own = Targets(expires=now + SHORT, targets={WITHDRAWALS_TARGET: file})
    delegated = _put(publication, keys, "withdrawals", own, committed.withdrawals)
    meta = {"targets.json": _meta(top), "withdrawals.json": _meta(delegated)}
    snapshot = _put(publication, keys, "snapshot", Snapshot(expires=now + SHORT, meta=meta), committed.snapshot)
    durable.write_bytes(publication.withdrawals, withdrawals)
    signed = Timestamp(expires=now + SHORT, snapshot_meta=_meta(snapshot))
    timestamp = _put(publication, keys, "timestamp", signed, committed.timestamp)
    return Versions(root.signed.version, top.signed.version, snapshot.signed.version, delegated.signed.version,
                    timestamp.signed.version, timestamp.signed.expires)  # fmt: skip


def _put(publication: PublicationLayout, keys: Keys, role: str, signed: _S, old: Metadata[_S] | None) -> Metadata[_S]:
    """Write one role's metadata as its next version; nothing is written where content, expiry and key are the same."""
    if old is not None:
        signed.version = old.signed.version
        if signed == old.signed and keys.key_id(role) in old.signatures:
            return old
        signed.version += 1
    made = Metadata(signed)
    made.sign(keys.signer(role))
    _write(publication, role if role == "timestamp" else f"{signed.version}.{role}", made)
    return made


def _meta(of: Metadata[_S]) -> MetaFile:
    return MetaFile.from_data(of.signed.version, _encode(of), ["sha256"])


def _encode(metadata: Metadata[_S]) -> bytes:
    return metadata.to_bytes(JSONSerializer(compact=False))


def _write(publication: PublicationLayout, name: str, metadata: Metadata[_S]) -> None:
    path = publication.metadata / f"{name}.json"
    data = _encode(metadata)
    if not path.is_file() or path.read_bytes() != data:
        durable.write_bytes(path, data)


def _committed(publication: PublicationLayout) -> _Committed:
    if not (publication.metadata / "timestamp.json").is_file():
        return _Committed()
    timestamp = _load(publication, "timestamp", Timestamp)
    snapshot = _load(publication, f"{timestamp.signed.snapshot_meta.version}.snapshot", Snapshot)
    meta = snapshot.signed.meta
    return _Committed(
        timestamp, snapshot, _load(publication, f"{meta['targets.json'].version}.targets", Targets),
        _load(publication, f"{meta['withdrawals.json'].version}.withdrawals", Targets),
    )  # fmt: skip


def _load(publication: PublicationLayout, name: str, kind: type[_S]) -> Metadata[_S]:
    path = publication.metadata / f"{name}.json"
    try:
        found = Metadata[_S].from_bytes(path.read_bytes())
    except (OSError, DeserializationError, RepositoryError) as error:
        raise _bad_metadata(path, str(error)) from error
    if not isinstance(found.signed, kind):
        raise _bad_metadata(path, f"it is of the type {found.signed.type}")
    return found


def _bad_metadata(path: Path, why: str) -> Damaged:
    return Damaged("bad-metadata", "The signed metadata could not be read", f"{path}: {why}",
                   "restore metadata/ from a mirror or a backup", str(path))  # fmt: skip


def _ageing(signed: Root | Targets, now: datetime.datetime) -> bool:
    return signed.expires - now < LONG / 2


def _check_keys(root: Root, top: Targets, keys: Keys) -> None:
    """The keys must be those that the root and the delegation name, or no client would accept what they sign."""
    named = {role: root.roles[role].keyids for role in ("targets", "snapshot", "timestamp") if keys.has(role)}
    delegations = top.delegations.roles if top.delegations and top.delegations.roles else {}
    named["withdrawals"] = delegations["withdrawals"].keyids if "withdrawals" in delegations else []
    for role, ids in named.items():
        if keys.key_id(role) not in ids:
            raise Failed("wrong-key", "Nothing was signed", f"the key of {role} is not the one that is published "
                         "as signing for it", f"if a rotation was cut short, finish it with 'fonoteca keys rotate "
                         f"{role}'; else restore keys/ from its backup", role)  # fmt: skip


def _delegation_changed(top: Targets, keys: Keys) -> bool:
    return top.delegations is None or keys.key_id("withdrawals") not in top.delegations.keys


def _check_list_grows(publication: PublicationLayout, withdrawals: bytes) -> None:
    new = lists.parse(withdrawals)
    if not publication.withdrawals.is_file():
        return
    try:
        grows = new.extends(lists.parse(publication.withdrawals.read_bytes()))
    except ValueError as error:
        raise _shrunk(publication, f"the published list cannot be read: {error}") from error
    if not grows:
        raise _shrunk(publication, "the new list does not begin with the entries of the published one")


def _shrunk(publication: PublicationLayout, why: str) -> Damaged:
    return Damaged("withdrawals-shrunk", "Nothing was signed", why, "restore the holdings/ folder from a backup: "
                   "its log of withdrawals has lost entries", str(publication.withdrawals))  # fmt: skip


def expiries(publication: PublicationLayout) -> dict[str, datetime.datetime]:
    """When the published metadata of each role expires; empty before the first publication. Raises Damaged."""
    committed, root = _committed(publication), newest_root(publication)
    found: dict[str, datetime.datetime] = {"root": root.signed.expires} if root else {}
    for role in ("targets", "snapshot", "timestamp", "withdrawals"):
        metadata = getattr(committed, role)
        if metadata is not None:
            found[role] = metadata.signed.expires
    return found
