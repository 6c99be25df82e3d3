"""The operations as DuckDB runs them, against the rules in Python that they must agree with."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fonoteca.catalogue import operations
from fonoteca.catalogue.engine import DEFAULT, connect
from fonoteca.core.ids import Kind, make_id
from fonoteca.sources import values
from simulators import hostile_table

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


def test_hostile_isrcs_are_read_as_sources_read_them(engine: Engine) -> None:
    words = [*hostile_table.ISRCS, *hostile_table.TEXTS]
    assert engine.each(operations.isrc("word"), words) == [values.isrc(word, set()) for word in words]


def test_hostile_mbids_are_read_as_sources_read_them(engine: Engine) -> None:
    words = [*hostile_table.MBIDS, *hostile_table.TEXTS]
    assert engine.each(operations.mbid("word"), words) == [values.mbid(word, set()) for word in words]


def test_hostile_texts_are_read_as_sources_read_them_but_for_mending(engine: Engine) -> None:
    words = [*hostile_table.TEXTS, *hostile_table.ISRCS, *hostile_table.MBIDS]
    assert engine.each(operations.text("word"), words) == [values.text(word, set()) for word in words]
    assert engine.each(operations.key("word"), words) == [values.key(word) or None for word in words]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=20))
def test_any_text_is_read_as_sources_read_it(engine: Engine, words: list[str]) -> None:
    plain = [word for word in words if "mended-encoding" not in _flags(word)]
    for ours, theirs in (
        (operations.text, values.text),
        (operations.isrc, values.isrc),
        (operations.mbid, values.mbid),
    ):
        assert engine.each(ours("word"), plain) == [theirs(word, set()) for word in plain]
    assert engine.each(operations.key("word"), plain) == [values.key(word) or None for word in plain]


def _flags(word: str) -> set[str]:
    flags: set[str] = set()
    values.text(word, flags)
    return flags


def test_counts_are_whole_numbers_or_nothing(engine: Engine) -> None:
    found = dict(zip(hostile_table.COUNTS, engine.each(operations.count("word"), hostile_table.COUNTS), strict=True))
    assert {word: count for word, count in found.items() if count is not None} == {
        "0": 0, "7": 7, " 12 ": 12, "1,234": 1_234, "1,234,567": 1_234_567, "12.5": 13, "0.5": 1, "007": 7,
        "999999999999999": 999_999_999_999_999, "12\u00a0": 12, "1,,2": 12,
    }  # fmt: skip


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=20))
def test_ids_are_those_of_the_format(engine: Engine, words: list[str]) -> None:
    for kind in Kind:
        found = engine.each(operations.entity_id(kind.word, "it's", "word"), words)
        assert found == [make_id(kind, "it's", word) for word in words]


def test_rows_without_key_and_rows_of_one_key_are_refused(engine: Engine) -> None:
    rows = [
        (1, " a ", "Dawn", "7"), (2, "a", "Dawn", "7"), (3, "a", "Dawn", "7"), (4, "a", "Dusk", "7"),
        (5, None, "x", None), (6, "\u00a0", "x", None),
        (7, "b", None, None), (8, "b", "", None), (9, "c", "", "1"), (10, "c", "", "1"),
    ]  # fmt: skip
    line, key, title, listens = zip(*rows, strict=True)
    nothing = pa.array([None] * len(rows), pa.string())
    engine.table("t", line=line, key=key, title=title, listens=listens, artist=nothing, release=nothing, isrc=nothing,
                 mbid=nothing)  # fmt: skip
    taken = engine.rows(f"SELECT line, key, title, listens FROM ({operations.normalised('t', 'table')}) ORDER BY line")
    assert taken == [(1, "a", "Dawn", 7), (7, "b", None, None), (9, "c", None, 1)]
    assert engine.rows(f"SELECT * FROM ({operations.refused('t')}) ORDER BY line") == [
        (2, "a", "key-conflict"), (3, "a", "key-conflict"), (4, "a", "key-conflict"), (5, None, "no-key"),
        (6, None, "no-key"), (8, "b", "key-conflict"), (10, "c", "duplicate"),
    ]  # fmt: skip


def test_every_row_is_taken_or_refused(engine: Engine) -> None:
    table = hostile_table.written(random.Random(1), 2_000)
    engine.table("t", **{name: table.column(name) for name in table.column_names})
    taken = engine.rows(f"SELECT line FROM ({operations.normalised('t', 'table')})")
    refused = engine.rows(f"SELECT line FROM ({operations.refused('t')})")
    assert sorted(line for (line,) in [*taken, *refused]) == list(range(2_000))


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
