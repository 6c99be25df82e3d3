"""Mending one file: only what is wrong is asked for, and nothing that is not right is ever written."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fonoteca.core import merkle
from fonoteca.core.blocks import NoRanges, Place, SourceFailed, Wanted
from fonoteca.core.errors import NetworkFailed
from fonoteca.core.fetch import failed
from fonoteca.core.fixity import Digester
from fonoteca.core.mend import Good, Outcome, mend, patch, wrong_units
from fonoteca.core.merkle import BLOCK

pytestmark = pytest.mark.core

SIZE = 20 * BLOCK + 777
DATA = random.Random(4).randbytes(SIZE)
WANTED = Wanted("it", SIZE, (Place("it"),))


class Counting:
    """A source in memory that counts, and misbehaves as it is told.

    Args:
        change: what it makes of the true bytes.
        breaks: after how many bytes of an answer the connection breaks, the first ``times`` times.
    """

    label = "counting"

    def __init__(
        self, data: bytes = DATA, change: Callable[[bytes], bytes] = bytes, breaks: int | None = None,
        times: int = 10**9, ranges: bool = True, places: tuple[Place, ...] = (Place("it"),),
    ) -> None:  # fmt: skip
        self.fetched = 0
        self.requests: list[tuple[int, int]] = []
        self._data, self._change, self._breaks, self._times = data, change, breaks, times
        self._ranges, self._places = ranges, places

    def places(self, wanted: Wanted) -> Iterator[Place]:
        yield from self._places

    def read(self, place: Place, start: int, stop: int) -> Iterator[bytes]:
        self.requests.append((start, stop))
        if start and not self._ranges:
            raise NoRanges("here")
        data = self._change(self._data[start:stop])
        broken = self._breaks is not None and self._breaks < len(data) and self._times > 0
        self._times -= broken
        for at in range(0, self._breaks if broken and self._breaks is not None else len(data), 5_000):
            part = data[at : at + 5_000]
            self.fetched += len(part)
            yield part
        if broken:
            raise failed("cut-short", "here", "the connection broke off")

    def small(self, path: str, max_bytes: int) -> bytes | None:
        return None


def promise(data: bytes = DATA, pieces: int = 0, *, leaves: bool = True) -> Good:
    digester = Digester()
    digester.update(data)
    fixity = digester.finish()
    layer = merkle.piece_layer(digester.leaves, pieces) if pieces else ()
    return Good(len(data), fixity.sha256, fixity.blake3, fixity.merkle_root,
                digester.leaves if leaves and not pieces else None, pieces, layer)  # fmt: skip


def run(tmp_path: Path, damaged: bytes | None, *sources: Counting, good: Good | None = None) -> Outcome:
    path, work = tmp_path / "it", tmp_path / "work"
    if damaged is not None:
        path.write_bytes(damaged)
    outcome = mend(path, work, good or promise(), WANTED, sources)
    assert (path.read_bytes() if damaged is not None else None) == damaged, "the file itself is never touched"
    if outcome.mended:
        assert work.read_bytes() == DATA
    return outcome


def flipped(*places: int, data: bytes = DATA) -> bytes:
    changed = bytearray(data)
    for at in places:
        changed[at] ^= 1 << at % 8
    return bytes(changed)


def test_every_flipped_bit_costs_one_block(tmp_path: Path) -> None:
    """I4: at most 2 blocks fetched per flip; here it is 1."""
    dice = random.Random(5)
    for at in [0, BLOCK - 1, BLOCK, SIZE - 1, *(dice.randrange(SIZE) for _ in range(60))]:
        source = Counting()
        outcome = run(tmp_path, flipped(at), source)
        assert outcome.mended
        assert (outcome.damaged, outcome.left) == (1, 0)
        assert source.fetched == outcome.fetched == min(BLOCK, SIZE - at // BLOCK * BLOCK)
        (tmp_path / "work").unlink()


ZEROED = DATA[: 3 * BLOCK] + bytes(4 * BLOCK) + DATA[7 * BLOCK :]
SWAPPED = DATA[:BLOCK] + DATA[2 * BLOCK : 3 * BLOCK] + DATA[BLOCK : 2 * BLOCK] + DATA[3 * BLOCK :]


@pytest.mark.parametrize(
    ("damaged", "blocks"),
    [
        (ZEROED, 4), (SWAPPED, 2), (DATA[: 10 * BLOCK], 11), (DATA[: 10 * BLOCK + 5], 11), (b"", 21), (None, 21),
        (DATA + b"more", 0), (DATA + bytes(5 * BLOCK), 0), (flipped(5) + b"more", 1), (DATA[1:], 21),
        (b"x" + DATA[:-1], 21),
    ],
    ids=["zeroed-64KiB", "swapped", "cut-at-a-block", "cut-in-a-block", "empty", "missing", "longer", "much-longer",
         "longer-and-flipped", "misdirected", "shifted"],
)  # fmt: skip
def test_realistic_damage_costs_what_is_damaged(tmp_path: Path, damaged: bytes | None, blocks: int) -> None:
    source = Counting()
    outcome = run(tmp_path, damaged, source)
    assert outcome.mended
    assert outcome.damaged == blocks
    assert source.fetched <= blocks * BLOCK


def test_a_hostile_source_changes_nothing_and_is_asked_once(tmp_path: Path) -> None:
    """I5: wrong bytes 100 % of the time."""
    source = Counting(change=lambda data: bytes(len(data)))
    outcome = run(tmp_path, ZEROED, source)
    assert (outcome.mended, outcome.left) == (False, 4)
    assert source.fetched == 4 * BLOCK
    assert not (tmp_path / "work").exists()
    assert "other bytes than promised" in outcome.why[0]


def test_a_hostile_source_beside_an_honest_one_costs_its_own_bytes_alone(tmp_path: Path) -> None:
    bad, good = Counting(change=lambda data: data[::-1]), Counting()
    assert run(tmp_path, ZEROED, bad, good).mended
    assert (bad.fetched, good.fetched) == (4 * BLOCK, 4 * BLOCK)


def test_two_sources_that_are_damaged_elsewhere_mend_together(tmp_path: Path) -> None:
    one, two = Counting(flipped(0, 4 * BLOCK)), Counting(flipped(5 * BLOCK, 9 * BLOCK))
    assert run(tmp_path, ZEROED, one, two).mended
    assert two.fetched == BLOCK


def test_a_source_that_sends_more_than_it_was_asked_for_does_no_harm(tmp_path: Path) -> None:
    outcome = run(tmp_path, flipped(BLOCK), Counting(change=lambda data: data + b"x" * 100_000))
    assert outcome.mended


def test_a_connection_that_breaks_is_taken_up_behind_what_came(tmp_path: Path) -> None:
    source = Counting(breaks=3 * BLOCK + 100, times=2)
    outcome = run(tmp_path, None, source)
    assert outcome.mended
    assert source.requests[1][0] == 3 * BLOCK
    assert source.fetched <= SIZE + 2 * BLOCK + 10_000


def test_what_came_before_a_source_failed_for_good_is_not_fetched_again(tmp_path: Path) -> None:
    first = run(tmp_path, None, Counting(breaks=3 * BLOCK + 100))
    assert not first.mended
    assert isinstance(first.failure, NetworkFailed)
    assert 0 < first.left < 21
    again = Counting()
    assert run(tmp_path, None, again).mended
    assert again.fetched <= first.left * BLOCK


def test_what_came_before_a_write_was_killed_is_checked_before_it_counts(tmp_path: Path) -> None:
    torn = bytearray(ZEROED)
    torn[3 * BLOCK : 3 * BLOCK + 8_000] = DATA[3 * BLOCK : 3 * BLOCK + 8_000]
    torn[4 * BLOCK : 5 * BLOCK] = DATA[4 * BLOCK : 5 * BLOCK]
    (tmp_path / "work").write_bytes(torn)
    source = Counting()
    assert run(tmp_path, ZEROED, source).mended
    assert source.fetched == 3 * BLOCK


def test_a_work_file_that_is_worse_than_the_damaged_one_is_thrown_away(tmp_path: Path) -> None:
    (tmp_path / "work").write_bytes(bytes(SIZE))
    source = Counting()
    assert run(tmp_path, ZEROED, source).mended
    assert source.fetched == 4 * BLOCK


def test_a_server_without_ranges_is_read_once(tmp_path: Path) -> None:
    source = Counting(ranges=False)
    assert run(tmp_path, flipped(BLOCK, 9 * BLOCK), source).mended
    assert source.requests == [(BLOCK, 2 * BLOCK), (0, SIZE)]


@pytest.mark.parametrize("piece", [BLOCK, 4 * BLOCK, 16 * BLOCK, 64 * BLOCK])
def test_without_leaves_the_damaged_pieces_come(tmp_path: Path, piece: int) -> None:
    good = promise(pieces=piece)
    if piece > SIZE:  # a file of one piece: its root stands for it
        good = Good(SIZE, good.sha256, "", good.merkle_root, None, piece, [bytes.fromhex(good.merkle_root)])
    source = Counting()
    outcome = run(tmp_path, flipped(SIZE - 1), source, good=good)
    assert outcome.mended
    assert source.fetched == SIZE - (SIZE - 1) // piece * piece


def test_without_any_digest_of_parts_the_whole_file_comes(tmp_path: Path) -> None:
    good = Good(SIZE, hashlib.sha256(DATA).hexdigest())
    bad, source = Counting(flipped(3)), Counting()
    outcome = run(tmp_path, ZEROED, bad, source, good=good)
    assert outcome.mended
    assert outcome.fetched == 2 * SIZE


def test_a_longer_file_without_digests_of_parts_needs_no_source(tmp_path: Path) -> None:
    assert run(tmp_path, DATA + b"x", good=Good(SIZE, hashlib.sha256(DATA).hexdigest())).mended


def test_a_whole_file_of_other_bytes_is_refused(tmp_path: Path) -> None:
    good = Good(SIZE, hashlib.sha256(DATA).hexdigest())
    outcome = run(tmp_path, ZEROED, Counting(change=lambda data: data[::-1]), good=good)
    assert not outcome.mended
    assert not (tmp_path / "work").exists()


def test_digests_that_contradict_each_other_mend_nothing(tmp_path: Path) -> None:
    known = promise()
    wrong = Good(SIZE, "0" * 64, known.blake3, known.merkle_root, known.leaves)
    outcome = run(tmp_path, ZEROED, Counting(), good=wrong)
    assert not outcome.mended
    assert "contradict" in outcome.why[-1]
    assert not (tmp_path / "work").exists()


def test_a_file_of_the_same_length_is_left_alone_after_two_blocks(tmp_path: Path) -> None:
    other = Counting(data=bytes(SIZE), places=(Place("other", guess=True),))
    assert not run(tmp_path, None, other).mended
    assert other.fetched <= 2 * BLOCK


def test_a_bad_disk_of_a_source_is_said_and_the_next_one_asked(tmp_path: Path) -> None:
    class Broken(Counting):
        def read(self, place: Place, start: int, stop: int) -> Iterator[bytes]:
            raise SourceFailed(Path("there"), OSError(5, "Input/output error"))

    outcome = run(tmp_path, ZEROED, Broken(), Counting())
    assert outcome.mended
    assert outcome.why == ["Input/output error at there"]


def test_an_empty_file_is_made_again(tmp_path: Path) -> None:
    good = Good(0, hashlib.sha256(b"").hexdigest(), "", "0" * 64, [])
    outcome = mend(tmp_path / "it", tmp_path / "work", good, Wanted("it", 0), [])
    assert outcome.mended
    assert (tmp_path / "work").read_bytes() == b""


@pytest.mark.parametrize("damaged", [ZEROED, SWAPPED, DATA[: 10 * BLOCK + 5], DATA + b"more", flipped(0, SIZE - 1)],
                         ids=["zeroed", "swapped", "cut", "longer", "flipped"])  # fmt: skip
def test_in_place_a_right_source_mends_and_a_hostile_one_changes_nothing(tmp_path: Path, damaged: bytes) -> None:
    path, good = tmp_path / "it", promise()
    path.write_bytes(damaged)
    wrong = len(wrong_units(path, good))
    if wrong:
        outcome = patch(path, good, WANTED, [Counting(change=lambda data: data[::-1])])
        assert (outcome.mended, outcome.damaged, outcome.left) == (False, wrong, wrong)
        assert path.read_bytes() == damaged
        half = Counting(breaks=BLOCK // 2 if wrong == 1 else BLOCK)
        assert patch(path, good, WANTED, [half]).left <= wrong
    assert patch(path, good, WANTED, [Counting()]).mended
    assert path.read_bytes() == DATA
