"""``leecher FOLDER PEER_PORT TORRENT …``: fetches torrents from one peer by bare libtorrent, tuned as the seeder."""

from __future__ import annotations

import sys
from pathlib import Path

import libtorrent as lt

from benchmarks.sides.protocol import serve
from benchmarks.sides.tuning import SETTINGS


def main(folder: Path, port: int, torrents: list[str]) -> None:
    kept = []  # a session takes its time to end: not counted

    def work() -> None:
        session = lt.session(SETTINGS | {"alert_mask": lt.alert.category_t.status_notification})
        kept.append(session)
        handles = []
        for path in torrents:
            params = lt.add_torrent_params()
            params.ti = lt.torrent_info(path)
            params.save_path = str(folder)
            params.trackers, params.url_seeds = [], []
            handles.append(session.add_torrent(params))
        rounds = 0
        while not all(handle.status().is_seeding for handle in handles):
            if rounds % 5 == 0:
                for handle in handles:
                    if not handle.status().num_peers:
                        handle.connect_peer(("127.0.0.1", port))
            session.wait_for_alert(20)
            session.pop_alerts()
            rounds += 1
        for handle in handles:
            handle.flush_cache()

    serve(work)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
