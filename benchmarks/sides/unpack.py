"""``unpack ours|rapidgzip FILE.bz2``: all bytes of a packed file, thrown away; on two cores."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO, Any

from benchmarks.sides.protocol import serve

_PORTION = 1 << 20


def _opened(how: str, path: Path) -> IO[bytes] | Any:
    if how == "ours":
        from fonoteca.sources import unpack

        return unpack.plain(path)
    import rapidgzip

    return rapidgzip.IndexedBzip2File(str(path), parallelization=2)


def main(how: str, path: Path) -> None:
    with _opened(how, path) as stream:

        def work() -> None:
            while stream.read(_PORTION):
                pass

        serve(work)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
