"""``shares PART BYTES FOLDER``: one thing that sealing does to every byte, alone, on one core, portion by portion."""

from __future__ import annotations

import hashlib
import random
import sys
from collections.abc import Callable
from pathlib import Path

from blake3 import blake3

from benchmarks.sides.protocol import serve
from fonoteca.core.merkle import BLOCK

_PORTION = 1 << 20


def main(part: str, count: int, folder: Path) -> None:
    data = memoryview(random.Random(1).randbytes(_PORTION))
    path = folder / "shares"
    with path.open("wb") as stream:  # more than the processor's cache holds
        for _ in range(64):
            stream.write(data)
    buffer = memoryview(bytearray(_PORTION))
    with path.open("rb", buffering=0) as reader, (folder / "shares.out").open("wb", buffering=0) as writer:

        def read() -> None:
            if reader.readinto(buffer) < _PORTION:
                reader.seek(0)
                reader.readinto(buffer)

        def leaves() -> None:
            for start in range(0, _PORTION, BLOCK):
                hashlib.sha256(data[start : start + BLOCK]).digest()

        parts: dict[str, Callable[[], object]] = {
            "sha1": lambda: hashlib.sha1(data, usedforsecurity=False),
            "sha256": lambda: hashlib.sha256(data),
            "blake3": lambda: blake3(data),
            "leaves": leaves,
            "read": read,
            "write": lambda: writer.write(data),
        }
        step = parts[part]
        serve(lambda: [step() for _ in range(max(count // _PORTION, 1))])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
