"""``seeder PUBLICATION``: seeds a publication's volumes by bare libtorrent, tuned, and runs a tracker.

Writes the ports of both, then stays until its standard input ends. The tracker names the seeder to whoever asks
(BEP 3, 23).
"""

from __future__ import annotations

import http.server
import socket
import sys
import threading
from pathlib import Path

import libtorrent as lt

from benchmarks.sides.tuning import SETTINGS


def main(publication: Path) -> None:
    session = lt.session(SETTINGS)
    for path in sorted((publication / "torrents").rglob("*.torrent")):
        params = lt.add_torrent_params()
        params.ti = lt.torrent_info(str(path))
        params.trackers = []
        params.url_seeds = []
        params.save_path = str(publication / "packs")
        params.flags = lt.torrent_flags.seed_mode | lt.torrent_flags.upload_mode
        if (publication / "packs" / params.ti.name()).is_dir():
            session.add_torrent(params)
    tracker = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _tracker(session.listen_port()))
    threading.Thread(target=tracker.serve_forever, daemon=True).start()
    sys.stdout.write(f"{session.listen_port()} {tracker.server_address[1]}\n")
    sys.stdout.flush()
    sys.stdin.read()


def _tracker(port: int) -> type[http.server.BaseHTTPRequestHandler]:
    peers = socket.inet_aton("127.0.0.1") + port.to_bytes(2, "big")
    answer = b"d8:completei1e10:incompletei0e8:intervali1800e5:peers%d:%se" % (len(peers), peers)

    class Tracker(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    return Tracker


if __name__ == "__main__":
    main(Path(sys.argv[1]))
