"""Numbers that were given already, in eight bytes each."""

from __future__ import annotations

import pytest

from fonoteca.sources.seen_numbers import SeenNumbers

pytestmark = pytest.mark.core


def test_a_number_is_new_once_then_the_same_or_other() -> None:
    seen = SeenNumbers()
    for number in (1, 511, 512, 10**17):
        assert seen.second(number, b"a") is None
        assert seen.second(number, b"a") is True
        assert seen.second(number, b"b") is False
    assert seen.second(2, b"a") is None
