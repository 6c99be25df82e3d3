"""``engine QUERY …``: queries in bare DuckDB, two threads, 8 GiB, rows in any order."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import duckdb

from benchmarks.sides.protocol import serve


def main(queries: Sequence[str]) -> None:
    settings = {"threads": 2, "memory_limit": "8GiB", "preserve_insertion_order": False}
    with duckdb.connect(config=settings) as connection:
        serve(lambda: [connection.execute(query).fetchall() for query in queries])


if __name__ == "__main__":
    main(sys.argv[1:])
