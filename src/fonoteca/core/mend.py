"""Mends one file: a copy of it, with good bytes where it is damaged, checked whole before it takes the name.

The unit of checking is the 16 KiB block where its digests are known, else the torrent's piece, else the whole file.
Only units that are wrong are asked for, and a unit is written only when its digest is the promised one, so a source
that lies changes nothing. What a stopped run has gathered stays in the work file and is not asked for again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from fonoteca.core import durable, merkle
from fonoteca.core.blocks import BlockSource, NoRanges, Place, SourceFailed, Wanted
from fonoteca.core.errors import NetworkFailed
from fonoteca.core.fetch import HttpStatus
from fonoteca.core.fixity import Digester, chunks

ATTEMPTS = 3
"""How often a source that broke off is asked for what did not come."""
_GIVEN_UP = 2


@dataclass(frozen=True)
class Good:
    """What the file must be.

    Attributes:
        size: bytes.
        sha256, blake3, merkle_root: hex, or empty where not promised; one of sha256 and merkle_root always is.
        leaves: SHA-256 of each block, checked against ``merkle_root`` by who found them.
        piece_length, pieces: the piece layer of a torrent (BEP 52) instead; one piece: its root.
    """

    size: int
    sha256: str = ""
    blake3: str = ""
    merkle_root: str = ""
    leaves: Sequence[bytes] | None = None
    piece_length: int = 0
    pieces: Sequence[bytes] = ()

    @property
    def unit(self) -> int:
        """Bytes that are checked at once; 0: only the whole file can be."""
        if self.leaves is not None:
            return merkle.BLOCK
        return self.piece_length if self.pieces else 0

    def length(self, index: int) -> int:
        """Bytes of one unit."""
        return min(self.unit, self.size - index * self.unit)

    def right(self, index: int, data: bytes) -> bool:
        """Whether these are the bytes of a unit."""
        if len(data) != self.length(index):
            return False
        if self.leaves is not None:
            return hashlib.sha256(data).digest() == self.leaves[index]
        leaves = [hashlib.sha256(data[i : i + merkle.BLOCK]).digest() for i in range(0, len(data), merkle.BLOCK)]
        if len(self.pieces) == 1:
            return merkle.root(leaves) == self.pieces[0]
        return merkle.piece_layer(leaves, self.piece_length)[0] == self.pieces[index]

    def kept_by(self, path: Path) -> bool:
        """Read a whole file: whether it is what was promised, by every digest that is known."""
        if not path.is_file() or path.stat().st_size != self.size:
            return False
        digester = Digester()
        with path.open("rb") as stream:
            for data in chunks(stream):
                digester.update(data)
        found = digester.finish()
        names = [n for n in ("sha256", "blake3", "merkle_root") if getattr(self, n)]
        return bool(names) and all(getattr(self, n) == getattr(found, n) for n in names)


@dataclass
class Outcome:
    """How it went.

    Attributes:
        mended: the work file is whole and right.
        damaged: blocks of 16 KiB that were wrong or missing.
        left: blocks that still are.
        fetched: bytes that the sources gave.
        why: for what is left: what each source did.
        failure: the last failure of the network.
    """

    mended: bool = False
    damaged: int = 0
    left: int = 0
    fetched: int = 0
    why: list[str] = field(default_factory=list)
    failure: NetworkFailed | None = None


def mend(path: Path, work: Path, good: Good, wanted: Wanted, sources: Sequence[BlockSource],
         advance: Callable[[int], None] = lambda _: None) -> Outcome:  # fmt: skip
    """Make a right copy of a damaged, cut, longer or missing file in ``work``; the file itself is not touched.

    Returns:
        The outcome; where it is mended, ``work`` was read back and is as promised. Where not, ``work`` is gone,
        unless good bytes came that the next run can use.

    Raises:
        NoSpace, Failed: the disk that holds ``work``.
    """
    before = sum(source.fetched for source in sources)
    job = _Job(path, work, good, wanted, advance)
    try:
        (job.by_units if good.unit else job.whole)(sources)
    finally:
        job.outcome.fetched = sum(source.fetched for source in sources) - before
    return job.outcome


def wrong_units(path: Path, good: Good) -> list[int]:
    """The units of a file that are not right, or not there. Only for what has units."""
    count = -(-good.size // good.unit)
    return [i for i, data in enumerate(_units(path, good, count)) if not good.right(i, data)]


def patch(path: Path, good: Good, wanted: Wanted, sources: Sequence[BlockSource]) -> Outcome:
    """Mend a file where it is, for want of room for a copy: a unit is only ever replaced by the right one.

    Who calls has kept the wrong units (:func:`wrong_units`) and what is behind the end before.

    Raises:
        NoSpace, Failed: the disk that holds the file; each unit is as it was, or right.
    """
    before = sum(source.fetched for source in sources)
    job = _Job(path, path, good, wanted, lambda _: None)
    try:
        job.in_place(sources)
    finally:
        job.outcome.fetched = sum(source.fetched for source in sources) - before
    return job.outcome


class _Job:
    def __init__(self, path: Path, work: Path, good: Good, wanted: Wanted, advance: Callable[[int], None]) -> None:
        self.outcome = Outcome()
        self._path, self._work, self._good, self._wanted = path, work, good, wanted
        self._advance = advance
        self._missing: dict[int, None] = {}
        self._failures = 0
        self._gained = False

    # Unit by unit

    def by_units(self, sources: Sequence[BlockSource]) -> None:
        self._begin()
        with durable.patching(self._work) as stream:
            self._fill(sources, stream)
        self._end()
        if not self.outcome.mended and not (self._missing and self._gained):
            durable.remove(self._work)

    def in_place(self, sources: Sequence[BlockSource]) -> None:
        self._missing = dict.fromkeys(wrong_units(self._path, self._good))
        self.outcome.damaged = self._blocks(self._missing)
        with durable.patching(self._path) as stream:
            self._fill(sources, stream)
            if not self._missing:
                stream.truncate(self._good.size)
        self._end()

    def _fill(self, sources: Sequence[BlockSource], stream: IO[bytes]) -> None:
        for source in sources:
            if self._missing:
                self._from(source, lambda place, source=source: self._place(source, place, stream))  # type: ignore[misc]

    def _end(self) -> None:
        self.outcome.left = self._blocks(self._missing)
        self.outcome.mended = not self._missing and self._good.kept_by(self._work)
        if not self._missing and not self.outcome.mended:
            self.outcome.why.append("all blocks are right and the whole is not: the digests contradict each other")

    def _begin(self) -> None:
        """The work file: what an earlier run left, else a copy of the damaged file; and which units are wrong."""
        good, count = self._good, -(-self._good.size // self._good.unit)
        original = set(wrong_units(self._path, good))
        self.outcome.damaged = self._blocks(original)
        if self._work.is_file() and self._work.stat().st_size == good.size:
            wrong = wrong_units(self._work, good)
            if set(wrong) <= original:
                self._missing = dict.fromkeys(wrong)
                self._gained = len(wrong) < len(original)
                return
        with durable.writing(self._work) as stream:
            for data in _units(self._path, good, count):
                stream.write(data)
                self._advance(len(data))
        self._missing = dict.fromkeys(sorted(original))

    def _blocks(self, units: Iterable[int]) -> int:
        return sum(-(-self._good.length(i) // merkle.BLOCK) for i in units)

    def _from(self, source: BlockSource, ask: Callable[[Place], bool]) -> None:
        """Ask one source at each place where it may have the file, until nothing is missing."""
        places = failures = 0
        for place in source.places(self._wanted):
            places += 1
            try:
                if ask(place):
                    return
            except HttpStatus as error:
                self.outcome.why.append(error.why)
            except NetworkFailed as error:
                self.outcome.failure = error
                self.outcome.why.append(error.why)
                failures += 1
            except SourceFailed as error:
                self.outcome.why.append(error.why)
            else:
                self.outcome.why.append(f"{source.label}: other bytes than promised in {place.path}")
            if failures >= _GIVEN_UP:
                return
        if not places:
            self.outcome.why.append(f"{source.label}: has no such file")

    def _place(self, source: BlockSource, place: Place, stream: IO[bytes]) -> bool:
        """Take what a place has of what is missing; returns whether nothing is missing any more."""
        wrong: set[int] = set()
        if place.guess and not self._probe(source, place, stream, wrong):
            return False
        for attempt in range(1, ATTEMPTS + 1):
            left = [i for i in self._missing if i not in wrong]
            if not left:
                break
            try:
                for first, last in _runs(left):
                    self._take(source, place, first, last, stream, wrong)
            except NoRanges:
                self._take(source, place, 0, -(-self._good.size // self._good.unit) - 1, stream, wrong)
            except NetworkFailed as error:
                if isinstance(error, HttpStatus) or attempt == ATTEMPTS:
                    raise
        return not self._missing

    def _probe(self, source: BlockSource, place: Place, stream: IO[bytes], wrong: set[int]) -> bool:
        """Whether a file that only has the right length has the first or the last unit that is missing."""
        ends = {next(iter(self._missing)), next(reversed(self._missing))}
        for index in ends:
            self._take(source, place, index, index, stream, wrong)
        return bool(ends - wrong)

    def _take(self, source: BlockSource, place: Place, first: int, last: int, stream: IO[bytes],
              wrong: set[int]) -> None:  # fmt: skip
        """Read units of a place and write those that are missing here and right there."""
        good, index, buffer = self._good, first, bytearray()
        stop = min((last + 1) * good.unit, good.size)
        with closing(_generator(source.read(place, first * good.unit, stop))) as portions:
            for data in portions:
                buffer += data
                while index <= last and len(buffer) >= good.length(index):
                    self._unit(index, bytes(buffer[: good.length(index)]), stream, wrong)
                    del buffer[: good.length(index)]
                    index += 1

    def _unit(self, index: int, data: bytes, stream: IO[bytes], wrong: set[int]) -> None:
        if index not in self._missing:
            return
        if not self._good.right(index, data):
            wrong.add(index)
            return
        stream.seek(index * self._good.unit)
        stream.write(data)
        del self._missing[index]
        self._gained = True

    # Whole

    def whole(self, sources: Sequence[BlockSource]) -> None:
        """Without digests of its parts a file is right or wrong as a whole: it is taken from who has it whole."""
        blocks = max(-(-self._good.size // merkle.BLOCK), 1)
        self.outcome.damaged = blocks
        if self._path.is_file() and self._path.stat().st_size > self._good.size and self._copied(self._beginning()):
            return  # Only something was added at its end.
        for source in sources:
            if not self.outcome.mended:
                self._from(source, lambda place, source=source: self._copied(  # type: ignore[misc]
                    source.read(place, 0, self._good.size)))  # fmt: skip
        self.outcome.left = 0 if self.outcome.mended else blocks

    def _beginning(self) -> Iterator[bytes]:
        with self._path.open("rb") as stream:
            yield from chunks(stream, self._good.size)

    def _copied(self, portions: Iterator[bytes]) -> bool:
        with closing(_generator(portions)) as reading, durable.writing(self._work) as stream:
            for data in reading:
                stream.write(data)
                self._advance(len(data))
        self.outcome.mended = self._good.kept_by(self._work)
        if not self.outcome.mended:
            durable.remove(self._work)
        return self.outcome.mended


def _generator(portions: Iterator[bytes]) -> Any:
    """An iterator that can be closed, whatever a source gave."""
    return portions if hasattr(portions, "close") else (data for data in portions)


def _units(path: Path, good: Good, count: int) -> Iterator[bytes]:
    """The units of a file as it is; zeros for what is not there or cannot be read: a disk's bad sector is damage."""
    if not path.is_file():
        yield from (bytes(good.length(i)) for i in range(count))
        return
    with path.open("rb", buffering=0) as stream:
        for index in range(count):
            yield _unit_of(stream, index * good.unit, good.length(index))


def _unit_of(stream: Any, start: int, length: int) -> bytes:
    data = bytearray()
    for at in range(start, start + length, merkle.BLOCK):
        size = min(merkle.BLOCK, start + length - at)
        try:
            stream.seek(at)
            block = stream.read(size) or b""
        except OSError:
            block = b""
        data += block + bytes(size - len(block))
    return bytes(data)


def _runs(units: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending numbers as runs (first, last)."""
    runs: list[tuple[int, int]] = []
    for index in units:
        if runs and runs[-1][1] == index - 1:
            runs[-1] = (runs[-1][0], index)
        else:
            runs.append((index, index))
    return runs
