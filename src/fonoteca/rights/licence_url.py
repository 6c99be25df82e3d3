"""Addresses of licences. An address counts only if its host is the licence's own, letter for letter."""

from __future__ import annotations

import re
from typing import NamedTuple


class Named(NamedTuple):
    """What a text or an address says: ``version`` None: not said; ``port`` None: not said, '': not ported."""

    family: str
    version: str | None = None
    port: str | None = None


_HOST = r"(?:(?:https?:)?//)?(?:www\.)?"
_TAIL = r"/*(?:\?(?:ref|lang)=[a-z0-9_-]*)?(?:#[a-z0-9_-]*)?"
_DEED = r"(?:/(?:legalcode|deed|rdf)(?:[.-][a-z]{2}(?:[_-][a-z]{2,4})?)?(?:\.html)?)?"
_CC = re.compile(
    rf"{_HOST}creativecommons\.org/licenses/(?P<code>[a-z-]{{2,10}}|(?:nc-)?sampling(?:\+|%2b))"
    rf"(?:/(?P<version>[0-9]\.[0-9]))?(?:/(?!deed|legalcode|rdf)(?P<port>[a-z]{{2,8}}))?{_DEED}{_TAIL}"
)
_PUBLIC = re.compile(rf"{_HOST}creativecommons\.org/publicdomain/(?P<code>zero|mark)/(?P<version>1\.0){_DEED}{_TAIL}")
_RETIRED = re.compile(rf"{_HOST}creativecommons\.org/licenses/publicdomain{_DEED}{_TAIL}")
_OTHER: tuple[tuple[re.Pattern[str], Named], ...] = (
    (re.compile(rf"{_HOST}artlibre\.org/licence/lal(?:/[a-z]{{2}})?{_TAIL}"), Named("LAL")),
    (re.compile(rf"{_HOST}freemusicarchive\.org/fma_license{_TAIL}"), Named("FMA-Limited")),
    (re.compile(rf"{_HOST}(?:opensource\.org/licenses?|spdx\.org/licenses)/mit(?:\.html)?{_TAIL}"), Named("MIT")),
    (re.compile(rf"{_HOST}(?:apache\.org/licenses/license-2\.0(?:\.txt|\.html)?|spdx\.org/licenses/apache-2\.0"
                rf"(?:\.html)?|opensource\.org/licenses?/apache-2\.0){_TAIL}"), Named("Apache", "2.0")),
    (re.compile(rf"{_HOST}(?:openfontlicense\.org|scripts\.sil\.org/ofl|spdx\.org/licenses/ofl-1\.1(?:\.html)?"
                rf"|opensource\.org/licenses?/ofl-1\.1){_TAIL}"), Named("OFL", "1.1")),
)  # fmt: skip
_CODES = {
    "by": "CC-BY", "by-sa": "CC-BY-SA", "by-nd": "CC-BY-ND", "by-nc": "CC-BY-NC", "by-nc-sa": "CC-BY-NC-SA",
    "by-nc-nd": "CC-BY-NC-ND", "by-nd-nc": "CC-BY-NC-ND", "sampling+": "CC-Sampling+",
    "nc-sampling+": "CC-NC-Sampling+",
}  # fmt: skip
LONGEST = 400
"""Characters in the longest address that is looked at."""


def named_by_url(url: str) -> Named | None:
    """What an address names, or None. Text that is no address gives None."""
    text = url.strip().lower()
    # lower() maps a few letters of other scripts into ASCII, so the test is on what was written.
    if not url.isascii() or len(text) > LONGEST:
        return None
    for read in (_creative_commons, _public_domain, _other):
        found = read(text)
        if found:
            return found
    return None


def _creative_commons(text: str) -> Named | None:
    match = _CC.fullmatch(text)
    if not match:
        return None
    family = _CODES.get(match["code"].replace("%2b", "+"))
    if family is None:
        return None
    if match["version"] is None:
        return None if match["port"] else Named(family)
    return Named(family, match["version"], match["port"] or "")


def _public_domain(text: str) -> Named | None:
    if _RETIRED.fullmatch(text):
        return Named("CC-PDDC")
    match = _PUBLIC.fullmatch(text)
    if not match:
        return None
    return Named("CC0" if match["code"] == "zero" else "CC-PDM", match["version"])


def _other(text: str) -> Named | None:
    return next((named for pattern, named in _OTHER if pattern.fullmatch(text)), None)
