"""Identifiers and dates as people get them wrong: mended where that is certain, else flagged, and never an error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from faults.ingesting import gid, write_mbdump
from fonoteca.catalogue.query import Catalogue
from fonoteca.core.layout import ArchiveLayout
from fonoteca.sources.musicbrainz_tables import TABLES
from harness import fonoteca
from simulators.tiny_catalogue import archive

pytestmark = pytest.mark.core
ISRC = "USRC17607839"


def ingested(folder: Path, rows: list[dict[str, object]]) -> ArchiveLayout:
    archive(folder)
    (folder / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    ran = fonoteca("ingest", "table", folder / "t.jsonl", "--json", cwd=folder)
    assert ran.code == 0, ran.stdout
    assert (ran.json["records"], ran.json["refused"]) == (len(rows), 0)
    return ArchiveLayout(folder)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("US-RC1-76-07839", ISRC), ("usrc17607839", ISRC), ("ISRC US-RC1-76-07839", ISRC), (" US RC1 76 07839 ", ISRC),
        ("US\u2010RC1\u201076\u201007839", None), ("USRC1760783\u0669", None), ("ＵＳＲＣ１７６０７８３９", None),
        ("USRC1760783", None), ("USRC176078399", None), ("12RC17607839", None), ("USRC1760783O", None),
        ("USRC17607839\0", ISRC), ("\u202eUSRC17607839", None), ("x" * 100_000, None), (176, None),
    ],
)  # fmt: skip
def test_isrcs(tmp_path: Path, written: object, kept: str | None) -> None:
    layout = ingested(tmp_path, [{"id": "1", "title": "One", "isrc": written}])
    with Catalogue.open(layout) as catalogue:
        found = catalogue.select("SELECT value FROM identifiers WHERE scheme = 'isrc'")
        flags = catalogue.select("SELECT flags FROM recordings")[0]["flags"]
    assert [row["value"] for row in found] == ([kept] if kept else [])
    assert ("bad-isrc" in flags) == (kept is None)


@pytest.mark.parametrize(
    ("written", "year", "flag"),
    [
        ("0000", None, "year-0000"), ("0000-05-01", None, "year-0000"), ("1999-13-01", 1999, "bad-date"),
        ("2001-02-31", 2001, "bad-date"), ("2001-02-29", 2001, "bad-date"), ("2000-02-29", 2000, None),
        ("1999-00-00", 1999, None), ("99999-01-01", None, "bad-date"), ("-0044-03-15", None, "bad-date"),
        ("٢٠٠١", None, "bad-date"), ("2001-02-31T25:61:61Z", 2001, "bad-date"), ("9" * 50_000, None, "bad-date"),
        (20010, None, "bad-date"), (1e300, None, "bad-date"), (-1, None, "bad-date"),
    ],
)  # fmt: skip
def test_dates(tmp_path: Path, written: object, year: int | None, flag: str | None) -> None:
    layout = ingested(tmp_path, [{"id": "1", "title": "One", "year": written}])
    with Catalogue.open(layout) as catalogue:
        (row,) = catalogue.select("SELECT year, flags FROM recordings")
    assert row["year"] == year
    assert list(row["flags"]) == ([flag] if flag else [])


def redirects(folder: Path, pairs: list[tuple[str, object]]) -> ArchiveLayout:
    """Tables of MusicBrainz with these redirects of recordings, ingested."""
    (folder / "dump").mkdir()
    write_mbdump(folder / "dump", 40)
    width = len(TABLES["recording_gid_redirect"].forms[0])
    lines = ["\t".join([str(old), str(new), *["\\N"] * (width - 2)]) for old, new in pairs]
    (folder / "dump/mbdump/recording_gid_redirect").write_text("\n".join(lines) + "\n")
    archive(folder)
    ran = fonoteca("ingest", "musicbrainz", folder / "dump/mbdump", "--json", cwd=folder)
    assert ran.code in {0, 3}, ran.stdout
    assert ran.json["read"] == ran.json["records"] + ran.json["duplicates"] + ran.json["refused"]
    return ArchiveLayout(folder)


def shown(folder: Path, mbid: str) -> str | None:
    """The title of what an MBID leads to."""
    ran = fonoteca("show", f"mbid:{mbid}", "--json", cwd=folder)
    assert "Traceback" not in ran.stderr
    return str(ran.json["fields"]["title"]["value"]) if ran.code == 0 else None


def test_a_merged_mbid_leads_to_the_recording_that_stands(tmp_path: Path) -> None:
    redirects(tmp_path, [(gid(6, 1), 7), (gid(6, 2), 7)])
    for old in (gid(6, 1), gid(6, 2), gid(6, 1).upper(), gid(2, 7)):
        assert shown(tmp_path, old) == "Title 7, part"


def test_redirects_that_loop_or_lead_nowhere_end(tmp_path: Path) -> None:
    """To itself, in a ring, to a number that is not there, from what is no MBID, to what is no number."""
    redirects(tmp_path, [
        (gid(2, 1), 1), (gid(2, 3), 4), (gid(2, 4), 3), (gid(6, 1), 99_999), ("no-mbid", 5), (gid(6, 2), "x"),
        (gid(6, 3), -5), (gid(6, 4), 2**70), (gid(6, 5), 6), (gid(6, 5), 7),
    ])  # fmt: skip
    assert shown(tmp_path, gid(2, 1)) == "Title 1, part"
    assert shown(tmp_path, gid(2, 3)) in {"Title 3, part", "Title 4, part", None}
    assert shown(tmp_path, gid(6, 1)) is None
    assert shown(tmp_path, gid(2, 5)) == "Title 5, part"
