"""The query language: any text in, a list of terms out; there is no wrong query (docs/reference/search-language.md).

Words must all occur; ``"a phrase"`` in that order; ``field:value`` and ``field:"a phrase"`` in that field only;
``-`` in front of any of them forbids it. What looks like an operator and is none is searched as text.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, replace

from fonoteca.search import text

MAX_LENGTH = 1000
"""Characters of a query that are read."""
MAX_TERMS = 24
"""Terms of a query that are read."""
MAX_PHRASE = 40
"""Tokens of one phrase that are read."""


class Field(enum.Enum):
    """What a term looks at; the value is the field's name in the index (or, for ANY, none)."""

    ANY = "any"
    TITLE = "title"
    ARTIST = "artist"
    RELEASE = "release"
    ISRC = "isrc"
    UPC = "upc"
    MBID = "mbid"
    YEAR = "year"
    LICENCE = "licence"
    PLAYABLE = "playable"


NAMES = {
    "track": Field.TITLE, "title": Field.TITLE, "artist": Field.ARTIST, "album": Field.RELEASE,
    "release": Field.RELEASE, "isrc": Field.ISRC, "upc": Field.UPC, "barcode": Field.UPC, "mbid": Field.MBID,
    "year": Field.YEAR, "licence": Field.LICENCE, "license": Field.LICENCE, "playable": Field.PLAYABLE,
}  # fmt: skip
"""The words before the colon."""


@dataclass(frozen=True)
class Term:
    """One thing that a recording must (or, negated, must not) have.

    Attributes:
        field: where.
        tokens: for ANY, TITLE, ARTIST, RELEASE: one word, or the words of a phrase in order.
        value: for identifiers and LICENCE: the key, in the index's spelling.
        years: for YEAR: first and last, both included.
        yes: for PLAYABLE.
        negated: must not occur.
        quoted: to be found as written, without forgiving typos.
        open_end: the word may go on (it is the last one and may not have been typed out).
    """

    field: Field
    tokens: tuple[str, ...] = ()
    value: str = ""
    years: tuple[int, int] = (0, 0)
    yes: bool = True
    negated: bool = False
    quoted: bool = False
    open_end: bool = False


@dataclass(frozen=True)
class Query:
    """A parsed query: terms that are joined by AND. ``whole`` is the title that it may be, as a key."""

    terms: tuple[Term, ...] = ()
    whole: str = ""

    @property
    def empty(self) -> bool:
        """Nothing was asked."""
        return not self.terms and not self.whole

    @property
    def words(self) -> list[Term]:
        """The terms that have relevance: wanted words and phrases."""
        return [t for t in self.terms if t.tokens and not t.negated]


_PART = re.compile(
    r"""(?P<minus>-?)(?:(?P<field>[A-Za-z]{2,10}):)?(?:"(?P<phrase>[^"]*)(?:"|$)|(?P<word>[^\s"]+))|\S"""
)
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»＂", '"') | {"：": ":", "－": "-"})
_YEARS = re.compile(r"(\d{1,4})?\.\.(\d{1,4})?|(\d{1,4})")
_YES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def licence_key(written: str) -> str:
    """A licence id as it is compared: ``CC-BY-4.0``, ``cc by 4.0`` and ``by-4.0`` are one key."""
    key = "-".join(re.findall(r"[a-z0-9.+]+", text.fold(written)))
    return key.removeprefix("cc-")[: text.MAX_WHOLE]


def identifier_key(field: Field, written: str) -> str:
    """An ISRC, barcode or MBID without the punctuation and zeros that people add or leave out."""
    key = "".join(re.findall(r"[a-z0-9]+", text.fold(written)))[: text.MAX_WHOLE]
    return key.lstrip("0") if field is Field.UPC else key


def years(written: str) -> tuple[int, int] | None:
    """``1990``, ``1990..1999``, ``..1999`` or ``1990..`` as first and last year; None for anything else."""
    match = _YEARS.fullmatch(text.fold(written))
    if not match or written.strip() == "..":
        return None
    if match[3]:
        return int(match[3]), int(match[3])
    return int(match[1] or 0), int(match[2] or 9999)


def _special(field: Field, value: str, negated: bool) -> Term | None:
    """A term of a field that holds no words; None where the value does not fit the field."""
    if field is Field.YEAR:
        span = years(value)
        return Term(field, years=span, negated=negated) if span else None
    if field is Field.PLAYABLE:
        yes = _YES.get(text.fold(value))
        return None if yes is None else Term(field, yes=yes, negated=negated)
    key = licence_key(value) if field is Field.LICENCE else identifier_key(field, value)
    return Term(field, value=key, negated=negated) if key else None


_WORDS = {Field.ANY, Field.TITLE, Field.ARTIST, Field.RELEASE}


def _term(match: re.Match[str]) -> tuple[Term | None, str]:
    """The term that one part of the query stands for, and the text that it adds to a possible title."""
    name, phrase, negated = match["field"], match["phrase"], bool(match["minus"])
    value = (phrase if phrase is not None else match["word"]) or ""
    field = NAMES.get((name or "").lower(), Field.ANY)
    if field not in _WORDS:
        special = _special(field, value, negated)
        if special:
            return special, ""
    if name and field not in _WORDS - {Field.ANY}:
        value, field = f"{name}:{value}", Field.ANY
    found = tuple(text.tokens(value)[:MAX_PHRASE])
    if not found:
        return None, match[0]
    plain = field is Field.ANY and not negated
    return Term(field, tokens=found, negated=negated, quoted=phrase is not None), value if plain else ""


def parse(written: str) -> Query:
    """The query. Never raises: anything is read as some query, long ones up to the limits above."""
    terms: list[Term] = []
    title: list[str] = []
    plain = True
    for match in _PART.finditer(written[:MAX_LENGTH].translate(_QUOTES)):
        term, part = _term(match)
        title.append(part)
        if term is not None and len(terms) < MAX_TERMS:
            terms.append(term)
            plain = plain and bool(part)
    if terms and not terms[-1].quoted and not terms[-1].negated:
        terms[-1] = replace(terms[-1], open_end=True)
    return Query(tuple(terms), text.whole(" ".join(title)) if plain else "")
