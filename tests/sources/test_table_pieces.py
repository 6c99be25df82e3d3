"""A table read key by key says what it says when it is read as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from fonoteca.sources.records import Dump, Record, Refused
from fonoteca.sources.table import Table
from fonoteca.sources.table_pieces import Piece, SomeKeys

pytestmark = pytest.mark.core
ROWS = [
    "1,Dawn,Ana,a1,First,90", "2,Dusk,Bo,b2,First,x", "1,Dawn,Ana,a1,First,90", "1,Noon,Ana,a1,First,90",
    ",Nobody,,,,", "3,Late,Ana,a1,Second,7", "4,,,,Second,", "2,Dusk,Bo,b2,Other,x",
]  # fmt: skip
MAPPING = {
    "key": ["key"], "licence": "CC0-1.0", "signals": {"listens": "listens"},
    "columns": {"title": "title", "artist": "artist", "artist_key": "artist_key", "release": "release"},
}  # fmt: skip


@pytest.fixture
def dump(tmp_path: Path) -> Dump:
    header = "key,title,artist,artist_key,release,listens\n"
    for name, rows in (("a.csv", ROWS[:4]), ("b.csv", ROWS[4:])):
        (tmp_path / name).write_text(header + "\n".join(rows) + "\n")
    return Table().resolve(Dump([tmp_path / "a.csv", tmp_path / "b.csv"], options={"mapping": MAPPING}))


def _apart(pieces: list[Piece], parts: int) -> tuple[list[Record], list[Refused]]:
    """Read as many machines would: each the rows of its keys, in their order."""
    readers = [SomeKeys(pieces) for _ in range(parts)]
    rows = [sorted((place, row) for piece in pieces for place, key, row in piece.rows() if key % parts == part)
            for part in range(parts)]  # fmt: skip
    found = [record for reader, own in zip(readers, rows, strict=True) for record in reader.records(own)]
    named = sorted(((name, *told) for reader in readers for name, told in reader.named.items()), key=repr)
    first = {name: record for name, _, record in sorted(named, key=lambda told: told[1], reverse=True)}
    refused = [r for r in found if isinstance(r, Refused)]
    return [*(r for r in found if not isinstance(r, Refused)), *first.values()], refused


def _shown(records: Iterable[Record]) -> list[str]:
    return sorted(map(repr, records))


@pytest.mark.parametrize("parts", [1, 2, 7])
def test_every_record_comes_once_whoever_reads_its_key(dump: Dump, parts: int) -> None:
    pieces = Table().pieces(dump)
    assert pieces is not None
    whole = list(Table().records(dump))
    found, refused = _apart(list(pieces), parts)
    assert _shown([*found, *refused]) == _shown(whole)
    assert {r.code for r in refused} == {"no-key", "key-conflict"}


def test_places_are_in_the_order_of_the_dump(dump: Dump) -> None:
    places = [place for piece in Table().pieces(dump) or [] for place, _, _ in piece.rows()]
    assert places == sorted(places)
    assert len(places) == len(ROWS)
