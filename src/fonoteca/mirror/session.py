"""One way to set up libtorrent, for fetching and for seeding.

uTP is off: over fast networks it costs a factor of 15 (PERFORMANCE, B5). Nothing is announced to a network
unasked: no DHT, no local discovery, no port mapping; peers come from trackers, web seeds and the command line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libtorrent as lt

AGENT = "fonoteca"
POLL_MS = 100


def open_session(listen: str) -> Any:
    """A session that listens on ``host:port``; port 0 takes a free one."""
    return lt.session({
        "user_agent": AGENT,
        "listen_interfaces": listen,
        "enable_outgoing_utp": False,
        "enable_incoming_utp": False,
        "enable_dht": False,
        "enable_lsd": False,
        "enable_upnp": False,
        "enable_natpmp": False,
        # Two mirrors behind one address, or on one machine, are two peers.
        "allow_multiple_connections_per_ip": True,
        "alert_mask": lt.alert.category_t.error_notification | lt.alert.category_t.status_notification
        | lt.alert.category_t.storage_notification | lt.alert.category_t.file_progress_notification,
        # The first connections are made on the first tick.
        "tick_interval": 100,
        "connections_limit": 500,
        "active_seeds": -1,
        "active_downloads": -1,
        "active_limit": -1,
        "unchoke_slots_limit": -1,
        "max_out_request_queue": 1500,
        "max_queued_disk_bytes": 64 << 20,
        "send_buffer_watermark": 4 << 20,
        "send_buffer_low_watermark": 512 << 10,
        "hashing_threads": 2,
        "urlseed_wait_retry": 5,
        "min_reconnect_time": 1,
        "stop_tracker_timeout": 1,
        "listen_system_port_fallback": False,
        "max_retry_port_bind": 0,
    })  # fmt: skip


def parameters(data: bytes, save_path: str, web_seeds: Sequence[str], trackers: Sequence[str]) -> Any:
    """A torrent to add, not queued and not paused; ``data`` was accepted by :func:`fonoteca.formats.metainfo.parse`."""
    params = lt.add_torrent_params()
    params.ti = lt.torrent_info(data)
    params.save_path = save_path
    params.url_seeds = list(web_seeds)
    params.trackers = list(trackers)
    flags = lt.torrent_flags.override_web_seeds | lt.torrent_flags.override_trackers
    flags |= lt.torrent_flags.disable_dht | lt.torrent_flags.disable_lsd
    params.flags = flags
    return params


def wait_for(session: Any, kind: type | tuple[type, ...], rounds: int) -> Any:
    """The next alert of a kind, or None after so many rounds of :data:`POLL_MS` without any alert at all."""
    quiet = 0
    while quiet < rounds:
        if session.wait_for_alert(POLL_MS) is None:
            quiet += 1
        for alert in session.pop_alerts():
            if isinstance(alert, kind):
                return alert
    return None
