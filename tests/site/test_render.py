from __future__ import annotations

import pytest

from fonoteca.site.licences import words
from fonoteca.site.reasons import reason
from fonoteca.site.render import Pages, duration, form, grouped, iso_duration, span

pytestmark = pytest.mark.core


def test_times() -> None:
    assert [duration(n) for n in (None, 0, 61_500, 3_723_000)] == ["", "0:00", "1:01", "1:02:03"]
    assert iso_duration(61_400) == "PT61S"
    assert [span(n) for n in (60_000, 600_000, 36_000_000)] == ["1 minute", "10 minutes", "10 hours"]


def test_digests_may_break() -> None:
    assert str(grouped("abcdefgh" * 2)) == "abcdefgh<wbr>abcdefgh"
    assert "<b>" not in grouped("<b>")


@pytest.mark.parametrize(("mime", "codec", "shown"), [
    ("audio/mpeg", "mp3", "MP3"), ("audio/ogg", "opus", "Ogg Opus"), ("audio/ogg", "vorbis", "Ogg Vorbis"),
    ("audio/wav", "pcm_s16le", "WAV"), ("audio/flac", "flac", "FLAC"), ("audio/mp4", "aac", "MP4 (aac)"),
    ("application/octet-stream", None, "application/octet-stream"),
])  # fmt: skip
def test_forms(mime: str, codec: str | None, shown: str) -> None:
    assert form({"mime": mime, "codec": codec}) == shown


@pytest.mark.parametrize(("licence", "name", "kind", "says"), [
    ("CC-BY-4.0", "CC BY 4.0", "free", "name the author"),
    ("CC-BY-SA-3.0-DE", "CC BY-SA 3.0 DE", "free", "same terms"),
    ("CC-BY-NC-ND-4.0", "CC BY-NC-ND 4.0", "nc", "not for commercial use"),
    ("CC-BY-ND-4.0", "CC BY-ND 4.0", "nc", "only unchanged"),
    ("CC0-1.0", "CC0", "free", "any use"),
    ("LicenseRef-Odd", "LicenseRef-Odd", "other", "own text"),
])  # fmt: skip
def test_licences_in_plain_words(licence: str, name: str, kind: str, says: str) -> None:
    told = words(licence)
    assert told is not None
    assert (told.name, told.kind) == (name, kind)
    assert says in told.words


def test_no_licence_has_no_words() -> None:
    assert words(None) is None


def test_a_reason_that_is_not_known_falls_back_to_the_status() -> None:
    assert reason("not-held", "not-held").code == "not-held"
    assert "withdrawn" in reason("new-code", "withdrawn").text
    assert reason("new-code", "odd").text


@pytest.mark.parametrize(("name", "told"), [(None, "than this page shows."), ("Aa", "artist%3A%22Aa%22")])
def test_an_artist_without_a_name_is_not_searched_for(name: str | None, told: str) -> None:
    hit = {"id": "r0", "title": "x", "artist": name, "release": None, "year": None, "playable": False, "badge": None}
    it = {"id": "a0", "name": name, "releases": [], "recordings": [hit], "more": True, "provenance": []}
    page = bytes(Pages("Test").html("artist.html", it=it, q="", here="/").body).decode()
    assert told in page
    assert "None" not in page
