"""``engine [--memory=GIB] [--spill=DIR] QUERY …``: queries in bare DuckDB, two threads, rows in any order."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import duckdb

from benchmarks.sides.protocol import serve


def main(words: Sequence[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--memory", type=int, default=8)
    parser.add_argument("--spill", help="folder for what does not fit into memory")
    parser.add_argument("queries", nargs="+")
    args = parser.parse_args(words)
    settings: dict[str, Any] = {
        "threads": 2, "memory_limit": f"{args.memory}GiB", "preserve_insertion_order": False,
    }  # fmt: skip
    if args.spill:
        settings["temp_directory"] = args.spill
    with duckdb.connect(config=settings) as connection:
        serve(lambda: [connection.execute(query).fetchall() for query in args.queries])


if __name__ == "__main__":
    main(sys.argv[1:])
