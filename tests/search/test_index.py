from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from fonoteca.core.errors import Damaged, NoArchive, NoSpace
from fonoteca.core.layout import PublicationLayout
from fonoteca.search import index
from fonoteca.search.index import licence_keys
from fonoteca.search.inputs import edition_digest, edition_inputs, edition_number
from fonoteca.search.searcher import Searcher, opened
from simulators.tiny_edition import Piece, inputs, publish

pytestmark = pytest.mark.core
SOME = [Piece(f"Piece {i % 7} of {i}", f"Artist {i % 3}", "Album", listens=i % 5 * 10, key=str(i)) for i in range(200)]


def answers(folder: Path) -> list[list[tuple[str, float]]]:
    searcher = Searcher(folder, lambda: 0.0)
    return [[(h.id, h.score) for h in searcher.search(q, 100).hits] for q in ("piece", "artist album", "pice 3", "1")]


def test_the_order_of_the_tables_makes_no_difference(tmp_path: Path) -> None:
    shuffled = SOME[:]
    random.Random(1).shuffle(shuffled)
    one = index.build(inputs(SOME), tmp_path / "a")
    other = index.build(inputs(shuffled), tmp_path / "b")
    assert answers(one) == answers(other)


def test_one_folder_per_content_built_once(tmp_path: Path) -> None:
    made = inputs(SOME)
    first = index.build(made, tmp_path)
    before = (first / "meta.json").stat().st_mtime_ns
    assert index.build(made, tmp_path) == first
    assert (first / "meta.json").stat().st_mtime_ns == before
    assert first != index.build(inputs(SOME[:10]), tmp_path)


def test_a_build_that_was_killed_leaves_nothing_that_counts(tmp_path: Path) -> None:
    made = inputs(SOME)
    folder = index.folder_of(tmp_path, made.digest)
    folder.mkdir(parents=True)
    (folder / "meta.json").write_bytes(b"half")
    assert not index.ready(folder)
    index.build(made, tmp_path)
    assert index.ready(folder)
    assert Searcher(folder, lambda: 0.0).recordings == 200
    assert [p for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_old_indexes_go(tmp_path: Path) -> None:
    for number in range(6):
        folder = index.build(inputs(SOME[: number + 1]), tmp_path)
        os.utime(folder / index.MARKER, (number, number))
    assert len([p for p in tmp_path.iterdir() if index.ready(p)]) == 3


def test_a_damaged_index_is_built_anew(tmp_path: Path) -> None:
    made = inputs(SOME)
    folder = index.build(made, tmp_path)
    (folder / "meta.json").write_bytes(b"{")
    assert opened(tmp_path, made.digest, lambda: made, lambda: 0.0).recordings == 200


def test_no_recordings_at_all(tmp_path: Path) -> None:
    searcher = Searcher(index.build(inputs([]), tmp_path), lambda: 0.0)
    assert searcher.search("anything").total == 0
    assert searcher.most_heard().hits == []


def test_hostile_texts_are_indexed(tmp_path: Path) -> None:
    texts = [
        "\x00",
        "a" * 100_000,
        "東" * 70_000,
        "\u202e",
        "\ufffe",
        "a\x00b",
        "🦄" * 1000,
        "\u0301" * 100,
        " ",
        "\n\n",
    ]
    pieces = [Piece(t, t, t, key=str(i)) for i, t in enumerate(texts)]
    assert Searcher(index.build(inputs(pieces), tmp_path), lambda: 0.0).recordings == len(texts)


@pytest.mark.parametrize(("licence", "keys"), [
    ("CC-BY-SA-3.0-US", ["by-sa", "by-sa-3.0", "by-sa-3.0-us"]), ("CC0-1.0", ["cc0", "cc0-1.0"]), (None, []),
    ("PD", ["pd"]),
])  # fmt: skip
def test_licence_keys(licence: str | None, keys: list[str]) -> None:
    assert licence_keys(licence) == keys


def test_an_edition_is_indexed_from_its_own_files(tmp_path: Path) -> None:
    known = Piece("Known only", "Nobody", licence="")
    published = publish(tmp_path / "publication", [*SOME[:5], known])
    made = edition_inputs(published.layout, 1)
    assert made.digest == edition_digest(published.layout, 1)
    searcher = Searcher(index.build(made, tmp_path / "search"), lambda: 0.0)
    assert searcher.search("playable:yes").total == 5
    assert [h.playable for h in searcher.search("known only").hits] == [False]


def test_editions_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(NoArchive):
        edition_number(PublicationLayout(tmp_path))
    published = publish(tmp_path / "publication", SOME[:2])
    assert edition_number(published.layout) == 1
    with pytest.raises(NoArchive) as told:
        edition_number(published.layout, 5)
    assert told.value.code == "no-edition"
    (published.layout.edition(1) / "snapshot" / "tracks.parquet").unlink()
    with pytest.raises(Damaged) as damage:
        edition_inputs(published.layout, 1)
    assert damage.value.code == "table-missing"


def no_more_than(limit: int, asked: list[int]) -> index.Room:
    def allow(amount: int) -> None:
        asked.append(amount)
        if amount > limit:
            raise NoSpace("over-budget", "It does not fit", str(amount), "allow more")

    return index.Room(allow, kept=1)


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def test_an_index_is_asked_for_before_it_is_built_and_takes_no_more(tmp_path: Path) -> None:
    asked: list[int] = []
    folder = index.build(inputs(SOME), tmp_path, room=no_more_than(1 << 30, asked))
    assert size(folder) < asked[0] == index.estimate(inputs(SOME))


def test_where_it_does_not_fit_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(NoSpace):
        index.build(inputs(SOME), tmp_path, room=no_more_than(1000, []))
    assert list(tmp_path.iterdir()) == []


def test_one_that_outgrows_its_estimate_asks_again_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "estimate", lambda _: 1)
    asked: list[int] = []
    with pytest.raises(NoSpace):
        index.build(inputs(SOME), tmp_path, room=no_more_than(20_000, asked))
    assert asked[0] == 1 and len(asked) > 1
    assert list(tmp_path.iterdir()) == []


def test_where_one_is_kept_the_old_one_goes_before_the_new_one_comes(tmp_path: Path) -> None:
    room = no_more_than(1 << 30, [])
    index.build(inputs(SOME), tmp_path, room=room)
    newer = index.build(inputs(SOME[:9]), tmp_path, room=room)
    assert list(tmp_path.iterdir()) == [newer]
    with pytest.raises(NoSpace):
        index.build(inputs(SOME), tmp_path, room=no_more_than(1, []))
    assert list(tmp_path.iterdir()) == []
