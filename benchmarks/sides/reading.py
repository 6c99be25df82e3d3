"""``reading ALGORITHM[+ALGORITHM] FILE …``: digests of whole files, as plainly as Python can; blake3 too."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

from blake3 import blake3

from benchmarks.sides.protocol import serve


def main(algorithms: str, paths: list[str]) -> None:
    buffer = memoryview(bytearray(1 << 20))

    def work() -> None:
        for path in paths:
            digests: list[Any] = [blake3() if n == "blake3" else hashlib.new(n) for n in algorithms.split("+")]
            with Path(path).open("rb", buffering=0) as stream:
                while got := stream.readinto(buffer):
                    for digest in digests:
                        digest.update(buffer[:got])
            for digest in digests:
                digest.hexdigest()

    serve(work)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
