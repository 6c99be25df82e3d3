"""Repair: what verify finds is mended from copies elsewhere, block by block; the damaged original is kept.

Every byte that comes is checked against a digest that is known here before it is written, and every mended file is read
back whole before it takes its name, so no source can make anything worse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from fonoteca.archive import promised, quarantine, repair_ledger, repair_signed
from fonoteca.archive.copies import FromBlobs, OwnCopies
from fonoteca.archive.measure import Promise
from fonoteca.archive.quarantine import Home
from fonoteca.archive.records import Place as Sealed
from fonoteca.archive.repair_leaves import Leaves
from fonoteca.archive.store import loose_path
from fonoteca.archive.verify import Verify
from fonoteca.core import durable
from fonoteca.core.blocks import BlockSource, Place, SourceFailed, Wanted
from fonoteca.core.clock import Clock
from fonoteca.core.errors import NetworkFailed, NoSpace
from fonoteca.core.findings import Finding, Severity
from fonoteca.core.fixity import Fixity
from fonoteca.core.mend import Good, Outcome, mend, patch, wrong_units
from fonoteca.core.progress import SILENT, Progress, Unit

_LEDGER = "holdings/holdings.jsonl"
_MAX_LEDGER = 4 << 30
_LAST_GATE = 2
"""Files up to this rank say what the others must be: once one is mended, all is looked at again."""


@dataclass
class Item:
    """What became of one damaged file.

    Attributes:
        code: of its first finding.
        blocks: 16 KiB blocks that were damaged.
        fetched: bytes that sources gave.
        result: ``repaired``, or ``unrepaired``, with ``detail`` saying why and what to do.
        kept: where the damaged original is now.
    """

    code: str
    path: str
    blocks: int = 0
    fetched: int = 0
    result: str = "unrepaired"
    detail: str = ""
    kept: str | None = None
    blob: str | None = None
    pack: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The ``item`` of ``repair``."""
        return dict(self.__dict__)


@dataclass
class Tally:
    """Sums. ``failure``: the last failure of the network, if it left damage."""

    checked: int = 0
    damaged: int = 0
    repaired: int = 0
    unrepaired: int = 0
    fetched: int = 0
    failure: NetworkFailed | None = None


@dataclass(frozen=True)
class _Task:
    path: str
    findings: tuple[Finding, ...]
    promise: Promise | None

    @property
    def rank(self) -> int:
        name = self.path.rpartition("/")[2]
        if "metadata/" in self.path or self.path == _LEDGER:
            return 0
        if name in {"edition.json", "withdrawals.json"}:
            return 1
        if self.findings[0].code == "leaves-damaged":
            return _LAST_GATE + 2  # made again from files that are right by then
        return _LAST_GATE if name == "packs.parquet" or name.endswith(".torrent") else _LAST_GATE + 1


@dataclass
class Repair:
    """One run.

    Args:
        sources: asked in this order, after the copies that are here.
        room: asked before so many bytes are written; raises NoSpace.
        more: findings of other checks (the catalogue's), which no copy can mend.
    """

    home: Home
    clock: Clock
    sources: Sequence[BlockSource] = ()
    progress: Progress = SILENT
    workers: int = 2
    room: Callable[[int], None] = lambda _: None
    more: Sequence[Finding] = ()
    tally: Tally = field(default_factory=Tally)
    _blobs: dict[str, Fixity] = field(default_factory=dict, init=False)
    _sealed: dict[str, Sealed] = field(default_factory=dict, init=False)
    _leaves: Leaves = field(init=False)
    _bare: list[Promise] = field(default_factory=list, init=False)
    _mended: set[str] = field(default_factory=set, init=False)

    def run(self) -> Iterator[Item]:
        """Find all damage and mend what can be mended; one item per damaged file.

        Raises:
            NoSpace, Failed: the disk of the archive; what was mended before stays.
        """
        tried: set[str] = set()
        while True:
            tasks = [task for task in self._look() if task.path not in tried]
            mended_rank: int | None = None
            for number, task in enumerate(tasks):
                if mended_rank is not None and task.rank > mended_rank:
                    break
                tried.add(task.path)
                yield self._counted(task, len(tasks) - number)
                if task.path in self._mended and task.rank <= _LAST_GATE:
                    mended_rank = task.rank
            if mended_rank is None:
                break
        self._leaves.complete(self._bare)
        if not self.tally.unrepaired:
            quarantine.clean(self.home)

    def _counted(self, task: _Task, left: int) -> Item:
        try:
            item = self._one(task)
        except BaseException:
            self.tally.damaged += left
            self.tally.unrepaired += left
            raise
        if item.result == "repaired":
            self._mended.add(item.path)
        self.tally.damaged += 1
        self.tally.fetched += item.fetched
        self.tally.repaired += item.result == "repaired"
        self.tally.unrepaired += item.result != "repaired"
        return item

    def _look(self) -> list[_Task]:
        """All damage, as one task a file; what others hang on first."""
        check = Verify(workers=self.workers, progress=self.progress)
        layout = self.home.archive
        if layout is not None:
            found = [*check.check(layout), *self.more]
            self._blobs, self._sealed = promised.facts(promised.ledger(layout)[0])
        else:
            found = list(check.check_publication(self.home.publication, self.home.leaves, base=self.home.root,
                                                 partial=True))  # fmt: skip
            self._blobs, self._sealed = {}, {}
        self.tally.checked = check.tally.checked
        self._leaves = Leaves(self.home, self._blobs, self._sealed, self.sources, set(check.damaged), self.room)
        self._bare = check.bare
        by_path: dict[str, list[Finding]] = {}
        for finding in found:
            if finding.severity is Severity.DAMAGE:
                by_path.setdefault(finding.path, []).append(finding)
        tasks = [_Task(path, tuple(all_), check.damaged.get(path)) for path, all_ in by_path.items()]
        self.progress.stage("repairing", sum(t.promise.bytes for t in tasks if t.promise), Unit.BYTES)
        return sorted(tasks, key=lambda task: (task.rank, task.path))

    def _one(self, task: _Task) -> Item:
        first = task.findings[0]
        item = Item(first.code, task.path, blob=first.blob, pack=first.pack)
        if first.code == "leaves-damaged":
            self._rebuild(task, item)
        elif task.promise is not None:
            self._file(task, task.promise, item)
        elif task.path == _LEDGER and first.code == "ledger-line-damaged":
            self._ledger(task, item)
        elif "metadata/" in task.path:
            self._metadata(task, item)
        else:
            item.detail = _cannot(first)
        return item

    def _rebuild(self, task: _Task, item: Item) -> None:
        before = self._given()
        if self._leaves.rebuild(task.path, item.blob):
            item.result, item.detail = "repaired", "repaired: made again from its file"
        else:
            item.detail = "its file is damaged too: the block digests are made again when that is mended"
        item.fetched = self._given() - before

    def _ledger(self, task: _Task, item: Item) -> None:
        path, before = self.home.root / _LEDGER, self._given()
        fixed = repair_ledger.mend(path.read_bytes(), self._ledgers())
        item.fetched = self._given() - before
        if fixed is None:
            item.detail = ("nothing proves the lines that are damaged: put the file back from the last backup, then "
                           "take in again what came later")  # fmt: skip
            return
        item.kept = quarantine.keep(self.home, path, task.path, task.findings, self.clock)
        durable.write_bytes(path, fixed)
        item.blocks, item.result = len(task.findings), "repaired"
        item.detail = "repaired: the lines that its hash chain proves are back"

    def _ledgers(self) -> Iterator[bytes]:
        for source in self.sources:
            try:
                data = source.small(_LEDGER, _MAX_LEDGER)
            except (NetworkFailed, SourceFailed):
                continue
            if data is not None:
                yield data

    def _metadata(self, task: _Task, item: Item) -> None:
        path = self.home.root / task.path
        before = self._given()
        data, why = repair_signed.mend(self.home, path, self.sources)
        item.fetched = self._given() - before
        if data is None:
            hint = "sign anew with 'fonoteca publish --refresh'" if self.home.archive else "run 'fonoteca mirror run'"
            item.detail = "; ".join([*why, f"name another copy with --from, or {hint}"])
            return
        if path.is_file():
            item.kept = quarantine.keep(self.home, path, task.path, task.findings, self.clock)
        durable.write_bytes(path, data)
        item.blocks, item.result, item.detail = 1, "repaired", "repaired: the file that was signed is back"

    def _given(self) -> int:
        return sum(source.fetched for source in self.sources)

    def _file(self, task: _Task, promise: Promise, item: Item) -> None:
        if promise.path.exists() and not promise.path.is_file():
            item.detail = "something that is no file is in its place: move it away, then run repair again"
            return
        before = self._given()
        promise = self._leaves.of(promise)
        outcome = self._copied(task, promise, item) if self._fits(promise) else self._in_place(task, promise, item)
        item.blocks, item.fetched = outcome.damaged, self._given() - before
        if outcome.mended:
            self._leaves.mended(promise)
            item.result, item.detail = "repaired", f"repaired: {item.blocks} blocks"
        else:
            item.detail = self._why(outcome)
            self.tally.failure = outcome.failure or self.tally.failure

    def _fits(self, promise: Promise) -> bool:
        """Whether there is room for a copy. Raises NoSpace where there is not, and the file cannot do without."""
        try:
            self.room(promise.bytes)
        except NoSpace:
            if not promise.path.is_file() or not _good(promise).unit:
                raise
            return False
        return True

    def _copied(self, task: _Task, promise: Promise, item: Item) -> Outcome:
        """Mend a copy, keep the damaged file, then let the copy have its name."""
        work = self.home.work_file(task.path)
        outcome = mend(promise.path, work, _good(promise), self._wanted(promise), self._all_sources(promise),
                       self.progress.advance)  # fmt: skip
        if outcome.mended:
            if promise.path.is_file():
                item.kept = quarantine.keep(self.home, promise.path, task.path, task.findings, self.clock)
            work.chmod(_mode(promise))
            durable.rename(work, promise.path)
        return outcome

    def _in_place(self, task: _Task, promise: Promise, item: Item) -> Outcome:
        """Keep the damaged bytes, then mend the file where it is."""
        good, path = _good(promise), promise.path
        size = path.stat().st_size
        starts = [(i * good.unit, min(i * good.unit + good.length(i), size)) for i in wrong_units(path, good)]
        parts = [part for part in [*starts, (good.size, size)] if part[0] < part[1]]
        self.room(sum(stop - start for start, stop in parts) + 64 * len(parts))
        item.kept = quarantine.keep_parts(self.home, path, task.path, parts, task.findings, self.clock)
        return patch(path, good, self._wanted(promise), self._all_sources(promise))

    def _why(self, outcome: Outcome) -> str:
        left = f"{outcome.left} of {outcome.damaged} blocks are still damaged"
        hint = "" if self.sources else "; name a mirror, a copy or the publication's address with --from"
        return f"{left}: {'; '.join(dict.fromkeys(outcome.why)) or 'no copy is known'}{hint}"

    def _all_sources(self, promise: Promise) -> list[BlockSource]:
        own = OwnCopies(self.home.root, promise.path)
        made: list[BlockSource] = []
        for source in (own, *self.sources):
            if source is not own or any(own.places(self._wanted(promise))):
                made.append(source)
            if promise.holds and promise.path.is_file():
                made.append(FromBlobs(source, promise.path, promise.holds, self._blob_wanted))
        return made

    def _wanted(self, promise: Promise) -> Wanted:
        if promise.blob is not None and promise.pack is None:
            return self._blob_wanted(promise.blob, promise.bytes)
        path = promise.path.relative_to(self.home.publication.root).as_posix()
        like = f"{promise.pack}.r" if promise.pack else ""
        return Wanted(promise.path.name, promise.bytes, (Place(path),), like)

    def _blob_wanted(self, sha: str, length: int) -> Wanted:
        layout = self.home.archive
        places = []
        if layout is not None:
            places.append(Place(loose_path(layout.blobs, sha).relative_to(layout.root).as_posix()))
        if sha in self._sealed:
            places.append(Place(f"packs/{self._sealed[sha].file}", self._sealed[sha].offset))
        return Wanted(sha, length, tuple(places))


def _good(promise: Promise) -> Good:
    return Good(promise.bytes, promise.sha256, promise.blake3, promise.merkle_root, promise.leaves,
                promise.piece_length, promise.pieces)  # fmt: skip


def _mode(promise: Promise) -> int:
    """As the damaged file; blobs are read-only."""
    if promise.path.is_file():
        return promise.path.stat().st_mode & 0o777
    return 0o444 if promise.blob and not promise.pack else 0o644


def _cannot(finding: Finding) -> str:
    """What to do about damage that no block of a copy mends."""
    if finding.code == "file-missing" and finding.pack:
        return "no edition here says what this pack must be: repair the editions first, or restore it from a backup"
    return f"this cannot be mended block by block: {finding.repair}"
