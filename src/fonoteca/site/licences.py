"""A licence's id in plain words. What may be published was decided before: this only tells a reader."""

from __future__ import annotations

from dataclasses import dataclass

_WORDS = {
    "by": "name the author", "nc": "not for commercial use", "nd": "only unchanged",
    "sa": "pass on under the same terms",
}  # fmt: skip
_PUBLIC = {"cc0": "CC0", "pd": "Public domain", "pdm": "Public domain", "publicdomain": "Public domain"}


@dataclass(frozen=True)
class LicenceWords:
    """How a licence is shown. ``url`` is '' where the edition names no deed."""

    id: str
    name: str
    words: str
    url: str
    kind: str
    """``free``, ``nc`` (limits on use or change, as in the class of volumes) or ``other``: the badge's colour."""


def words(licence: str | None, url: str | None = None) -> LicenceWords | None:
    """Name and plain words of a licence id; None for none."""
    if not licence:
        return None
    parts = licence.lower().split("-")
    deed = url if url and url.startswith(("https://", "http://")) else ""
    if any(p in _PUBLIC for p in parts):
        name = "CC0" if "cc0" in parts else "Public domain"
        return LicenceWords(licence, name, "Free for any use, without asking.", deed, "free")
    if parts[0] == "cc" and len(parts) > 1 and parts[1] in {"by", "nc", "nd", "sa"}:
        return LicenceWords(
            licence, _cc_name(licence), _cc_words(parts), deed, "free" if {"nc", "nd"}.isdisjoint(parts) else "nc"
        )
    return LicenceWords(licence, licence, "Its terms are in its own text.", deed, "other")


def _cc_name(licence: str) -> str:
    """``CC BY-NC-ND 3.0 DE`` as it is usually written."""
    parts = licence.split("-")
    terms = [p for p in parts[1:] if p.lower() in _WORDS]
    rest = [p for p in parts[1:] if p.lower() not in _WORDS]
    return " ".join(["CC", "-".join(terms), *rest])


def _cc_words(parts: list[str]) -> str:
    free = "nc" not in parts and "nd" not in parts
    opening = "Free to share and to change, also commercially" if free else "Free to share"
    said = [_WORDS[p] for p in parts if p in _WORDS]
    return f"{opening}: {', '.join(said)}."
