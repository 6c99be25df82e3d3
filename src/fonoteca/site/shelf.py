"""What the site is made from, and the edition that is open now: a newer one is picked up between requests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from fonoteca.core.clock import Clock
from fonoteca.core.errors import NoSpace
from fonoteca.core.layout import PublicationLayout
from fonoteca.core.progress import SILENT, Progress
from fonoteca.formats import withdrawals
from fonoteca.formats.withdrawals import WithdrawalList
from fonoteca.search.index import Room
from fonoteca.search.inputs import edition_digest, edition_inputs, edition_number
from fonoteca.search.searcher import Searcher, opened
from fonoteca.site.edition import Edition
from fonoteca.site.errors import Refused, plain, stale


@dataclass(frozen=True)
class Standing:
    """Whether what is here may be served: a mirror whose signed metadata ran out says so, and in the end stops.

    Attributes:
        serving: False when the time of grace is over.
        stale_since: RFC 3339; None while the signatures are valid.
    """

    serving: bool = True
    stale_since: str | None = None


@dataclass(frozen=True)
class SiteData:
    """Everything that a site is a function of.

    Attributes:
        publication: the public root; it may change while the site runs.
        search: folder for indexes.
        clock: for the time that a search takes.
        name: the archive's name, shown on its pages.
        hosts: names under which the site answers; empty: any.
        standing: asked at each request; only a mirror has reason to say no.
        room: how much an index may take.
    """

    publication: PublicationLayout
    search: Path
    clock: Clock
    name: str = "fonoteca"
    hosts: frozenset[str] = field(default_factory=frozenset)
    standing: Callable[[], Standing] = Standing
    room: Room = field(default_factory=Room)


@dataclass(frozen=True)
class Opened:
    """An edition with its index; None where there is no room for one: all but the search works without."""

    edition: Edition
    searcher: Searcher | None


class Shelf:
    """Gives the newest edition. One request opens a new one; the others go on with the old one meanwhile."""

    def __init__(self, data: SiteData, progress: Progress = SILENT) -> None:
        self.data = data
        self._progress = progress
        self._opened: Opened | None = None
        self._opening = threading.Lock()
        self._list_lock = threading.Lock()
        self._list: tuple[tuple[int, int, int] | None, WithdrawalList] = (None, withdrawals.EMPTY)

    def current(self) -> Opened:
        """The newest edition that is whole.

        Raises:
            NoArchive: ``no-edition``: nothing is published yet.
            Refused: this mirror may no longer serve.
        """
        self.check_standing()
        number = edition_number(self.data.publication)
        held = self._opened
        if held is not None and held.edition.number == number:
            return held
        if held is not None and not self._opening.acquire(blocking=False):
            return held
        if held is None:
            self._opening.acquire()
        try:
            if self._opened is None or self._opened.edition.number != number:
                self._opened = self._open(number)
            return self._opened
        finally:
            self._opening.release()

    def check_standing(self) -> None:
        """Raises Refused (503) when a mirror has not heard of withdrawals for too long."""
        standing = self.data.standing()
        if not standing.serving:
            raise stale(standing.stale_since or "")

    def _open(self, number: int) -> Opened:
        publication = self.data.publication
        searcher = None
        try:
            searcher = opened(self.data.search, edition_digest(publication, number),
                              lambda: edition_inputs(publication, number), self.data.clock.monotonic,
                              self._progress, self.data.room)  # fmt: skip
        except NoSpace as error:
            self._progress.warn(f"there is no search: {error.why}; {error.remedy}")
        return Opened(Edition(publication, number), searcher)

    def withdrawals(self) -> WithdrawalList:
        """The list as it is on the disk now. A list that cannot be read closes the bytes: 500, not a guess."""
        path = self.data.publication.withdrawals
        with self._list_lock:
            try:
                told = path.stat()
            except FileNotFoundError:
                return withdrawals.EMPTY
            signature = (told.st_mtime_ns, told.st_size, told.st_ino)
            if self._list[0] != signature:
                self._list = (signature, _read(path.read_bytes, str(path)))
            return self._list[1]


def _read(read: Callable[[], bytes], subject: str) -> WithdrawalList:
    try:
        return withdrawals.parse(read())
    except ValueError as error:
        raise _closed(subject) from error


def _closed(subject: str) -> Refused:
    return plain(500, "the list of withdrawals cannot be read, so nothing is served", Path(subject).name)
