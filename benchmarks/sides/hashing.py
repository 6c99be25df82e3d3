"""``hashing ALGORITHM BYTES``: the limit of one core: one hash over so many bytes that lie in its cache."""

from __future__ import annotations

import hashlib
import random
import sys

from benchmarks.sides.protocol import serve

_PORTION = 1 << 20


def main(algorithm: str, count: int) -> None:
    data = random.Random(1).randbytes(_PORTION)

    def work() -> None:
        digest, left = hashlib.new(algorithm), count
        while left > 0:
            digest.update(data[:left] if left < _PORTION else data)
            left -= _PORTION
        digest.hexdigest()

    serve(work)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
