"""libtorrent set up for a fast network, for the peer sides: large queues and buffers, uTP off."""

from __future__ import annotations

from typing import Any

SETTINGS: dict[str, Any] = {
    "listen_interfaces": "127.0.0.1:0",
    "enable_outgoing_utp": False,
    "enable_incoming_utp": False,
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "allow_multiple_connections_per_ip": True,
    "tick_interval": 100,
    "active_seeds": -1,
    "active_downloads": -1,
    "active_limit": -1,
    "unchoke_slots_limit": -1,
    "max_out_request_queue": 1500,
    "max_allowed_in_request_queue": 2000,
    "max_queued_disk_bytes": 64 << 20,
    "send_buffer_watermark": 4 << 20,
    "send_buffer_low_watermark": 512 << 10,
    "hashing_threads": 2,
    "aio_threads": 4,
}
