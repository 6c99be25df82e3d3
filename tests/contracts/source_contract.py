"""What every source promises, tested the same way for each: subclass :class:`SourceContract` and give a case.

The contract: records are well formed; keys are unique, a second row of a key is a Duplicate or refused; rows
read = recordings + exact duplicates + refused; every field has a licence; a bad row never raises; ``check``
refuses what is no dump of the source with errors.Usage; reading again gives the same records.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from fonoteca.core.errors import Usage
from fonoteca.sources.records import (
    ArtistRecord,
    ClaimText,
    Dump,
    Duplicate,
    Record,
    RecordingRecord,
    Refused,
    ReleaseRecord,
    Signal,
    Source,
    TrackRecord,
)
from fonoteca.sources.tally import Tally

KEYS = {"key", "recording", "release"}
SIGNALS = {"listens", "listeners", "downloads", "rating", "favourites", "interest"}


@dataclass(frozen=True)
class Case:
    """A source, a dump of it with good, repeated and bad rows, and what must come out.

    Attributes:
        rows: rows of recordings (or files), counted by hand.
        keys: keys of the recordings that must come out, in order.
        duplicates: number of exact duplicates.
        refused: codes of the refusals, in order.
    """

    source: Source
    dump: Dump
    rows: int
    keys: list[str]
    duplicates: int
    refused: list[str]


class SourceContract:
    """Subclass it with a fixture ``case`` and, where a file can be read as text, ``not_dumps``."""

    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        raise NotImplementedError

    @pytest.fixture
    def records(self, case: Case) -> list[Record]:
        dump = case.source.resolve(case.dump)
        case.source.check(dump)
        return list(case.source.records(dump))

    def test_the_recordings_are_those_of_the_dump_in_order(self, case: Case, records: list[Record]) -> None:
        assert [r.key for r in records if isinstance(r, RecordingRecord)] == case.keys

    def test_rows_are_recordings_duplicates_and_refused(self, case: Case, records: list[Record]) -> None:
        tally = Tally()
        assert list(tally.watch(records)) == records
        assert tally.rows == case.rows
        assert tally.rows == tally.recordings + tally.references + tally.duplicates + tally.refused
        assert tally.duplicates == case.duplicates

    def test_refusals_say_where_and_why(self, case: Case, records: list[Record]) -> None:
        found = [r for r in records if isinstance(r, Refused)]
        assert [r.code for r in found] == case.refused
        assert all(r.position and r.reason for r in found)
        for refusal in found:
            refusal.raw.encode("utf-8")

    def test_keys_are_unique_and_not_empty(self, records: list[Record]) -> None:
        for kind in (RecordingRecord, ReleaseRecord, ArtistRecord):
            keys = Counter(r.key for r in records if isinstance(r, kind))
            assert all(key and count == 1 for key, count in keys.items()), kind

    def test_positions_name_a_file_of_the_dump(self, case: Case, records: list[Record]) -> None:
        names = {p.name for p in case.source.resolve(case.dump).paths}
        assert all(any(name in r.position for name in names) for r in records)

    def test_positions_do_not_depend_on_the_folder(self, case: Case, records: list[Record]) -> None:
        folders = {str(p.parent) for p in case.source.resolve(case.dump).paths}
        assert not [r for r in records for f in folders if f in r.position]

    def test_all_text_is_unicode_without_surrogates_and_control_characters(self, records: list[Record]) -> None:
        for record in records:
            if not isinstance(record, Refused):
                for text in texts(record):
                    text.encode("utf-8")
                    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in text), (record, text)

    def test_values_are_in_their_ranges(self, records: list[Record]) -> None:
        for record in records:
            if isinstance(record, RecordingRecord):
                assert record.duration_ms is None or record.duration_ms >= 0
                assert record.title is None or record.title.strip() == record.title != ""
            if isinstance(record, RecordingRecord | ReleaseRecord):
                assert record.year is None or 1000 <= record.year < 3000
                assert list(record.flags) == sorted(set(record.flags))
            if isinstance(record, TrackRecord):
                assert all(n is None or 0 < n < 2**31 for n in (record.disc, record.number))

    def test_signals_are_of_known_kinds_with_a_licence(self, records: list[Record]) -> None:
        for signal in (s for r in records for s in parts(r, Signal)):
            assert signal.kind in SIGNALS
            assert signal.value >= 0
            assert signal.licence

    def test_claims_say_something(self, records: list[Record]) -> None:
        assert all(c.licence or c.url for r in records for c in parts(r, ClaimText))

    def test_tracks_name_recordings_and_releases_that_come(self, records: list[Record]) -> None:
        recordings = {r.key for r in records if isinstance(r, RecordingRecord)}
        releases = {r.key for r in records if isinstance(r, ReleaseRecord)}
        tracks = [r for r in records if isinstance(r, TrackRecord)]
        assert {t.recording for t in tracks} <= recordings
        assert {t.release for t in tracks} <= releases

    def test_every_field_has_a_licence(self, case: Case) -> None:
        for info in (case.source.info, case.source.describe(case.source.resolve(case.dump))):
            assert any(f.fields == "*" and f.licence for f in info.licences)
            assert all((info.name, info.kind, info.title, info.where, info.size, info.files))

    def test_reading_again_gives_the_same(self, case: Case, records: list[Record]) -> None:
        assert list(case.source.records(case.source.resolve(case.dump))) == records

    def test_a_reading_that_was_left_half_way_can_be_begun_again(self, case: Case, records: list[Record]) -> None:
        dump = case.source.resolve(case.dump)
        stopped = case.source.records(dump)
        next(stopped)
        stopped.close()  # type: ignore[attr-defined]
        assert list(case.source.records(dump)) == records

    def test_resolving_twice_changes_nothing(self, case: Case) -> None:
        once = case.source.resolve(case.dump)
        assert case.source.resolve(once) == once
        assert all(p.is_file() for p in once.paths)

    @pytest.mark.parametrize("what", ["nothing", "missing", "empty-folder"])
    def test_check_refuses_what_is_no_dump(self, case: Case, tmp_path: Path, what: str) -> None:
        (tmp_path / "empty-folder").mkdir()
        paths = () if what == "nothing" else (tmp_path / what,)
        with pytest.raises(Usage) as caught:
            case.source.check(dataclasses.replace(case.dump, paths=paths))
        assert caught.value.code in {"not-a-dump", "unreadable-dump"}
        assert caught.value.remedy


class TableContract(SourceContract):
    """Also for sources whose dumps are tables: what is no table is refused by ``check``."""

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"\n\n\n",
            bytes(range(256)) * 8,
            b"<html><body>404</body></html>",
            b"[1, 2, 3]",
            b"one column\nand no more\n",
            b"a,a\n1,2\n",
            b"PAR1",
            b"\x1f\x8b\x08\x00",
            b"\x1f\x8b rubbish",
        ],
    )
    def test_check_refuses_other_files(self, case: Case, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "other"
        path.write_bytes(content)
        with pytest.raises(Usage) as caught:
            case.source.check(dataclasses.replace(case.dump, paths=(path,)))
        assert "other" in str(caught.value)


def parts(record: Record, kind: type) -> list:  # type: ignore[type-arg]
    """The signals or claims in a record."""
    found = []
    for name in ("signals", "claims", "signal", "claim"):
        value = getattr(record, name, ())
        found += [v for v in (value if isinstance(value, tuple) else (value,)) if isinstance(v, kind)]
    return found


def texts(value: object) -> list[str]:
    """Every text in a record but keys, which stay as they are written; at any depth."""
    if isinstance(value, str):
        return [value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [f.name for f in dataclasses.fields(value) if f.name not in KEYS]
        return [t for name in names for t in texts(getattr(value, name))]
    if isinstance(value, tuple | list):
        return [t for v in value for t in texts(v)]
    return []


def repeated(records: list[Record]) -> list[str]:
    """Positions of the duplicates."""
    return [r.position for r in records if isinstance(r, Duplicate)]
