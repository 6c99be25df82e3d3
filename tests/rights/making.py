"""Short ways to make claims for the tests of this folder."""

from __future__ import annotations

from fonoteca.core.ids import Kind, make_id, show_id
from fonoteca.formats.claim import Claim

SONG = make_id(Kind.RECORDING, "table", "song")
SHOWN = show_id(Kind.RECORDING, SONG)
ALBUM = make_id(Kind.RELEASE, "table", "album")
BLOB = "ab" * 32


def claim(
    licence: str, url: str = "", *, kind: str = "recording", subject: str = SHOWN, source: str = "table"
) -> Claim:
    return Claim(kind, subject, licence, url, "", source, "dump", "1")
