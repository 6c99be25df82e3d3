"""What a licence text and address mean: one licence and what it permits, or unknown. In doubt, unknown."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from fonoteca.rights.licence_table import NOTHING, Licence, Permits, all_licences
from fonoteca.rights.licence_table import licence as _licence
from fonoteca.rights.licence_text import Vague, agree, read_text
from fonoteca.rights.licence_url import Named, named_by_url

__all__ = ["NOTHING", "Licence", "Permits", "Reading", "all_licences", "read", "resolve"]


@dataclass(frozen=True)
class Reading:
    """A licence, or in one sentence why there is none."""

    licence: Licence | None
    reason: str = ""


def resolve(text: str, url: str = "") -> Licence | None:
    """The licence that a claim names.

    Args:
        text: licence id, name or sentence, as written; may be empty.
        url: licence address, as written; may be empty.

    Returns:
        The licence, or None: nothing was said, it was not understood, or text and address contradict each other.
    """
    return read(text, url).licence


@functools.lru_cache(maxsize=4096)
def read(text: str, url: str = "") -> Reading:
    """As :func:`resolve`, with the reason where nothing was found."""
    if not text.strip() and not url.strip():
        return Reading(None, "neither a licence nor an address is given")
    said = []
    if text.strip():
        said.append(read_text(text))
        if said[-1] is None:
            return Reading(None, "the text names no licence that is known")
    if url.strip():
        said.append(named_by_url(url))
        if said[-1] is None:
            return Reading(None, "the address is no known licence's")
    agreed = agree(said)
    if agreed is None:
        return Reading(None, "text and address name different licences")
    if isinstance(agreed, Vague):
        return Reading(None, f"'{agreed.value}' alone names no licence")
    return _known(agreed)


def _known(named: Named) -> Reading:
    found = _licence(named.family, named.version or "", named.port or "")
    return Reading(found, "" if found else "no such version or national port of the licence was published")
