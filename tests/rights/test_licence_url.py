from __future__ import annotations

import pytest

from fonoteca.rights.licence_url import Named, named_by_url

pytestmark = pytest.mark.core

BY3 = Named("CC-BY", "3.0", "")


@pytest.mark.parametrize(
    "url",
    [
        "http://creativecommons.org/licenses/by/3.0/",
        "https://creativecommons.org/licenses/by/3.0",
        "HTTPS://WWW.CREATIVECOMMONS.ORG/LICENSES/BY/3.0/",
        "www.creativecommons.org/licenses/by/3.0/",
        "creativecommons.org/licenses/by/3.0",
        "//creativecommons.org/licenses/by/3.0/",
        " https://creativecommons.org/licenses/by/3.0/ ",
        "https://creativecommons.org/licenses/by/3.0//",
        "https://creativecommons.org/licenses/by/3.0/legalcode",
        "https://creativecommons.org/licenses/by/3.0/legalcode.html",
        "https://creativecommons.org/licenses/by/3.0/deed.de",
        "https://creativecommons.org/licenses/by/3.0/deed.pt_BR",
        "https://creativecommons.org/licenses/by/3.0/deed-zh-hant",
        "https://creativecommons.org/licenses/by/3.0/?ref=chooser-v1",
        "https://creativecommons.org/licenses/by/3.0/#top",
    ],
)
def test_spellings_of_one_address(url: str) -> None:
    assert named_by_url(url) == BY3


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("http://creativecommons.org/licenses/by-nd-nc/1.0/", Named("CC-BY-NC-ND", "1.0", "")),
        ("http://creativecommons.org/licenses/by-nc-sa/3.0/de/deed.en", Named("CC-BY-NC-SA", "3.0", "de")),
        ("http://creativecommons.org/licenses/by-nc-nd/2.0/uk", Named("CC-BY-NC-ND", "2.0", "uk")),
        ("http://creativecommons.org/licenses/nc-sampling+/1.0/", Named("CC-NC-Sampling+", "1.0", "")),
        ("http://creativecommons.org/licenses/nc-sampling%2B/1.0/", Named("CC-NC-Sampling+", "1.0", "")),
        ("http://creativecommons.org/licenses/by-sa/", Named("CC-BY-SA")),
        ("http://creativecommons.org/licenses/publicdomain/", Named("CC-PDDC")),
        ("http://creativecommons.org/publicdomain/zero/1.0/legalcode", Named("CC0", "1.0")),
        ("http://creativecommons.org/publicdomain/mark/1.0/", Named("CC-PDM", "1.0")),
        ("http://freemusicarchive.org/FMA_License", Named("FMA-Limited")),
        ("https://opensource.org/licenses/MIT", Named("MIT")),
        ("https://www.apache.org/licenses/LICENSE-2.0.txt", Named("Apache", "2.0")),
        ("https://scripts.sil.org/OFL", Named("OFL", "1.1")),
    ],
)
def test_addresses_of_other_licences(url: str, named: Named) -> None:
    assert named_by_url(url) == named


@pytest.mark.parametrize(
    "url",
    [
        "http://creativecommons.org.evil.example/licenses/by/3.0/",
        "http://creativec0mmons.org/licenses/by/3.0/",
        "http://creativecommons.com/licenses/by/3.0/",
        "http://evil.example/creativecommons.org/licenses/by/3.0/",
        "http://evil.example/?u=http://creativecommons.org/licenses/by/3.0/",
        "http://creativecommons.org@evil.example/licenses/by/3.0/",
        "http://user@creativecommons.org/licenses/by/3.0/",
        "http://creativecommons.org:80@evil.example/licenses/by/3.0/",
        "http://creativecommons.org:8080/licenses/by/3.0/",
        "http://creativecommons.org\\@evil.example/licenses/by/3.0/",
        "http://creativecommons.org./licenses/by/3.0/",
        "http://beta.creativecommons.org/licenses/by/3.0/",
        "http://www.www.creativecommons.org/licenses/by/3.0/",
        "ftp://creativecommons.org/licenses/by/3.0/",
        "javascript://creativecommons.org/licenses/by/3.0/",
        "http:creativecommons.org/licenses/by/3.0/",
        "http://creativecommons.org/licenses/by/3.0/de/extra",
        "http://creativecommons.org/licenses/by/3.0/../../by-nc/3.0/",
        "http://creativecommons.org/licenses/by/3.0/?not=valid&x=1",
        "http://creativecommons.org/licenses/by/3.0/ but not for you",
        "http://creativecommons.org/licenses/by/3.0/\nhttp://evil.example",
        "http://creativecommons.org/licenses/by-nc-by/3.0/",
        "http://creativecommons.org/licenses/sampling/1.0/",
        "http://creativecommons.org/licenses/devnations/2.0/",
        "http://creativecommons.org/licenses/by/30/",
        "http://creativecommons.org/licenses//by/3.0/",
        "http://creativecommons.org/",
        "http://creativecommons.org/publicdomain/zero/2.0/",
        "http://сreativecommons.org/licenses/by/3.0/",  # a Cyrillic letter
        "http://creativecommons.org/licenses/by/３.0/",  # a full-width digit
        "http://creativecommons.org/licenses/by/3.0/\u202e",
        "http://xn--reativecommons-test.org/licenses/by/3.0/",
        "http://creativecommons.or\u212a/licenses/by/3.0/",  # lower() makes it an ASCII k
        "http://creativecommons.org/licenses/by/3.0/" + "/" * 1000,
        "CC BY 3.0",
        "",
        "\0",
    ],
)
def test_what_is_no_licence_address(url: str) -> None:
    assert named_by_url(url) is None
