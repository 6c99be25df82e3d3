from __future__ import annotations

import time

import pytest

from fonoteca.rights.licence_text import LONGEST, Vague, read_text
from fonoteca.rights.licence_url import Named

pytestmark = pytest.mark.core

BY3 = "http://creativecommons.org/licenses/by/3.0/"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("by", Named("CC-BY")),
        ("cc by nc sa", Named("CC-BY-NC-SA")),
        ("CC BY-SA-NC", Named("CC-BY-NC-SA")),
        ("CC-BY-NC-SA-3.0-DE", Named("CC-BY-NC-SA", "3.0", "de")),
        ("CC BY 3.0 US", Named("CC-BY", "3.0", "us")),
        ("CC BY-ND v2.5", Named("CC-BY-ND", "2.5")),
        ("Creative Commons BY-NC 4.0", Named("CC-BY-NC", "4.0")),
        ("Creative Commons: Attribution Non-Commercial No Derivatives 3.0", Named("CC-BY-NC-ND", "3.0")),
        ("Creative Commons Attribution-NonCommercial-NoDerivs 2.5 Generic License", Named("CC-BY-NC-ND", "2.5", "")),
        ("Creative Commons Attribution 4.0 International Public License", Named("CC-BY", "4.0", "")),
        ("Attribution–ShareAlike 3.0 Unported", Named("CC-BY-SA", "3.0", "")),
        ("Attribution\u00a03.0", Named("CC-BY", "3.0")),
        (
            "This work is licensed under a Creative Commons Attribution 3.0 Germany License.",
            Named("CC-BY", "3.0", "de"),
        ),
        (f"Licensed under CC BY: {BY3}", Named("CC-BY", "3.0", "")),
        (f"CC BY 3.0 ({BY3})", Named("CC-BY", "3.0", "")),
        (f"<{BY3}>", Named("CC-BY", "3.0", "")),
        (f"http://example.org/album {BY3}", Named("CC-BY", "3.0", "")),
        (f"URL: http://example.org/\nLicense: {BY3}", Named("CC-BY", "3.0", "")),
        ("Attribution 2.0 UK: England & Wales", Named("CC-BY", "2.0", "uk")),
        ("CC0", Named("CC0", "1.0")),
        ("CC0 1.0 Universal (Public Domain Dedication)", Named("CC0", "1.0")),
        ("Creative Commons Zero 1.0", Named("CC0", "1.0")),
        ("Public Domain Mark 1.0", Named("CC-PDM", "1.0")),
        ("CC-PDDC", Named("CC-PDDC")),
        ("The MIT License", Named("MIT")),
        ("public domain", Vague.PUBLIC_DOMAIN),
        ("Creative Commons License", Vague.CREATIVE_COMMONS),
    ],
)
def test_texts_that_name_a_licence(text: str, named: Named | Vague) -> None:
    assert read_text(text) == named


@pytest.mark.parametrize(
    "text",
    [
        "not CC BY",
        "CC BY, except on Sundays",
        "CC BY-NC-SA-ND",
        "CC BY-SA-SA",
        "CC BY-SA-ND 3.0",
        "NC",
        "SA 1.0",
        "CC NC 1.0",
        "by the way",
        "(c) 2010 Somebody",
        "All rights reserved",
        "Giftware",
        "GPL-3.0",
        "free",
        "royalty free",
        "Attribution required",
        "no licence",
        "CC BY 3.0 / CC BY-NC 3.0",
        "CC BY 3.0 or later",
        "ＣＣ ＢＹ",
        "CC ΒΥ",  # Greek letters
        "CC BY\u200b",
        "CC BY\u202e",
        "CC BY\0",
        f"not {BY3}",
        f"{BY3} {BY3.replace('by', 'by-nc')}",
        f"http://example.org/all-rights-reserved {BY3}",
        f"http://creativecommons.org.evil.example/licenses/by/3.0/ {BY3}",
        f"CC BY http://example.org {BY3}",
        f"License: {BY3}\nComments: all rights reserved",
        f"License: {BY3}\nCopyright: somebody",
        f"License: {BY3}\nAttention: this copy is for private use only",
        f"License: {BY3}\nand nothing else",
        f"URL: {BY3}\nCurator: Somebody",
        "Comments: hello\nCurator: nobody",
        "(CC BY)(CC BY)",
        "()" * 500,
        "http://",
        "://" * 300,
        " " * (LONGEST + 1) + "CC BY",
    ],
)
def test_texts_that_are_unknown(text: str) -> None:
    assert read_text(text) is None


@pytest.mark.parametrize("piece", ["-nc", "attribution ", "share alike ", "(", "a: b\n", "http://x ", "cc "])
def test_long_hostile_texts_are_read_in_no_time(piece: str) -> None:
    start = time.process_time()
    for text in (piece * (LONGEST // len(piece)), "attribution" + piece * 300, "cc by" + piece * 500 + "!"):
        assert read_text(text) is None
    assert time.process_time() - start < 1
