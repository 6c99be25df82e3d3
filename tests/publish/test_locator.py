from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fonoteca.core.fixity import Fixity
from fonoteca.formats.tables import PUBLISHED_SORT
from fonoteca.publish.locator import locator_table, packs_table
from fonoteca.publish.plan import PublicationPlan, plan
from publish import golden_tables
from publish.planning import after, candidate, first

pytestmark = pytest.mark.core


def _two_editions() -> tuple[PublicationPlan, PublicationPlan]:
    """Edition 1 has two packs in one volume; edition 2 redacts one entry and adds a recording."""
    listens: dict[int, int | None] = {1: 60, 2: 30, 3: None, 4: None}
    holdings = [candidate(n, size=30_000, mime="audio/flac", codec="flac", bit_rate=800_000) for n in range(1, 5)]
    one = plan(first(holdings[:3], listens))
    return one, plan(after(one, holdings[:2] + holdings[3:], listens))


def _sealed(done: PublicationPlan) -> dict[str, Fixity]:
    new = {p.id: p.bytes for p in done.added} | {r.id: r.old.bytes for r in done.redacted}
    return {pack: Fixity(size, "a" * 64, "b" * 64, "c" * 64) for pack, size in new.items()}


def test_golden_packs_and_locator(golden: Callable[[str, bytes], None], tmp_path: Path) -> None:
    _, two = _two_editions()
    packs, rows = packs_table(two, _sealed(two)), locator_table(two)
    golden_tables.compare(golden, "packs/packs.parquet", packs, PUBLISHED_SORT["packs"], tmp_path)
    golden_tables.compare(golden, "locator/locator.parquet", rows, PUBLISHED_SORT["locator"], tmp_path)


def test_states_volumes_and_counts_of_two_editions() -> None:
    one, two = _two_editions()
    first_rows = packs_table(one, _sealed(one)).to_pylist()
    assert {row["state"] for row in first_rows} == {"added"}
    rows = {(row["id"], row["revision"]): row for row in packs_table(two, _sealed(two)).to_pylist()}
    (redaction,) = two.redacted
    old, new = rows[redaction.id, 0], rows[redaction.id, 1]
    assert (old["state"], old["superseded_by"]) == ("superseded", f"{redaction.id}.r1")
    assert (new["state"], new["superseded_by"], new["recordings"]) == ("added", None, 0)
    assert new["volume"] == redaction.volume != old["volume"]
    kept = [row for row in rows.values() if row["state"] == "kept"]
    assert [row["recordings"] for row in kept] == [1, 1]
    assert sum(row["coverage"] for row in rows.values()) == pytest.approx(1.0)


def test_a_blob_of_two_recordings_is_one_entry_and_two_rows() -> None:
    done = plan(first([candidate(1, blob="a" * 64), candidate(2, blob="a" * 64)], {}))
    assert packs_table(done, _sealed(done))["recordings"].to_pylist() == [1]
    assert locator_table(done)["recording_id"].to_pylist() == [1, 2]
