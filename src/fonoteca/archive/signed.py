"""Checks the signed metadata of a publication as it lies on the disk: an archive's own eye, not a client's.

A client follows the TUF workflow from a root that it trusts (package mirror). Here the question is only whether the
bytes are still those that were signed: each file's signatures, the chain of versions, and the exact serialisation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fonoteca.core.findings import Finding
from fonoteca.core.layout import PublicationLayout

_REPAIR = "fonoteca repair --from URL|PATH"
_ROOT = re.compile(r"(\d+)\.root\.json")


@dataclass(frozen=True)
class Target:
    """What the metadata promises of a file."""

    length: int
    sha256: str


@dataclass
class Signed:
    """What was found."""

    targets: dict[str, Target]
    findings: list[Finding]


class _Check:
    def __init__(self, publication: PublicationLayout, base: Path) -> None:
        self._folder = publication.metadata
        self._base = base
        self.found = Signed({}, [])

    def wrong(self, path: Path, why: str) -> None:
        code = "file-differs" if path.exists() else "file-missing"
        label = path.relative_to(self._base).as_posix() if path.is_relative_to(self._base) else str(path)
        block = (0, max(path.stat().st_size - 1, 0) // 16384) if path.is_file() else None
        self.found.findings.append(Finding(code, label, block=block, repair=_REPAIR, detail=why))

    def load(self, name: str, by: Any, role: str) -> Any:
        """Metadata of one file if it is signed as ``by`` delegates; None, with a finding, if not."""
        from tuf.api.exceptions import RepositoryError
        from tuf.api.metadata import Metadata
        from tuf.api.serialization import DeserializationError
        from tuf.api.serialization.json import JSONSerializer

        path = self._folder / name
        try:
            data = path.read_bytes()
            found: Any = Metadata.from_bytes(data)
            (found if by is None else by).verify_delegate(role, found)
            if found.to_bytes(JSONSerializer(compact=False)) != data:
                raise ValueError("its text is not as it was written")
        except (OSError, RepositoryError, DeserializationError, ValueError, KeyError, TypeError) as error:
            self.wrong(path, str(error) or "it is not signed by its role")
            return None
        return found

    def roots(self) -> Any:
        """The newest root, each signed by itself and by the one before."""
        numbers = sorted(int(m[1]) for p in self._folder.glob("*.root.json") if (m := _ROOT.fullmatch(p.name)))
        newest: Any = None
        for number in range(1, max(numbers, default=0) + 1):
            found = self.load(f"{number}.root.json", None, "root")
            if found is None:
                continue
            if newest is not None:
                self.load(f"{number}.root.json", newest, "root")
            newest = found
        return newest

    def run(self) -> None:
        """Root, timestamp, snapshot, targets, withdrawals."""
        root = self.roots()
        if root is None:
            if not self.found.findings:
                self.wrong(self._folder / "1.root.json", "it is not there")
            return
        timestamp = self.load("timestamp.json", root, "timestamp")
        version = timestamp.signed.snapshot_meta.version if timestamp else self.newest("snapshot")
        snapshot = self.load(f"{version}.snapshot.json", root, "snapshot")
        meta = {k: v.version for k, v in snapshot.signed.meta.items()} if snapshot else {}
        targets = self.load(f"{meta.get('targets.json') or self.newest('targets')}.targets.json", root, "targets")
        if targets is None:
            return
        self.take(targets)
        if "withdrawals.json" in meta:
            delegated = self.load(f"{meta['withdrawals.json']}.withdrawals.json", targets, "withdrawals")
            if delegated is not None:
                self.take(delegated)

    def newest(self, role: str) -> int:
        """The highest version that is there, where what should say it is damaged."""
        found = (re.fullmatch(rf"(\d+)\.{role}\.json", p.name) for p in self._folder.glob(f"*.{role}.json"))
        return max((int(m[1]) for m in found if m), default=1)

    def take(self, targets: Any) -> None:
        for path, target in targets.signed.targets.items():
            self.found.targets[path] = Target(target.length, target.hashes.get("sha256", ""))


def check(publication: PublicationLayout, base: Path) -> Signed:
    """The targets that are vouched for, and every finding. Nothing for a folder that was never signed."""
    found = _Check(publication, base)
    if publication.metadata.is_dir():
        found.run()
    return found.found
