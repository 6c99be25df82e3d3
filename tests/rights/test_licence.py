from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fonoteca.rights.licence import Licence, all_licences, read, resolve
from fonoteca.rights.licence_text import Vague, read_text
from fonoteca.rights.licence_url import named_by_url

pytestmark = pytest.mark.core

BY3 = "https://creativecommons.org/licenses/by/3.0/"
PIECES = (
    "CC", "BY", "-NC", "-SA", "-ND", " ", "-", "3.0", "4.0", "Attribution", "NonCommercial", "ShareAlike", "not ",
    "http://creativecommons.org/licenses/", "by/3.0/", "by-nc/2.5/de/", "publicdomain/zero/1.0/", "evil.example",
    "\n", "License: ", "Copyright: ", "(", ")", "Public Domain", "CC0", "only", "®", "\u202e", "０", "@", "?", "#",
)  # fmt: skip
hostile = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=12).map("".join)


def found(text: str, url: str = "") -> str | None:
    licence = resolve(text, url)
    return licence.id if licence else None


@pytest.mark.parametrize(
    "url", ["http://creativecommons.org/licenses/by/4.0/", "https://creativecommons.org/licenses/by/4.0"]
)
def test_a_title_without_version_takes_it_from_the_address(url: str) -> None:
    assert found("Attribution", url) == "CC-BY-4.0"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("Attribution 3.0", "https://creativecommons.org/licenses/by/4.0/"),
        ("CC BY", "https://creativecommons.org/licenses/by-nc/4.0/"),
        ("CC0", BY3),
        ("Attribution 3.0 United States", BY3),
        ("Attribution 3.0 International", BY3 + "us/"),
        ("Attribution 3.0 Germany", BY3 + "at/"),
        ("Public Domain", BY3),
        ("All rights reserved", BY3),
        ("Attribution", "https://example.org/licence"),
        (f"Attribution-NonCommercial: {BY3}", ""),
        ("CC BY 3.0 (CC BY-NC 3.0)", ""),
        ("https://creativecommons.org/licenses/by-sa/3.0/", BY3),
    ],
)
def test_text_and_address_that_contradict_each_other_are_unknown(text: str, url: str) -> None:
    assert found(text, url) is None
    assert read(text, url).reason


@pytest.mark.parametrize(
    ("text", "url", "licence"),
    [
        ("Creative Commons", BY3, "CC-BY-3.0"),
        ("Public Domain", "http://creativecommons.org/publicdomain/mark/1.0/", "CC-PDM-1.0"),
        ("CC BY", BY3 + "de/", "CC-BY-3.0-DE"),
        ("CC BY 3.0", BY3 + "de/", "CC-BY-3.0-DE"),
        ("Attribution 3.0 Unported", BY3, "CC-BY-3.0"),
        (BY3, "", "CC-BY-3.0"),
        (BY3, "http://www.creativecommons.org/licenses/by/3.0/legalcode", "CC-BY-3.0"),
    ],
)
def test_text_and_address_that_agree(text: str, url: str, licence: str) -> None:
    assert found(text, url) == licence


@pytest.mark.parametrize("text", ["Public Domain", "Creative Commons", "CC"])
def test_a_vague_word_alone_is_unknown(text: str) -> None:
    assert found(text) is None


def test_blank_is_unknown_and_says_so() -> None:
    assert read(" ", "\n").licence is None
    assert "neither" in read("", "").reason


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("CC BY 5.0", ""),
        ("CC BY 2.1", ""),
        ("CC BY 4.0 Germany", ""),
        ("", "https://creativecommons.org/licenses/by/4.0/de/"),
        ("", "https://creativecommons.org/licenses/by/3.0/xx/"),
        ("", "https://creativecommons.org/licenses/by/2.1/de/"),
        ("", "https://creativecommons.org/licenses/by/9.9/"),
    ],
)
def test_a_version_or_port_that_was_never_published_is_unknown(text: str, url: str) -> None:
    assert found(text, url) is None
    assert read(text, url).reason == "no such version or national port of the licence was published"


def test_resolving_is_idempotent_for_every_licence() -> None:
    for licence in all_licences():
        assert resolve(licence.id, "") == licence
        assert resolve(licence.id, licence.url) == licence


def test_the_canonical_address_alone_names_the_licence() -> None:
    for licence in all_licences():
        if licence.family != "LAL" and licence.url:  # its versions share one address
            assert resolve("", licence.url) == licence, licence.url


@given(hostile, hostile)
def test_never_raises_and_permits_only_what_matches_the_grammar(text: str, url: str) -> None:
    licence = resolve(text, url)
    if licence is None or not licence.permits.redistribute:
        return
    said = read_text(text) if text.strip() else None
    named = named_by_url(url) if url.strip() else None
    assert not text.strip() or said is not None
    assert not url.strip() or named is not None
    assert any(n is not None and not isinstance(n, Vague) and n.family == licence.family for n in (said, named))


@given(st.text(max_size=60), st.text(max_size=60))
def test_noise_permits_nothing(text: str, url: str) -> None:
    assert read(text, url) == read(text, url)
    assert resolve("x" + text, "x" + url) is None


@given(st.sampled_from(all_licences()), st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=3, max_size=12))
def test_a_word_more_makes_a_licence_unknown(licence: Licence, word: str) -> None:
    known = {"version", "license", "licence", "generic", "unported", "international", "universal", "igo", "scotland"}
    if word not in known:
        assert resolve(f"{licence.id} {word}", "") is None
        assert resolve(f"{word} {licence.id}", "") is None
