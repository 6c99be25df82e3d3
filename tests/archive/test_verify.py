"""Verify lists all damage in one pass, names file and block, and cries wolf never."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from fonoteca.archive.holdings import Holdings, ledger_path
from fonoteca.archive.verify import Budget, Verify
from fonoteca.core import durable
from fonoteca.core.clock import FixedClock
from fonoteca.core.findings import Finding, Severity
from fonoteca.core.ids import Kind, show_id
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.merkle import BLOCK
from fonoteca.rights.withdrawals import WithdrawalLog
from harness import START, ok
from simulators import small_archive
from simulators.small_store import fill

pytestmark = pytest.mark.core


def check(root: Path, **words: bool) -> list[Finding]:
    return list(Verify(**words).check(ArchiveLayout(root)))


def flip(path: Path, at: int, bit: int) -> None:
    path.chmod(0o644)
    with path.open("r+b", buffering=0) as stream:
        stream.seek(at)
        byte = stream.read(1)[0]
        stream.seek(at)
        stream.write(bytes([byte ^ (1 << bit)]))


def stored(root: Path) -> list[Path]:
    """Every file whose bytes are promised."""
    tops = ("blobs", "holdings", "publication")
    return [p for p in sorted(root.rglob("*")) if p.is_file() and p.relative_to(root).parts[0] in tops]


def hits(findings: list[Finding], root: Path, path: Path, at: int) -> bool:
    """Whether a finding names this byte's file and block."""
    label = path.relative_to(root).as_posix()
    near = (f for f in findings if f.path == label and f.severity is Severity.DAMAGE)
    return any(f.block is None or f.block[0] <= at // BLOCK <= f.block[1] for f in near)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with real files, published. Tests put back what they change."""
    root = small_archive.fresh(tmp_path_factory.mktemp("published"))
    ok("--archive", root, "publish", cwd=root)
    return root


def test_a_store_as_it_was_made_has_no_findings(tmp_path: Path) -> None:
    fill(tmp_path, [1, BLOCK, BLOCK + 1, 100_000])
    assert check(tmp_path) == []
    assert check(tmp_path, full=True) == []


def test_an_empty_archive_has_no_findings(tmp_path: Path) -> None:
    assert check(tmp_path) == []


def test_a_published_archive_has_no_findings(published: Path) -> None:
    assert check(published) == []
    assert check(published, full=True) == []


def test_a_flipped_bit_in_any_file_of_a_small_store_is_found_and_named(tmp_path: Path) -> None:
    """I1: blobs, leaves and ledger; a stratified sample of positions, each byte of the ledger's last line."""
    fill(tmp_path, [1, 700, BLOCK, 3 * BLOCK + 11])
    dice = random.Random(1)
    for path in stored(tmp_path):
        size = path.stat().st_size
        positions = {0, size - 1, *(dice.randrange(size) for _ in range(40))}
        if path == ledger_path(ArchiveLayout(tmp_path)):
            positions |= set(range(size - 300, size))
        for at in sorted(positions):
            bit = dice.randrange(8)
            flip(path, at, bit)
            assert hits(check(tmp_path), tmp_path, path, at), (path, at, bit)
            flip(path, at, bit)
    assert check(tmp_path) == []


def test_a_flipped_bit_in_any_file_of_a_publication_is_found_and_named(published: Path) -> None:
    dice = random.Random(2)
    for path in stored(published):
        size = path.stat().st_size
        positions = {0, size - 1, dice.randrange(size)} if size else set()
        for at in positions:
            bit = dice.randrange(8)
            flip(path, at, bit)
            assert hits(check(published), published, path, at), (path, at, bit)
            flip(path, at, bit)
    assert check(published) == []


def test_hundreds_of_faults_at_once_are_all_listed(tmp_path: Path) -> None:
    """I3: compared with the log of what was done."""
    dice = random.Random(3)
    made = list(fill(tmp_path, [dice.randrange(1, 40 * BLOCK) for _ in range(60)]))
    dice.shuffle(made)
    gone, cut, grown, rest = made[:5], made[5:10], made[10:15], made[15:]
    for path in gone:
        path.unlink()
    for path in cut:
        path.write_bytes(path.read_bytes()[:-1])
    for path in grown:
        path.write_bytes(path.read_bytes() + b"x")
    wanted = set()
    for path in rest:
        blocks = -(-path.stat().st_size // BLOCK)
        for block in sorted(dice.sample(range(blocks), min(blocks, 12))):
            size = path.stat().st_size
            flip(path, min(block * BLOCK + dice.randrange(BLOCK), size - 1), dice.randrange(8))
            wanted.add((path.relative_to(tmp_path).as_posix(), block))
    findings = check(tmp_path)
    by_code: dict[str, set[str]] = {}
    for finding in findings:
        by_code.setdefault(finding.code, set()).add(finding.path)
    for code, paths in (("file-missing", gone), ("file-shorter", cut), ("file-longer", grown)):
        assert by_code[code] == {p.relative_to(tmp_path).as_posix() for p in paths}
    listed = {
        (f.path, block) for f in findings if f.code == "block-damaged" and f.block
        for block in range(f.block[0], f.block[1] + 1)
    }  # fmt: skip
    assert listed == wanted
    assert len(wanted) > 300
    assert all(f.repair and f.detail for f in findings)


def test_each_finding_comes_once_and_in_the_same_order_with_any_number_of_threads(tmp_path: Path) -> None:
    for path in list(fill(tmp_path, [50_000] * 30))[::2]:
        flip(path, 20_000, 3)
    orders = [[f.path for f in Verify(workers=n).check(ArchiveLayout(tmp_path))] for n in (1, 2, 8)]
    assert orders[0] == orders[1] == orders[2] == sorted(set(orders[0]))


def test_what_nobody_promised_is_told_but_is_no_damage(tmp_path: Path) -> None:
    fill(tmp_path, [100])
    (tmp_path / "blobs" / "note.txt").write_bytes(b"?")
    (tmp_path / "blobs" / "incoming").mkdir()
    (tmp_path / "blobs" / "incoming" / "00000001").write_bytes(b"half")
    (finding,) = check(tmp_path)
    assert (finding.code, finding.path, finding.severity) == ("unexpected-file", "blobs/note.txt", Severity.WARNING)


def test_a_torn_ledger_is_a_crash_and_no_damage(tmp_path: Path) -> None:
    fill(tmp_path, [100])
    with ledger_path(ArchiveLayout(tmp_path)).open("ab") as stream:
        stream.write(b'{"type":"bl')
    (finding,) = check(tmp_path)
    assert (finding.code, finding.severity) == ("ledger-torn", Severity.INFO)


def test_behind_a_damaged_line_the_other_blobs_are_still_checked(tmp_path: Path) -> None:
    made = list(fill(tmp_path, [100, 200, 300, 400]))
    path = ledger_path(ArchiveLayout(tmp_path))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1].replace(b"200", b"201") + lines[2] + lines[3])
    flip(made[3], 5, 5)
    codes = {(f.code, f.path) for f in check(tmp_path)}
    assert ("ledger-line-damaged", "holdings/holdings.jsonl") in codes
    assert ("block-damaged", made[3].relative_to(tmp_path).as_posix()) in codes


def test_a_lost_ledger_is_damage(tmp_path: Path) -> None:
    fill(tmp_path, [100])
    ledger_path(ArchiveLayout(tmp_path)).unlink()
    assert ("file-missing", "holdings/holdings.jsonl") in {(f.code, f.path) for f in check(tmp_path)}


def test_a_damaged_block_of_an_editions_file_is_named(tmp_path: Path) -> None:
    """The last block of every table, and no other."""
    root = small_archive.fresh(tmp_path)
    ok("--archive", root, "publish", cwd=root)
    edition = ArchiveLayout(root).publication.edition(1)
    for path in edition.rglob("*.parquet"):
        at = path.stat().st_size - 1
        flip(path, at, 0)
    found = [f for f in check(root) if f.severity is Severity.DAMAGE]
    assert {f.path for f in found} == {p.relative_to(root).as_posix() for p in edition.rglob("*.parquet")}
    assert all(f.code == "block-damaged" and f.block and f.block[0] == f.block[1] for f in found)


def test_a_lost_folder_is_listed_file_by_file(published: Path, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(published, root)
    lost = [p.relative_to(root).as_posix() for p in sorted((root / "publication" / "packs").rglob("*.tar"))]
    lost += [p.relative_to(root).as_posix() for p in (root / "publication" / "torrents").rglob("*.torrent")]
    shutil.rmtree(root / "publication" / "packs")
    shutil.rmtree(root / "publication" / "torrents")
    assert {f.path for f in check(root) if f.code == "file-missing"} == set(lost)


def test_a_damaged_pack_names_pack_block_and_blobs(published: Path) -> None:
    pack = min((published / "publication" / "packs").rglob("*.tar"))
    flip(pack, 3000, 0)
    (finding,) = check(published)
    flip(pack, 3000, 0)
    assert (finding.code, finding.block, finding.pack) == ("block-damaged", (0, 0), pack.name.partition(".")[0])
    inside = [sha for sha, place in Holdings.open(ArchiveLayout(published)).places().items() if place.offset < BLOCK
              and pack.name.startswith(place.pack)]  # fmt: skip
    assert inside
    assert all(sha in finding.detail for sha in inside)


def test_a_damaged_list_of_packs_hides_no_damage_in_the_packs(published: Path) -> None:
    """The torrents name the packs then."""
    table = min((published / "publication" / "editions").rglob("packs.parquet"))
    pack = max((published / "publication" / "packs").rglob("*.tar"))
    flip(table, 100, 1)
    flip(pack, 100, 1)
    codes = {f.path for f in check(published) if f.severity is Severity.DAMAGE}
    flip(table, 100, 1)
    flip(pack, 100, 1)
    assert codes == {table.relative_to(published).as_posix(), pack.relative_to(published).as_posix()}


def test_a_publication_alone_and_an_edition_alone_are_checked(published: Path, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(published / "publication", root)
    publication = ArchiveLayout(published).publication.__class__(root)
    assert list(Verify().check_publication(publication)) == []
    assert list(Verify().check_edition(publication.edition(1))) == []
    locator = publication.edition(1) / "locator.parquet"
    flip(locator, 50, 2)
    assert {f.path for f in Verify().check_publication(publication)} == {"editions/0001/locator.parquet"}
    assert {f.path for f in Verify().check_edition(publication.edition(1))} == {"locator.parquet"}
    alone = tmp_path / "alone"
    shutil.copytree(publication.edition(1), alone)
    assert {f.path for f in Verify().check_edition(alone)} == {"locator.parquet"}


def test_a_partial_mirror_need_not_hold_every_pack_but_what_it_holds_must_be_whole(
    published: Path, tmp_path: Path
) -> None:
    root = tmp_path / "copy"
    shutil.copytree(published / "publication", root)
    publication = ArchiveLayout(published).publication.__class__(root)
    packs = sorted(publication.packs.rglob("*.tar"))
    packs[0].unlink()
    assert list(Verify().check_publication(publication, partial=True)) == []
    flip(packs[1], 1000, 1)
    (finding,) = Verify().check_publication(publication, partial=True)
    assert finding.path == packs[1].relative_to(root).as_posix()


def test_a_mirror_need_not_keep_an_older_edition_but_an_archive_must(published: Path, tmp_path: Path) -> None:
    root = tmp_path / "archive"
    shutil.copytree(published, root)
    layout = ArchiveLayout(root)
    blob = min(Holdings.open(layout).blobs())
    ok("--archive", root, "rights", "withdraw", f"sha256:{blob}", "--reason", "asked for", cwd=root)
    ok("--archive", root, "publish", cwd=root)
    shutil.rmtree(layout.publication.edition(1))
    assert list(Verify().check_publication(layout.publication, partial=True)) == []
    for found in (Verify().check(layout), Verify().check_publication(layout.publication)):
        assert {f.path.removeprefix("publication/") for f in found} == {"editions/0001/edition.json"}
    (layout.publication.edition(2) / "edition.json").unlink()
    lost = Verify().check_publication(layout.publication, partial=True)
    assert "editions/0002/edition.json" in {f.path for f in lost}


def test_a_time_budget_is_kept_and_the_next_runs_go_on_and_forget_nothing(tmp_path: Path) -> None:
    made = list(fill(tmp_path, [1000] * 20))
    flip(made[0], 10, 1)
    state = tmp_path / "jobs" / "verify.json"

    class Ticking(FixedClock):
        def monotonic(self) -> float:
            self.elapsed += 1.0
            return self.elapsed

    listed, rounds, checked = [], 0, 0
    while True:
        rounds += 1
        work = Verify(budget=Budget(Ticking(START), 7.0, state))
        listed += [f.path for f in work.check(ArchiveLayout(tmp_path))]
        checked += work.tally.checked
        if not work.tally.left:
            break
        assert state.is_file()
    assert rounds >= 3
    assert set(listed) == {made[0].relative_to(tmp_path).as_posix()}
    assert checked >= 20
    # What came in since, and what was damaged, is read in the next round; then the round is over.
    fill(tmp_path, [500], seed=2)
    flip(made[0], 10, 1)
    work = Verify(budget=Budget(FixedClock(START), 100.0, state))
    assert list(work.check(ArchiveLayout(tmp_path))) == []
    assert work.tally.checked >= 2
    assert not state.exists()


def test_a_damaged_state_file_means_that_everything_is_read_again(tmp_path: Path) -> None:
    fill(tmp_path, [1000] * 3)
    state = tmp_path / "jobs" / "verify.json"
    state.parent.mkdir()
    state.write_bytes(b"{")
    work = Verify(budget=Budget(FixedClock(START), 100.0, state))
    assert list(work.check(ArchiveLayout(tmp_path))) == []
    assert work.tally.checked == 3


@pytest.fixture
def withdrawn(tmp_path: Path) -> Path:
    """An archive whose log of withdrawals has two entries, both published."""
    layout = ArchiveLayout(tmp_path)
    log = WithdrawalLog(layout)
    for number in range(2):
        log.withdraw(show_id(Kind.RECORDING, number), [f"{number:064x}"], "asked for", "2026-11-24T12:00:00Z")
    durable.write_bytes(layout.publication.withdrawals, log.current().encode())
    return tmp_path


def log_findings(root: Path) -> list[str]:
    return [f.code for f in check(root) if f.path == "holdings/withdrawals.jsonl"]


def test_each_flipped_bit_of_the_log_of_withdrawals_is_found_in_its_last_line_too(withdrawn: Path) -> None:
    path = withdrawn / "holdings" / "withdrawals.jsonl"
    whole = path.read_bytes()
    assert log_findings(withdrawn) == []
    for at in range(len(whole)):
        flip(path, at, at % 8)
        assert log_findings(withdrawn), f"byte {at}"
        path.write_bytes(whole)


def test_flipped_bits_of_withdrawals_that_are_not_published_yet_are_found_too(withdrawn: Path) -> None:
    ArchiveLayout(withdrawn).publication.withdrawals.unlink()
    test_each_flipped_bit_of_the_log_of_withdrawals_is_found_in_its_last_line_too(withdrawn)


def test_published_withdrawals_that_the_log_has_lost_are_found(withdrawn: Path) -> None:
    path = withdrawn / "holdings" / "withdrawals.jsonl"
    path.write_bytes(path.read_bytes().split(b"\n")[0] + b"\n")
    assert log_findings(withdrawn) == ["file-shorter"]
    path.unlink()
    assert log_findings(withdrawn) == ["file-missing"]
