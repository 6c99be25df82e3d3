"""What an address says of identity: a page of another source's about the very thing is that source's key.

Sources give addresses that they know; where one leads to a source of ours, the pair of that source's name and its key
joins both. The rules are regular expressions that Python and the engine read alike, so the record way and the bulk way
give the same pairs: no flags, no classes of Unicode, and letters of both cases written out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from urllib.parse import unquote

from fonoteca.core.ids import Kind
from fonoteca.sources.seen import joined_key

LONGEST = 2048
"""Characters of the longest address that is looked at."""
_LEAD = 40
"""The host of an address ends within so many characters, where it is one of ours."""
_LANGUAGE = r"(?:[a-z]{2}(?:[-_][a-zA-Z]{2})?/)?"
_NUMBER = r"0{0,9}([1-9][0-9]{0,17})"
_UUID = r"([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"
_TAIL = r"(?:[?#][^\x00-\x20\x7f-\x9f]*)?"
_SLUG = r"(?:[-/][^\x00-\x20\x7f-\x9f?#]*)?"
_ITEM = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
_ESCAPED = (
    r"%(?:[2-6][0-9A-Fa-f]|7[0-9A-Ea-e]|(?:[Cc]2%[ABab]|[Cc][3-9A-Fa-f]%[89ABab]|[Dd][0-9A-Fa-f]%[89ABab]"
    r"|[Ee]0%[ABab][0-9A-Fa-f]%[89ABab]|[Ee][1-9A-Ca-cEeFf]%[89ABab][0-9A-Fa-f]%[89ABab]|[Ee][Dd]%[89][0-9A-Fa-f]%[89ABab]"
    r"|[Ff]0%[9ABab][0-9A-Fa-f]%[89ABab][0-9A-Fa-f]%[89ABab]"
    r"|[Ff][1-3]%[89ABab][0-9A-Fa-f]%[89ABab][0-9A-Fa-f]%[89ABab]"
    r"|[Ff]4%8[0-9A-Fa-f]%[89ABab][0-9A-Fa-f]%[89ABab])[0-9A-Fa-f])"
)
"""One character that is no control character, as its bytes of UTF-8 (RFC 3986 section 2.1, RFC 3629 section 4)."""
_PART = rf"(?:[^\x00-\x20\x7f-\x9f%/?#]|{_ESCAPED})+"


@dataclass(frozen=True)
class _Rule:
    """Addresses of one host that name one kind of thing; the path's one or two groups make the value."""

    host: str
    scheme: str
    path: str
    way: str = "as it is"
    """``small``: in small letters; ``file``: two groups, an item and an escaped path in it."""

    @property
    def pattern(self) -> str:
        """The whole address."""
        return rf"^{_any_case('http')}[sS]?://(?:{_any_case('www.')}|{_any_case('m.')})?{_any_case(self.host)}/{self.path}{_TAIL}$"


def _any_case(word: str) -> str:
    return "".join(f"[{c}{c.upper()}]" if c.isalpha() else f"[{c}]" for c in word)


def _discogs(scheme: str, word: str) -> _Rule:
    title = "" if word == "artist" else r"(?:[^\x00-\x20\x7f-\x9f/?#]+/)?"
    return _Rule("discogs.com", scheme, rf"{_LANGUAGE}{title}{word}/{_NUMBER}{_SLUG}")


def _jamendo(start: str) -> _Rule:
    return _Rule("jamendo.com", "jamendo", rf"{_LANGUAGE}{start}{_NUMBER}(?:/[^\x00-\x20\x7f-\x9f?#]*)?")


def _musicbrainz(word: str) -> _Rule:
    return _Rule("musicbrainz.org", "mbid", rf"{word}/{_UUID}/*", "small")


def _archive(path: str, way: str = "as it is") -> _Rule:
    return _Rule("archive.org", "internet_archive", path, way)


_ARCHIVE_ITEM = _archive(rf"(?:details|download)/({_ITEM})/*")
_ARCHIVE_FILE = _archive(rf"download/({_ITEM})/({_PART}(?:/{_PART})*)/*", "file")
_RULES = {
    Kind.RECORDING: (
        _musicbrainz("recording"),
        _Rule("acoustid.org", "acoustid", rf"track/{_UUID}/*", "small"),
        _ARCHIVE_ITEM, _ARCHIVE_FILE,
        _jamendo("track/"),
    ),
    Kind.RELEASE: (
        _discogs("discogs", "release"), _discogs("discogs_master", "master"),
        _musicbrainz("release"), _ARCHIVE_ITEM, _jamendo("(?:album/|list/a)"),
    ),
    Kind.ARTIST: (_discogs("discogs", "artist"), _musicbrainz("artist"), _jamendo("artist/")),
}  # fmt: skip
"""Keys as the sources of these names make them. An item of the Internet Archive is a release, and the recording that a
search result without files tells. Discogs has no pages of tracks; addresses at the Free Music Archive have no numbers.
"""


def identifier(kind: Kind, url: str) -> tuple[str, str] | None:
    """Scheme and value that an address names a thing of this kind by; None where it is none of ours.

    Args:
        kind: what the address is told of.
        url: as the source gives it; blanks around it are not taken off.
    """
    if len(url) > LONGEST:
        return None
    lead = url[:_LEAD].lower()
    for rule, pattern in _compiled(kind):
        if f"{rule.host}/" in lead:
            found = pattern.fullmatch(url)
            if found:
                return rule.scheme, _value(rule, found)
    return None


@cache
def _compiled(kind: Kind) -> tuple[tuple[_Rule, re.Pattern[str]], ...]:
    return tuple((rule, re.compile(rule.pattern)) for rule in _RULES[kind])


def _value(rule: _Rule, found: re.Match[str]) -> str:
    if rule.way == "file":
        return joined_key([found[1], unquote(found[2])])
    return found[1].lower() if rule.way == "small" else found[1]


def identifier_sql(kind: str, url: str) -> str:
    """The same in SQL.

    Args:
        kind: ``recording``, ``release`` or ``artist``.
        url: an expression of the engine's type VARCHAR, written several times: a column, best.

    Returns:
        An expression of the type STRUCT(scheme VARCHAR, value VARCHAR); NULL for none.
    """
    lead = f"lower(({url})[1:{_LEAD}])"
    hosts: dict[str, list[_Rule]] = {}
    for rule in _RULES[Kind[kind.upper()]]:
        hosts.setdefault(rule.host, []).append(rule)
    told = " ".join(
        f"WHEN contains({lead}, '{host}/') THEN CASE {' '.join(_whens(rules, url))} END"
        for host, rules in hosts.items()
    )
    return f"CASE WHEN length({url}) > {LONGEST} THEN NULL {told} END"


def _whens(rules: list[_Rule], url: str) -> Iterator[str]:
    for rule in rules:
        value = f"regexp_extract({url}, '{rule.pattern}', 1)"
        if rule.way == "small":
            value = f"lower({value})"
        elif rule.way == "file":
            name = f"url_decode(regexp_extract({url}, '{rule.pattern}', 2))"
            value = f"{value} || '/' || replace(replace({name}, '%', '%25'), '/', '%2F')"
        yield (f"WHEN regexp_matches({url}, '{rule.pattern}') "
               f"THEN {{'scheme': '{rule.scheme}', 'value': {value}}}")  # fmt: skip
