"""Promise I12 for each way of ingest: from a row to its dump by name and digest, and to the line that it came from."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path
from typing import Any

import pytest

from faults.ingesting import WAYS, Case, Way, case, runner
from fonoteca.catalogue import generation
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.query import Catalogue
from fonoteca.core.layout import ArchiveLayout

pytestmark = pytest.mark.core
SAMPLE = 300
SAID = {
    "recordings": "title", "releases": "title", "tracks": "title", "artists": "name", "credits": "name",
    "identifiers": "value",
}  # fmt: skip
"""View → the column whose text must stand in the line that the row names, where it is not null."""


def reopened(made: Case, name: str) -> dict[str, list[str]]:
    """Files of the dump by name, in lines, opened by what the manifest says of the dump."""
    found = {}
    partitions = generation.load(Places.of(ArchiveLayout(made.archive))).partitions
    (partition,) = [p for p in partitions if p.dump.id == name]
    for file in partition.dump.files:
        (path,) = [p for p in (made.home / "dump").rglob(file.name) if p.is_file()]
        data = path.read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (file.bytes, file.sha256)
        found[file.name] = data.decode().splitlines()
    return found


def line_of(files: dict[str, list[str]], position: str) -> str:
    """What stands there."""
    name, _, number = position.rpartition(":")
    return files[Path(name).name][int(number) - 1]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_sampled_rows_of_every_table_lead_back_to_their_line(way: Way, tmp_path: Path) -> None:
    made, dice = case(way, tmp_path, 600), random.Random(9)
    with runner() as run:
        dump = run.done(made.archive, made.words).json["dump"]
    files, seen = reopened(made, dump), 0
    with Catalogue.open(ArchiveLayout(made.archive)) as catalogue:
        for view in (
            "recordings",
            "releases",
            "tracks",
            "artists",
            "credits",
            "identifiers",
            "genres",
            "signals",
            "claims",
        ):
            rows: list[dict[str, Any]] = catalogue.select(f"SELECT * FROM {view} WHERE dump = ? ORDER BY ALL", [dump])
            for row in dice.sample(rows, min(SAMPLE, len(rows))):
                line = line_of(files, row["position"])
                said = row.get(SAID.get(view, "")) or ""
                assert said in line or way.name != "records", (view, row, line)
                seen += 1
            if view == "recordings":
                assert rows
                assert all(str(row["title"]) in line_of(files, row["position"]) for row in rows)
    assert seen > SAMPLE
