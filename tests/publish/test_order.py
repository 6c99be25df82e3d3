from __future__ import annotations

import random

import pytest

from fonoteca.publish.order import best, by_popularity, lossless
from publish.planning import candidate

pytestmark = pytest.mark.core


def _b(letter: str) -> str:
    return letter * 64


def test_lossless_before_any_bit_rate() -> None:
    flac = candidate(1, blob=_b("a"), codec="flac", bit_rate=100_000)
    mp3 = candidate(1, blob=_b("b"), codec="mp3", bit_rate=320_000)
    assert best([mp3, flac])[1] is flac
    assert lossless("pcm_s16le")
    assert not lossless("opus")


def test_among_lossy_the_higher_bit_rate() -> None:
    low = candidate(1, blob=_b("a"), codec="mp3", bit_rate=128_000)
    high = candidate(1, blob=_b("b"), codec="vorbis", bit_rate=192_000)
    assert best([low, high])[1] is high


def test_among_lossless_the_finer_then_the_smaller() -> None:
    coarse = candidate(1, blob=_b("a"), codec="flac", sample_rate=44_100, channels=2, size=10)
    wav = candidate(1, blob=_b("b"), codec="pcm_s24le", sample_rate=96_000, channels=2, size=900)
    fine = candidate(1, blob=_b("c"), codec="flac", sample_rate=96_000, channels=2, size=500)
    assert best([coarse, wav, fine])[1] is fine


def test_the_choice_does_not_depend_on_the_order_of_intake() -> None:
    rivals = [candidate(1, blob=f"{n:064x}", codec="mp3", bit_rate=128_000) for n in range(20)]
    chosen = best(rivals)[1]
    for seed in range(5):
        random.Random(seed).shuffle(rivals)
        assert best(rivals)[1] == chosen


def test_renditions_are_not_originals() -> None:
    assert best([candidate(1, recipe="opus-64")]) == {}


def test_most_heard_first_unknown_last() -> None:
    four = [candidate(n) for n in (4, 3, 2, 1)]
    assert [c.recording for c in by_popularity(four, {1: None, 2: 0, 3: 7, 4: 7})] == [3, 4, 2, 1]
