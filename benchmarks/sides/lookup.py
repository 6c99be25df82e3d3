"""``lookup catalogue|duckdb|sorted|sqlite|keys PATH ASKED TOLD``: look up each word, write the milliseconds it took.

``PATH``: an archive, or a Parquet file of tracks, of which the store is made before the work begins.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.sides.protocol import serve

Lookup = Callable[[str], object]


@contextmanager
def _catalogue(path: Path) -> Iterator[Lookup]:
    import fonoteca

    with fonoteca.open(path) as archive:
        yield archive.show


@contextmanager
def _duckdb(path: Path) -> Iterator[Lookup]:
    """The whole row from a file that is sorted by ISRC, its metadata kept."""
    import duckdb

    ordered = path.with_name("sorted.parquet")
    with duckdb.connect(config={"threads": 2, "memory_limit": "8GiB"}) as connection:
        query = f"COPY (FROM '{path}' ORDER BY isrc, id) TO '{ordered}' (FORMAT parquet, COMPRESSION zstd)"
        connection.execute(query).fetchall()
    with _sorted(ordered) as lookup:
        yield lookup


@contextmanager
def _sorted(path: Path) -> Iterator[Lookup]:
    """The same, of a file that is there already."""
    import duckdb

    with duckdb.connect(config={"threads": 2, "memory_limit": "8GiB"}) as connection:
        connection.execute("SET parquet_metadata_cache = true")
        yield lambda isrc: connection.execute(f"FROM '{path}' WHERE isrc = ?", [isrc]).fetchall()


@contextmanager
def _sqlite(path: Path) -> Iterator[Lookup]:
    """Id and listens."""
    import duckdb

    file = path.with_name("isrc.sqlite")
    file.unlink(missing_ok=True)
    store = sqlite3.connect(file)
    store.execute("CREATE TABLE t (isrc TEXT, id INTEGER, listens INTEGER, PRIMARY KEY (isrc, id)) WITHOUT ROWID")
    with duckdb.connect() as connection:
        rows = connection.execute(f"SELECT isrc, id, listens FROM '{path}' ORDER BY isrc, id")
        while part := rows.fetchmany(100_000):
            store.executemany("INSERT INTO t VALUES (?, ?, ?)", part)
    store.commit()
    yield lambda isrc: store.execute("SELECT id, listens FROM t WHERE isrc = ?", [isrc]).fetchall()
    store.close()


@contextmanager
def _keys(path: Path) -> Iterator[Lookup]:
    """A position, by the packed ISRC."""
    import duckdb
    import numpy as np

    file = path.with_name("isrc.keys")
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT isrc FROM '{path}'").fetchnumpy()["isrc"]
    np.sort(np.array([int(isrc, 36) for isrc in found], np.uint64)).tofile(file)
    held = np.memmap(file, np.uint64, "r")
    yield lambda isrc: held.searchsorted(np.uint64(int(isrc, 36)))


def main(how: str, path: Path, asked: Path, told: Path) -> None:
    words, times = json.loads(asked.read_text()), []
    stores = {"catalogue": _catalogue, "duckdb": _duckdb, "sorted": _sorted, "sqlite": _sqlite, "keys": _keys}
    with stores[how](path) as lookup:

        def work() -> None:
            for word in words:
                started = time.perf_counter()
                lookup(word)
                times.append((time.perf_counter() - started) * 1000)

        serve(work)
    told.write_text(json.dumps(times))


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:5]))
