"""Fields that releases, masters and tracks of Discogs share: credits, genres, dates, identifiers."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from fonoteca.sources import values
from fonoteca.sources.records import Credit

_NUMBERED = re.compile(r" \(\d{1,5}\)$", re.ASCII)
_GLUED = frozenset(",;.、")
KINDS = frozenset({"Album", "Mini-Album", "EP", "Single", "Maxi-Single", "Compilation", "Mixtape", "Sampler"})
_BARCODE_DIRT = re.compile(r"[^0-9 -]")


def texts(element: Element, path: str, flags: set[str]) -> list[str]:
    """The texts of all elements at a path, without empty ones."""
    found = (values.text(e.text, flags) for e in element.iterfind(path))
    return [text for text in found if text]


def bare_name(name: str) -> str:
    """A name without the number that tells namesakes apart: "Genesis (2)"."""
    return _NUMBERED.sub("", name) or name


def year(written: str | None) -> str | None:
    """A date, where 0 and 0000 stand for one that is not known."""
    return None if written is None or not written.strip("0- ") else written


def credited(parent: Element | None, flags: set[str], *, extra: bool = False) -> tuple[Credit, ...]:
    """Artists in order, by the name that stands on the cover (anv), joined as Discogs joins them.

    Args:
        parent: ``<artists>`` or ``<extraartists>``.
        extra: their roles are what they did; otherwise they are the artists.
    """
    found = []
    for artist in parent.iterfind("artist") if parent is not None else ():
        written = values.text(artist.findtext("name"), flags)
        name = values.text(artist.findtext("anv"), flags) or (bare_name(written) if written else None)
        if name is None:
            continue
        key = (artist.findtext("id") or "").strip()
        role = values.text(artist.findtext("role"), flags) if extra else None
        found.append(Credit(name, str(int(key)) if is_id(key) else None, role or "artist",
                            "" if extra else join(values.text(artist.findtext("join"), flags))))  # fmt: skip
    if found and found[-1].joined_by and not extra:
        found[-1] = Credit(found[-1].name, found[-1].key, found[-1].role)
    return tuple(found)


def is_id(key: str) -> bool:
    """Artists that are not linked have the id 0, or none."""
    return key.isascii() and key.isdigit() and len(key) <= 18 and int(key) > 0


def join(written: str | None) -> str:
    """The text between two names."""
    if written is None:
        return ""
    return f"{written} " if written in _GLUED else f" {written} "


def genres(element: Element, flags: set[str]) -> tuple[str, ...]:
    """Genres, then styles."""
    found = texts(element, "genres/genre", flags) + texts(element, "styles/style", flags)
    return tuple(dict.fromkeys(found))


def kind(element: Element) -> str | None:
    """The first word for what it is (Album, EP, Single ...) among the descriptions of its formats."""
    found = (e.text for e in element.iterfind("formats/format/descriptions/description"))
    return next((text for text in found if text in KINDS), None)


def labels(element: Element, flags: set[str]) -> str | None:
    """Names of the labels, once each."""
    found = (values.text(e.get("name"), flags) for e in element.iterfind("labels/label"))
    return "; ".join(dict.fromkeys(bare_name(name) for name in found if name)) or None


def barcode(written: str, flags: set[str]) -> str | None:
    """A barcode as it is printed: blanks between the digits, ">" behind them."""
    return values.upc(_BARCODE_DIRT.sub("", written).strip() or written, flags)


def identifiers(element: Element, flags: set[str]) -> tuple[tuple[str, str], ...]:
    """Barcodes, catalogue numbers and the number of the master."""
    found: dict[tuple[str, str], None] = {}
    for e in element.iterfind("identifiers/identifier"):
        if e.get("type") == "Barcode":
            upc = barcode(e.get("value") or "", flags)
            found |= {("upc", upc): None} if upc else {}
    for e in element.iterfind("labels/label"):
        number = values.text(e.get("catno"), flags)
        found |= {("catalogue_number", number): None} if number and not values.is_nothing(number) else {}
    master = (element.findtext("master_id") or "").strip()
    if is_id(master):
        found["discogs_master", master] = None
    return tuple(found)
