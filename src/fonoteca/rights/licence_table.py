"""The licences that are known, and what each permits. docs/reference/licences.md is generated from this table.

Ids follow SPDX where SPDX has one; a national port of a Creative Commons licence is named the same way
(``CC-BY-NC-SA-3.0-DE``), and a licence whose version nobody stated has none (``CC-BY-SA``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True, order=True)
class Permits:
    """What a licence lets the archive do with the bytes of a recording."""

    hold: bool = False
    stream: bool = False
    redistribute: bool = False
    derive: bool = False
    commercial: bool = False

    def as_json(self) -> dict[str, bool]:
        """The five answers by name."""
        return asdict(self)

    def both(self, other: Permits) -> Permits:
        """What both permit."""
        mine, others = self.as_json(), other.as_json()
        return Permits(**{name: mine[name] and others[name] for name in mine})


NOTHING = Permits()
_FREE = Permits(True, True, True, True, True)
_NC = Permits(True, True, True, True, False)
_ND = Permits(True, True, True, False, True)
_NC_ND = Permits(True, True, True, False, False)
_HOLD = Permits(hold=True)


@dataclass(frozen=True)
class Family:
    """A licence in all its versions.

    Attributes:
        name: the id without version and port.
        title: how a credit line calls it.
        permits, attribution, share_alike: its terms.
        versions: the versions that exist; empty: it has none.
        address: its address, with ``{version}`` where it has versions; '' where there is no stable one.
        ported: versions that were also published for single jurisdictions.
        only_ported: versions that were published for these jurisdictions alone.
        must_have_version: False where the name without a version is in common use (``CC BY``).
    """

    name: str
    title: str
    permits: Permits
    attribution: bool
    share_alike: bool
    versions: tuple[str, ...]
    address: str
    ported: tuple[str, ...] = ()
    only_ported: tuple[tuple[str, tuple[str, ...]], ...] = ()
    must_have_version: bool = True


_CC = "https://creativecommons.org"
_PORTED = ("1.0", "2.0", "2.5", "3.0")
_PORTS_OF_2_1 = (("2.1", ("au", "ca", "es", "jp")),)


def _cc(code: str, title: str, permits: Permits, *, share_alike: bool = False) -> Family:
    return Family(f"CC-{code.upper()}", f"Creative Commons {title}", permits, True, share_alike,
                  ("1.0", "2.0", "2.5", "3.0", "4.0"), f"{_CC}/licenses/{code}/{{version}}/",
                  _PORTED, _PORTS_OF_2_1, must_have_version=False)  # fmt: skip


def _sampling(code: str, title: str) -> Family:
    # Both let anybody share the whole work without commercial purpose; only parts of it may be remade.
    return Family(f"CC-{code}", f"Creative Commons {title}", _NC_ND, True, False, ("1.0",),
                  f"{_CC}/licenses/{code.lower()}/{{version}}/", ("1.0",))  # fmt: skip


_ALL: tuple[Family, ...] = (
    _cc("by", "Attribution", _FREE),
    _cc("by-sa", "Attribution-ShareAlike", _FREE, share_alike=True),
    _cc("by-nd", "Attribution-NoDerivatives", _ND),
    _cc("by-nc", "Attribution-NonCommercial", _NC),
    _cc("by-nc-sa", "Attribution-NonCommercial-ShareAlike", _NC, share_alike=True),
    _cc("by-nc-nd", "Attribution-NonCommercial-NoDerivatives", _NC_ND),
    _sampling("Sampling+", "Sampling Plus"),
    _sampling("NC-Sampling+", "NonCommercial Sampling Plus"),
    Family("CC0", "Creative Commons Zero", _FREE, False, False, ("1.0",), f"{_CC}/publicdomain/zero/{{version}}/"),
    Family("CC-PDM", "Public Domain Mark", _FREE, False, False, ("1.0",), f"{_CC}/publicdomain/mark/{{version}}/"),
    Family("CC-PDDC", "Creative Commons Public Domain Dedication and Certification", _FREE, False, False, (),
           f"{_CC}/licenses/publicdomain/"),
    Family("LAL", "Licence Art Libre (Free Art License)", _FREE, True, True, ("1.2", "1.3"),
           "https://artlibre.org/licence/lal/"),
    Family("MIT", "MIT License", _FREE, True, False, (), "https://opensource.org/license/mit"),
    Family("Apache", "Apache License", _FREE, True, False, ("2.0",),
           "https://www.apache.org/licenses/LICENSE-{version}"),
    Family("OFL", "SIL Open Font License", _FREE, True, True, ("1.1",), "https://openfontlicense.org/"),
    Family("FMA-Limited", "FMA-Limited: Download Only", _HOLD, True, False, (),
           "https://freemusicarchive.org/FMA_License"),
)  # fmt: skip
FAMILIES: Mapping[str, Family] = {family.name: family for family in _ALL}

JURISDICTIONS: Mapping[str, tuple[str, ...]] = {
    "am": ("Armenia",), "ar": ("Argentina",), "at": ("Austria",), "au": ("Australia",), "az": ("Azerbaijan",),
    "be": ("Belgium",), "bg": ("Bulgaria",), "br": ("Brazil",), "ca": ("Canada",), "ch": ("Switzerland",),
    "cl": ("Chile",), "cn": ("China Mainland", "Mainland China", "China"), "co": ("Colombia",),
    "cr": ("Costa Rica",), "cz": ("Czech Republic", "Czechia"), "de": ("Germany",), "dk": ("Denmark",),
    "ec": ("Ecuador",), "ee": ("Estonia",), "eg": ("Egypt",), "es": ("Spain",), "fi": ("Finland",),
    "fr": ("France",), "ge": ("Georgia",), "gr": ("Greece",), "gt": ("Guatemala",), "hk": ("Hong Kong",),
    "hr": ("Croatia",), "hu": ("Hungary",), "ie": ("Ireland",), "igo": ("IGO",), "il": ("Israel",),
    "in": ("India",), "it": ("Italy",), "jp": ("Japan",), "kr": ("South Korea", "Korea"), "lu": ("Luxembourg",),
    "mk": ("Macedonia",), "mt": ("Malta",), "mx": ("Mexico",), "my": ("Malaysia",), "nl": ("Netherlands",),
    "no": ("Norway",), "nz": ("New Zealand",), "pe": ("Peru",), "ph": ("Philippines",), "pl": ("Poland",),
    "pr": ("Puerto Rico",), "pt": ("Portugal",), "ro": ("Romania",), "rs": ("Serbia",),
    "scotland": ("UK: Scotland",), "se": ("Sweden",), "sg": ("Singapore",), "si": ("Slovenia",),
    "th": ("Thailand",), "tw": ("Taiwan",), "ug": ("Uganda",),
    "uk": ("UK: England & Wales", "UK: England", "England & Wales", "England and Wales"),
    "us": ("United States",), "ve": ("Venezuela",), "vn": ("Vietnam",), "za": ("South Africa",),
}  # fmt: skip
"""Jurisdictions that Creative Commons licences were ported to: code in the address, names as written in titles."""

UNPORTED_WORDS = ("International", "Unported", "Generic", "Universal")
"""What a title says where the licence is not ported."""


@dataclass(frozen=True, order=True)
class Licence:
    """One licence in one version.

    Attributes:
        id: ``CC-BY-NC-SA-3.0-DE``.
        family: ``CC-BY-NC-SA``.
        version: ``3.0``, or '' where none was stated or there are none.
        port: ``de``, or ''.
        name: as a credit line calls it.
        url: its canonical address, or '' where no version was stated.
    """

    id: str
    family: str
    version: str
    port: str
    name: str
    url: str
    permits: Permits
    attribution: bool
    share_alike: bool

    @property
    def permit_class(self) -> str:
        """``free`` (no NC, no ND) or ``nc``: the class of the volume that such a recording may travel in."""
        return "free" if self.permits.derive and self.permits.commercial else "nc"

    def as_json(self) -> dict[str, object]:
        """The fields by name."""
        return asdict(self) | {"permit_class": self.permit_class}


def licence(family: str, version: str = "", port: str = "") -> Licence | None:
    """The licence of that name, or None where no such version or port was ever published."""
    found = FAMILIES.get(family)
    if found is None or not _exists(found, version, port):
        return None
    name = " ".join(part for part in (found.title, version, _suffix(family, version, port)) if part)
    known_id = "-".join(part for part in (family, version, port.upper()) if part)
    return Licence(known_id, family, version, port, name, _address(found, version, port), found.permits,
                   found.attribution, found.share_alike)  # fmt: skip


def _exists(family: Family, version: str, port: str) -> bool:
    if not version:
        return not port and (not family.versions or not family.must_have_version)
    if port and port not in JURISDICTIONS:
        return False
    only = dict(family.only_ported)
    if version in only:
        return port in only[version]
    return version in family.versions and (not port or version in family.ported)


def _address(family: Family, version: str, port: str) -> str:
    if family.versions and not version:
        return ""
    # Version 1.0 had the two words in the other order, and has kept that address.
    template = family.address.replace("by-nc-nd", "by-nd-nc") if version == "1.0" else family.address
    return template.replace("{version}", version) + (f"{port}/" if port else "")


def _suffix(family: str, version: str, port: str) -> str:
    if port:
        return JURISDICTIONS[port][0]
    if not family.startswith("CC-BY") or not version:
        return ""
    return {"4.0": "International", "3.0": "Unported"}.get(version, "Generic")


def all_licences() -> list[Licence]:
    """Every licence that is known, versions and ports included, by id."""
    found = []
    for family in FAMILIES.values():
        versions = ("", *family.versions, *(v for v, _ in family.only_ported))
        for version in versions:
            for port in ("", *JURISDICTIONS):
                known = licence(family.name, version, port)
                if known:
                    found.append(known)
    return sorted(found)
