"""A table of counts as somebody's service writes it: nearly all of it is plain, and some rows are everything else."""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

MAPPING = {"about": "signals", "source": "musicbrainz", "key": ["mbid"], "licence": "CC0-1.0", "dataset": "heard",
           "signals": {"listens": "n", "interest": "m"}}  # fmt: skip
ODD_KEYS = [None, "", " ", "\t", "it's", "q\"'", "back\\", "nul\0x", "\u3000wide\u3000", "e\u0301", "\u2028"]
ODD_COUNTS = [None, -1.0, -0.0, float("nan"), float("inf"), 1e300, 0.1]


def write(path: Path, draw: random.Random, rows: int = 12_000, group: int = 1_000) -> None:
    """Rows of two counts, in many row groups: of one in ten the key was there before, or is none, or a count is none.

    Args:
        path: of the Parquet file.
        draw: what is drawn from.
        rows: their number.
        group: rows of a row group.
    """
    found: list[tuple[str | None, int | None, float | None]] = []
    for number in range(rows):
        key: str | None = f"{draw.getrandbits(64):08x}-{number:04x}"
        row = (key, draw.choice([0, 1, 2, 7, draw.randrange(10**6), 2**53 + number % 2]), draw.choice([None, 0.5, 2.0]))
        kind = draw.randrange(60) if found else 9
        if kind < 2:
            row = draw.choice(found)
        elif kind < 4:
            before = draw.choice(found)
            row = (f" {before[0]}\t" if kind == 3 and before[0] else before[0], *row[1:])
        elif kind < 6:
            row = (draw.choice(ODD_KEYS), *row[1:])
        elif kind < 8:
            row = (key, draw.choice([None, -1, -2]), draw.choice(ODD_COUNTS))
        found.append(row)
    keys, n, m = zip(*found, strict=True)
    table = pa.table(
        {"mbid": pa.array(keys, pa.string()), "n": pa.array(n, pa.int64()), "m": pa.array(m, pa.float64())}
    )
    pq.write_table(table, path, row_group_size=group)
