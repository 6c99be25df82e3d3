"""Names of licences in free text: a closed grammar that a text matches as a whole, or not at all.

A word more than the grammar knows (``not``, ``except``, ``for members``) makes the text unknown: whoever
wrote it may have meant it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum

from fonoteca.rights.licence_table import JURISDICTIONS, UNPORTED_WORDS
from fonoteca.rights.licence_url import Named, named_by_url

LONGEST = 4000
"""Characters in the longest text that is looked at."""


class Vague(Enum):
    """A text that names no licence, but does not speak against one of its group either."""

    CREATIVE_COMMONS = "creative commons"
    PUBLIC_DOMAIN = "public domain"

    def admits(self, named: Named) -> bool:
        """True where a licence is of the group."""
        public = named.family in {"CC0", "CC-PDM", "CC-PDDC"}
        return public if self is Vague.PUBLIC_DOMAIN else named.family.startswith("CC")


Read = Named | Vague | None

_PORT_NAMES = {name.casefold(): code for code, names in JURISDICTIONS.items() for name in names}
_UNPORTED = {word.casefold() for word in UNPORTED_WORDS}
_PORTS = "|".join(
    sorted((re.escape(p) for p in (*_PORT_NAMES, *_UNPORTED, *JURISDICTIONS)), key=len, reverse=True)
)  # fmt: skip
_VERSION = rf"(?:[ ,-]+(?:version |v\.? ?)?(?P<version>[0-9]\.[0-9])(?:[ ,-]+(?P<port>{_PORTS}))?)?"
_LICENCE = r"(?: (?:public )?licen[sc]e)?"
_LONG_ELEMENT = (
    r"non[ -]?commercial|share[ -]?alike|no[ -]?derivatives?(?: works?)?|no[ -]?derivs?(?: works?)?"
)  # fmt: skip
_LONG = re.compile(
    rf"(?:creative commons[ :-]+)?(?:cc[ -]+)?attribution(?P<elements>(?:[ ,/-]+(?:{_LONG_ELEMENT}))*)"
    rf"(?: \(aka music sharing\))?{_VERSION}{_LICENCE}"
)
_SHORT = re.compile(
    rf"(?:creative commons[ :-]+)?(?:cc[ -]+)?by(?P<elements>(?:[ /-](?:nc|sa|nd))*){_VERSION}{_LICENCE}"
)
_ZERO = re.compile(
    r"(?:creative commons[ :-]+)?(?:cc ?-?0|cc[ -]zero|zero)(?:[ -]+v?(?P<version>1\.0))?(?: universal)?"
    rf"(?:,? \(?public domain dedication\)?)?{_LICENCE}"
)
_MARK = re.compile(r"(?:creative commons[ :-]+)?(?:public domain mark(?:[ -]+(?:v?1\.0))?|cc-pdm-1\.0)")
_SAMPLING = re.compile(
    rf"(?:creative commons[ :-]+)?(?:cc[ -])?(?P<nc>nc-)?sampling\+[ -]1\.0(?:[ -](?P<port>{'|'.join(JURISDICTIONS)}))?"
)
_FIXED: dict[str, Named] = {
    "cc-pddc": Named("CC-PDDC"),
    "fma-limited: download only": Named("FMA-Limited"),
    "fma-limited": Named("FMA-Limited"),
    "mit": Named("MIT"), "mit license": Named("MIT"), "the mit license": Named("MIT"),
    "apache-2.0": Named("Apache", "2.0"), "apache license 2.0": Named("Apache", "2.0"),
    "apache license, version 2.0": Named("Apache", "2.0"),
    "ofl-1.1": Named("OFL", "1.1"), "sil open font license 1.1": Named("OFL", "1.1"),
    "lal-1.2": Named("LAL", "1.2"), "lal-1.3": Named("LAL", "1.3"), "free art license 1.3": Named("LAL", "1.3"),
}  # fmt: skip
_VAGUE = {
    "creative commons": Vague.CREATIVE_COMMONS, "creative commons license": Vague.CREATIVE_COMMONS,
    "creative commons licence": Vague.CREATIVE_COMMONS, "cc": Vague.CREATIVE_COMMONS,
    "public domain": Vague.PUBLIC_DOMAIN, "publicdomain": Vague.PUBLIC_DOMAIN,
}  # fmt: skip
_OPENING = re.compile(
    r"(?:(?:this (?:work|song|track|album|music) is )?(?:licensed|released) under (?:an? |the )?"
    r"|licen[sc]e: ?|copyright: ?)"
)
_BLANKS = re.compile(r"\s+")
_DASHES = re.compile("[\u2010-\u2015\u2212]")
_ADDRESS = re.compile(r"\S*(?:://|www\.|creativecommons\.org)\S*")
_ABOUT_RIGHTS = re.compile(r"licen|copyright|rights|reserved|permi|commons|\bcc\b|forbid|prohibit|only|legalcode|©")
_FIELD = re.compile(r"(?P<key>[A-Za-z][A-Za-z _-]{0,30}):(?P<value>.*)")
_RIGHTS_KEYS = {"copyright", "license", "licence"}


def read_text(text: str) -> Read:
    """The one licence that a text names, a vague word, or None for a text that is not understood."""
    if len(text) > LONGEST:
        return None
    line = _rights_line(text)
    if line is None:
        return None
    plain = _plain(line)
    if not plain.isascii():
        return None
    return _read_line(plain)


def _plain(text: str) -> str:
    return _BLANKS.sub(" ", _DASHES.sub("-", text)).strip()


def _rights_line(text: str) -> str | None:
    """The text itself, or of a block of ``Key: value`` lines the value of its only line about rights."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    if len(lines) < 2:
        return text
    fields = [_FIELD.fullmatch(line) for line in lines]
    if any(field is None for field in fields):
        return text
    pairs = [(f["key"].casefold(), f["value"]) for f in fields if f]
    told = [value for key, value in pairs if key in _RIGHTS_KEYS]
    others = [value for key, value in pairs if key not in _RIGHTS_KEYS]
    if len(told) != 1 or any(_ABOUT_RIGHTS.search(value.casefold()) for value in others):
        return None
    return told[0]


def _read_line(line: str) -> Read:
    addresses = [found.rstrip(".,;)>").lstrip("(<") for found in _ADDRESS.findall(line)]
    words = _ADDRESS.sub(" ", line) if addresses else line
    words = _BLANKS.sub(" ", words).strip(" :;,.-<>")
    named = [named_by_url(address) for address in addresses]
    if words:
        # Beside words every address must be a licence's; alone, others (a page, a shop) are passed over.
        return agree([_read_words(words.casefold()), *named])
    if any(n is None and _ABOUT_RIGHTS.search(a.casefold()) for n, a in zip(named, addresses, strict=True)):
        return None
    return agree([n for n in named if n])


def _read_words(words: str) -> Read:
    opening = _OPENING.match(words)
    if opening:
        words = words[opening.end() :]
    whole = _read_name(words)
    if whole is not None or not words.endswith(")"):
        return whole
    outside, _, inside = words[:-1].rpartition(" (")
    return agree([_read_name(outside.strip()), _read_name(inside.strip())])


def _read_name(words: str) -> Read:
    if words in _VAGUE:
        return _VAGUE[words]
    if words in _FIXED:
        return _FIXED[words]
    if _MARK.fullmatch(words):
        return Named("CC-PDM", "1.0")
    if _ZERO.fullmatch(words):
        return Named("CC0", "1.0")
    sampling = _SAMPLING.fullmatch(words)
    if sampling:
        return Named("CC-NC-Sampling+" if sampling["nc"] else "CC-Sampling+", "1.0", sampling["port"])
    return _read_attribution(words)


def _read_attribution(words: str) -> Named | None:
    match = _LONG.fullmatch(words) or _SHORT.fullmatch(words)
    if not match:
        return None
    elements = _elements(match["elements"])
    if elements is None:
        return None
    port = match["port"]
    known = None if port is None else "" if port in _UNPORTED else _PORT_NAMES.get(port, port)
    return Named("-".join(["CC-BY", *elements]), match["version"], known)


def _elements(text: str) -> list[str] | None:
    """``NC``, ``SA``, ``ND`` in their canonical order, or None for a combination that does not exist."""
    letters = re.sub("[^a-z]", "", text.replace("works", "").replace("work", ""))
    found = re.findall("noncommercial|nc|sharealike|sa|noderivatives|noderivative|noderivs|noderiv|nd", letters)
    short = [{"nonc": "NC", "nc": "NC", "shar": "SA", "sa": "SA"}.get(word[:4], "ND") for word in found]
    if len(set(short)) != len(short) or {"SA", "ND"} <= set(short):
        return None
    return sorted(short, key=["NC", "SA", "ND"].index)


def agree(parts: Sequence[Read]) -> Read:
    """The most exact thing that all parts say, or None where one is not understood or two differ."""
    said: Read = None
    for part in parts:
        if part is None:
            return None
        said = part if said is None else _merge(said, part)
        if said is None:
            return None
    return said


def _merge(one: Named | Vague, two: Named | Vague) -> Read:
    if isinstance(one, Vague) and isinstance(two, Vague):
        return one if one is two else None
    if isinstance(one, Vague):
        return two if isinstance(two, Named) and one.admits(two) else None
    if isinstance(two, Vague):
        return one if two.admits(one) else None
    if one.family != two.family or _differ(one.version, two.version) or _differ(one.port, two.port):
        return None
    return Named(one.family, one.version if one.version is not None else two.version,
                 one.port if one.port is not None else two.port)  # fmt: skip


def _differ(one: str | None, two: str | None) -> bool:
    return one is not None and two is not None and one != two
