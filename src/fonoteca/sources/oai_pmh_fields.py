"""A record of OAI-PMH with Dublin Core, as a recording."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from fonoteca.sources import values
from fonoteca.sources.records import ClaimText, Credit, RecordingRecord
from fonoteca.sources.xmlrecords import Fragment

OAI = "{http://www.openarchives.org/OAI/2.0/}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_SOUND = re.compile(r"sound|audio|music|recording|son\b|ton(?:träger|aufnahme)", re.IGNORECASE)
_ISRC = re.compile(r"(?:urn:)?isrc[: ]\s*(.+)", re.IGNORECASE)
_DOI = re.compile(r"(?:doi:|https?://(?:dx\.)?doi\.org/)(10\.\S+)", re.IGNORECASE)
_URL = re.compile(r"https?://\S+", re.IGNORECASE)
_RIGHTS = 4000
"""Characters of a statement of rights that are kept."""


def identifier(record: Element) -> str:
    """The record's identifier in its repository, or ''."""
    return values.key(record.findtext(f"{OAI}header/{OAI}identifier"))


def stamp(record: Element) -> str:
    """When it was changed last, as written: ISO 8601 in UTC, by which versions are ordered."""
    return values.key(record.findtext(f"{OAI}header/{OAI}datestamp"))


def is_deleted(record: Element) -> bool:
    """Whether the repository says that there is no such record any more."""
    header = record.find(f"{OAI}header")
    return header is not None and header.get("status") == "deleted"


def recording(found: Fragment, key: str) -> RecordingRecord:
    """The record. Its first title counts, or the first one in its own language."""
    flags = set(found.flags)
    languages = _texts(found, "language", flags)
    kinds = _texts(found, "type", flags)
    if kinds and not any(_SOUND.search(kind) for kind in kinds):
        flags.add("not-sound")
    dates = (values.year(date, flags) for date in _texts(found, "date", flags))
    return RecordingRecord(
        key, found.position, _title(found, languages, flags),
        year=next((year for year in dates if year), None),
        language=languages[0] if languages else None,
        credits=_credits(found, flags),
        identifiers=_identifiers(found, flags),
        genres=tuple(dict.fromkeys(_texts(found, "subject", flags))),
        claims=tuple(ClaimText(text[:_RIGHTS], _address(text), "dc:rights") for text in _texts(found, "rights", flags)),
        flags=tuple(sorted(flags)),
    )  # fmt: skip


def _texts(found: Fragment, name: str, flags: set[str]) -> list[str]:
    texts = (values.text("".join(e.itertext()), flags) for e in found.element.iter(_DC + name))
    return [text for text in texts if text]


def _title(found: Fragment, languages: list[str], flags: set[str]) -> str | None:
    titles = [(values.text("".join(e.itertext()), flags), e.get(_LANG)) for e in found.element.iter(f"{_DC}title")]
    own = [title for title, lang in titles if title and lang and languages and lang[:2] == languages[0][:2]]
    return next((title for title in (*own, *(title for title, _ in titles)) if title), None)


def _credits(found: Fragment, flags: set[str]) -> tuple[Credit, ...]:
    """Creators, then contributors, each once."""
    artists = list(dict.fromkeys(_texts(found, "creator", flags)))
    others = [name for name in dict.fromkeys(_texts(found, "contributor", flags)) if name not in artists]
    return (
        *(Credit(name, joined_by="; " if at < len(artists) else "") for at, name in enumerate(artists, 1)),
        *(Credit(name, role="contributor") for name in others),
    )


def _identifiers(found: Fragment, flags: set[str]) -> tuple[tuple[str, str], ...]:
    """Addresses, DOIs and ISRCs; local numbers say nothing elsewhere."""
    given: dict[tuple[str, str], None] = {}
    for text in _texts(found, "identifier", flags):
        if isrc := _ISRC.fullmatch(text):
            value = values.isrc(isrc[1], flags)
            given |= {("isrc", value): None} if value else {}
        elif doi := _DOI.fullmatch(text):
            given["doi", doi[1]] = None
        elif _URL.fullmatch(text):
            given["url", text] = None
    return tuple(given)


def _address(text: str) -> str:
    """The licence's address: a Creative Commons one anywhere in the text, or a text that is nothing but an address."""
    return values.licence_address(text) or (text if _URL.fullmatch(text) else "")
