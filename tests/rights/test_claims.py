from __future__ import annotations

import pytest

from fonoteca.core.ids import Kind, show_id
from fonoteca.rights.claims import ClaimIndex
from rights.making import ALBUM, BLOB, SONG, claim

pytestmark = pytest.mark.core


def test_claims_of_recording_releases_and_blob_are_pooled() -> None:
    mine = [
        claim("CC BY"), claim("CC BY", kind="release", subject=show_id(Kind.RELEASE, ALBUM)),
        claim("CC BY", kind="blob", subject=BLOB),
    ]  # fmt: skip
    others = [claim("CC0", subject=show_id(Kind.RECORDING, 7)), claim("CC0", kind="blob", subject="cd" * 32)]
    index = ClaimIndex([*mine, *others, *mine], {SONG: [ALBUM, 99]})
    assert index.of(SONG, BLOB) == sorted(mine)
    assert index.of(SONG) == sorted(mine[:2])
    assert index.of(8) == []


def test_the_same_text_of_another_kind_of_subject_is_not_mixed_up() -> None:
    index = ClaimIndex([claim("CC0", kind="release", subject=BLOB)], {})
    assert index.of(SONG, BLOB) == []
