"""Credits: title, author, source and licence of every published recording, for people and as rows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fonoteca.rights.licence import Licence
from fonoteca.rights.policy import Verdict

_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#!|~&:@$\"])")
_BARE_ADDRESS = re.compile(r"(www)\.", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&'()*+,;=%\[\]-]+")
_OPENING = (
    "Each recording is published unchanged under the licence that stands beside it. "
    "Where two stand, sources name both, and both are honoured."
)


@dataclass(frozen=True)
class Work:
    """What a credit line says of a recording. ``source`` is an address, or the name of a catalogue or file."""

    recording: int
    title: str = ""
    artist: str = ""
    release: str = ""
    source: str = ""


def credit_line(work: Work, licences: Iterable[Licence]) -> str:
    """One plain sentence: “Title” by Artist, from Source, is licensed under Licence (address).

    The words are those that Creative Commons calls for: title, author, source, licence. A missing part is named
    as unknown rather than left out, so that nobody mistakes it for an oversight.
    """
    named = [_licence_words(lic) for lic in licences]
    who = _clean(work.artist) or "unknown artist"
    title = _clean(work.title) or "untitled"
    release = f" (on “{_clean(work.release)}”)" if _clean(work.release) else ""
    source = f", from {_clean(work.source)}" if _clean(work.source) else ""
    return f"“{title}” by {who}{release}{source}: {' and '.join(named)}; published unchanged"


def _licence_words(lic: Licence) -> str:
    address = f" ({lic.url})" if lic.url else " (version not stated)"
    return f"{lic.name}{address}"


def rows(works: Iterable[tuple[Work, Verdict]]) -> list[dict[str, Any]]:
    """The rows of credits.parquet (formats.tables.CREDIT_LINES), sorted: one for each recording and licence.

    Works whose verdict withholds are left out.
    """
    found: dict[tuple[int, str], dict[str, Any]] = {}
    for work, verdict in works:
        for lic in verdict.licences if verdict.cleared else ():
            found[work.recording, lic.id] = {
                "recording_id": work.recording, "title": _clean(work.title) or None,
                "artist": _clean(work.artist) or None, "licence": lic.id, "licence_url": lic.url or None,
                "source": _clean(work.source) or None, "credit": credit_line(work, verdict.licences),
            }  # fmt: skip
    return [found[key] for key in sorted(found)]


def credits_markdown(works: Iterable[tuple[Work, Verdict]], archive: str = "fonoteca") -> str:
    """CREDITS.md: every cleared work once, by artist and title, with links to source and licences."""
    cleared = {work: verdict for work, verdict in works if verdict.cleared}
    order = sorted(cleared, key=lambda w: (_clean(w.artist).casefold(), _clean(w.title).casefold(), w.recording))
    lines = [f"# Credits of {escape(archive)}", "", _OPENING, ""]
    lines += [_markdown_line(work, cleared[work].licences) for work in order]
    return "\n".join(lines) + "\n"


def _markdown_line(work: Work, licences: Iterable[Licence]) -> str:
    who = escape(work.artist) or "unknown artist"
    title = escape(work.title) or "untitled"
    release = f", on “{escape(work.release)}”" if escape(work.release) else ""
    source = f", from {_link(work.source)}" if _clean(work.source) else ""
    named = " and ".join(f"[{escape(lic.name)}]({lic.url})" if lic.url else
                         f"{escape(lic.name)} \\(version not stated\\)" for lic in licences)  # fmt: skip
    return f"- “{title}” by {who}{release}{source}: {named}"


def _link(source: str) -> str:
    text = _clean(source)
    # An address with brackets or blanks would end the link early; it is then shown as text.
    if _ADDRESS.fullmatch(text) and not set("()<>[]") & set(text):
        return f"[{escape(text)}]({text})"
    return escape(text)


def _clean(text: str) -> str:
    """One line without control and direction characters: a title must not reorder the line that credits it."""
    kept = (" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c) not in {"Cc", "Cf", "Cs"})
    return " ".join("".join(kept).split())


def escape(text: str) -> str:
    """Text inside a line of Markdown that shows as written: no markup, no link, no HTML.

    What means something at the start of a line only (``-``, ``1.``) stays as it is: no line here starts with a title.
    """
    return _BARE_ADDRESS.sub(r"\1\\.", _MARKUP.sub(r"\\\1", _clean(text)))
