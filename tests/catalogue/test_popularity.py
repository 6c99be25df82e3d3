"""Listens to score and rank: the published mapping, to the digit."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from fonoteca.catalogue.ingest import rank
from fonoteca.catalogue.query import Catalogue
from fonoteca.core.layout import ArchiveLayout
from fonoteca.sources.records import Record, RecordingRecord, Signal
from simulators.tiny_catalogue import archive, filled, ingest

pytestmark = pytest.mark.core
CASES = (None, 0, 1, 9, 10, 99, 1_000, 123_456, 10**9, 10**10, 10**12)


def ranked(layout: ArchiveLayout, licences: Sequence[str] = ("CC0-1.0",)) -> dict[str, dict[str, Any]]:
    rank(layout, licences)
    with Catalogue.open(layout) as catalogue:
        rows = catalogue.select("SELECT r.title, p.* FROM popularity p JOIN recordings r ON r.id = p.recording_id")
    return {row["title"]: row for row in rows}


def listened(counts: Sequence[float | None]) -> list[Record]:
    return [
        RecordingRecord(str(n), f"t:{n}", str(value), signals=[] if value is None else [
            Signal("listens", value, "CC0-1.0")])
        for n, value in enumerate(counts)
    ]  # fmt: skip


def test_the_mapping_is_the_published_one(tmp_path: Path, golden: Callable[[str, bytes], None]) -> None:
    layout = archive(tmp_path)
    ingest(layout, "fma", listened(CASES))
    found = ranked(layout)
    scores = {str(c): found[str(c)]["score"] for c in CASES}
    golden("signal/scores.json", json.dumps(scores, indent=1).encode() + b"\n")
    for count in CASES[1:]:
        assert count is not None
        assert scores[str(count)] == pytest.approx(min(100, 10 * math.log10(1 + count)), abs=0.006)


def test_unknown_is_null_and_never_0(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    ingest(layout, "fma", listened(CASES))
    found = ranked(layout)
    assert [found["None"][k] for k in ("listens", "score", "rank", "licence")] == [None] * 4
    assert (found["0"]["listens"], found["0"]["score"]) == (0, 0.0)


def test_equal_listens_share_a_rank(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    ingest(layout, "fma", listened([5, 5, 7, None, 5]))
    rank(layout, ["CC0-1.0"])
    with Catalogue.open(layout) as catalogue:
        rows = catalogue.select(
            "SELECT rank, listens, recording_id FROM popularity WHERE rank IS NOT NULL ORDER BY rank"
        )
    assert [r["rank"] for r in rows] == [1, 2, 2, 2]
    assert [(-r["listens"], r["recording_id"]) for r in rows] == sorted(
        (-r["listens"], r["recording_id"]) for r in rows
    )


def test_listens_of_several_sources_are_summed_and_other_kinds_are_not_converted(tmp_path: Path) -> None:
    found = ranked(filled(tmp_path))
    assert found["Dawn"]["listens"] == 95
    assert found["Own"]["listens"] is None


def test_only_the_named_licences_count(tmp_path: Path) -> None:
    layout = filled(tmp_path)
    assert ranked(layout)["Meer"]["listens"] is None
    assert ranked(layout, ["CC-BY-NC-4.0"])["Meer"]["listens"] == 1_000
    both = ranked(layout, ["CC0-1.0", "CC-BY-NC-4.0"])
    assert (both["Meer"]["listens"], both["Meer"]["licence"]) == (1_000, "CC-BY-NC-4.0, CC0-1.0")


def test_no_licence_at_all_counts_nothing(tmp_path: Path) -> None:
    assert {row["listens"] for row in ranked(filled(tmp_path), []).values()} == {None}


def test_made_up_listens_are_named(tmp_path: Path) -> None:
    layout = filled(tmp_path)
    assert rank(layout, ["CC0-1.0"])[0].popularity.synthetic  # type: ignore[union-attr]
    assert not rank(layout, ["CC-BY-NC-4.0"])[0].popularity.synthetic  # type: ignore[union-attr]


def test_counts_that_are_none_are_left_out(tmp_path: Path) -> None:
    layout = archive(tmp_path)
    ingest(layout, "fma", listened([math.nan, math.inf, -1, 2.0**53, 3]))
    found = ranked(layout)
    assert [row["listens"] for row in found.values() if row["listens"] is not None] == [3]
