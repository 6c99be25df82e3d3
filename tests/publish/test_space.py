from __future__ import annotations

from pathlib import Path

import pytest

from fonoteca.core.errors import NoSpace
from fonoteca.publish import space
from fonoteca.publish.plan import plan
from publish.planning import after, candidate, first

pytestmark = pytest.mark.core


def test_enough_is_enough_and_one_byte_less_is_not(tmp_path: Path) -> None:
    space.check(1_000, tmp_path, lambda _: 1_000)
    with pytest.raises(NoSpace) as refused:
        space.check(1_001, tmp_path, lambda _: 1_000)
    assert "1001 bytes" in refused.value.why
    assert "has 1000" in refused.value.why


def test_redactions_and_copies_back_are_counted() -> None:
    one = plan(first([candidate(1), candidate(2)], {}))
    assert space.needed(one, 0) == one.added[0].bytes + space.RESERVE
    two = plan(after(one, [candidate(2)], {}))
    assert space.needed(two, 10) == one.added[0].bytes + 9_000 + 20 + space.RESERVE


def test_a_folder_that_is_not_there_yet_is_on_its_parent_s_disk(tmp_path: Path) -> None:
    assert space.free_bytes(tmp_path / "a" / "b") > 0
