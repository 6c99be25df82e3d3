"""Shares and intervals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from fonoteca.catalogue.coverage import KEYS, Coverage, coverage
from fonoteca.catalogue.query import Catalogue
from fonoteca.core.ids import Kind, make_id
from fonoteca.core.layout import ArchiveLayout
from fonoteca.sources.records import RecordingRecord, Signal
from simulators.tiny_catalogue import archive, filled, ingest

pytestmark = pytest.mark.core
DAWN, DUSK, NIGHT = (make_id(Kind.RECORDING, "fma", key) for key in "123")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    with Catalogue.open(filled(tmp_path_factory.mktemp("world"))) as catalogue:
        yield catalogue


def crowd(folder: Path, count: int, unknown: int) -> ArchiveLayout:
    layout = archive(folder)
    signals = [[Signal("listens", 1 + n % 50, "CC0-1.0")] if n < count else [] for n in range(count + unknown)]
    ingest(layout, "fma", [RecordingRecord(str(n), f"t:{n}", str(n), signals=s) for n, s in enumerate(signals)])
    return layout


def test_listens_are_summed_over_what_is_held_and_published(world: Catalogue) -> None:
    found = coverage(world, {DAWN, DUSK}, {DUSK})
    assert (found.known, found.held, found.published) == (105, 105, 10)
    assert found.share_held.value == 1.0
    assert found.share_published.value == pytest.approx(10 / 105, abs=1e-6)
    assert found.unknown == 3
    assert found.synthetic


def test_ids_that_the_catalogue_does_not_know_count_for_nothing(world: Catalogue) -> None:
    assert coverage(world, {1, 2, 3}, {DUSK, 4}).as_json()["listens"] == {"known": 105, "held": 0, "published": 10}


def test_nothing_known_gives_no_share(tmp_path: Path) -> None:
    with Catalogue.open(crowd(tmp_path, 0, 5)) as catalogue:
        found = coverage(catalogue, set(), set())
    assert found.as_json()["share"]["held"] == {"value": None, "low": None, "high": None}
    assert found.unknown == 5


def test_the_interval_holds_the_value_and_is_the_same_every_time(tmp_path: Path) -> None:
    layout = crowd(tmp_path, 400, 0)
    held = pa.array([make_id(Kind.RECORDING, "fma", str(n)) for n in range(0, 400, 2)])
    found: list[Coverage] = []
    for _ in range(2):
        with Catalogue.open(layout) as catalogue:
            found.append(coverage(catalogue, held, set()))
    share = found[0].share_held
    assert found[0] == found[1]
    assert share.low is not None
    assert share.value is not None
    assert share.high is not None
    assert 0.40 < share.low < share.value < share.high < 0.60


def test_unknown_ones_widen_the_interval(tmp_path: Path) -> None:
    held = [make_id(Kind.RECORDING, "fma", str(n)) for n in range(0, 400, 2)]
    widths = []
    for unknown in (0, 400):
        with Catalogue.open(crowd(tmp_path / str(unknown), 400, unknown)) as catalogue:
            share = coverage(catalogue, held, set()).share_held
        assert share.low is not None
        assert share.high is not None
        widths.append((share.low, share.high))
    assert widths[1][0] < widths[0][0] - 0.1
    assert widths[1][1] >= widths[0][1] - 0.02


def test_more_recordings_make_a_narrower_interval(tmp_path: Path) -> None:
    widths = []
    for count in (50, 2_000):
        held = [make_id(Kind.RECORDING, "fma", str(n)) for n in range(0, count, 3)]
        with Catalogue.open(crowd(tmp_path / str(count), count, 0)) as catalogue:
            share = coverage(catalogue, held, set()).share_held
        widths.append((share.high or 0) - (share.low or 0))
    assert widths[1] < widths[0] / 3


def test_by_country_decade_and_genre(world: Catalogue) -> None:
    by = {key: {g.key: (g.recordings, g.held, g.share) for g in coverage(world, {DAWN}, set(), key).by}
          for key in ("country", "decade", "genre")}  # fmt: skip
    assert by["country"]["PT"] == (2, 1, pytest.approx(95 / 105, abs=1e-6))
    assert by["country"]["unknown"][:2] == (3, 0)
    assert by["decade"]["2000s"] == (3, 1, pytest.approx(95 / 105, abs=1e-6))
    assert by["genre"]["Ambient"] == (1, 1, 1.0)
    assert by["genre"]["Folk"][:2] == (2, 1)


def test_by_what_the_caller_knows(world: Catalogue) -> None:
    keys = pa.table([[DAWN, DUSK, DUSK], ["head", "mid", "tail"]], schema=KEYS)
    found = {g.key: (g.recordings, g.held) for g in coverage(world, {DUSK}, set(), "tier", keys).by}
    assert found == {"head": (1, 0), "mid": (1, 1), "tail": (1, 1), "unknown": (3, 0)}


def test_by_nonsense_is_the_callers_mistake(world: Catalogue) -> None:
    with pytest.raises(ValueError, match="shoe size"):
        coverage(world, set(), set(), "shoe size")


def test_the_json_has_the_fields_of_the_contract(world: Catalogue) -> None:
    told = coverage(world, {DAWN}, set(), "genre").as_json()
    assert set(told) >= {"listens", "share", "by", "unknown"}
    assert set(told["by"][0]) == {"key", "recordings", "held", "share"}
    assert NIGHT


def test_the_fewest_recordings_that_stand_for_a_share_are_told(tmp_path: Path) -> None:
    with Catalogue.open(crowd(tmp_path, 400, 3)) as catalogue:
        found = coverage(catalogue, set(), set()).thresholds
    order = sorted((1 + n % 50 for n in range(400)), reverse=True)
    for told, share in zip(found, (0.5, 0.9, 0.996), strict=True):
        fewest = next(n for n in range(401) if sum(order[:n]) >= share * sum(order))
        assert (told.share, told.recordings, told.listens) == (share, fewest, order[fewest - 1])


def test_what_is_held_and_published_is_counted_once_each(tmp_path: Path) -> None:
    ids = [make_id(Kind.RECORDING, "fma", str(n)) for n in range(50)]
    with Catalogue.open(crowd(tmp_path, 50, 0)) as catalogue:
        found = coverage(catalogue, ids[:30], ids[20:40])
    assert (found.known, found.held, found.published) == (1_275, 465, 610)
