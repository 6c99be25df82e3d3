"""Intake: accepted once, refused with a row, the same again, and the same after kill -9."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from fonoteca.archive import folder_records, intake
from fonoteca.archive.claims import Statement
from fonoteca.archive.holdings import Holdings, ledger_path
from fonoteca.archive.intake import IntakeResult
from fonoteca.archive.verify import Verify
from fonoteca.audio.facts import Limits
from fonoteca.core.errors import Damaged, Failed, FonotecaError
from fonoteca.core.ids import Kind, make_id
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.progress import Silent
from fonoteca.sources.records import ArtistRecord, RecordingRecord, ReleaseRecord, TrackRecord
from simulators.sounds import KINDS, sound, write

pytestmark = pytest.mark.core


class Watching(Silent):
    """Keeps the items."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []

    def item(self, message: dict[str, Any]) -> None:
        """Kept."""
        self.items.append(message)


def music(folder: Path) -> Path:
    """One file of each kind, a copy of one, a cut one, a text, an empty one."""
    for number, kind in enumerate(KINDS):
        write(folder, f"{kind}/{number}", sound(kind, 0.4, 300 + number, f"Tone {number}"))
    write(folder, "again/copy of flac", sound("flac", 0.4, 300, "Tone 0"))
    write(folder, "bad/cut.flac", sound("flac", 0.4, 300, "Tone 0")[:-200])
    write(folder, "bad/text.mp3", b"no music" * 100)
    write(folder, "bad/empty.ogg", b"")
    (folder / "bad" / "link.flac").symlink_to(folder / "flac" / "0")
    return folder


def take(layout: ArchiveLayout, *paths: Path, **words: Any) -> tuple[IntakeResult, list[dict[str, Any]]]:
    watching = Watching()
    result = intake.execute(intake.plan(layout, paths, **words), watching)
    return result, watching.items


def tree(root: Path) -> dict[str, str]:
    """Path → digest of every file."""
    return {
        p.relative_to(root).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(root.rglob("*")) if p.is_file()
    }  # fmt: skip


def times(root: Path) -> dict[str, int]:
    return {p.relative_to(root).as_posix(): p.stat().st_mtime_ns for p in root.rglob("*") if p.is_file()}


@pytest.fixture
def layout(tmp_path: Path) -> ArchiveLayout:
    return ArchiveLayout(tmp_path / "archive")


def test_every_file_is_accepted_once_or_refused_with_a_row(layout: ArchiveLayout, tmp_path: Path) -> None:
    result, items = take(layout, music(tmp_path / "music"))
    kinds = len(KINDS)
    assert (result.files, result.accepted, result.duplicates, result.refused) == (kinds + 5, kinds, 1, 4)
    refusals = {("bad/cut.flac", "truncated-audio"), ("bad/text.mp3", "not-audio"), ("bad/empty.ogg", "empty-file"),
                ("bad/link.flac", "not-a-file")}  # fmt: skip
    assert {(i["path"], i["code"]) for i in items} == refusals
    assert all(i["reason"] for i in items)
    ledger = Holdings.open(layout)
    assert {(r.path, r.code) for r in ledger.refusals()} == refusals
    assert len(ledger.holdings()) == len(ledger.blobs()) == len(ledger.store().list()) == kinds
    assert {h.title for h in ledger.holdings()} == {f"Tone {n}" for n in range(kinds)}
    assert [h.path for h in ledger.holdings()] == sorted(h.path for h in ledger.holdings())
    for holding in ledger.holdings():
        assert ledger.store().digest(holding.blob) == holding.blob
        assert holding.recording == make_id(Kind.RECORDING, "folder", holding.blob)
    assert list(Verify().check(layout)) == []


def test_a_second_run_writes_nothing(layout: ArchiveLayout, tmp_path: Path) -> None:
    folder = music(tmp_path / "music")
    take(layout, folder)
    before, then = tree(layout.root), times(layout.root)
    result, items = take(layout, folder)
    assert (result.accepted, result.duplicates, result.refused, result.bytes) == (0, len(KINDS) + 1, 4, 0)
    assert len(items) == 4
    assert tree(layout.root) == before
    assert times(layout.root) == then


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_same_bytes_in_another_folder_with_other_workers(tmp_path: Path, workers: int) -> None:
    first, second = ArchiveLayout(tmp_path / "one"), ArchiveLayout(tmp_path / "deep" / "two")
    take(first, music(tmp_path / "music"))
    take(second, music(tmp_path / "elsewhere" / "music"), workers=workers)
    assert tree(first.root) == tree(second.root)


def test_killed_anywhere_the_same_command_ends_in_the_same_bytes(tmp_path: Path) -> None:
    folder = music(tmp_path / "music")
    clean = ArchiveLayout(tmp_path / "clean")
    take(clean, folder)
    code = (
        "import sys; from pathlib import Path; from fonoteca.archive import intake;"
        "from fonoteca.core.layout import ArchiveLayout;"
        "intake._BATCH = 2;"
        "intake.execute(intake.plan(ArchiveLayout(Path(sys.argv[1])), [Path(sys.argv[2])]))"
    )
    dice = random.Random(7)
    for round_ in range(3):
        killed = ArchiveLayout(tmp_path / f"killed{round_}")
        for _ in range(9):
            child = subprocess.Popen([sys.executable, "-c", code, str(killed.root), str(folder)])
            time.sleep(0.25 + dice.random() * 0.9)
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
        take(killed, folder)
        assert tree(killed.root) == tree(clean.root)


def test_a_ledger_cut_at_any_row_ends_in_the_same_bytes(layout: ArchiveLayout, tmp_path: Path) -> None:
    """The rows of one file are one write; a crash may keep only the first of them."""
    folder = tmp_path / "music"
    for n, kind in enumerate(("wav", "flac", "mp3")):
        write(folder, f"{n}", sound(kind, 0.2, 500 + n))
    words = {"statement": Statement("CC0-1.0", "letter")}
    take(layout, folder, **words)
    whole = ledger_path(layout).read_bytes()
    ends = [n + 1 for n, byte in enumerate(whole) if byte == 10]
    for end in [0, *ends[:-1]]:
        ledger_path(layout).write_bytes(whole[:end])
        take(layout, folder, **words)
        assert ledger_path(layout).read_bytes() == whole


def test_rows_say_title_and_recording_and_a_copys_claims_are_added(layout: ArchiveLayout, tmp_path: Path) -> None:
    folder = tmp_path / "music"
    data = sound("flac", 0.3)
    write(folder, "a.flac", data)
    write(folder, "b.flac", data)
    write(folder, "claims.csv", (
        b"file,recording,title,artist,release,disc,track,licence,licence_url,evidence,source\n"
        b"a.flac,fma:141,Said,Someone,Album,1,03/12,CC0-1.0,,README,git\n"
        b"a.flac,,,,,,,,https://creativecommons.org/licenses/by/4.0/,site,web\n"
        b"b.flac,,,,,,,CC-BY-SA-4.0,,other,git\n"
        b"c.flac,,,,,,,CC0-1.0,,,\n"
    ))  # fmt: skip
    result, items = take(layout, folder, claims_file=folder / "claims.csv")
    assert (result.files, result.accepted, result.duplicates, result.refused) == (3, 1, 1, 1)
    assert items == [{"path": "c.flac", "code": "claim-without-file", "reason": items[0]["reason"]}]
    (holding,) = Holdings.open(layout).holdings()
    assert (holding.title, holding.artist, holding.release) == ("Said", "Someone", "Album")
    assert (holding.disc, holding.number) == (1, 3)
    assert (holding.recording, holding.recording_key) == (make_id(Kind.RECORDING, "fma", "141"), "fma:141")
    claims = Holdings.open(layout).claims()
    assert [(c.licence or c.url, c.position) for c in claims] == [
        ("CC0-1.0", "claims.csv:2"), ("https://creativecommons.org/licenses/by/4.0/", "claims.csv:3"),
        ("CC-BY-SA-4.0", "claims.csv:4"),
    ]  # fmt: skip
    assert {c.subject for c in claims} == {holding.blob}


def test_licences_in_tags_are_claims(layout: ArchiveLayout, tmp_path: Path) -> None:
    url = "https://creativecommons.org/licenses/by/4.0/"
    write(tmp_path / "music", "a.flac", sound("flac", 0.2, extra=(("LICENSE", url), ("COPYRIGHT", "2001 Me"))))
    take(layout, tmp_path / "music")
    (claim,) = Holdings.open(layout).claims()
    assert (claim.url, claim.source, claim.position) == (url, "tags", "tag:license")


def test_a_lost_blob_or_its_leaves_are_mended_by_a_new_intake(layout: ArchiveLayout, tmp_path: Path) -> None:
    folder = tmp_path / "music"
    write(folder, "a.flac", sound("flac", 0.3))
    take(layout, folder)
    before = tree(layout.root)
    for lost in [p for p in layout.root.rglob("*") if p.is_file() and p != ledger_path(layout)]:
        lost.unlink()
        assert list(Verify().check(layout))
        assert take(layout, folder)[0].duplicates == 1
        assert tree(layout.root) == before


def test_a_file_that_was_refused_is_tried_again_and_stored_when_it_is_good(
    layout: ArchiveLayout, tmp_path: Path
) -> None:
    path = write(tmp_path / "music", "a.flac", sound("flac", 3.0))
    strict = Limits(max_audio_seconds=1)
    assert take(layout, path, limits=strict)[0].refused == 1
    before = tree(layout.root)
    assert take(layout, path, limits=strict)[0].refused == 1
    assert tree(layout.root) == before
    assert take(layout, path)[0].accepted == 1
    assert len(Holdings.open(layout).store().list()) == 1
    assert list(Verify().check(layout)) == []


def test_the_archive_itself_and_the_claims_are_not_taken_in(tmp_path: Path) -> None:
    layout = ArchiveLayout(tmp_path / "music" / "archive")
    layout.blobs.mkdir(parents=True)
    (layout.root / "fonoteca.toml").touch()
    write(tmp_path / "music", "a.flac", sound("flac", 0.2))
    write(tmp_path / "music", "claims.csv", b"file,licence\na.flac,CC0-1.0\n")
    result, _ = take(layout, tmp_path / "music", claims_file=tmp_path / "music" / "claims.csv")
    assert (result.files, result.accepted) == (1, 1)


def test_a_damaged_ledger_stops_intake_and_nothing_is_written(layout: ArchiveLayout, tmp_path: Path) -> None:
    write(tmp_path / "music", "a.flac", sound("flac", 0.2))
    take(layout, tmp_path / "music")
    path = ledger_path(layout)
    path.write_bytes(path.read_bytes().replace(b'"codec"', b'"kodec"'))
    before = tree(layout.root)
    write(tmp_path / "music", "b.flac", sound("flac", 0.2, 900))
    with pytest.raises(Damaged):
        take(layout, tmp_path / "music")
    assert tree(layout.root) == before


def test_a_folder_that_cannot_be_written_is_an_error_and_leaves_nothing_half(
    layout: ArchiveLayout, tmp_path: Path
) -> None:
    write(tmp_path / "music", "a.flac", sound("flac", 0.2))
    layout.root.mkdir()
    layout.blobs.write_bytes(b"in the way")
    with pytest.raises(Failed) as error:
        take(layout, tmp_path / "music")
    assert error.value.code == "unwritable"
    assert not ledger_path(layout).exists()


def test_the_folder_partition_is_a_function_of_the_set_of_holdings(layout: ArchiveLayout, tmp_path: Path) -> None:
    extra = (
        ("ALBUM", "Tones"),
        ("TRACKNUMBER", "2"),
        ("GENRE", "test"),
        ("ISRC", "QZES51700001"),
        ("DATE", "2020-02-02"),
    )
    write(tmp_path / "music", "a.flac", sound("flac", 0.2, extra=extra))
    write(tmp_path / "music", "b.flac", sound("flac", 0.2, 900, extra=extra[:1]))
    take(layout, tmp_path / "music")
    held = Holdings.open(layout).holdings()
    records = list(folder_records.records(held))
    assert records == list(folder_records.records(reversed(held)))
    assert folder_records.dump_name(held) == folder_records.dump_name(held[::-1])
    assert folder_records.dump_name(held) != folder_records.dump_name(held[:1])
    assert [type(r) for r in records[:2]] == [ArtistRecord, ReleaseRecord]
    recordings = {r.position: r for r in records if isinstance(r, RecordingRecord)}
    first = recordings["a.flac"]
    assert (first.title, first.year, first.genres) == ("A tone", 2020, ("test",))
    assert first.identifiers == [("isrc", "QZES51700001")]
    assert first.credits[0].name == "Nobody"
    tracks = [r for r in records if isinstance(r, TrackRecord)]
    assert {t.number for t in tracks} == {2, None}
    assert len({t.release for t in tracks}) == 1


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_any_call_that_fails_is_reported_and_harmless(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    """R7, R8 small: the Nth call fails, for every N until none does; the next run ends in the same bytes."""
    path = write(tmp_path / "music", "a.wav", sound("wav", 0.1))
    clean = ArchiveLayout(tmp_path / "clean")
    take(clean, path)
    real = getattr(os, call)
    for fail_at in range(200):
        calls = iter(range(10_000))

        def failing(*args: Any, **words: Any) -> Any:
            if next(calls) == fail_at:  # noqa: B023
                raise OSError(number, os.strerror(number))
            return real(*args, **words)

        layout = ArchiveLayout(tmp_path / f"{call}{fail_at}")
        with monkeypatch.context() as patch:
            patch.setattr(os, call, failing)
            try:
                take(layout, path)
            except FonotecaError as error:
                assert error.code == ("no-space" if number == errno.ENOSPC else "io-error")
                failed = True
            else:
                failed = False
        assert not list(layout.root.rglob("*.partial"))
        assert list(layout.root.rglob("incoming/*")) == []
        take(layout, path)
        assert tree(layout.root) == tree(clean.root)
        if not failed:
            assert fail_at > 1
            return
    pytest.fail("it never ran through")
