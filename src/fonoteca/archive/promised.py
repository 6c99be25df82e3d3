"""What an archive's own files are held to: its ledger, its blobs, and the digests of their blocks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from fonoteca.archive import chain, leaves
from fonoteca.archive.holdings import leaves_folder, ledger_path
from fonoteca.archive.measure import Promise
from fonoteca.archive.records import Place, Release, from_body
from fonoteca.archive.store import loose_path
from fonoteca.core.findings import Finding, Severity
from fonoteca.core.fixity import Fixity
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.merkle import BLOCK
from fonoteca.formats import withdrawals

BLOB_REPAIR = "fonoteca repair --from URL|PATH"
_LEDGER_REPAIR = "put the file back from the last backup"
_LINE_REPAIR = "fonoteca repair --from PATH"
_LEAVES_REPAIR = "fonoteca repair"


def ledger(layout: ArchiveLayout) -> tuple[chain.Log, list[Finding]]:
    """The ledger as far as it is intact, and every damaged line of it."""
    path = ledger_path(layout)
    label = path.relative_to(layout.root).as_posix()
    if not path.is_file():
        log = chain.Log()
        if (leaves_folder(layout)).is_dir() or any(layout.blobs.glob("??/??/*")):
            return log, [Finding("file-missing", label, repair=_LEDGER_REPAIR, detail="there are blobs, but no ledger")]
        return log, []
    data = path.read_bytes()
    log = chain.parse(data)
    starts = [0]
    for line in data.split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    found = [
        Finding("ledger-line-damaged", label, block=(starts[number - 1] // BLOCK, (starts[number] - 1) // BLOCK),
                repair=_LINE_REPAIR, detail=f"line {number}: {what}")
        for number, what in log.damaged
    ]  # fmt: skip
    if log.torn and not found:
        found.append(Finding("ledger-torn", label, Severity.INFO, detail=f"{log.torn} bytes of a write that was cut "
                             "short and never acknowledged"))  # fmt: skip
    return log, found


def facts(log: chain.Log) -> tuple[dict[str, Fixity], dict[str, Place]]:
    """Blobs and places by hex SHA-256, of the lines that are intact."""
    blobs: dict[str, Fixity] = {}
    places: dict[str, Place] = {}
    for record in map(from_body, log.intact):
        match record:
            case Fixity():
                blobs[record.sha256] = record
            case Place():
                places[record.blob] = record
            case Release():
                places.pop(record.blob, None)
    return blobs, places


def blob_promises(
    layout: ArchiveLayout, blobs: dict[str, Fixity], places: dict[str, Place]
) -> Iterator[Promise | Finding]:
    """A promise for each blob that is loose or should be; a finding for each file of leaves that is damaged."""
    folder = leaves_folder(layout)
    for sha, fixity in sorted(blobs.items()):
        kept = leaves.kept(folder, leaves.blob_name(sha), fixity.merkle_root)
        if kept is None:
            yield Finding("leaves-damaged", (folder / leaves.blob_name(sha)).relative_to(layout.root).as_posix(),
                          repair=_LEAVES_REPAIR, detail="missing, or not the digests of this blob's blocks",
                          blob=sha)  # fmt: skip
        path = loose_path(layout.blobs, sha)
        if sha in places and not path.exists():
            continue  # its bytes are checked with its pack
        yield Promise(path, path.relative_to(layout.root).as_posix(), fixity.bytes, fixity.merkle_root, sha,
                      fixity.blake3, kept, blob=sha, repair=BLOB_REPAIR)  # fmt: skip


def _named_after(path: Path) -> bool:
    return len(path.name) == 64 and all(c in "0123456789abcdef" for c in path.name)


def unexpected(layout: ArchiveLayout, blobs: dict[str, Fixity]) -> Iterator[Finding]:
    """Files among the blobs and leaves that no ledger line names: what a crash left, or what does not belong."""
    for folder, depth in ((layout.blobs, 3), (leaves_folder(layout), 2)):
        for path in sorted(p for p in folder.rglob("*") if not p.is_dir() or p.is_symlink()):
            parts = path.relative_to(folder).parts
            if folder == layout.blobs and parts[0] == "incoming":
                continue  # copies of an intake that is under way, or was cut short
            if parts[0] in {"packs", "editions"} and folder != layout.blobs:
                continue
            if len(parts) == depth and path.name in blobs and parts[0] == path.name[:2]:
                continue
            hint = "take the file in again, or delete it" if _named_after(path) else "move it away"
            yield Finding("unexpected-file", path.relative_to(layout.root).as_posix(), Severity.WARNING, repair=hint,
                          detail="no line of the ledger names it")  # fmt: skip


def plain_log(layout: ArchiveLayout) -> Iterator[Finding]:
    """The log of withdrawals: each line has its digest and that of the line before, and the first ones are those that
    were published (docs/formats/withdrawals.md)."""
    path = layout.holdings / "withdrawals.jsonl"
    label = path.relative_to(layout.root).as_posix()
    *lines, tail = path.read_bytes().split(b"\n") if path.is_file() else [b""]
    public = _published_entries(layout)
    previous, offset = "", 0
    for number, line in enumerate(lines, 1):
        block = (offset // BLOCK, (offset + len(line)) // BLOCK)
        try:
            _check_entry(line, previous, public[number - 1] if number <= len(public) else None)
        except ValueError as error:
            yield _bad_entry(label, block, f"line {number}: {error}")
        previous = hashlib.sha256(line + b"\n").hexdigest()
        offset += len(line) + 1
    if withdrawals.lost_newline(tail, previous):
        end = (offset + len(tail) - 1) // BLOCK
        yield _bad_entry(label, (end, end), f"line {len(lines) + 1}: its newline is another byte")
    elif len(lines) < len(public):
        lost = f"it has {len(lines)} lines, and {len(public)} withdrawals were published"
        there = path.is_file()
        at = (offset // BLOCK, offset // BLOCK) if there else None
        yield Finding("file-shorter" if there else "file-missing", label, block=at, repair=_LEDGER_REPAIR, detail=lost)


def _bad_entry(label: str, block: tuple[int, int], why: str) -> Finding:
    return Finding("ledger-line-damaged", label, block=block, repair=_LEDGER_REPAIR, detail=why)


def _check_entry(line: bytes, previous: str, published: object) -> None:
    """ValueError: what is wrong. A last line of the time before lines had digests has only the published list to
    vouch for it."""
    entry = withdrawals.parse_log_line(line + b"\n", previous)
    if published is not None and entry.as_json() != published:
        raise ValueError("it is not the entry that was published")


def _published_entries(layout: ArchiveLayout) -> list[object]:
    """The entries of the public list; none where it cannot be read, which its own check tells."""
    try:
        return [e.as_json() for e in withdrawals.parse(layout.publication.withdrawals.read_bytes()).entries]
    except (OSError, ValueError):
        return []
