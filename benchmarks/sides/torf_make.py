"""``torf_make FOLDER PIECE_BYTES OUT``: a v1 torrent by torf, in two threads. Runs where torf is installed."""

import sys

import torf

if __name__ == "__main__":
    folder, piece, out = sys.argv[1:4]
    torrent = torf.Torrent(folder, piece_size=int(piece))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    torrent.generate(threads=2)
    torrent.write(out, overwrite=True)
    sys.stdout.write("done\n")
    sys.stdout.flush()
