from __future__ import annotations

from pathlib import Path

import pytest

from fonoteca.core import canonical, durable
from fonoteca.core.errors import Damaged, Usage
from fonoteca.core.layout import ArchiveLayout
from fonoteca.formats.withdrawals import Withdrawal
from fonoteca.rights.withdrawals import WithdrawalLog
from rights.making import BLOB, SHOWN

pytestmark = pytest.mark.core

DATE = "2026-11-24T12:00:00Z"


@pytest.fixture
def layout(tmp_path: Path) -> ArchiveLayout:
    return ArchiveLayout(tmp_path)


def log_path(layout: ArchiveLayout) -> Path:
    return layout.holdings / "withdrawals.jsonl"


def test_withdraw_and_restore(layout: ArchiveLayout) -> None:
    log = WithdrawalLog(layout)
    log.withdraw(SHOWN, [BLOB], "the label asked", DATE)
    assert log.current().withdrawn_recordings() == {SHOWN}
    assert log.current().withdrawn_blobs() == {BLOB}
    entry = log.restore(SHOWN, [BLOB], "it was another label", DATE)
    assert (entry.seq, entry.action) == (2, "restore")
    assert log.current().withdrawn_recordings() == frozenset()
    assert log.current().version == 2


def test_the_public_list_holds_the_entries_and_nothing_else(layout: ArchiveLayout) -> None:
    log = WithdrawalLog(layout)
    log.withdraw(SHOWN, [], "the label asked", DATE)
    assert b"previous" in log_path(layout).read_bytes()
    assert canonical.decode(log.current().encode())["entries"] == [
        {"seq": 1, "action": "withdraw", "recording": SHOWN, "blobs": [], "reason": "the label asked", "date": DATE}
    ]


def test_order_is_by_sequence_not_by_clock(layout: ArchiveLayout) -> None:
    log = WithdrawalLog(layout)
    log.withdraw(SHOWN, [], "first", "2030-01-01T00:00:00Z")
    log.restore(SHOWN, [], "second", "1990-01-01T00:00:00Z")
    assert log.current().withdrawn_recordings() == frozenset()


def test_another_process_s_entry_is_seen_at_the_next_read(layout: ArchiveLayout) -> None:
    mine, other = WithdrawalLog(layout), WithdrawalLog(layout)
    assert mine.current().version == 0
    other.withdraw(SHOWN, [BLOB], "asked", DATE)
    assert mine.current().version == 1
    mine.withdraw(SHOWN, [BLOB], "asked again", DATE)
    assert [e.seq for e in other.current().entries] == [1, 2]


@pytest.mark.parametrize("reason", ["", "  ", "x" * 1001])
def test_a_reason_is_needed_and_short(layout: ArchiveLayout, reason: str) -> None:
    with pytest.raises(Usage) as caught:
        WithdrawalLog(layout).withdraw(SHOWN, [], reason, DATE)
    assert caught.value.code == "bad-withdrawal"
    assert not log_path(layout).exists()


def test_what_is_not_withdrawn_cannot_be_restored(layout: ArchiveLayout) -> None:
    with pytest.raises(Usage) as caught:
        WithdrawalLog(layout).restore(SHOWN, [], "why", DATE)
    assert caught.value.code == "not-withdrawn"


def test_a_blob_alone(layout: ArchiveLayout) -> None:
    log = WithdrawalLog(layout)
    log.withdraw(None, [BLOB, "cd" * 32], "asked", DATE)
    log.restore(None, [BLOB], "mistake", DATE)
    assert log.current().withdrawn_blobs() == {"cd" * 32}


def test_a_torn_last_line_was_never_acknowledged(layout: ArchiveLayout) -> None:
    log = WithdrawalLog(layout)
    log.withdraw(SHOWN, [], "asked", DATE)
    with log_path(layout).open("ab") as stream:
        stream.write(b'{"seq":2,"acti')
    assert log.current().version == 1
    assert log.withdraw(SHOWN, [], "again", DATE).seq == 2
    assert WithdrawalLog(layout).current().version == 2


def rewrite(layout: ArchiveLayout, number: int, **changed: object) -> None:
    lines = log_path(layout).read_bytes().splitlines()
    lines[number] = canonical.encode(canonical.decode(lines[number]) | changed).rstrip(b"\n")
    durable.write_bytes(log_path(layout), b"\n".join(lines) + b"\n")


@pytest.mark.parametrize("changed", [{"reason": "another"}, {"action": "restore"}, {"seq": 5}, {"previous": "00"}])
def test_a_changed_line_is_damage_and_clears_nothing(layout: ArchiveLayout, changed: dict[str, object]) -> None:
    log = WithdrawalLog(layout)
    log.withdraw(SHOWN, [], "asked", DATE)
    log.withdraw(SHOWN, [], "asked again", DATE)
    rewrite(layout, 0, **changed)
    with pytest.raises(Damaged) as caught:
        log.current()
    assert caught.value.code == "withdrawal-log-damaged"


def test_a_log_that_lost_published_entries_is_damage(layout: ArchiveLayout) -> None:
    log = WithdrawalLog(layout)
    log.withdraw(SHOWN, [BLOB], "asked", DATE)
    durable.write_bytes(layout.publication.withdrawals, log.current().encode())
    assert log.current().version == 1
    durable.remove(log_path(layout))
    with pytest.raises(Damaged, match="published"):
        log.current()
    with pytest.raises(Damaged):
        log.withdraw(SHOWN, [], "asked", DATE)


def test_garbage_in_place_of_the_published_list_is_damage(layout: ArchiveLayout) -> None:
    durable.write_bytes(layout.publication.withdrawals, b"garbage\n")
    with pytest.raises(Damaged):
        WithdrawalLog(layout).current()


def test_any_flipped_bit_of_an_entry_that_is_not_published_yet_is_damage(layout: ArchiveLayout) -> None:
    WithdrawalLog(layout).withdraw(SHOWN, [BLOB], "asked", DATE)
    whole = log_path(layout).read_bytes()
    for at in range(len(whole)):
        log_path(layout).write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
        with pytest.raises(Damaged):
            WithdrawalLog(layout).current()


def test_lines_of_before_there_was_a_digest_are_read_and_continued(layout: ArchiveLayout) -> None:
    old = Withdrawal(1, "withdraw", SHOWN, (BLOB,), "asked", DATE).as_json() | {"previous": ""}
    log_path(layout).parent.mkdir(parents=True)
    log_path(layout).write_bytes(canonical.encode(old))
    log = WithdrawalLog(layout)
    assert log.restore(SHOWN, [BLOB], "mistake", DATE).seq == 2
    lines = [canonical.decode(line) for line in log_path(layout).read_bytes().splitlines()]
    assert ["digest" in line for line in lines] == [False, True]
    assert log.current().version == 2
    log_path(layout).write_bytes(canonical.encode(old | {"digesu": "00"}))
    with pytest.raises(Damaged, match="no digest"):
        WithdrawalLog(layout).current()
