"""``libtorrent_make FOLDER PIECE_BYTES OUT``: a hybrid torrent by libtorrent alone."""

from __future__ import annotations

import sys
from pathlib import Path

import libtorrent as lt

from benchmarks.sides.protocol import serve


def main(folder: Path, piece_length: int, out: Path) -> None:
    def work() -> None:
        files = lt.list_files(str(folder))
        torrent = lt.create_torrent(files, piece_length)
        lt.set_piece_hashes(torrent, str(folder.parent))
        out.write_bytes(lt.bencode(torrent.generate()))

    serve(work)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
