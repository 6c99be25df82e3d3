"""Fetches packs over BitTorrent into ``partial/``. What comes is hashed again by us before it counts.

No resume data is kept: after a kill, libtorrent hashes what it finds and goes on from there, so that nothing is
believed that did not reach the disk.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import libtorrent as lt

from fonoteca.core.errors import Failed, NetworkFailed, NoSpace
from fonoteca.formats.metainfo import Metainfo
from fonoteca.mirror.session import POLL_MS, open_session, parameters, wait_for

_CHECKING = {lt.torrent_status.states.checking_files, lt.torrent_status.states.checking_resume_data}


@dataclass(frozen=True)
class Volume:
    """A torrent and what is wanted of it.

    Attributes:
        data: the ``.torrent`` file.
        meta: the same, parsed.
        files: names of the wanted files.
    """

    data: bytes
    meta: Metainfo
    files: Collection[str]


class Swarm:
    """Downloads from whoever has a volume.

    Each fetch has a session of its own: a session makes its first connections a tenth of a second after its start,
    and all later ones once a second, which would be most of a small volume's time.

    Args:
        save_path: folder in which a volume's folder grows.
        peers: (host, port) that are asked besides those that trackers name.
        stall_seconds: silence after which a volume is given up.
    """

    def __init__(self, save_path: Path, peers: Sequence[tuple[str, int]] = (), stall_seconds: float = 30.0,
                 listen: str = "0.0.0.0:0") -> None:  # fmt: skip
        self._save_path = save_path
        self._peers = peers
        self._rounds = max(1, int(stall_seconds * 1000 / POLL_MS))
        self._listen = listen
        self._session: Any = None

    def fetch(self, volume: Volume, advance: Callable[[int], None], completed: Callable[[str], None],
              stop: threading.Event) -> int:  # fmt: skip
        """Fetch the wanted files of one volume; returns the bytes of content that came over the network.

        Args:
            advance: told every byte that is newly there.
            completed: told the name of each file that libtorrent has finished. Some of it may be on its way to the
                disk still; when this returns, all of it is there.
            stop: ends the download when it is set; what has come stays.

        Raises:
            NetworkFailed: ``stalled``: nobody sends anything any more; what has come stays.
            NoSpace, Failed: libtorrent could not write.
        """
        self._session = open_session(self._listen)
        handle = self._add(volume)
        try:
            self._follow(handle, volume, advance, completed, stop)
            handle.flush_cache()
            wait_for(self._session, lt.cache_flushed_alert, 100)
            return int(handle.status().total_payload_download)
        finally:
            self._session.remove_torrent(handle)
            wait_for(self._session, lt.torrent_removed_alert, 50)
            self._session.pause()
            self._session = None

    def _add(self, volume: Volume) -> Any:
        meta = volume.meta
        params = parameters(volume.data, str(self._save_path), meta.web_seeds, meta.trackers)
        params.file_priorities = [4 if entry.path[-1] in volume.files else 0 for entry in meta.files]
        return self._session.add_torrent(params)

    def _follow(self, handle: Any, volume: Volume, advance: Callable[[int], None], completed: Callable[[str], None],
                stop: threading.Event) -> None:  # fmt: skip
        quiet, done = 0, 0
        while not stop.is_set():
            self._session.wait_for_alert(POLL_MS)
            self._heed(self._session.pop_alerts(), volume, completed)
            status = handle.status()
            moved = int(status.total_wanted_done) - done
            done += moved
            advance(max(moved, 0))
            if status.is_finished or status.is_seeding:
                return
            if not status.num_peers and quiet % 3 == 0 and status.state not in _CHECKING:
                for peer in self._peers:
                    handle.connect_peer(peer)
            quiet = 0 if moved or status.state in _CHECKING else quiet + 1
            if quiet > self._rounds:
                raise NetworkFailed("stalled", "A volume could not be fetched by torrent",
                                    f"nobody sends anything of {volume.meta.name} "
                                    f"({status.num_peers} peers, {done} bytes of {status.total_wanted} here)",
                                    "run the same command again later, or with --transport http",
                                    volume.meta.name)  # fmt: skip

    def _heed(self, alerts: Sequence[Any], volume: Volume, completed: Callable[[str], None]) -> None:
        for alert in alerts:
            if isinstance(alert, lt.file_completed_alert):
                completed(volume.meta.files[alert.index].path[-1])
            if isinstance(alert, (lt.file_error_alert, lt.torrent_error_alert)):
                raise _write_error(alert, volume.meta.name)


def _write_error(alert: Any, name: str) -> Failed | NoSpace:
    text = alert.message()
    if "No space" in text:
        return NoSpace("no-space", "A volume could not be written", text,
                       "free some space, then run the same command again: it continues", name)  # fmt: skip
    return Failed("io-error", "A volume could not be written", text,
                  "check the disk, then run the same command again", name)  # fmt: skip
