"""The operations as DuckDB runs them, against the rules in Python that they must agree with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fonoteca.catalogue import operations
from fonoteca.catalogue.engine import DEFAULT, connect

pytestmark = pytest.mark.core


class Engine:
    """An empty database, and tables by name."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def table(self, name: str, **columns: pa.Array | Sequence[Any]) -> None:
        self._connection.register("given", pa.table(columns))
        self._connection.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM given")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self._connection.execute(query).fetchall()
        return found

    def each(self, expression: str, given: Sequence[str | None]) -> list[Any]:
        self.table("words", n=range(len(given)), word=pa.array(given, pa.string()))
        return [row[0] for row in self.rows(f"SELECT {expression} FROM words ORDER BY n")]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with connect(DEFAULT) as connection:
        yield Engine(connection)


def heard(engine: Engine, listens: Sequence[int | None], ids: Sequence[int] | None = None) -> None:
    chosen = range(len(listens)) if ids is None else ids
    engine.table("heard", recording_id=pa.array(chosen, pa.int64()), listens=pa.array(listens, pa.int64()))


def test_the_most_heard_recording_of_an_isrc_is_chosen_and_ties_go_to_the_smallest_id(engine: Engine) -> None:
    large = 2**63 - 1
    rows = [("A", 5, 7), ("A", 3, 7), ("A", 9, 6), ("B", large, None), ("B", large - 1, 0), ("C", large, None),
            ("C", 0, None), ("D", 1, 2**53 - 1), ("D", 2, 2**53 - 1), ("D", 0, 2**53 - 2), (None, 4, 1)]  # fmt: skip
    isrc, ids, listens = zip(*rows, strict=True)
    engine.table("e", isrc=isrc, recording_id=pa.array(ids, pa.int64()), listens=pa.array(listens, pa.int64()))
    assert engine.rows(f"SELECT * FROM ({operations.isrc_groups('e')}) ORDER BY isrc") == [
        ("A", 3, 3, 7), ("B", large - 1, 2, 0), ("C", 0, 2, None), ("D", 1, 3, 2**53 - 1),
    ]  # fmt: skip


COUNTS = st.lists(st.none() | st.integers(0, 20) | st.integers(0, 2**53 - 1), max_size=40)


@settings(deadline=None)  # a query of the engine waits for other work on the machine
@given(COUNTS)
def test_ranks_are_one_more_than_the_recordings_with_more_listens(engine: Engine, listens: list[int | None]) -> None:
    heard(engine, listens)
    known = [n for n in listens if n is not None]
    for value, _, rank, recordings, total, share in engine.rows(operations.ranks("heard")):
        assert rank == 1 + sum(n > value for n in known)
        assert recordings == known.count(value)
        assert total == sum(n for n in known if n >= value)
        assert share is None if not sum(known) else share == pytest.approx(total / sum(known))
    ranked = engine.rows(operations.popularity("heard", f"({operations.ranks('heard')})"))
    assert [row for row in ranked if (row[1] is None) != (row[3] is None)] == []
    assert len(ranked) == len(listens)


@settings(deadline=None)  # a query of the engine waits for other work on the machine
@given(COUNTS)
def test_thresholds_take_the_fewest_recordings_that_reach_a_share(engine: Engine, listens: list[int | None]) -> None:
    heard(engine, listens)
    order = sorted((n for n in listens if n is not None), reverse=True)
    expected = {}
    for permille in operations.PERMILLE:
        wanted = Fraction(permille, 1000) * sum(order)
        reached = [n for n in range(1, len(order) + 1) if sum(order[:n]) >= wanted] if sum(order) else []
        if reached:
            expected[permille] = (reached[0], order[reached[0] - 1])
    found = engine.rows(operations.thresholds(f"({operations.ranks('heard')})"))
    assert {permille: (recordings, least) for permille, recordings, least in found} == expected


def test_scores_are_the_published_mapping(engine: Engine) -> None:
    heard(engine, [0, 1, 9, 99, 1_000, 123_456, 10**9, 10**10, 10**12])
    scores = [row[1] for row in engine.rows(operations.ranks("heard") + " ORDER BY listens")]
    assert scores == [0, 3.01, 10, 20, 30, 50.92, 90, 100, 100]


def test_listeners_are_never_added_up(engine: Engine) -> None:
    kinds = ["listeners", "listeners", "listens", "listeners", "listeners"]
    engine.table("s", recording_id=[1, 1, 1, 2, 3], kind=kinds, value=[5.0, 3.0, 900.0, float("nan"), 2.4])
    assert sorted(engine.rows(operations.listeners("s"))) == [(1, 5), (3, 2)]


def test_the_unheard_tail_is_ordered_by_hints_one_after_the_other(engine: Engine) -> None:
    heard(engine, [None, None, None, None, None, None, 40, 2, None], range(9))
    signals = [(1, "downloads", 3.0), (1, "downloads", 4.0), (2, "favourites", 99.0), (3, "listeners", 1.0),
               (0, "rating", 5.0), (6, "downloads", 1e6), (0, "downloads", float("inf")),
               (0, "downloads", -1.0)]  # fmt: skip
    credits_ = [(4, "recording", 70), (6, "recording", 70), (6, "recording", 70), (7, "recording", 71),
                (5, "recording", 71), (5, "recording", 72), (8, "release", 70), (8, "recording", None)]  # fmt: skip
    for name, rows, columns in (("s", signals, ("recording_id", "kind", "value")),
                                ("c", credits_, ("entity_id", "kind", "artist_id")),
                                ("t", [(8, 1), (8, 1), (8, 2), (0, 1)], ("recording_id", "release_id"))):  # fmt: skip
        engine.table(name, **dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True)))
    found = engine.rows(operations.unheard("heard", "s", "c", "t") + " ORDER BY place")
    assert found == [
        (3, 1, None, None, None, 0, 1), (1, None, 7, None, None, 0, 2), (2, None, None, 99, None, 0, 3),
        (4, None, None, None, 40, 0, 4), (5, None, None, None, 2, 0, 5), (8, None, None, None, None, 2, 6),
        (0, None, None, None, None, 1, 7),
    ]  # fmt: skip
