"""``sealing BLOBS PUBLICATION PACK_BYTES``: the blobs of a folder → packs, torrents, by the code of publishing."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from benchmarks.sides.protocol import serve
from fonoteca.core import durable
from fonoteca.formats import metainfo
from fonoteca.publish import cut, seal
from fonoteca.publish.inputs import Candidate

PIECE = 4 << 20
VOLUMES = 2


def main(blobs: Path, home: Path, pack_bytes: int) -> None:
    listed = json.loads((blobs / "blobs.json").read_text())
    candidates = [
        Candidate(number, entry["sha256"], entry["bytes"], "free", ("CC0-1.0",), title=f"Piece {number}",
                  artist="Noise", extension="bin")
        for number, entry in enumerate(listed)
    ]  # fmt: skip
    portions = cut.fill(candidates, lambda c: c.bytes, pack_bytes)
    packs = [cut.seal_plan("head", "free", members, PIECE, ()) for members in portions]
    known = {entry["sha256"]: entry["blake3"] for entry in listed}
    bench = seal.Bench(home / "packs", home / "leaves", PIECE, known)

    def opened(sha256: str) -> BinaryIO:
        return (blobs / sha256).open("rb")

    def work() -> None:
        with ThreadPoolExecutor(2) as pool:  # as publish.execute does
            jobs = [pool.submit(bench.seal, new, volume_of(n), opened) for n, new in enumerate(packs)]
            sealed = [job.result() for job in jobs]
        for volume in range(VOLUMES):
            entries = [made.entry for n, made in enumerate(sealed) if n % VOLUMES == volume]
            if entries:
                made = metainfo.hybrid(volume_of(volume), entries, PIECE)
                durable.write_bytes(home / "torrents" / f"{made.name}.torrent", made.encode())

    serve(work)


def volume_of(number: int) -> str:
    """Packs go into the volumes in turn."""
    return f"head-free-0001-{number % VOLUMES + 1:02d}"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
