"""How many bytes each table of a catalogue has on the disk, keys and merged tables too."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def by_table(archive: Path) -> dict[str, int]:
    """Bytes by table, largest first: ``recording rows``, ``recording ids`` …, ``facts_signal``, ``popularity``."""
    catalogue = archive / "catalogue"
    generation = json.loads((catalogue / "generations" / f"{_current(catalogue):06d}.json").read_text())
    found: Counter[str] = Counter()
    for name, files in generation["merged"].items():
        found[f"merged {name}"] += sum(_bytes(files))
    for partition in generation["partitions"]:
        for table, files in partition["tables"].items():
            found[f"facts of {table}"] += sum(_bytes(files))
        for table, chunks in partition.get("wide", {}).items():
            for chunk in chunks:
                found[f"{table} rows"] += sum(_bytes(chunk["rows"]))
        for table, keys in partition.get("keys", {}).items():
            for part in ("ids", "names"):
                found[f"{table} {part}"] += sum(_bytes(keys.get(part, [])))
        for table, files in partition.get("merged", {}).items():
            found[f"merged {table}"] += sum(_bytes(files))
    found["popularity"] += sum(_bytes(generation["popularity"]))
    return dict(found.most_common())


def _bytes(value: Any) -> Iterator[int]:
    if isinstance(value, dict):
        if isinstance(value.get("bytes"), int):
            yield value["bytes"]
        for part in value.values():
            yield from _bytes(part)
    elif isinstance(value, list):
        for part in value:
            yield from _bytes(part)


def _current(catalogue: Path) -> int:
    return int(json.loads((catalogue / "CURRENT").read_text())["generation"])
