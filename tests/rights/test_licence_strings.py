"""Every licence string that was seen in the wild, and what it must mean. The table was written by hand."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from fonoteca.rights.licence import Permits, read, resolve

pytestmark = pytest.mark.core

CC = "http://creativecommons.org/"
FMA = "http://freemusicarchive.org/"
BY_SA_TAG = "Attribution-ShareAlike: http://creativecommons.org/licenses/by-sa/3.0/"
PD_TAG = "Public Domain: http://creativecommons.org/licenses/publicdomain/"
HAUNTED = "The_Haunted_Mansion/DS10Forumcom_-_DS10Forumcom_-_The_Haunted_Mansion_-_"


def _fma_tag(path: str, curator: str, copyright_line: str, end: str = "\r\n") -> str:
    """The comment that the Free Music Archive wrote into its files."""
    lines = [f"URL: {FMA}music/{path}", f"Comments: {FMA}", f"Curator: {curator}", f"Copyright: {copyright_line}"]
    return end.join(lines)


EXPECTED: tuple[tuple[str, str, str, str, str | None, str], ...] = (
    ("beatgame", "vorbis Copyright message",
     BY_SA_TAG,
     "", "CC-BY-SA-3.0", "HSRDC"),
    ("beatgame", "vorbis COMMENTS",
     "Creative Commons Attribution-ShareAlike 3.0 License (CC BY-SA 3.0)",
     "", "CC-BY-SA-3.0", "HSRDC"),
    ("beatgame", "vorbis COMMENTS",
     "Creative Commons Attribution-ShareAlike 3.0 License (CC BY-SA 3.0)",
     "", "CC-BY-SA-3.0", "HSRDC"),
    ("beatgame", "vorbis Copyright message",
     PD_TAG,
     "", "CC-PDDC", "HSRDC"),
    ("beatgame", "vorbis Copyright message",
     PD_TAG,
     "", "CC-PDDC", "HSRDC"),
    ("beatgame", "vorbis Copyright message",
     PD_TAG,
     "", "CC-PDDC", "HSRDC"),
    ("beatgame", "vorbis Copyright message",
     PD_TAG,
     "", "CC-PDDC", "HSRDC"),
    ("beatgame", "vorbis COMMENTS",
     _fma_tag("John_Harrison_with_the_Wichita_State_University_Chamber_Players/The_Four_Seasons_Vivaldi/"
              "01_-_Vivaldi_Spring_mvt_1_Allegro_-_John_Harrison_violin",
              "Oddio Overplay", BY_SA_TAG),
     "", "CC-BY-SA-3.0", "HSRDC"),
    ("beatgame", "vorbis COMMENTS",
     _fma_tag("Syscrusher/" + HAUNTED + "06_The_Ballroom",
              "", PD_TAG),
     "", "CC-PDDC", "HSRDC"),
    ("beatgame", "vorbis COMMENTS",
     _fma_tag("Uncle_Bibby/" + HAUNTED + "21_The_Courtyard",
              "", PD_TAG, "\n"),
     "", "CC-PDDC", "HSRDC"),
    ("beatgame", "vorbis COMMENTS",
     _fma_tag("itchidan/" + HAUNTED + "05_The_Laundry_Room",
              "", PD_TAG, "\n"),
     "", "CC-PDDC", "HSRDC"),
    ("beatgame", "vorbis COMMENTS",
     _fma_tag("kloudygirl/" + HAUNTED + "15_The_Exercise_Room",
              "", PD_TAG),
     "", "CC-PDDC", "HSRDC"),
    ("fma-excerpt", "license_title",
     "Attribution-NonCommercial-ShareAlike 3.0 International",
     CC + "licenses/by-nc-sa/3.0/", "CC-BY-NC-SA-3.0", "HSRD-"),
    ("fma-excerpt", "license_title",
     "Attribution-Noncommercial-Share Alike 3.0 United States",
     CC + "licenses/by-nc-sa/3.0/us/", "CC-BY-NC-SA-3.0-US", "HSRD-"),
    ("fma-excerpt", "license_title",
     "Attribution-NonCommercial-NoDerivatives (aka Music Sharing) 3.0 International",
     CC + "licenses/by-nc-nd/3.0/", "CC-BY-NC-ND-3.0", "HSR--"),
    ("fma-excerpt", "license_title",
     "Attribution-Noncommercial-No Derivative Works 2.0 UK: England ",
     CC + "licenses/by-nc-nd/2.0/uk/", "CC-BY-NC-ND-2.0-UK", "HSR--"),
    ("fma-excerpt", "license_title",
     "Attribution-Noncommercial-No Derivative Works 3.0 United States",
     CC + "licenses/by-nc-nd/3.0/us/", "CC-BY-NC-ND-3.0-US", "HSR--"),
    ("fma-excerpt", "license_title", "", "", None, "-----"),
    ("fma-excerpt", "license_title",
     "FMA-Limited: Download Only",
     FMA + "FMA_License", "FMA-Limited", "H----"),
    ("fma-excerpt", "license_title", "Attribution", CC + "licenses/by/4.0/", "CC-BY-4.0", "HSRDC"),
    ("fma-full (published top ten of 114)", "license_title",
     "Attribution-Noncommercial-Share Alike 3.0 United States",
     "", "CC-BY-NC-SA-3.0-US", "HSRD-"),
    ("fma-full (published top ten of 114)", "license_title",
     "Attribution-NonCommercial-NoDerivatives (aka Music Sharing) 3.0 International",
     "", "CC-BY-NC-ND-3.0", "HSR--"),
    ("fma-full (published top ten of 114)", "license_title",
     "Attribution-NonCommercial-ShareAlike 3.0 International",
     "", "CC-BY-NC-SA-3.0", "HSRD-"),
    ("fma-full (published top ten of 114)", "license_title",
     "Creative Commons Attribution-NonCommercial-NoDerivatives 4.0",
     "", "CC-BY-NC-ND-4.0", "HSR--"),
    ("fma-full (published top ten of 114)", "license_title",
     "Attribution-Noncommercial-No Derivative Works 3.0 United States",
     "", "CC-BY-NC-ND-3.0-US", "HSR--"),
    ("fma-full (published top ten of 114)", "license_title",
     "Attribution-NonCommercial-ShareAlike",
     "", "CC-BY-NC-SA", "HSRD-"),
    ("fma-full (published top ten of 114)", "license_title", "Attribution", "", "CC-BY", "HSRDC"),
    ("fma-full (published top ten of 114)", "license_title",
     "Attribution-NonCommercial 3.0 International",
     "", "CC-BY-NC-3.0", "HSRD-"),
    ("fma-full (published top ten of 114)", "license_title", "Attribution-NonCommercial", "", "CC-BY-NC", "HSRD-"),
    ("fma-full (published top ten of 114)", "license_title", "Attribution-ShareAlike", "", "CC-BY-SA", "HSRDC"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-nd/3.0/", "CC-BY-NC-ND-3.0", "HSR--"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-sa/3.0/", "CC-BY-NC-SA-3.0", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", "", None, "-----"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-nd/3.0/de/", "CC-BY-NC-ND-3.0-DE", "HSR--"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-nd/2.5/", "CC-BY-NC-ND-2.5", "HSR--"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by/3.0/", "CC-BY-3.0", "HSRDC"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-sa/3.0/", "CC-BY-SA-3.0", "HSRDC"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc/3.0/", "CC-BY-NC-3.0", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-nd/3.0/us/", "CC-BY-NC-ND-3.0-US", "HSR--"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-sa/2.5/", "CC-BY-NC-SA-2.5", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-sa/3.0/de/", "CC-BY-NC-SA-3.0-DE", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nd/3.0/", "CC-BY-ND-3.0", "HSR-C"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-nd/2.0/de/", "CC-BY-NC-ND-2.0-DE", "HSR--"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nd-nc/1.0/", "CC-BY-NC-ND-1.0", "HSR--"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-sa/3.0/us/", "CC-BY-NC-SA-3.0-US", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-nd/2.0/", "CC-BY-NC-ND-2.0", "HSR--"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc/2.5/", "CC-BY-NC-2.5", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-nd/2.0/fr/", "CC-BY-NC-ND-2.0-FR", "HSR--"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-sa/2.0/de/", "CC-BY-NC-SA-2.0-DE", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-sa/3.0/nl/", "CC-BY-NC-SA-3.0-NL", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc/1.0/", "CC-BY-NC-1.0", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-nd/2.5/it/", "CC-BY-NC-ND-2.5-IT", "HSR--"),
    ("freemusi-cc", "licenseurl", "", FMA + "FMA_License", "FMA-Limited", "H----"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-sa/2.0/uk/", "CC-BY-NC-SA-2.0-UK", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-sa/2.0/fr/", "CC-BY-NC-SA-2.0-FR", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-nd/2.5/ca/", "CC-BY-NC-ND-2.5-CA", "HSR--"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc/2.0/", "CC-BY-NC-2.0", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", CC + "publicdomain/zero/1.0/", "CC0-1.0", "HSRDC"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-nd/3.0/it/", "CC-BY-NC-ND-3.0-IT", "HSR--"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nd/3.0/us/", "CC-BY-ND-3.0-US", "HSR-C"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-nd/2.5/se/", "CC-BY-NC-ND-2.5-SE", "HSR--"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-nd/3.0/at/", "CC-BY-NC-ND-3.0-AT", "HSR--"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/publicdomain/", "CC-PDDC", "HSRDC"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-sa/2.0/de/", "CC-BY-SA-2.0-DE", "HSRDC"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-sa/2.5/ca/", "CC-BY-NC-SA-2.5-CA", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-nd/2.0/uk/", "CC-BY-NC-ND-2.0-UK", "HSR--"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/nc-sampling+/1.0/", "CC-NC-Sampling+-1.0", "HSR--"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc/3.0/us/", "CC-BY-NC-3.0-US", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-sa/3.0/br/", "CC-BY-NC-SA-3.0-BR", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-sa/2.5/co/", "CC-BY-NC-SA-2.5-CO", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nd/2.0/", "CC-BY-ND-2.0", "HSR-C"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-nd/3.0/fr/", "CC-BY-NC-ND-3.0-FR", "HSR--"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nd/3.0/de/", "CC-BY-ND-3.0-DE", "HSR-C"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-sa/2.5/it/", "CC-BY-NC-SA-2.5-IT", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-nd/4.0/", "CC-BY-NC-ND-4.0", "HSR--"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-sa/2.5/br/", "CC-BY-NC-SA-2.5-BR", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-sa/3.0/ro/", "CC-BY-NC-SA-3.0-RO", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-sa/2.0/", "CC-BY-SA-2.0", "HSRDC"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-nd/2.0/be/", "CC-BY-NC-ND-2.0-BE", "HSR--"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nd/2.5/", "CC-BY-ND-2.5", "HSR-C"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nd/2.0/be/", "CC-BY-ND-2.0-BE", "HSR-C"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-sa/2.0/fr/", "CC-BY-SA-2.0-FR", "HSRDC"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by/3.0/de/", "CC-BY-3.0-DE", "HSRDC"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-nd/2.5/ar/", "CC-BY-NC-ND-2.5-AR", "HSR--"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-sa/3.0/es/", "CC-BY-NC-SA-3.0-ES", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-sa/2.5/it/", "CC-BY-SA-2.5-IT", "HSRDC"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by/3.0/us/", "CC-BY-3.0-US", "HSRDC"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-sa/2.1/jp/", "CC-BY-NC-SA-2.1-JP", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-sa/2.5/es/", "CC-BY-NC-SA-2.5-ES", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by/2.5/it/", "CC-BY-2.5-IT", "HSRDC"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-nd/2.5/hu/", "CC-BY-NC-ND-2.5-HU", "HSR--"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-nd/3.0/pl/", "CC-BY-NC-ND-3.0-PL", "HSR--"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by/2.5/", "CC-BY-2.5", "HSRDC"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-sa/2.0/at/", "CC-BY-NC-SA-2.0-AT", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-sa/4.0/", "CC-BY-NC-SA-4.0", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nd/2.0/de/", "CC-BY-ND-2.0-DE", "HSR-C"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nd/3.0/it/", "CC-BY-ND-3.0-IT", "HSR-C"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-sa/2.5/ar/", "CC-BY-NC-SA-2.5-AR", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nd/2.5/pl/", "CC-BY-ND-2.5-PL", "HSR-C"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nd/3.0/br/", "CC-BY-ND-3.0-BR", "HSR-C"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-nd/2.5/co/", "CC-BY-NC-ND-2.5-CO", "HSR--"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-sa/2.0/", "CC-BY-NC-SA-2.0", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-sa/2.5/il/", "CC-BY-NC-SA-2.5-IL", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-sa/2.0/uk/", "CC-BY-SA-2.0-UK", "HSRDC"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-nd/3.0/es/", "CC-BY-NC-ND-3.0-ES", "HSR--"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-nd/3.0/hk/", "CC-BY-NC-ND-3.0-HK", "HSR--"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-sa/2.0/be/", "CC-BY-NC-SA-2.0-BE", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-sa/2.5/dk/", "CC-BY-NC-SA-2.5-DK", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nd-nc/1.0/fi/", "CC-BY-NC-ND-1.0-FI", "HSR--"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-sa/2.5/ch/", "CC-BY-NC-SA-2.5-CH", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc/2.5/hu/", "CC-BY-NC-2.5-HU", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-sa/2.5/", "CC-BY-SA-2.5", "HSRDC"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-nd/2.0/at/", "CC-BY-NC-ND-2.0-AT", "HSR--"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc-nd/2.5/pt/", "CC-BY-NC-ND-2.5-PT", "HSR--"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by/1.0/", "CC-BY-1.0", "HSRDC"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by/2.0/uk/", "CC-BY-2.0-UK", "HSRDC"),
    ("freemusi-cc", "licenseurl", "", CC + "licenses/by-nc/1.0/fi/", "CC-BY-NC-1.0-FI", "HSRD-"),
    ("freemusi-cc", "licenseurl", "", CC + "publicdomain/mark/1.0/", "CC-PDM-1.0", "HSRDC"),
    ("jamendo-lyrics", "LicenseType", "CC BY-NC-ND", "", "CC-BY-NC-ND", "HSR--"),
    ("jamendo-lyrics", "LicenseType", "CC BY-NC-SA", "", "CC-BY-NC-SA", "HSRD-"),
    ("jamendo-lyrics", "LicenseType", "BY-NC-ND", "", "CC-BY-NC-ND", "HSR--"),
    ("jamendo-lyrics", "LicenseType", "CC BY-SA", "", "CC-BY-SA", "HSRDC"),
    ("jamendo-lyrics", "ID3 WCOP", "", CC + "licenses/by-nc-nd/3.0/", "CC-BY-NC-ND-3.0", "HSR--"),
    ("jamendo-lyrics", "LicenseType", "BY-ND", "", "CC-BY-ND", "HSR-C"),
    ("jamendo-lyrics", "ID3 WCOP", "", CC + "licenses/by-nc-sa/3.0/", "CC-BY-NC-SA-3.0", "HSRD-"),
    ("jamendo-lyrics", "LicenseType", "BY-NC-SA", "", "CC-BY-NC-SA", "HSRD-"),
    ("jamendo-lyrics", "LicenseType", "CC BY", "", "CC-BY", "HSRDC"),
    ("jamendo-lyrics", "LicenseType", "CC BY-ND", "", "CC-BY-ND", "HSR-C"),
    ("jamendo-lyrics", "LicenseType", "BY", "", "CC-BY", "HSRDC"),
    ("jamendo-lyrics", "LicenseType", "BY-NC", "", "CC-BY-NC", "HSRD-"),
    ("jamendo-lyrics", "LicenseType", "BY-SA", "", "CC-BY-SA", "HSRDC"),
    ("jamendo-lyrics", "LicenseType", "CC  BY-NC-SA", "", "CC-BY-NC-SA", "HSRD-"),
    ("jamendo-lyrics", "LicenseType", "CC BY-NC", "", "CC-BY-NC", "HSRD-"),
    ("opensurge assets", "License", "CC-BY-3.0", "", "CC-BY-3.0", "HSRDC"),
    ("opensurge assets", "License", "CC-BY-4.0", "", "CC-BY-4.0", "HSRDC"),
    ("opensurge assets", "License", "CC0-1.0", "", "CC0-1.0", "HSRDC"),
    ("opensurge assets", "License", "MIT", "", "MIT", "HSRDC"),
    ("opensurge assets", "License", "CC-BY-SA-3.0", "", "CC-BY-SA-3.0", "HSRDC"),
    ("opensurge assets", "License", "Apache-2.0", "", "Apache-2.0", "HSRDC"),
    ("opensurge assets", "License", "Giftware", "", None, "-----"),
    ("opensurge assets", "License", "OFL-1.1", "", "OFL-1.1", "HSRDC"),
    ("opensurge assets", "License", "CC-BY-SA-4.0", "", "CC-BY-SA-4.0", "HSRDC"),
)  # fmt: skip
"""Source, field, text, address → licence id or None, and what is permitted: Hold, Stream, Redistribute, Derive,
Commercial use (a dash for no)."""


def letters(permits: Permits) -> str:
    return "".join(c if yes else "-" for c, yes in zip("HSRDC", permits.as_json().values(), strict=True))


@pytest.mark.parametrize(("source", "field", "text", "url", "licence", "permits"), EXPECTED)
def test_string_from_the_wild(source: str, field: str, text: str, url: str, licence: str | None, permits: str) -> None:
    found = resolve(text, url)
    assert (found.id if found else None) == licence
    assert letters(found.permits if found else Permits()) == permits
    assert found or read(text, url).reason


def test_there_are_142_strings() -> None:
    assert len(EXPECTED) == 142


def test_the_table_covers_every_string_of_the_shared_data(shared_data: Path) -> None:
    with (shared_data / "catalogues" / "licence-strings.csv").open(encoding="utf-8", newline="") as stream:
        rows = [(row["source"], row["field"], row["text"], row["url"]) for row in csv.DictReader(stream)]
    assert rows == [row[:4] for row in EXPECTED]
