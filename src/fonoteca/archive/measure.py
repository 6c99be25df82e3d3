"""Reads one file and compares it with its promise, block by block: the arithmetic of verify, without any policy."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blake3 import blake3

from fonoteca.core import merkle
from fonoteca.core.findings import Finding
from fonoteca.core.fixity import READ, damaged_blocks

Digest = bytes


@dataclass(frozen=True)
class Promise:
    """What a file must be.

    Attributes:
        path: where it is.
        label: its path in findings, below the archive, publication or mirror.
        bytes: length.
        merkle_root, sha256, blake3: hex, or empty where not promised.
        leaves: digest of each block, where they are kept.
        piece_length, pieces: the piece layer of a torrent instead, where that is all there is.
        blob, pack: what it is, for findings.
        holds: blobs inside, as (first byte, end, hex SHA-256).
        repair: what mends it.
        optional: it need not be there (a pack in a partial mirror).
    """

    path: Path
    label: str
    bytes: int
    merkle_root: str = ""
    sha256: str = ""
    blake3: str = ""
    leaves: Sequence[Digest] | None = None
    piece_length: int = 0
    pieces: Sequence[Digest] = ()
    blob: str | None = None
    pack: str | None = None
    holds: Sequence[tuple[int, int, str]] = ()
    repair: str = ""
    optional: bool = False

    @property
    def key(self) -> str:
        """Names the promise, for a check that goes on another day."""
        return f"{self.label} {self.merkle_root or self.sha256}"


@dataclass
class _Seen:
    length: int = 0
    leaves: list[bytes] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)


_FUNCTIONS: Mapping[str, Callable[[], Any]] = {"blake3": blake3, "sha256": hashlib.sha256}
"""Digests of a whole file, the faster first."""


def _read(promise: Promise, names: Sequence[str], *, blocks: bool) -> _Seen:
    """One pass. A file that grows for ever is read one block further than promised, no more."""
    seen = _Seen()
    digests = {name: _FUNCTIONS[name]() for name in names}
    view = memoryview(bytearray(min(READ, (promise.bytes // merkle.BLOCK + 2) * merkle.BLOCK)))
    sha256 = hashlib.sha256
    with promise.path.open("rb", buffering=0) as stream:
        while seen.length <= promise.bytes + merkle.BLOCK and (got := _fill(stream, view)):
            if blocks:
                starts = range(0, got, merkle.BLOCK)
                seen.leaves += [sha256(view[i : min(i + merkle.BLOCK, got)]).digest() for i in starts]
            for digest in digests.values():
                digest.update(view[:got])
            seen.length += got
        seen.length = max(seen.length, stream.seek(0, 2))
    seen.digests = {name: digest.hexdigest() for name, digest in digests.items()}
    return seen


def _fill(stream: Any, view: memoryview) -> int:
    """Fill the buffer as far as the file goes: blocks must not depend on short reads."""
    got = 0
    while got < len(view) and (more := stream.readinto(view[got:])):
        got += int(more)
    return got


def compare(promise: Promise, *, full: bool = False) -> list[Finding]:
    """All that is wrong with one file; nothing where it is as promised.

    A file whose whole digest is right has the right blocks; they are looked at where it is not.

    Args:
        full: check by both hash functions, where both are promised; else by the faster one.
    """
    if not promise.path.is_file():
        missing = "it is not there" if not promise.path.exists() else "something else is in its place"
        return [] if promise.optional else [_finding(promise, "file-missing", None, missing)]
    promised = [name for name in _FUNCTIONS if getattr(promise, name)]
    names = promised if full else promised[:1]
    try:
        if names and promise.path.stat().st_size == promise.bytes and _is_whole(promise, names):
            return []
        seen = _read(promise, names, blocks=True)
    except OSError as error:
        return [_finding(promise, "file-unreadable", None, error.strerror or str(error))]
    found = [*_length(promise, seen), *_blocks(promise, seen)]
    if (
        names and not found
    ):  # also where a second look finds what the first one missed: such a disk is not to be trusted
        wrong = [name for name in names if seen.digests[name] != getattr(promise, name)] or ["bytes when first read"]
        found.append(_finding(promise, "file-differs", _all(promise), f"another {' and '.join(wrong)} than promised"))
    return found


def _is_whole(promise: Promise, names: Sequence[str]) -> bool:
    seen = _read(promise, names, blocks=False)
    return seen.length == promise.bytes and all(seen.digests[name] == getattr(promise, name) for name in names)


def _length(promise: Promise, seen: _Seen) -> Iterator[Finding]:
    detail = f"{seen.length} bytes, {promise.bytes} are promised"
    if seen.length > promise.bytes:
        block = (promise.bytes // merkle.BLOCK, (seen.length - 1) // merkle.BLOCK)
        yield _finding(promise, "file-longer", block, detail)
    elif seen.length < promise.bytes:
        yield _finding(promise, "file-shorter", (seen.length // merkle.BLOCK, _last(promise)), detail)


def _blocks(promise: Promise, seen: _Seen) -> Iterator[Finding]:
    """Damaged blocks among those that are promised and there. The last block of a cut file counts as missing."""
    if not promise.merkle_root:
        return
    there = min(seen.length, promise.bytes)
    if seen.length == promise.bytes and merkle.root(seen.leaves).hex() == promise.merkle_root:
        return
    runs, exact = _runs(promise, seen)
    border = there // merkle.BLOCK if seen.length != promise.bytes else _last(promise) + 1
    for first, last in runs:
        if first < border:
            yield _finding(promise, "block-damaged" if exact else "file-differs", (first, min(last, border - 1)),
                           "other bytes than promised")  # fmt: skip


def _runs(promise: Promise, seen: _Seen) -> tuple[list[tuple[int, int]], bool]:
    """Runs of damaged blocks, and whether they are known to the block."""
    if promise.leaves is not None:
        return damaged_blocks(promise.leaves, seen.leaves), True
    if promise.pieces and seen.leaves:
        per = promise.piece_length // merkle.BLOCK
        found = merkle.piece_layer(seen.leaves[: _last(promise) + 1], promise.piece_length)
        runs = damaged_blocks(promise.pieces, found)
        return [(a * per, min(b * per + per - 1, _last(promise))) for a, b in runs], per == 1
    # Without leaves nothing is known of the blocks of a file that has more than one or another length.
    return ([_all(promise)] if seen.length == promise.bytes else []), _last(promise) == 0


def _last(promise: Promise) -> int:
    return max(promise.bytes - 1, 0) // merkle.BLOCK


def _all(promise: Promise) -> tuple[int, int]:
    return 0, _last(promise)


def _finding(promise: Promise, code: str, block: tuple[int, int] | None, detail: str) -> Finding:
    blob = promise.blob
    if block is not None and promise.holds:
        start, end = block[0] * merkle.BLOCK, (block[1] + 1) * merkle.BLOCK
        hit = [sha for first, stop, sha in promise.holds if first < end and stop > start]
        blob = hit[0] if len(hit) == 1 else None
        if hit:
            detail = f"{detail}; holds {', '.join(hit[:8])}{' ...' if len(hit) > 8 else ''}"
    return Finding(code, promise.label, block=block, repair=promise.repair, detail=detail, blob=blob,
                   pack=promise.pack)  # fmt: skip
