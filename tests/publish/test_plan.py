from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fonoteca.publish.inputs import Inputs
from fonoteca.publish.plan import PublicationPlan, plan
from publish.planning import LIMITS, after, candidate, files, first, world

pytestmark = pytest.mark.core

WORLDS = st.tuples(st.integers(0, 10_000), st.integers(1, 60))


def _blob_places(done: PublicationPlan) -> dict[tuple[int, str], tuple[str, int]]:
    return {(row.recording, row.blob): (row.pack, row.offset) for row in done.located}


@given(WORLDS)
@settings(max_examples=40, deadline=None)
def test_every_cleared_holding_is_located_once(at: tuple[int, int]) -> None:
    holdings, listens = world(*at)
    done = plan(first(holdings, listens))
    assert sorted(_blob_places(done)) == sorted((c.recording, c.blob) for c in holdings)
    assert len({(row.pack, row.offset) for row in done.located}) == len(holdings)


@given(WORLDS)
@settings(max_examples=40, deadline=None)
def test_sizes_keep_to_their_limits(at: tuple[int, int]) -> None:
    done = plan(first(*world(*at)))
    for pack in done.added:
        assert pack.audio <= LIMITS.pack_size or len(pack.members) == 1
        assert pack.bytes % LIMITS.piece_length == 0
        assert [m.recording for m in pack.members] == sorted(m.recording for m in pack.members)
    for volume in done.volumes:
        assert volume.bytes <= LIMITS.volume_size or len(volume.files) == 1
        assert {p.permit_class for p in done.added if p.id in {f[0] for f in volume.files}} == {volume.permit_class}
        assert {p.tier for p in done.added if p.id in {f[0] for f in volume.files}} == {volume.tier}
    assert sorted(p.id for p in done.added) == sorted(f[0] for v in done.volumes for f in v.files)


@given(WORLDS, st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_the_order_of_intake_does_not_matter(at: tuple[int, int], dice: random.Random) -> None:
    holdings, listens = world(*at)
    one = plan(first(holdings, listens)).as_json()
    dice.shuffle(holdings)
    rest = list(listens.items())
    dice.shuffle(rest)
    assert plan(first(holdings, dict(rest))).as_json() == one


@given(WORLDS, st.integers(1, 20), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_adding_holdings_never_moves_another(at: tuple[int, int], more: int, shift: int) -> None:
    holdings, listens = world(*at)
    one = plan(first(holdings, listens))
    extra, heard = world(at[0] + 20_000 + shift, more)
    changed = {r: (n or 0) + shift for r, n in listens.items()} | heard
    two = plan(after(one, holdings + extra, changed))
    assert set(_blob_places(one).items()) <= set(_blob_places(two).items())
    assert files(one).items() <= files(two).items()
    assert not two.redacted
    assert not two.superseded
    assert {row.recording for row in two.located} - {row.recording for row in one.located} == {
        c.recording for c in extra if c not in holdings
    }


@given(WORLDS, st.data())
@settings(max_examples=40, deadline=None)
def test_a_withdrawal_touches_one_pack_and_re_issues_its_volume(at: tuple[int, int], data: st.DataObject) -> None:
    holdings, listens = world(*at)
    one = plan(first(holdings, listens))
    gone = data.draw(st.sampled_from(holdings))
    two = plan(after(one, [c for c in holdings if c != gone], listens))
    (redaction,) = two.redacted
    old = next(row for row in one.located if row.blob == gone.blob)
    assert (redaction.id, redaction.revision, redaction.blobs) == (old.pack, 1, (gone.blob,))
    (volume,) = two.volumes
    assert volume.replaces == redaction.old.volume
    assert [f[0] for f in volume.files if f[1].endswith(".r1.tar")] == [redaction.id]
    assert len(files(two)) == len(files(one))
    expected = _blob_places(one)
    del expected[gone.recording, gone.blob]
    assert _blob_places(two) == expected
    assert all(v != volume.replaces for v in files(two).values())


def test_what_is_restored_goes_into_a_new_pack_with_a_new_id() -> None:
    holdings = [candidate(1)]
    one = plan(first(holdings, {1: 5}))
    two = plan(after(one, [], {1: 5}))
    three = plan(after(two, holdings, {1: 5}))
    four = plan(after(three, [], {1: 5}))
    five = plan(after(four, holdings, {1: 5}))
    ids = [one.added[0].id, three.added[0].id, five.added[0].id]
    assert len(set(ids)) == 3
    assert three.redacted == ()
    assert three.located[0].pack == three.added[0].id
    assert f" {holdings[0].blob[:8]}]" in three.located[0].path
    assert f" {holdings[0].blob[8:16]}]" in five.located[0].path


def test_two_withdrawals_one_after_the_other_raise_the_revision() -> None:
    holdings = [candidate(n) for n in (1, 2, 3)]
    one = plan(first(holdings, {}))
    two = plan(after(one, holdings[1:], {}))
    three = plan(after(two, holdings[2:], {}))
    assert [r.revision for r in three.redacted] == [2]
    assert three.redacted[0].blobs == (holdings[1].blob,)
    assert three.volumes[0].name == "unheard-free-0003-01"
    assert three.volumes[0].replaces == "unheard-free-0002-01"


def test_surviving_packs_of_the_volume_move_with_it() -> None:
    holdings = [candidate(n, size=39_000) for n in (1, 2, 3)]
    one = plan(first(holdings, {}))
    assert len(one.added) == 3
    two = plan(after(one, holdings[1:], {}))
    assert {k.volume for k in two.kept} == {"unheard-free-0002-01"}
    assert two.counts()["packs"] == {"kept": 2, "added": 1, "superseded": 1}
    assert two.sizes["new"] == 0


def test_a_free_holding_that_turns_nc_leaves_its_free_volume() -> None:
    one = plan(first([candidate(1), candidate(2)], {}))
    two = plan(after(one, [candidate(1, permit_class="nc"), candidate(2)], {}))
    assert [r.blobs for r in two.redacted] == [(candidate(1).blob,)]
    assert [p.permit_class for p in two.added] == ["nc"]


def test_an_nc_holding_that_turns_free_stays() -> None:
    one = plan(first([candidate(1, permit_class="nc")], {}))
    two = plan(after(one, [candidate(1)], {}))
    assert not two.redacted
    assert not two.added


def test_a_better_holding_is_added_and_the_earlier_one_stays() -> None:
    mp3 = candidate(1, blob="a" * 64, codec="mp3")
    flac = candidate(1, blob="b" * 64, codec="flac")
    one = plan(first([mp3], {}))
    two = plan(after(one, [mp3, flac], {}))
    assert [row.blob for row in two.located] == ["a" * 64, "b" * 64]
    assert two.counts()["recordings"] == 1


def test_recordings_that_share_a_blob_share_its_bytes() -> None:
    twins = [candidate(1, blob="a" * 64), candidate(2, blob="a" * 64)]
    done = plan(first(twins, {}))
    assert [len(p.members) for p in done.added] == [1]
    assert [(row.recording, row.offset) for row in done.located] == [(1, 2048), (2, 2048)]
    assert done.sizes["audio"] == 9_000
    gone = plan(after(done, [], {}))
    assert [r.blobs for r in gone.redacted] == [("a" * 64,)]
    assert gone.located == ()


def test_a_file_larger_than_a_pack_makes_a_larger_pack() -> None:
    done = plan(first([candidate(1, size=300_000), candidate(2)], {1: 1, 2: 1}))
    assert sorted(len(p.members) for p in done.added) == [1, 1]


def test_a_torrent_file_stays_openable_whatever_the_volume_size() -> None:
    limits = replace(LIMITS, volume_size=10**15, torrent_pieces=4)
    done = plan(Inputs(1, tuple(candidate(n, size=39_000) for n in range(5)), {}, limits))
    assert max(v.bytes for v in done.volumes) <= 4 * limits.piece_length


def test_coverage_is_the_share_of_all_known_listens() -> None:
    done = plan(first([candidate(1), candidate(2)], {1: 60, 2: 15, 3: 25, 4: None}))
    assert sorted(done.coverage.values()) == [0.15, 0.6]


def test_the_plan_is_plain_json() -> None:
    shown = plan(first(*world(7, 30))).as_json()
    assert json.loads(json.dumps(shown)) == shown
    assert shown["changed"] is True


def test_no_holdings_make_an_empty_plan() -> None:
    done = plan(first([], {1: 5}))
    assert done.counts() == {
        "edition": 1, "recordings": 0, "withheld": 0, "packs": {"kept": 0, "added": 0, "superseded": 0},
        "bytes": {"audio": 0, "padding": 0, "new": 0}, "torrents": 0,
    }  # fmt: skip
