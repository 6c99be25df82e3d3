"""A process that reads pieces of a dump: one line of JSON and the block's bytes in, one line of JSON out.

It is started with ``python -m fonoteca.sources.discogs_worker`` and ends with its input.
"""

from __future__ import annotations

import gc
import json
import sys
from typing import BinaryIO

from fonoteca.core.errors import FonotecaError
from fonoteca.sources.discogs_pieces import Piece, read


def serve(given: BinaryIO, answers: BinaryIO) -> None:
    """Read pieces until there are no more."""
    while line := given.readline():
        piece = Piece.from_json(line)
        data = given.read(piece.length)
        if len(data) < piece.length:
            return
        answers.write(json.dumps(_read(piece, data)).encode() + b"\n")
        answers.flush()


def _read(piece: Piece, data: bytes) -> dict[str, object]:
    try:
        return {"rows": read(piece, data)}
    except FonotecaError as error:
        told = [error.code, error.what, error.why, error.remedy, error.subject]
        return {"error": type(error).__name__, "told": told}


if __name__ == "__main__":
    import pyarrow as pa

    # Each process has one core; the others have theirs.
    pa.set_cpu_count(1)
    # A piece makes many small objects and hardly a cycle: looking for these more seldom saves a good part of the time.
    gc.set_threshold(200_000, 20, 20)
    serve(sys.stdin.buffer, sys.stdout.buffer)
