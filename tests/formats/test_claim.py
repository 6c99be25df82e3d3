from __future__ import annotations

from collections.abc import Callable

import pytest

from fonoteca.core import canonical
from fonoteca.core.ids import Kind, show_id
from fonoteca.formats.claim import FIELDS, Claim
from fonoteca.formats.tables import CLAIMS

pytestmark = pytest.mark.core

SONG = show_id(Kind.RECORDING, 1)


def test_golden_claims(golden: Callable[[str, bytes], None]) -> None:
    claims = [
        Claim("recording", SONG, "Attribution 3.0 Germany", "http://creativecommons.org/licenses/by/3.0/de/",
              "license_title", "fma", "raw_tracks", "raw_tracks.csv:2"),
        Claim("release", show_id(Kind.RELEASE, 1), "", "http://creativecommons.org/licenses/by-nc/3.0/", "licenseurl",
              "freemusi", "2026-11", "releases.csv:17"),
        Claim("blob", "ab" * 32, "CC0-1.0", "", "README.txt: «dominio público»", "folder", "intake", "claims.csv:3"),
    ]  # fmt: skip
    data = b"".join(canonical.encode(c.as_json()) for c in claims)
    golden("claim/claims.jsonl", data)
    assert [Claim.from_json(canonical.decode(line)) for line in data.splitlines()] == claims


def test_fields_are_the_columns_of_the_published_table() -> None:
    assert tuple(CLAIMS.names) == FIELDS


@pytest.mark.parametrize(
    ("licence", "url", "silent"), [("", "", True), (" ", "\n", True), ("x", "", False), ("", "x", False)]
)
def test_a_claim_without_text_and_address_is_silent(licence: str, url: str, silent: bool) -> None:
    assert Claim("recording", SONG, licence, url, evidence="README").silent is silent


def test_a_wrong_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="artist"):
        Claim("artist", "x")
    with pytest.raises(ValueError, match="x"):
        Claim.from_json({"kind": "x"})


def test_unknown_and_missing_fields() -> None:
    assert Claim.from_json({"kind": "blob", "subject": "s", "licence": None, "later": 1}) == Claim("blob", "s")
