from __future__ import annotations

import pytest

from fonoteca.rights.licence import Permits, all_licences
from fonoteca.rights.licence_table import FAMILIES, NOTHING, licence

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("family", "version", "port", "name", "url"),
    [
        ("CC-BY-NC-ND", "1.0", "fi", "Creative Commons Attribution-NonCommercial-NoDerivatives 1.0 Finland",
         "https://creativecommons.org/licenses/by-nd-nc/1.0/fi/"),
        ("CC-BY", "3.0", "", "Creative Commons Attribution 3.0 Unported",
         "https://creativecommons.org/licenses/by/3.0/"),
        ("CC-BY-SA", "", "", "Creative Commons Attribution-ShareAlike", ""),
        ("CC0", "1.0", "", "Creative Commons Zero 1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
        ("CC-PDDC", "", "", "Creative Commons Public Domain Dedication and Certification",
         "https://creativecommons.org/licenses/publicdomain/"),
    ],
)  # fmt: skip
def test_names_and_addresses(family: str, version: str, port: str, name: str, url: str) -> None:
    found = licence(family, version, port)
    assert found is not None
    assert (found.name, found.url) == (name, url)


def test_the_free_families() -> None:
    free = {lic.family for lic in all_licences() if lic.permit_class == "free"}
    assert free == {"CC-BY", "CC-BY-SA", "CC0", "CC-PDM", "CC-PDDC", "LAL", "MIT", "Apache", "OFL"}
    assert {lic.family for lic in all_licences()} == set(FAMILIES)


def test_only_the_download_only_licence_forbids_redistribution() -> None:
    assert {lic.id for lic in all_licences() if not lic.permits.redistribute} == {"FMA-Limited"}


def test_ids_are_unique() -> None:
    ids = [lic.id for lic in all_licences()]
    assert len(set(ids)) == len(ids)


def test_unknown_families_versions_and_ports() -> None:
    assert licence("CC-BY-XX") is None
    assert licence("CC0") is None
    assert licence("CC0", "1.0", "de") is None
    assert licence("MIT", "1.0") is None
    assert licence("CC-BY", "", "de") is None


def test_both_permit_only_what_each_permits() -> None:
    free, nothing = Permits(True, True, True, True, True), Permits()
    assert free.both(nothing) == nothing == NOTHING
    assert free.both(Permits(hold=True)) == Permits(hold=True)
