"""Intake: audio files → decoded whole, digested in one read, stored, claimed; or refused, with the reason.

plan → which files, which claims. execute → files are copied in sorted order while they are digested, the copies
decoded in confined children, and rows enter the ledger in the same order, whoever decodes faster. Killed anywhere,
the same command again ends in the same bytes; a second run writes nothing.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from fonoteca.archive import claim_sheet, claims, describe, leaves, walk
from fonoteca.archive.claim_sheet import ClaimSheet
from fonoteca.archive.holdings import Holdings, leaves_folder
from fonoteca.archive.reading import opened, sha256_of
from fonoteca.archive.records import Holding, Record, Refusal
from fonoteca.archive.store import Staged
from fonoteca.archive.walk import Found
from fonoteca.audio.facts import AudioFacts, AudioRefused, Limits
from fonoteca.audio.pool import Pool
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.progress import SILENT, Progress, Unit

_BATCH = 32
"""Files whose rows are written with one fsync."""


@dataclass(frozen=True)
class IntakePlan:
    """What an intake will look at, and what is said of it."""

    layout: ArchiveLayout
    files: tuple[Found, ...]
    sheet: ClaimSheet
    statement: claims.Statement | None
    limits: Limits
    workers: int = 2

    def as_json(self) -> dict[str, Any]:
        """The object of ``--plan``."""
        return {
            "files": len(self.files), "bytes": sum(_size(f.path) for f in self.files),
            "claims": sum(len(rows) for rows in self.sheet.by_path.values()),
            "claims_refused": len(self.sheet.refused), "workers": self.workers,
        }  # fmt: skip


@dataclass
class IntakeResult:
    """What came out. files = accepted + duplicates + refused; a claim whose file is missing counts as refused."""

    files: int = 0
    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    bytes: int = 0
    """Bytes of accepted files."""
    unenforced: tuple[str, ...] = ()
    """What of the decoder's sandbox this system does not offer."""

    def as_json(self) -> dict[str, Any]:
        """The summary of ``intake``."""
        return {k: v for k, v in vars(self).items() if k != "unenforced"}


def plan(
    layout: ArchiveLayout,
    paths: Sequence[Path],
    *,
    claims_file: Path | None = None,
    mapping: Path | None = None,
    statement: claims.Statement | None = None,
    limits: Limits | None = None,
    workers: int = 2,
) -> IntakePlan:
    """Find the files and read the claims; nothing is written.

    Raises:
        Usage: a path that is not there, claims or a mapping that cannot be read.
    """
    given = [Path(os.path.abspath(p)) for p in (claims_file, mapping) if p is not None]
    found = walk.find(paths, {Path(os.path.abspath(layout.root)), *given})
    sheet = ClaimSheet()
    if claims_file is not None:
        sheet = claim_sheet.read(claims_file, mapping, found, list(paths))
    return IntakePlan(layout, tuple(found), sheet, statement, limits or Limits(), workers)


def execute(plan: IntakePlan, progress: Progress = SILENT) -> IntakeResult:
    """Take the files in. The caller holds the writer's lock.

    Raises:
        NoSpace, Failed: what was finished is kept; the same intake goes on from there.
        Damaged: the ledger is.
    """
    threads = ThreadPoolExecutor(plan.workers)
    with Pool(plan.limits, plan.workers) as pool:
        run = _Run(plan, pool, threads, progress)
        progress.stage("taking in", sum(_size(f.path) for f in plan.files), Unit.BYTES)
        try:
            run.take_all()
        finally:
            pool.close()
            threads.shutdown(cancel_futures=True)
            run.store.clear_incoming()
    run.result.unenforced = tuple(pool.missing)
    return run.result


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


@dataclass
class _Taken:
    """One file on its way: refused already, known already, or being decoded."""

    found: Found
    size: int = 0
    refusal: Refusal | None = None
    known: str | None = None
    staged: Staged | None = None
    sha256: str = ""
    facts: Future[AudioFacts] | None = None


@dataclass
class _Run:
    plan: IntakePlan
    pool: Pool
    threads: ThreadPoolExecutor
    progress: Progress
    result: IntakeResult = field(default_factory=IntakeResult)

    def __post_init__(self) -> None:
        self.ledger = Holdings.open(self.plan.layout)
        self.store = self.ledger.store()
        self.store.clear_incoming()
        self.fixities = self.ledger.blobs()
        self.held: dict[str, Holding] = {}
        for holding in self.ledger.holdings():
            self.held.setdefault(holding.blob, holding)
        self.sizes = {h.bytes for h in self.held.values()}
        self.refused = {(r.sha256, r.bytes) for r in self.ledger.refusals() if r.sha256}
        self.refused_sizes = {size for _, size in self.refused}
        self.rows: list[Record] = []
        self.waiting = 0

    def take_all(self) -> None:
        """All files: begun in order, finished in order, a few on their way at once."""
        ahead: deque[_Taken] = deque()
        for found in self.plan.files:
            ahead.append(self.begin(found))
            if len(ahead) > 2 * self.plan.workers:
                self.finish(ahead.popleft())
        while ahead:
            self.finish(ahead.popleft())
        for refusal in self.plan.sheet.refused:
            self.refuse(refusal)
        self.flush()

    def begin(self, found: Found) -> _Taken:
        """Copy and digest a file, and hand it to a decoder; or see that this is not needed."""
        taken = _Taken(found)
        try:
            with opened(found.path) as (stream, size):
                taken.size = size
                self._look(taken, stream)
        except AudioRefused as error:
            taken.refusal = Refusal(found.label, error.code, error.reason, taken.sha256, taken.size)
        return taken

    def _look(self, taken: _Taken, stream: IO[bytes]) -> None:
        self.pool.check_size(taken.size)
        if taken.size in self.sizes or taken.size in self.refused_sizes:
            taken.sha256 = sha256_of(stream)
            if taken.sha256 in self.held and self._whole(taken.sha256):
                taken.known = taken.sha256
                return
            if (taken.sha256, taken.size) in self.refused:  # decoded again, but not copied for it
                taken.facts = self.threads.submit(self.pool.probe, taken.found.path)
                return
            stream.seek(0)
        self._copy(taken, stream)

    def _whole(self, blob: str) -> bool:
        """Whether a blob that is held is where it should be, with its length and its leaves; if not, it is mended."""
        fixity = self.fixities[blob]
        kept = leaves.load(leaves_folder(self.plan.layout), leaves.blob_name(blob), fixity.merkle_root)
        return kept is not None and self.store.stat(blob) == fixity.bytes

    def _copy(self, taken: _Taken, stream: IO[bytes]) -> None:
        taken.staged = self.store.stage(stream)
        taken.sha256 = taken.staged.fixity.sha256
        taken.size = taken.staged.fixity.bytes
        taken.facts = self.threads.submit(self.pool.probe, taken.staged.path)

    def finish(self, taken: _Taken) -> None:
        """The rows of one file."""
        self.result.files += 1
        self.progress.advance(taken.size)
        if taken.refusal is not None:
            self.refuse(taken.refusal, count=False)
            return
        if taken.known is None and taken.sha256 in self.held and self._whole(taken.sha256):
            taken.known = taken.sha256  # the same bytes came earlier in this run
        if taken.known is not None:
            self.again(taken, taken.known)
            return
        try:
            self.accept(taken, self._facts(taken))
        except AudioRefused as error:
            self.drop(taken)
            self.refuse(Refusal(taken.found.label, error.code, error.reason, taken.sha256, taken.size), count=False)

    def _facts(self, taken: _Taken) -> AudioFacts:
        """What the decoder found in the very bytes that are stored."""
        assert taken.facts is not None
        facts = taken.facts.result()
        if taken.staged is None:  # refused in an earlier run, and good now: the usual way
            with opened(taken.found.path) as (stream, _):
                self._copy(taken, stream)
            facts = taken.facts.result()
        return facts

    def drop(self, taken: _Taken) -> None:
        if taken.facts is not None:
            taken.facts.exception()  # the decoder must have let go of the copy
        if taken.staged is not None:
            self.store.discard(taken.staged)

    def accept(self, taken: _Taken, facts: AudioFacts) -> None:
        """Store the copy that was decoded, then say so."""
        assert taken.staged is not None
        staged, fixity = taken.staged, taken.staged.fixity
        leaves.store(leaves_folder(self.plan.layout), leaves.blob_name(fixity.sha256), staged.leaves)
        self.store.commit(staged)
        if fixity.sha256 in self.held:  # a blob or its leaves had been lost
            self.again(taken, fixity.sha256)
            return
        rows = self.plan.sheet.of(taken.found.path)
        holding = describe.holding(taken.found.label, fixity, facts, rows)
        self.held[fixity.sha256] = holding
        self.fixities[fixity.sha256] = fixity
        self.sizes.add(fixity.bytes)
        self.result.accepted += 1
        self.result.bytes += fixity.bytes
        self.write([fixity, holding, *self.claims(taken.found, holding)])

    def again(self, taken: _Taken, blob: str) -> None:
        """Bytes that are held already: only what is said of them can be new."""
        self.drop(taken)
        holding = self.held[blob]
        self.result.duplicates += 1
        self.write([*self.claims(taken.found, holding)])

    def claims(self, found: Found, holding: Holding) -> list[Record]:
        said = claims.of_rows(self.plan.sheet.of(found.path), holding.blob, self.plan.sheet.name)
        said += claims.of_statement(self.plan.statement, holding.blob)
        return [*said, *claims.of_tags(holding.tags, holding.blob)]

    def refuse(self, refusal: Refusal, *, count: bool = True) -> None:
        """A row in the ledger, and an item for who watches. ``count``: it is no file that was found."""
        self.result.files += count
        self.result.refused += 1
        self.progress.item({"path": refusal.path, "code": refusal.code, "reason": refusal.reason})
        self.write([refusal])

    def write(self, rows: Sequence[Record]) -> None:
        self.rows += rows
        self.waiting += 1
        if self.waiting >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """All rows that wait, with one fsync."""
        self.ledger.append(self.rows)
        self.rows, self.waiting = [], 0
