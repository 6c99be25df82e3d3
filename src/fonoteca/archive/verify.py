"""Fixity: everything that is held is read again and compared with what was promised, and all damage is listed.

One pass; a finding names file and 16 KiB block, and for packs the blobs inside. Imports nothing of the catalogue
(L5): blobs outlive it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from fonoteca.archive import promised, published, signed
from fonoteca.archive.measure import Promise, compare
from fonoteca.archive.records import Place
from fonoteca.archive.resume import Checked
from fonoteca.core.clock import Clock
from fonoteca.core.findings import Finding
from fonoteca.core.fixity import Fixity
from fonoteca.core.layout import ArchiveLayout, PublicationLayout
from fonoteca.core.progress import SILENT, Progress, Unit

_AHEAD = 64


@dataclass
class Tally:
    """How much was read. ``left``: files that a time budget left for the next run."""

    checked: int = 0
    bytes: int = 0
    left: int = 0


@dataclass(frozen=True)
class Budget:
    """``--for``: stop after so many seconds, and go on there next time."""

    clock: Clock
    seconds: float
    state: Path


@dataclass
class Verify:
    """One run.

    Args:
        full: check whole-file digests by both hash functions too.
        workers: threads that read and hash at once.
        budget: None: everything, now.

    Attributes:
        damaged: what each damaged file must be, by its path in findings: repair begins with it.
        bare: packs that are right and have no leaves: repair makes them.
    """

    full: bool = False
    workers: int = 2
    budget: Budget | None = None
    progress: Progress = SILENT
    tally: Tally = field(default_factory=Tally)
    damaged: dict[str, Promise] = field(default_factory=dict)
    bare: list[Promise] = field(default_factory=list)

    def check(self, layout: ArchiveLayout) -> Iterator[Finding]:
        """All damage of an archive: ledger, blobs, leaves, publication. The catalogue has a check of its own."""
        log, findings = promised.ledger(layout)
        yield from findings
        yield from promised.plain_log(layout)
        blobs, places = promised.facts(log)
        look = published.Look(
            layout.publication, layout.root, layout.holdings / "leaves", holds=_inside(blobs, places)
        )  # fmt: skip
        look_findings, promises = _start(look)
        yield from look_findings
        yield from self._all([*promised.blob_promises(layout, blobs, places), *promises])
        yield from _lost_packs(layout, places, look)
        yield from promised.unexpected(layout, blobs)
        yield from published.unexpected(look)

    def check_publication(
        self, publication: PublicationLayout, leaves_folder: Path | None = None, *, base: Path | None = None,
        partial: bool = False,
    ) -> Iterator[Finding]:  # fmt: skip
        """All damage of a publication. ``partial``: a mirror, which need not hold every pack."""
        look = published.Look(publication, base or publication.root, leaves_folder, partial)
        findings, promises = _start(look)
        yield from findings
        yield from self._all(promises)
        if not partial:
            yield from published.unexpected(look)

    def check_edition(self, folder: Path) -> Iterator[Finding]:
        """All damage of one edition's folder: by the signature over it, where it lies in its publication."""
        look = published.Look(PublicationLayout(folder.parent.parent), folder)
        number = int(folder.name) if folder.name.isdigit() else 0
        if folder.parent.name == look.publication.editions.name:
            look.targets = signed.check(look.publication, folder).targets
        yield from self._all(list(published.edition_promises(look, folder, number, [])))

    def _all(self, promises: Iterable[Promise | Finding]) -> Iterator[Finding]:
        """Check all files, several at once; findings come in the order of the promises."""
        listed = list(promises)
        files = [p for p in listed if isinstance(p, Promise)]
        self.progress.stage("verifying", sum(p.bytes for p in files), Unit.BYTES)
        checked = Checked.load(self.budget.state, {p.key for p in files}) if self.budget else None
        waiting: deque[tuple[Promise, Future[list[Finding]]]] = deque()
        threads = ThreadPoolExecutor(max(self.workers, 1))
        started = self.budget.clock.monotonic() if self.budget else 0.0
        try:
            for item in listed:
                if isinstance(item, Finding):
                    yield item
                elif self._skips(item, checked, started):
                    continue
                else:
                    waiting.append((item, threads.submit(compare, item, full=self.full)))
                if len(waiting) > _AHEAD:
                    yield from self._one(*waiting.popleft(), checked)
            while waiting:
                yield from self._one(*waiting.popleft(), checked)
        finally:
            threads.shutdown(cancel_futures=True)
            if checked is not None:
                checked.save()

    def _skips(self, promise: Promise, checked: Checked | None, started: float) -> bool:
        if self.budget is None or checked is None:
            return False
        if promise.key in checked:
            return True
        if self.budget.clock.monotonic() - started >= self.budget.seconds:
            self.tally.left += 1
            return True
        return False

    def _one(self, promise: Promise, future: Future[list[Finding]], checked: Checked | None) -> Iterator[Finding]:
        found = future.result()
        if not (promise.optional and not promise.path.is_file()):
            self.tally.checked += 1
            self.tally.bytes += promise.bytes
            if promise.pack and promise.leaves is None and not found:
                self.bare.append(promise)
        self.progress.advance(promise.bytes)
        if found:
            self.damaged[promise.label] = promise
        elif checked is not None:
            checked.add(promise.key)
        yield from found


def _start(look: published.Look) -> tuple[list[Finding], list[Promise | Finding]]:
    """The signed metadata first: it says what else there must be."""
    if not look.publication.root.is_dir():
        return [], []
    metadata = signed.check(look.publication, look.base)
    look.targets = metadata.targets
    promises = list(published.publication_promises(look))
    return [*metadata.findings, *look.damaged_leaves], promises


def _inside(blobs: dict[str, Fixity], places: dict[str, Place]) -> dict[str, list[tuple[int, int, str]]]:
    """Pack file → the blobs inside, by offset."""
    inside: dict[str, list[tuple[int, int, str]]] = {}
    for sha, place in places.items():
        if sha in blobs:
            inside.setdefault(place.file, []).append((place.offset, place.offset + blobs[sha].bytes, sha))
    return {file: sorted(held) for file, held in inside.items()}


def _lost_packs(layout: ArchiveLayout, places: dict[str, Place], look: published.Look) -> Iterator[Finding]:
    """Packs that hold the only copy of blobs, are not there, and that no edition could tell us of."""
    files = sorted({place.file for place in places.values()})
    for file in files:
        path = layout.publication.packs / file
        if path not in look.expected and not path.is_file():
            yield Finding("file-missing", look.label(path), repair=published.REPAIR, detail="it holds blobs",
                          pack=file.rpartition("/")[2].partition(".")[0])  # fmt: skip
