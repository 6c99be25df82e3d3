"""Breakdowns, where the caller gives rules instead of a key for each recording."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fonoteca.catalogue.coverage import coverage
from fonoteca.catalogue.engine import DEFAULT, connect
from fonoteca.publish.tiers import BANDS, cut

pytestmark = pytest.mark.core


class Heard:
    """The view ``heard`` alone."""

    licences = ("CC0-1.0",)
    synthetic = False

    def __init__(self, connection: Any, listens: Mapping[int, int | None]) -> None:
        self._connection = connection
        nothing = pa.nulls(len(listens), pa.int64())
        self.give("heard", pa.table({
            "recording_id": pa.array(listens.keys(), pa.int64()), "listens": pa.array(listens.values(), pa.int64()),
            "source": pa.array(["fma"] * len(listens), pa.string()), "year": nothing, "release_id": nothing,
        }))  # fmt: skip
        connection.execute("CREATE OR REPLACE VIEW heard_counts AS SELECT source, listens, count(*) AS recordings "
                           "FROM heard GROUP BY ALL")  # fmt: skip

    def give(self, name: str, table: pa.Table) -> None:
        self._connection.register("given", table)
        self._connection.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM given")

    def sql(self, query: str) -> Any:
        return SimpleNamespace(table=lambda: self._connection.sql(query).to_arrow_table())


IDS = st.integers(0, 2**63 - 1)
LISTENS = st.none() | st.integers(0, 5) | st.integers(0, 10**12)


@settings(deadline=None)  # an engine is started for each example
@given(st.dictionaries(IDS, LISTENS, max_size=30), st.data())
def test_tiers_are_those_that_publishing_cuts(listens: dict[int, int | None], data: st.DataObject) -> None:
    held = data.draw(st.sets(st.sampled_from(sorted(listens)))) if listens else set()
    with connect(DEFAULT) as connection:
        found = coverage(Heard(connection, listens), held, set(), "tier", bands=BANDS)
    tiers = cut(listens)
    expected = {
        tier: (list(tiers.values()).count(tier), sum(tiers[r] == tier for r in held)) for tier in set(tiers.values())
    }
    assert {g.key: (g.recordings, g.held) for g in found.by} == expected
    for group in found.by:
        whole = sum(n or 0 for r, n in listens.items() if tiers[r] == group.key)
        part = sum(n or 0 for r, n in listens.items() if tiers[r] == group.key and r in held)
        assert group.share == (pytest.approx(part / whole, abs=1e-6) if whole else None)


def test_decades_of_years_before_1000_and_of_none() -> None:
    with connect(DEFAULT) as connection:
        heard = Heard(connection, {1: 5, 2: 3, 3: None})
        connection.execute("UPDATE heard SET year = CASE recording_id WHEN 1 THEN 1999 WHEN 2 THEN 1990 END")
        found = coverage(heard, {1}, set(), "decade").by
    assert [(g.key, g.recordings, g.held, g.share) for g in found] == [("1990s", 2, 1, 0.625), ("unknown", 1, 0, None)]


def test_known_licences_are_joined_in_the_catalogue() -> None:
    with connect(DEFAULT) as connection:
        heard = Heard(connection, {1: 5, 2: 3, 3: 2})
        claims = [("recording", 1, "by", ""), ("recording", 1, "by", ""), ("recording", 2, "", "u"),
                  ("release", 9, "by", ""), ("recording", 4, "by", "")]  # fmt: skip
        kind, entity, licence, url = zip(*claims, strict=True)
        heard.give("facts_claim", pa.table({"kind": kind, "entity_id": entity, "licence": licence, "url": url}))
        heard.give("tracks", pa.table({"recording_id": [3, 1], "release_id": [9, 9]}))
        names = pa.table({"licence": ["by", ""], "url": ["", "u"], "key": ["CC-BY-4.0", "CC0-1.0"]})
        own = pa.table({"recording_id": pa.array([2], pa.int64()), "key": ["Own"]})
        found = coverage(heard, {1, 2}, set(), "licence", own, licences=names).by
    assert {g.key: (g.recordings, g.held) for g in found} == {"CC-BY-4.0": (2, 1), "CC0-1.0": (1, 1), "Own": (1, 1)}
