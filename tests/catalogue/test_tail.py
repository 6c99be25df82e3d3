"""The first of the unheard, piece by piece: the rows of the one query over all views, and no more memory for more."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from fonoteca.catalogue import tail
from fonoteca.catalogue.ingest import execute, ingest_records, plan
from fonoteca.catalogue.query import Catalogue
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.progress import SILENT
from fonoteca.core.settings import resolve
from fonoteca.sources.bulk import Bulk
from fonoteca.sources.records import (
    Credit,
    Dump,
    FieldLicence,
    Record,
    RecordingRecord,
    Ref,
    ReleaseRecord,
    Signal,
    SignalRecord,
    SourceInfo,
    TrackRecord,
)
from simulators.made_bulk import Made, MadeBulk

pytestmark = pytest.mark.core
ROWS = 600
OTHER = SourceInfo("jamendo", "catalogue", "x", (FieldLicence("*", "CC0-1.0"),), "x", "x", "x")
MOST = (1, 2, 7, 40, 150, 10_000)


class Hinted(Made):
    """Recordings whose lists have repeats, nulls and nothing; many hints are equal.

    Args:
        signals: SQL of the signals of recording ``n``.
        listens: SQL of its listens.
    """

    def __init__(self, chunks: int, signals: str = "[]", listens: str = "CASE WHEN n % 3 = 0 THEN n % 5 END") -> None:
        super().__init__(chunks)
        self.signals, self.listens = signals, listens

    def bulk(self, dump: Dump) -> Bulk | None:
        return HintedBulk(self)


class HintedBulk(MadeBulk):
    def __init__(self, source: Hinted) -> None:
        super().__init__(source.chunks, None, 0)
        self.source = source

    def rows(self, table: str, chunk: int) -> str:
        if table != "recording":
            return super().rows(table, chunk)
        low, high = chunk * ROWS // self.chunks, (chunk + 1) * ROWS // self.chunks
        artists = "list_transform(range(n % 4), lambda i: CASE WHEN (n + i) % 11 > 0 THEN (n * (i + 1)) % 6 END)"
        return f"""SELECT entity_id('recording', 'musicbrainz', 'k' || n) AS id, 'k' || n AS key, 'mbid' AS key_scheme,
            'Title' AS title, []::VARCHAR[] AS flags,
            list_transform({artists}, lambda a: {{'artist_id': a::BIGINT, 'name': 'x', 'role': 'artist',
                'joined_by': ''}}) AS credits,
            list_transform(range(n % 5), lambda i: {{'release_id': (i // 2)::BIGINT, 'disc': 1, 'number': i,
                'title': NULL}}) AS tracks,
            {self.source.signals} AS signals, {self.source.listens} AS listens, 'CC0-1.0' AS listens_licence,
            'recording' AS member, n + 1 AS line FROM range({low}, {high}) t(n) ORDER BY n"""

    def flat(self) -> Mapping[str, str]:
        return {}

    def refusals(self) -> str | None:
        return None

    def counts(self) -> Mapping[str, int]:
        return {"rows": ROWS, "recordings": ROWS}


def signal(kind: str, value: str, when: str) -> str:
    row = f"{{'kind': '{kind}', 'value': ({value})::DOUBLE, 'licence': 'CC0-1.0', 'synthetic': false}}"
    return f"CASE WHEN {when} THEN [{row}] ELSE [] END"


@pytest.fixture
def layout(tmp_path: Path) -> ArchiveLayout:
    found = ArchiveLayout(tmp_path / "a")
    found.root.mkdir()
    return found


def bulk(layout: ArchiveLayout, source: Hinted) -> None:
    dump = layout.root.parent / "dump"
    dump.write_bytes(b"made up")
    execute(plan(layout, source, Dump([dump]), resolve([])), SILENT)


def others() -> list[Record]:
    """A flat partition: recordings of its own, and signals about those of the wide one."""
    found: list[Record] = [ReleaseRecord(f"l{n}", f"l{n}", "Release") for n in range(3)]
    for n in range(60):
        credits_ = [Credit("A", f"a{n % 3}"), Credit("B", f"a{n % 4}")] if n % 5 else []
        signals = [Signal("listens", n, "CC0-1.0")] if n % 2 else []
        found.append(RecordingRecord(f"k{n}", f"k{n}", "Title", credits=credits_, signals=signals))
        found += [TrackRecord(f"l{m}", f"k{n}", f"{n} {m}") for m in range(n % 3)]
    for n in range(0, ROWS, 9):
        about = Ref("musicbrainz", f"k{n}")
        found.append(SignalRecord(about, f"s{n}", Signal("listens", n, "CC0-1.0")))
        found.append(SignalRecord(Ref("musicbrainz", f"k{n + 1}"), f"d{n}", Signal("downloads", n % 2, "CC0-1.0")))
    return found


def check(layout: ArchiveLayout) -> list[dict[str, object]]:
    """Both ways give the same rows, however many are asked for; these are all of them."""
    with Catalogue.open(layout, only=tail.NEEDED) as catalogue:
        for most in MOST:
            expected = catalogue.select(tail.query(most))
            assert catalogue.unheard(most) == expected
        left = catalogue.select("SELECT table_name FROM information_schema.tables WHERE table_name LIKE 'tail_%'")
    assert left == []
    assert len(expected) > 100
    return expected


@pytest.mark.parametrize("chunks", [1, 5])
def test_wide_rows_with_their_own_listens(layout: ArchiveLayout, chunks: int) -> None:
    bulk(layout, Hinted(chunks))
    rows = check(layout)
    assert {row["releases"] for row in rows} == {0, 1, 2}
    assert None in {row["artist_listens"] for row in rows}


@pytest.mark.parametrize("signals", [
    signal("downloads", "n % 8", "n % 4 = 0"),
    signal("listeners", "n % 7 - 1", "n % 50 = 1"),
    f"list_concat({signal('favourites', '1', 'n % 2 = 0')}, {signal('rating', '5', 'true')})",
    signal("listeners", "1", "true"),
])  # fmt: skip
def test_signals_of_few_of_many_and_of_all(layout: ArchiveLayout, signals: str) -> None:
    bulk(layout, Hinted(4, signals))
    assert any(row["listeners"] or row["downloads"] or row["favourites"] for row in check(layout))


def test_what_others_say_of_wide_rows_and_what_only_they_have(layout: ArchiveLayout) -> None:
    bulk(layout, Hinted(3))
    ingest_records(layout, OTHER, "", "d", others())
    assert len({row["downloads"] for row in check(layout)}) > 2


def test_recordings_that_several_describe_count_once(layout: ArchiveLayout) -> None:
    bulk(layout, Hinted(3))
    again = [RecordingRecord(f"k{n}", f"k{n}", "Other", credits=[Credit("A", "a1")]) for n in range(0, ROWS, 4)]
    ingest_records(layout, Hinted.info, "again", "d", again)
    ids = [row["recording_id"] for row in check(layout)]
    assert len(set(ids)) == len(ids)


def test_nobody_is_heard(layout: ArchiveLayout) -> None:
    bulk(layout, Hinted(2, listens="NULL::BIGINT"))
    assert {row["artist_listens"] for row in check(layout)} == {None}


def test_a_catalogue_without_wide_rows(layout: ArchiveLayout) -> None:
    ingest_records(layout, OTHER, "", "d", [r for r in others() if not isinstance(r, SignalRecord)]
                   + [RecordingRecord(f"z{n}", f"z{n}") for n in range(100)])  # fmt: skip
    check(layout)


def test_sums_of_artists_are_added_up_on_the_way(layout: ArchiveLayout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "_SLACK", 2)
    bulk(layout, Hinted(7))
    check(layout)
