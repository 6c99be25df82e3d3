"""Puts back signed metadata: a source's file is taken only if it is signed as it must be and no older one."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from fonoteca.archive import signed
from fonoteca.archive.quarantine import Home
from fonoteca.core import durable
from fonoteca.core.blocks import BlockSource, SourceFailed
from fonoteca.core.errors import NetworkFailed
from fonoteca.core.layout import PublicationLayout

MAX_BYTES = 16 << 20
"""The largest file of metadata that is looked at."""
_VERSIONED = re.compile(r"(\d+)\.[a-z]+\.json")
_SNAPSHOT = re.compile(r"(\d+)\.snapshot\.json")


def mend(home: Home, path: Path, sources: Sequence[BlockSource]) -> tuple[bytes | None, list[str]]:
    """The right bytes of a file of the metadata folder, or None, with what each source did.

    A signature alone does not do: an older file is signed as well. The file must have the version of its name; a
    timestamp must name the newest snapshot that is here.
    """
    why = []
    for source in sources:
        try:
            data = source.small(f"metadata/{path.name}", MAX_BYTES)
        except (NetworkFailed, SourceFailed) as error:
            why.append(f"{source.label}: {error.why}")
            continue
        if data is None:
            why.append(f"{source.label}: has no such file")
        elif not _fits(home.publication, path.name, data):
            why.append(f"{source.label}: offers another version")
        elif not _accepted(home, path, data):
            why.append(f"{source.label}: offers a file that is not signed as it must be")
        else:
            return data, why
    return None, why


def _fits(publication: PublicationLayout, name: str, data: bytes) -> bool:
    try:
        body = json.loads(data)["signed"]
        if name == "timestamp.json":
            here = (_SNAPSHOT.fullmatch(p.name) for p in publication.metadata.glob("*.snapshot.json"))
            newest = max((int(m[1]) for m in here if m), default=0)
            return bool(body["meta"]["snapshot.json"]["version"] == newest)
        match = _VERSIONED.fullmatch(name)
        return match is not None and bool(body["version"] == int(match[1]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _accepted(home: Home, path: Path, data: bytes) -> bool:
    """Whether the check of the whole folder, with this file in it, finds nothing wrong with it."""
    trial = PublicationLayout(home.work / "metadata-trial")
    durable.remove_tree(trial.root)
    try:
        for file in sorted(home.publication.metadata.glob("*.json")):
            if file.is_file() and file.stat().st_size <= MAX_BYTES:
                durable.write_bytes(trial.metadata / file.name, file.read_bytes())
        durable.write_bytes(trial.metadata / path.name, data)
        found = signed.check(trial, trial.root)
        return f"metadata/{path.name}" not in {finding.path for finding in found.findings}
    finally:
        durable.remove_tree(trial.root)
