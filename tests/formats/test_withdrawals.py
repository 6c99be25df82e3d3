from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fonoteca.core import canonical
from fonoteca.core.ids import Kind, show_id
from fonoteca.formats.withdrawals import EMPTY, Withdrawal, WithdrawalList, parse

pytestmark = pytest.mark.core

SONG, OTHER = show_id(Kind.RECORDING, 1), show_id(Kind.RECORDING, 2)
A, B = "aa" * 32, "bb" * 32
DATE = "2026-11-24T12:00:00Z"


def listed(*entries: tuple[str, str | None, tuple[str, ...]]) -> WithdrawalList:
    return WithdrawalList(
        tuple(Withdrawal(n, action, rec, blobs, "asked for", DATE) for n, (action, rec, blobs) in enumerate(entries, 1))
    )


def test_golden_list(golden: Callable[[str, bytes], None]) -> None:
    found = WithdrawalList((
        Withdrawal(1, "withdraw", SONG, (A, B), "asked for by the rights holder", "2026-11-24T12:00:00Z"),
        Withdrawal(2, "withdraw", None, ("cc" * 32,), "not the licence that was stated", "2026-11-25T08:30:00Z"),
        Withdrawal(3, "restore", SONG, (A, B), "l'autrice a confirmé la licence", "2026-11-26T00:00:00Z"),
    ))  # fmt: skip
    golden("withdrawals/withdrawals.json", found.encode())
    golden("withdrawals/empty.json", EMPTY.encode())
    assert parse(found.encode()) == found


def test_a_recording_and_its_blobs_go_and_come_back() -> None:
    gone = listed(("withdraw", SONG, (A, B)))
    assert (gone.version, gone.withdrawn_recordings(), gone.withdrawn_blobs()) == (1, {SONG}, {A, B})
    back = listed(("withdraw", SONG, (A, B)), ("restore", SONG, ()))
    assert (back.version, back.withdrawn_recordings(), back.withdrawn_blobs()) == (2, frozenset(), frozenset())


def test_a_blob_that_two_recordings_share_comes_back_when_both_are_restored() -> None:
    one = listed(("withdraw", SONG, (A,)), ("withdraw", OTHER, (A,)), ("restore", SONG, (A,)))
    assert one.withdrawn_blobs() == {A}
    assert one.applying(SONG, A) is not None
    assert one.applying(SONG, B) is None
    assert WithdrawalList((*one.entries, Withdrawal(4, "restore", OTHER, (A,), "x", DATE))).withdrawn_blobs() == set()


def test_blobs_alone_come_back_one_by_one() -> None:
    found = listed(("withdraw", None, (A, B)), ("restore", None, (A,)))
    assert found.withdrawn_blobs() == {B}
    assert found.withdrawn_recordings() == frozenset()


def test_the_last_reason_applies() -> None:
    found = listed(("withdraw", SONG, ()), ("restore", SONG, ()), ("withdraw", SONG, (A,)))
    entry = found.applying(SONG)
    assert entry is not None
    assert entry.seq == 3
    assert found.applying(OTHER) is None
    assert found.applying(OTHER, A) == entry


def test_a_newer_list_begins_with_the_older_one() -> None:
    older, newer = listed(("withdraw", SONG, ())), listed(("withdraw", SONG, ()), ("restore", SONG, ()))
    other = listed(("withdraw", OTHER, ()), ("restore", SONG, ()))
    assert newer.extends(older)
    assert newer.extends(newer)
    assert newer.extends(EMPTY)
    assert not older.extends(newer)
    assert not other.extends(older)


def test_unknown_fields_of_a_later_format_are_passed_over() -> None:
    value = canonical.decode(listed(("withdraw", SONG, (A,))).encode())
    value["later"] = 1
    value["entries"][0]["later"] = {"x": [1]}
    assert parse(canonical.encode(value)) == listed(("withdraw", SONG, (A,)))


def changed(**fields: Any) -> bytes:
    value = canonical.decode(listed(("withdraw", SONG, (A,))).encode())
    value["entries"][0] |= fields
    return canonical.encode(value)


@pytest.mark.parametrize(
    "fields",
    [
        {"seq": 0}, {"seq": 2}, {"seq": -1}, {"seq": True}, {"seq": "1"}, {"seq": 1.0}, {"seq": None},
        {"action": "delete"}, {"action": None}, {"action": []},
        {"recording": "r1"}, {"recording": SONG.upper()}, {"recording": show_id(Kind.RELEASE, 1)}, {"recording": 1},
        {"recording": "../" + SONG},
        {"blobs": ["aa"]}, {"blobs": [A.upper()]}, {"blobs": [B, A]}, {"blobs": [A, A]}, {"blobs": [1]},
        {"blobs": A}, {"blobs": None}, {"blobs": {A: 1}}, {"blobs": [[A]]},
        {"recording": None, "blobs": []},
        {"reason": ""}, {"reason": " "}, {"reason": "x" * 1001}, {"reason": 1}, {"reason": None},
        {"date": "yesterday"}, {"date": "2026-13-01T00:00:00Z"}, {"date": 1}, {"date": None},
    ],
)  # fmt: skip
def test_a_malformed_entry_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(changed(**fields))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"null", b'"x"', b"{}", b'{"format":1}', b'{"entries":[],"format":2,"version":0}',
        b'{"entries":[],"format":1,"version":1}', b'{"entries":[],"format":1}',
        b'{"entries":{},"format":1,"version":0}',
        b'{"entries":[1],"format":1,"version":1}', b'{"entries":[{}],"format":1,"version":1}',
        b'{"entries":[{"blobs":[]}],"format":1,"version":1}', b'{"entries":[],"format":1,"version":0,"version":0}',
        b'{"entries":[],"format":1,"version":NaN}', b"\xff", b"[" * 100_000, b'{"entries":' + b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_list_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(data)


def test_a_list_that_is_too_long_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    from fonoteca.formats import withdrawals

    monkeypatch.setattr(withdrawals, "MAX_BYTES", 10)
    with pytest.raises(ValueError, match="10 bytes"):
        parse(EMPTY.encode())


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_noise_is_refused_and_nothing_else_happens(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(data)


entries = st.lists(
    st.tuples(
        st.sampled_from(["withdraw", "restore"]), st.sampled_from([SONG, OTHER]), st.sampled_from([(), (A,), (A, B)])
    ),
    max_size=8,
)


@given(entries)
def test_every_list_survives_and_extends_each_of_its_beginnings(rows: list[tuple[str, str, tuple[str, ...]]]) -> None:
    found = listed(*rows)
    assert parse(found.encode()) == found
    assert parse(found.encode()).encode() == found.encode()
    for length in range(len(rows)):
        older = listed(*rows[:length])
        assert found.extends(older)
        assert not older.extends(found)
    assert all(found.applying(r) is not None for r in found.withdrawn_recordings())
