"""Repair of archives: exact bytes come back, little moves, the damaged original is kept, nothing gets worse."""

from __future__ import annotations

import datetime
import errno
import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fonoteca.archive.holdings import Holdings, ledger_path
from fonoteca.archive.quarantine import Home
from fonoteca.archive.repair import Item, Repair
from fonoteca.archive.verify import Verify
from fonoteca.core.blocks import BlockSource, FolderSource
from fonoteca.core.clock import FixedClock
from fonoteca.core.errors import FonotecaError
from fonoteca.core.findings import Severity
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.merkle import BLOCK
from harness import START, ok
from simulators import small_archive
from simulators.small_store import fill

pytestmark = pytest.mark.core
SIZES = [1, 700, BLOCK, 5 * BLOCK + 11]


def repair(root: Path, *sources: BlockSource) -> tuple[list[Item], Repair]:
    work = Repair(Home.of_archive(ArchiveLayout(root)), FixedClock(START), sources)
    return list(work.run()), work


def bytes_of(root: Path) -> dict[str, bytes]:
    """Everything but the quarantine and the lock."""
    return {
        p.relative_to(root).as_posix(): p.read_bytes()
        for p in sorted(root.rglob("*"))
        if p.is_file() and p.relative_to(root).parts[0] not in {"quarantine", ".lock"}
    }


def damaged(root: Path) -> list[str]:
    found = Verify(full=True).check(ArchiveLayout(root))
    return [f"{f.code} {f.path}" for f in found if f.severity is Severity.DAMAGE]


def change(path: Path, how: Callable[[bytearray], bytes | bytearray]) -> None:
    path.chmod(0o644)
    path.write_bytes(how(bytearray(path.read_bytes())))


def flip(path: Path, at: int, bit: int = 0) -> None:
    def one(data: bytearray) -> bytearray:
        data[at] ^= 1 << bit
        return data

    change(path, one)


@pytest.fixture
def twins(tmp_path: Path) -> tuple[Path, Path]:
    """A store of loose blobs, and its copy on another disk."""
    fill(tmp_path / "archive", SIZES)
    shutil.copytree(tmp_path / "archive", tmp_path / "copy")
    return tmp_path / "archive", tmp_path / "copy"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = small_archive.fresh(tmp_path_factory.mktemp("published"))
    ok("--archive", root, "publish", cwd=root)
    return root


@pytest.fixture
def published(made: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A published archive, and its copy."""
    shutil.copytree(made, tmp_path / "archive")
    return tmp_path / "archive", made


def largest(root: Path) -> Path:
    return max((root / "blobs").glob("??/??/*"), key=lambda p: p.stat().st_size)


def pack(root: Path) -> Path:
    return max((root / "publication/packs").glob("*/*.tar"), key=lambda p: (p.stat().st_size, p.name))


def test_an_undamaged_archive_is_left_alone(twins: tuple[Path, Path]) -> None:
    root, _ = twins
    before = bytes_of(root)
    assert repair(root)[0] == []
    assert bytes_of(root) == before
    assert not (root / "quarantine").exists()


def test_a_flipped_bit_anywhere_in_a_small_store_comes_back(twins: tuple[Path, Path]) -> None:
    """I1, the repair half: every file, the ledger too, at the ends and at places by seed."""
    root, copy = twins
    before, dice = bytes_of(root), random.Random(3)
    for path in [p for p in sorted(root.rglob("*")) if p.is_file()]:
        size = path.stat().st_size
        for at in {0, size - 1, dice.randrange(size)}:
            flip(path, at, dice.randrange(8))
            source = FolderSource(copy)
            items, work = repair(root, source)
            assert [(i.path, i.result) for i in items] == [(path.relative_to(root).as_posix(), "repaired")]
            assert bytes_of(root) == before
            assert source.fetched == work.tally.fetched <= 2 * BLOCK


@pytest.mark.parametrize(
    "how",
    [
        lambda d: d[:BLOCK] + bytes(4 * BLOCK) + d[5 * BLOCK :],
        lambda d: d[BLOCK : 2 * BLOCK] + d[:BLOCK] + d[2 * BLOCK :],
        lambda d: d[: 2 * BLOCK + 9],
        lambda d: b"",
        lambda d: d + bytes(70_000),
        lambda d: d[BLOCK:] + d[:BLOCK],
    ],
    ids=["zeroed-64KiB", "swapped", "cut", "emptied", "longer", "rotated"],
)
def test_realistic_damage_comes_back_and_the_original_is_kept(
    twins: tuple[Path, Path], how: Callable[[bytearray], bytes]
) -> None:
    root, copy = twins
    before, path = bytes_of(root), largest(root)
    change(path, how)
    bad = path.read_bytes()
    [item], work = repair(root, FolderSource(copy))
    assert item.result == "repaired"
    assert bytes_of(root) == before
    assert damaged(root) == []
    assert item.fetched <= item.blocks * BLOCK
    assert item.kept is not None
    assert (root / item.kept).read_bytes() == bad
    note = json.loads((root / f"{item.kept}.json").read_bytes())
    assert (note["path"], note["when"], note["bytes"]) == (item.path, "2026-11-24T12:00:00Z", len(bad))
    assert note["why"][0]["code"] == item.code
    assert not (root / "quarantine/repair/work").exists()
    assert (work.tally.damaged, work.tally.repaired, work.tally.unrepaired) == (1, 1, 0)


def test_a_missing_blob_comes_whole_and_read_only(twins: tuple[Path, Path]) -> None:
    root, copy = twins
    before, path = bytes_of(root), largest(root)
    path.unlink()
    [item], _ = repair(root, FolderSource(copy))
    assert (item.code, item.result, item.blocks, item.kept) == ("file-missing", "repaired", 6, None)
    assert bytes_of(root) == before
    assert path.stat().st_mode & 0o777 == 0o444


def test_all_blobs_lost_with_their_folder_come_back_from_a_folder_of_plain_files(twins: tuple[Path, Path]) -> None:
    """The audio as it was taken in, under other names: found by length, believed by digest."""
    root, copy = twins
    before = bytes_of(root)
    music = copy.parent / "music"
    for number, path in enumerate(sorted((copy / "blobs").glob("??/??/*"))):
        (music / "cd").mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, music / "cd" / f"{number} Song.ogg")
        (music / f"same length {number}.ogg").write_bytes(bytes(path.stat().st_size))
    shutil.rmtree(root / "blobs")
    items, _ = repair(root, FolderSource(music))
    assert {i.result for i in items} == {"repaired"}
    assert bytes_of(root) == before


class Hostile(FolderSource):
    """Gives wrong bytes, always, whatever it is asked for."""

    def read(self, *words: object) -> object:  # type: ignore[override]
        for data in super().read(*words):  # type: ignore[arg-type]
            yield bytes(byte ^ 0x55 for byte in data)

    def small(self, path: str, max_bytes: int) -> bytes | None:
        data = super().small(path, max_bytes)
        return data and bytes(byte ^ 0x55 for byte in data)


def spoil(root: Path) -> None:
    """Damage of every kind."""
    flip(pack(root), 20_000)
    packs = sorted((root / "publication/packs").glob("*/*.tar"))
    next(p for p in packs if p != pack(root)).unlink()
    edition = root / "publication/editions/0001"
    change(edition / "ledger.parquet", lambda d: d[:-100])
    flip(edition / "locator.parquet", 40)
    flip(next((root / "holdings/leaves").glob("??/*")), 3)
    flip(next((root / "publication/torrents").glob("*.torrent")), 100)


def test_a_hostile_source_that_lies_always_makes_nothing_worse(published: tuple[Path, Path]) -> None:
    """I5."""
    root, copy = published
    spoil(root)
    before, found = bytes_of(root), damaged(root)
    items, work = repair(root, Hostile(copy))
    left = [i for i in items if i.result == "unrepaired"]
    assert len(left) == work.tally.unrepaired > 3
    assert all("other bytes" in i.detail for i in left)
    after = bytes_of(root)
    mended = {i.path for i in items if i.result == "repaired"}  # the leaves need no source
    assert {p for p in before if before[p] != after.get(p)} == mended
    assert set(damaged(root)) == {f for f in found if f.split()[1] not in mended}
    assert {i.result for i in repair(root, Hostile(copy), FolderSource(copy))[0]} == {"repaired"}
    assert damaged(root) == []


def test_everything_damaged_at_once_comes_back_with_the_same_bytes(published: tuple[Path, Path]) -> None:
    root, copy = published
    spoil(root)
    publication = root / "publication"
    for name in ("metadata/timestamp.json", "metadata/1.root.json", "editions/0001/edition.json",
                 "editions/0001/packs.parquet", "withdrawals/withdrawals.json"):  # fmt: skip
        flip(publication / name, (publication / name).stat().st_size // 2)
    (publication / "metadata/1.snapshot.json").unlink()
    items, _ = repair(root, FolderSource(copy))
    assert [i for i in items if i.result != "repaired"] == []
    assert damaged(root) == []
    assert bytes_of(root) == bytes_of(copy)


@pytest.mark.parametrize("bits", [1, 25])
def test_each_flipped_bit_in_packs_costs_at_most_two_blocks(published: tuple[Path, Path], bits: int) -> None:
    """I4."""
    root, copy = published
    dice = random.Random(bits)
    packs = sorted((root / "publication/packs").glob("*/*.tar"))
    for _ in range(bits):
        path = dice.choice(packs)
        flip(path, dice.randrange(path.stat().st_size), dice.randrange(8))
    source = FolderSource(copy / "publication")
    items, _ = repair(root, source)
    assert {i.result for i in items} <= {"repaired"}
    assert source.fetched <= bits * BLOCK
    assert bytes_of(root) == bytes_of(copy)


def test_a_pack_is_mended_by_the_audio_files_that_are_in_it(published: tuple[Path, Path]) -> None:
    root, copy = published
    path = pack(root)
    data = path.read_bytes()
    places = Holdings.open(ArchiveLayout(root)).places().values()
    flip(path, max(p.offset for p in places if p.file.endswith(path.name)) + 5)
    [item], _ = repair(root, FolderSource(copy.parent / "music"))
    assert (item.result, path.read_bytes()) == ("repaired", data)


def test_a_loose_copy_of_a_sealed_blob_mends_its_pack_without_any_source(published: tuple[Path, Path]) -> None:
    root, _ = published
    ledger = Holdings.open(ArchiveLayout(root))
    path = pack(root)
    sha = next(s for s, place in ledger.places().items() if place.file.endswith(path.name))
    ledger.store().copy_back(sha)
    data, offset = path.read_bytes(), ledger.places()[sha].offset
    flip(path, offset + 5)
    [item], work = repair(root)
    assert (item.result, path.read_bytes()) == ("repaired", data)
    assert work.tally.fetched == 0


def test_the_pack_mends_a_loose_copy_without_any_source(published: tuple[Path, Path]) -> None:
    root, _ = published
    store = Holdings.open(ArchiveLayout(root)).store()
    sha = next(iter(Holdings.open(ArchiveLayout(root)).places()))
    store.copy_back(sha)
    path = root / "blobs" / sha[:2] / sha[2:4] / sha
    data = path.read_bytes()
    flip(path, len(data) - 1)
    [item], work = repair(root)
    assert (item.result, path.read_bytes(), work.tally.fetched) == ("repaired", data, 0)


def test_the_ledger_is_mended_and_then_the_blobs_that_it_names(twins: tuple[Path, Path]) -> None:
    root, copy = twins
    before, path = bytes_of(root), ledger_path(ArchiveLayout(root))
    change(path, lambda d: b"?" * 90 + b"\n" + d[d.index(b"\n") + 1 :])
    flip(largest(root), 3)
    for blob in (root / "blobs").glob("??/??/*"):
        if blob.stat().st_size == SIZES[0]:  # named by the first line
            flip(blob, 0)
    items, _ = repair(root, FolderSource(copy))
    assert [i.result for i in items] == ["repaired"] * 3
    assert bytes_of(root) == before


def test_a_ledger_that_nothing_proves_is_left_as_it_is(twins: tuple[Path, Path]) -> None:
    root, copy = twins
    path = ledger_path(ArchiveLayout(root))
    change(path, lambda d: d[:-50] + b"?" * 49 + b"\n")
    bad = path.read_bytes()
    items, _ = repair(root, FolderSource(copy))
    assert "backup" in next(i.detail for i in items if i.code == "ledger-line-damaged")
    assert path.read_bytes() == bad


def test_leaves_are_made_again_from_blobs_that_are_right(published: tuple[Path, Path]) -> None:
    root, _ = published
    before = bytes_of(root)
    for path in (root / "holdings/leaves").rglob("*"):
        if path.is_file():
            flip(path, 0)
    items, _ = repair(root)
    assert {(i.code, i.result) for i in items} == {("leaves-damaged", "repaired")}
    assert bytes_of(root) == before


def test_a_blob_whose_leaves_are_lost_too_takes_the_leaves_of_a_copy(twins: tuple[Path, Path]) -> None:
    root, copy = twins
    before, path = bytes_of(root), largest(root)
    flip(path, 4 * BLOCK)
    shutil.rmtree(root / "holdings/leaves")
    source = FolderSource(copy)
    items, _ = repair(root, source)
    assert {i.result for i in items} == {"repaired"}
    assert bytes_of(root) == before
    assert source.fetched <= BLOCK + 6 * 32


def test_a_blob_whose_leaves_are_lost_everywhere_comes_whole(twins: tuple[Path, Path]) -> None:
    root, copy = twins
    before, path = bytes_of(root), largest(root)
    flip(path, 4 * BLOCK)
    shutil.rmtree(root / "holdings/leaves")
    items, _ = repair(root, FolderSource(copy / "blobs"))
    assert {i.result for i in items} == {"repaired"}
    assert bytes_of(root) == before


def test_a_redacted_pack_of_a_later_edition_mends_what_it_still_holds(published: tuple[Path, Path]) -> None:
    root, copy = published
    later = root.parent / "later"
    shutil.copytree(copy, later)
    path = pack(root)
    places = Holdings.open(ArchiveLayout(root)).places().values()
    first, *_, last = sorted((p for p in places if p.file.endswith(path.name)), key=lambda p: p.offset)
    shown = ok("--archive", later, "show", f"sha256:{first.blob}", "--json", cwd=later).json["id"]
    ok("--archive", later, "rights", "withdraw", shown, "--reason", "asked for", cwd=later)
    ok("--archive", later, "publish", cwd=later)
    data = path.read_bytes()
    flip(path, last.offset + 5)
    [item], _ = repair(root, FolderSource(later / "publication"))
    assert (item.result, path.read_bytes()) == ("repaired", data)
    flip(path, first.offset + 5)
    [item], _ = repair(root, FolderSource(later / "publication"))
    assert item.result == "unrepaired", "what was withdrawn does not come from a redaction"


def test_an_older_timestamp_is_refused_though_it_is_signed(published: tuple[Path, Path]) -> None:
    root, copy = published
    ok("--archive", root, "publish", "--refresh", cwd=root, clock=FixedClock(START + datetime.timedelta(days=2)))
    flip(root / "publication/metadata/timestamp.json", 300)
    before = bytes_of(root)
    [item], _ = repair(root, FolderSource(copy))
    assert item.result == "unrepaired"
    assert "another version" in item.detail
    assert bytes_of(root) == before


def test_a_folder_in_the_place_of_a_blob_is_said_not_removed(twins: tuple[Path, Path]) -> None:
    root, copy = twins
    path = largest(root)
    path.unlink()
    path.mkdir()
    [item], _ = repair(root, FolderSource(copy))
    assert (item.result, path.is_dir()) == ("unrepaired", True)
    assert "move it away" in item.detail


def test_without_a_source_it_says_what_to_name(twins: tuple[Path, Path]) -> None:
    root, _ = twins
    flip(largest(root), 0)
    [item], work = repair(root)
    assert item.result == "unrepaired"
    assert "--from" in item.detail
    assert work.tally.unrepaired == 1


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_any_single_failing_call_is_reported_and_harmless(
    twins: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """R7 for repair: call N of the system fails, for every N until a run ends without."""
    root, copy = twins
    good, path = bytes_of(root), largest(root)
    change(path, lambda d: d[:BLOCK] + bytes(BLOCK) + d[2 * BLOCK :])
    bad = path.read_bytes()
    label = path.relative_to(root).as_posix()
    for n in range(1, 100):
        path.chmod(0o644)
        path.write_bytes(bad)
        with monkeypatch.context() as patched:
            failed = failing(patched, n, code)
            try:
                repair(root, FolderSource(copy))
            except FonotecaError as error:
                assert failed, error
            now = bytes_of(root)
            assert now | {label: b""} == good | {label: b""}
            assert now[label] in {bad, good[label]}
            if not failed:
                assert n > 5
                return
        repair(root, FolderSource(copy))
        assert bytes_of(root) == good
    pytest.fail("it never ended")


def failing(patched: pytest.MonkeyPatch, n: int, code: int) -> list[str]:
    """Let call ``n`` of fsync, replace and link fail; the list names it once it has."""
    calls, failed = iter(range(1, 10_000)), []
    for name in ("fsync", "replace", "link"):
        true = getattr(os, name)

        def wrapped(*words: object, name: str = name, true: Callable[..., object] = true, **more: object) -> object:
            if next(calls) == n:
                failed.append(name)
                raise OSError(code, os.strerror(code))
            return true(*words, **more)

        patched.setattr(os, name, wrapped)
    return failed
