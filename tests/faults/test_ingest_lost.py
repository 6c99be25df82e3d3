"""Promise I6 for each way of ingest: a catalogue that was lost or garbled is rebuilt from its dumps, byte for byte."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from faults.ingesting import RECORDS, WAYS, Case, Runner, Way, books, case, runner
from simulators.tiny_catalogue import archive

pytestmark = pytest.mark.core


def files(folder: Path) -> list[Path]:
    return sorted((folder / "catalogue/files").glob("*.parquet"))


def _all_gone(folder: Path) -> None:
    shutil.rmtree(folder / "catalogue")


def _a_file_in_its_place(folder: Path) -> None:
    shutil.rmtree(folder / "catalogue")
    (folder / "catalogue").write_bytes(b"not a folder")


def _pointer_gone(folder: Path) -> None:
    (folder / "catalogue/CURRENT").unlink()


def _pointer_garbled(folder: Path) -> None:
    (folder / "catalogue/CURRENT").write_bytes(bytes(range(256)))


def _pointer_to_nowhere(folder: Path) -> None:
    (folder / "catalogue/CURRENT").write_bytes(b'{"digest":"%s","generation":999999}' % (b"0" * 64))


def _manifests_empty(folder: Path) -> None:
    for path in (folder / "catalogue/generations").iterdir():
        path.write_bytes(b"")


def _manifests_of_noise(folder: Path) -> None:
    dice = random.Random(1)
    for path in (folder / "catalogue/generations").iterdir():
        path.write_bytes(dice.randbytes(path.stat().st_size))


def _files_gone(folder: Path) -> None:
    shutil.rmtree(folder / "catalogue/files")


def _some_files_gone(folder: Path) -> None:
    for path in files(folder)[::2]:
        path.unlink()


def _files_cut(folder: Path) -> None:
    for path in files(folder):
        path.write_bytes(path.read_bytes()[:-9])


def _files_of_noise(folder: Path) -> None:
    dice = random.Random(2)
    for path in files(folder):
        path.write_bytes(dice.randbytes(path.stat().st_size))


LOSSES: list[Callable[[Path], None]] = [
    _all_gone, _a_file_in_its_place, _pointer_gone, _pointer_garbled, _pointer_to_nowhere, _manifests_empty,
    _manifests_of_noise, _files_gone, _some_files_gone, _files_cut, _files_of_noise,
]  # fmt: skip


def rebuilt(made: Case, run: Runner) -> None:
    """As docs say of a lost catalogue: what is left of it goes, and the dumps are ingested again."""
    left = made.archive / "catalogue"
    if left.is_dir():
        shutil.rmtree(left)
    else:
        left.unlink(missing_ok=True)
    run.done(made.archive, made.words)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_rebuilt_from_the_dump_after_each_loss(way: Way, tmp_path: Path) -> None:
    made = case(way, tmp_path)
    shutil.rmtree(made.archive)
    archive(made.archive)
    with runner() as run:
        run.done(made.archive, made.words)
        whole = books(made.archive)
        for lose in LOSSES if way is RECORDS else LOSSES[::3]:
            lose(made.archive)
            told = run.run(made.archive, ("verify", "--json"))
            assert "Traceback" not in told.stderr, lose.__name__
            # A folder that is gone may never have been, and the first ingest of all may have been killed before it
            # pointed to its generation; everything else is damage, and is told.
            assert told.code == (0 if lose in {_all_gone, _pointer_gone} else 4), (lose.__name__, told.stdout[-800:])
            asked = run.run(made.archive, ("sql", "SELECT title, source, position FROM recordings", "--json"))
            assert asked.status == 0
            assert asked.code in {1, 4, 10}, (lose.__name__, asked.stdout[-800:], asked.stderr[-800:])
            assert asked.json["code"] in {"catalogue-damaged", "generation-damaged", "no-catalogue", "unwritable"}
            again = run.run(made.archive, made.words)
            assert "Traceback" not in again.stderr, lose.__name__
            if again.code not in {0, 3} or books(made.archive) != whole:
                assert again.code in {0, 1, 3, 4}, (lose.__name__, again.stdout[-800:])
                rebuilt(made, run)
            assert books(made.archive) == whole, lose.__name__
            assert run.run(made.archive, ("verify", "--json")).code == 0


def test_with_the_pointer_lost_the_partitions_of_other_dumps_are_not_taken_for_leftovers(tmp_path: Path) -> None:
    made = case(WAYS[0], tmp_path)
    _pointer_gone(made.archive)
    before = books(made.archive)
    with runner() as run:
        ran = run.run(made.archive, made.words)
        assert (ran.code, ran.json["code"]) == (4, "generation-damaged")
        assert books(made.archive) == before
        assert run.run(made.archive, ("verify", "--json")).code == 4


@pytest.mark.parametrize("lose", [_some_files_gone, _files_of_noise], ids=lambda lose: lose.__name__[1:])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_files_of_several_dumps_lost_are_told_and_a_rebuild_gives_the_same_catalogue(
    way: Way, lose: Callable[[Path], None], tmp_path: Path
) -> None:
    made, others = case(way, tmp_path), case(WAYS[0], tmp_path / "other", 50)
    shutil.rmtree(made.archive)
    archive(made.archive)
    with runner() as run:
        run.done(made.archive, made.words)
        run.done(made.archive, others.words)
        whole = books(made.archive)
        lose(made.archive)
        for words in (made.words, ("rank",), ("show", "table:1")):
            ran = run.run(made.archive, (*words, "--json"))
            assert ran.code is not None, (words, ran.stderr[-1500:])
            if ran.code not in {0, 3}:
                assert ran.json["code"] not in {"io-error", "sql-wrong"}, (words, ran.stdout[-500:])
        shutil.rmtree(made.archive / "catalogue")
        run.done(made.archive, made.words)
        run.done(made.archive, others.words)
        assert books(made.archive) == whole
