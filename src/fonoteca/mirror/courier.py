"""Brings planned packs in: by torrent where there is a swarm, else over HTTP; hashes them; puts them in their place."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from fonoteca.core import durable
from fonoteca.core.errors import FonotecaError, NetworkFailed
from fonoteca.core.fetch import Fetcher, HttpStatus
from fonoteca.core.progress import Progress, Unit
from fonoteca.formats import metainfo
from fonoteca.formats.metainfo import Metainfo
from fonoteca.mirror import fetch_http
from fonoteca.mirror.budget import Budget
from fonoteca.mirror.check import Promise
from fonoteca.mirror.fetch_http import Stopped
from fonoteca.mirror.fetch_torrent import Swarm, Volume
from fonoteca.mirror.held import Shelf
from fonoteca.mirror.packs import Pack

TRANSPORTS = ("auto", "torrent", "http")


@dataclass(frozen=True)
class Options:
    """How packs are fetched.

    Attributes:
        transport: ``torrent``, ``http``, or ``auto``: torrent where a torrent names trackers or peers are given,
            HTTP for the rest and for what a torrent does not bring.
        peers: (host, port) asked besides those that trackers name.
        stall_seconds: silence after which a swarm is given up.
        workers: packs that are fetched over HTTP, or hashed, at once.
        batch: bytes that are asked of a swarm before they are hashed.
        attempts: how often a broken-off HTTP download is taken up again.
    """

    transport: str = "auto"
    peers: tuple[tuple[str, int], ...] = ()
    stall_seconds: float = 30.0
    workers: int = 2
    batch: int = 2 << 30
    attempts: int = 5


@dataclass
class Outcome:
    """What came of a delivery: bytes that came over the network, names of packs that are in place, failures."""

    came: int = 0
    placed: list[str] = field(default_factory=list)
    failures: list[FonotecaError] = field(default_factory=list)


class Courier:
    """One delivery.

    Args:
        shelf: where packs get their places.
        url: the publication's address.
    """

    def __init__(self, shelf: Shelf, url: str, fetcher: Fetcher, budget: Budget, options: Options) -> None:
        self._shelf = shelf
        self._layout = shelf.layout
        self._url = url
        self._fetcher = fetcher
        self._budget = budget
        self._options = options
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._outcome = Outcome()
        self._torrents: dict[str, tuple[bytes, Metainfo] | None] = {}

    def deliver(self, packs: Sequence[Pack]) -> Outcome:
        """Fetch packs, in this order as far as transport allows. What fails does not stop the rest."""
        self._shelf.progress.stage("packs", sum(p.length for p in packs), Unit.BYTES)
        left = self._adopt(packs)
        with ThreadPoolExecutor(self._options.workers) as pool:
            try:
                left = self._by_torrent(left, pool)
                if left and self._options.transport != "torrent":
                    # What a swarm did not bring comes by another way now; a lack of room stays a failure.
                    failures = self._outcome.failures
                    failures[:] = [error for error in failures if not isinstance(error, NetworkFailed)]
                    self._by_http(left, pool)
            except BaseException:
                self._stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return self._outcome

    def _adopt(self, packs: Iterable[Pack]) -> list[Pack]:
        """What an earlier run had whole in ``partial/`` is hashed and placed, not fetched again."""
        left = []
        for pack in packs:
            if self._shelf.place(pack, "found"):
                self._done(pack)
            else:
                left.append(pack)
        return left

    def _done(self, pack: Pack, advanced: bool = False) -> None:
        with self._lock:
            self._outcome.placed.append(pack.name)
        if not advanced:
            self._advance(pack.length)

    def _advance(self, amount: int) -> None:
        with self._lock:
            self._shelf.progress.advance(amount)

    def _failed(self, error: FonotecaError) -> None:
        with self._lock:
            self._outcome.failures.append(error)

    def _torrent(self, volume: str) -> tuple[bytes, Metainfo] | None:
        """A volume's torrent, or None where it is not one that fits the edition."""
        if volume not in self._torrents:
            path = self._layout.publication.torrents / f"{volume}.torrent"
            try:
                data = path.read_bytes()
                meta = metainfo.parse(data)
                self._torrents[volume] = (data, meta) if meta.name == volume and not meta.single_file else None
            except (OSError, ValueError):
                self._torrents[volume] = None
        return self._torrents[volume]

    def _reserve(self, pack: Pack) -> bool:
        """Ask for the room that a pack still needs. False: there is none, which is noted."""
        path = pack.partial(self._layout)
        folders = sum(not folder.is_dir() for folder in (path.parent, pack.path(self._layout.publication).parent))
        try:
            self._budget.reserve_growing(path, pack.length, folders)
        except FonotecaError as error:
            self._failed(error)
            return False
        return True

    # By torrent

    def _by_torrent(self, packs: list[Pack], pool: ThreadPoolExecutor) -> list[Pack]:
        """Returns what must come by another way."""
        mine = [p for p in packs if self._uses_torrent(p)]
        if not mine:
            return packs
        others = [p for p in packs if not self._uses_torrent(p)]
        swarm = Swarm(self._layout.partial, self._options.peers, self._options.stall_seconds)
        for number, batch in enumerate(batches := self._batches(mine)):
            try:
                others += self._swarm_batch(swarm, batch, pool)
            except NetworkFailed as error:
                self._failed(error)
                # A swarm that is silent for one volume is not waited for again.
                others += [pack for rest in batches[number:] for pack in rest if not self._is_placed(pack)]
                break
        return others

    def _is_placed(self, pack: Pack) -> bool:
        return pack.path(self._layout.publication).is_file()

    def _uses_torrent(self, pack: Pack) -> bool:
        torrent = self._torrent(pack.volume)
        if torrent is None or self._options.transport == "http":
            return False
        return self._options.transport == "torrent" or bool(self._options.peers or torrent[1].trackers)

    def _batches(self, packs: Iterable[Pack]) -> list[list[Pack]]:
        """Packs of one volume each, in the order in which their first ones come."""
        batches: list[list[Pack]] = []
        growing: dict[str, list[Pack]] = {}
        sizes: dict[str, int] = {}
        for pack in packs:
            if pack.volume not in growing or sizes[pack.volume] + pack.length > self._options.batch:
                growing[pack.volume] = []
                sizes[pack.volume] = 0
                batches.append(growing[pack.volume])
            growing[pack.volume].append(pack)
            sizes[pack.volume] += pack.length
        return batches

    def _swarm_batch(self, swarm: Swarm, batch: Sequence[Pack], pool: ThreadPoolExecutor) -> list[Pack]:
        """Fetch packs of one volume, hashing each while the next ones come; returns those that are not right."""
        torrent = self._torrent(batch[0].volume)
        assert torrent is not None
        ready = {pack.file: pack for pack in batch if self._reserve(pack)}
        checks: dict[str, Future[list[bytes] | None]] = {}

        def completed(name: str) -> None:
            if name in ready and name not in checks:
                pack = ready[name]
                checks[name] = pool.submit(self._leaves, pack)

        if ready:
            try:
                came = swarm.fetch(Volume(*torrent, frozenset(ready)), self._advance, completed, self._stop)
            finally:
                for name, check in checks.items():
                    if not self._stop.is_set() and (leaves := check.result()):
                        self._placed(ready.pop(name), leaves)
            with self._lock:
                self._outcome.came += came
        # What libtorrent had not written out when it was hashed, or had from before, is hashed now.
        return [pack for pack in ready.values() if not self._placed_now(pack)]

    def _leaves(self, pack: Pack) -> list[bytes] | None:
        """Hash a pack and write it out to the disk, while others still come. None: it is not whole."""
        path = pack.partial(self._layout)
        leaves = pack.promise().kept_by(path)
        if leaves is not None:
            durable.fsync_file(path)
        return leaves

    def _placed(self, pack: Pack, leaves: Sequence[bytes]) -> None:
        self._shelf.put(pack, "torrent", leaves)
        self._done(pack, advanced=True)

    def _placed_now(self, pack: Pack) -> bool:
        leaves = self._leaves(pack)
        if leaves is None:
            return False
        self._placed(pack, leaves)
        return True

    # By HTTP

    def _by_http(self, packs: Sequence[Pack], pool: ThreadPoolExecutor) -> None:
        jobs = [pool.submit(self._http, pack) for pack in packs]
        for job in jobs:
            job.result()

    def _http(self, pack: Pack) -> None:
        if self._stop.is_set() or not self._reserve(pack):
            return
        try:
            came, leaves = self._http_attempts(pack)
        except NetworkFailed as error:
            self._failed(error)
            return
        except Stopped:
            return
        with self._lock:
            self._outcome.came += came
        self._shelf.put(pack, "http", leaves)
        self._done(pack, advanced=True)

    def _http_attempts(self, pack: Pack) -> tuple[int, list[bytes]]:
        promise = self._promise(pack)
        url = f"{self._url}/packs/{quote(pack.volume)}/{quote(pack.file)}"
        for attempt in range(1, self._options.attempts + 1):
            try:
                return fetch_http.fetch(self._fetcher, url, pack.partial(self._layout), promise, self._advance,
                                        self._stop)  # fmt: skip
            except NetworkFailed as error:
                lasting = isinstance(error, HttpStatus) or error.code in {"wrong-bytes", "bad-address", "unreachable"}
                if lasting or attempt == self._options.attempts:
                    raise
                self._shelf.clock.sleep(min(attempt, 5))
        raise AssertionError

    def _promise(self, pack: Pack) -> Promise:
        torrent = self._torrent(pack.volume)
        if torrent is not None:
            for entry in torrent[1].files:
                if entry.path == (pack.file,) and entry.root.hex() == pack.merkle_root:
                    return pack.promise(torrent[1].piece_length, entry.piece_layer)
        return pack.promise()


class SharedProgress:
    """A progress that several threads may tell."""

    def __init__(self, inner: Progress) -> None:
        self._inner = inner
        self._lock = threading.Lock()

    def stage(self, name: str, total: int | None, unit: Unit) -> None:
        """As :class:`fonoteca.core.progress.Progress`."""
        with self._lock:
            self._inner.stage(name, total, unit)

    def advance(self, amount: int) -> None:
        """As :class:`fonoteca.core.progress.Progress`."""
        with self._lock:
            self._inner.advance(amount)

    def item(self, message: dict[str, Any]) -> None:
        """As :class:`fonoteca.core.progress.Progress`."""
        with self._lock:
            self._inner.item(message)

    def warn(self, text: str) -> None:
        """As :class:`fonoteca.core.progress.Progress`."""
        with self._lock:
            self._inner.warn(text)
