"""A BitTorrent tracker on loopback (BEP 3, compact answers of BEP 23) that knows one seeder for every torrent."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from fonoteca.formats import bencode


@contextlib.contextmanager
def tracker(seeder_port: int) -> Iterator[str]:
    """Gives the announce address."""
    peer = socket.inet_aton("127.0.0.1") + seeder_port.to_bytes(2, "big")
    answer = bencode.encode({b"interval": 5, b"min interval": 1, b"complete": 1, b"incomplete": 0, b"peers": peer})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/announce"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
