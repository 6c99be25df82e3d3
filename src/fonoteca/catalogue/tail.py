"""The first of the unheard tail, piece by piece: what it takes follows the artists, not the recordings.

The order is that of :func:`fonoteca.catalogue.operations.unheard`, whose query joins and sorts a whole catalogue. Here
each chunk of a wide partition is a piece, and what no wide partition has is another. One pass adds up the known
listens of each artist; a second one takes the first rows of each piece. Once enough rows are found, the last of them
says from how many listens of its artist on a recording still matters, and so only few artists are looked for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fonoteca.catalogue import heard, operations, own
from fonoteca.catalogue.engine import parquet
from fonoteca.catalogue.generation import Generation, Popularity
from fonoteca.catalogue.places import Places

if TYPE_CHECKING:
    import duckdb

HINTS = ("listeners", "downloads", "favourites", "artist_listens", "releases")
"""What speaks for a recording, in the order in which it counts."""
NEEDED = ("signals", "credits", "tracks")
"""The views that are asked."""
_COLUMNS = ", ".join(["recording_id", *HINTS])
_SIGNALLED = "listeners IS NOT NULL OR downloads IS NOT NULL OR favourites IS NOT NULL"
_SLACK = 1 << 22
"""Sums of artists that may wait to be added up."""


def query(most: int) -> str:
    """Query of the first ``most`` rows over the views of a catalogue, for engines that spread it over machines."""
    rows = operations.unheard("heard", *NEEDED)
    return f"SELECT {_COLUMNS} FROM ({rows}) AS t ORDER BY {operations.UNHEARD_ORDER} LIMIT {most}"


@dataclass(frozen=True)
class _Piece:
    """Some recordings, each of them in one piece only.

    Attributes:
        billed: query of recording_id, listens, artist_id; each pair once, the artist may be null.
        placed: query of recording_id, listens, releases.
    """

    billed: str
    placed: str


def first(
    connection: duckdb.DuckDBPyConnection, places: Places, generation: Generation, most: int
) -> list[dict[str, Any]]:
    """The first ``most`` recordings whose listens nobody knows: recording_id and :data:`HINTS`.

    Args:
        connection: has the views of the generation. Tables ``tail_…`` are made in it and dropped again.
        places: of the catalogue.
        generation: the one that counts.
        most: how many, at least 1.
    """
    cursor = connection.cursor()
    try:
        if generation.popularity is None or generation.is_flat:
            cursor.execute(query(most))
        else:
            pieces = list(_pieces(places, generation, generation.popularity))
            cursor.execute(f"CREATE OR REPLACE TABLE tail_signals AS {operations.hinting_signals('signals')}")
            _sum_artists(cursor, pieces)
            _choose(cursor, pieces, most)
            cursor.execute(f"SELECT {_COLUMNS} FROM tail_best ORDER BY {operations.UNHEARD_ORDER}")
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    finally:
        with contextlib.suppress(Exception):
            for name in ("tail_signals", "tail_sums", "tail_best"):
                cursor.execute(f"DROP TABLE IF EXISTS {name}")
        cursor.close()


def _pieces(places: Places, generation: Generation, told: Popularity) -> Iterator[_Piece]:
    """All recordings of a catalogue."""
    yield from _wide(places, generation, told, hidden="recording" in generation.overlapping)
    if any(ref.rows for ref in told.files):
        yield _flat(places, generation, told)


def _wide(places: Places, generation: Generation, told: Popularity, *, hidden: bool) -> Iterator[_Piece]:
    """A piece for each chunk, from its own rows: their lists say of each recording all that the views do."""
    given = {h.name: h.files for h in told.heard}
    for part in generation.wide:
        chunks = part.wide.get("recording", [])
        listens = given.get(heard.name_of(part)) or [None] * len(chunks)
        for chunk, sums in zip(chunks, listens, strict=True):
            rows = f"SELECT * FROM {parquet([places.path(chunk.rows)])}"
            if hidden:
                rows = f"SELECT w.* FROM ({rows}) AS w ANTI JOIN overlap_recording AS o ON o.id = w.id"
            known = parquet([places.path(sums)]) if sums else ""
            yield _Piece(_listed(rows, known, told, f"unnest({_ARTISTS}) AS artist_id"),
                         _listed(rows, known, told, f"{_RELEASES} AS releases"))  # fmt: skip


_ALL_ARTISTS = "list_transform(credits, lambda c: c.artist_id)"
# Most lists have one element: looking for repeats in those would be half the work.
_ARTISTS = f"CASE WHEN len(credits) > 1 THEN list_distinct({_ALL_ARTISTS}) ELSE {_ALL_ARTISTS} END"
_RELEASES = "coalesce(list_unique(list_transform(tracks, lambda t: t.release_id)), 0)"


def _listed(rows: str, known: str, told: Popularity, column: str) -> str:
    """Recording, listens, and what a column makes of its lists."""
    if not known:
        return f"SELECT recording_id, listens, {column} FROM ({heard.own(told.licences, f'({rows})', _LISTS)}) AS w"
    return f"""
        SELECT h.recording_id, h.listens, {column} FROM ({rows}) AS w
        JOIN {known} AS h ON h.recording_id = w.id"""


_LISTS = ", credits, tracks"


def _flat(places: Places, generation: Generation, told: Popularity) -> _Piece:
    """What merged tables have, and flat partitions for themselves."""
    known = parquet(places.paths(told.files))
    credited, tracks = (_merged(places, generation, table) for table in ("credits", "tracks"))
    billed = f"""
        SELECT h.recording_id, h.listens, c.artist_id FROM {known} AS h
        JOIN (SELECT DISTINCT entity_id, artist_id FROM ({credited}) AS r WHERE kind = 'recording') AS c
        ON c.entity_id = h.recording_id"""
    placed = f"""
        SELECT h.recording_id, h.listens, coalesce(t.releases, 0) AS releases FROM {known} AS h
        LEFT JOIN (SELECT recording_id, count(DISTINCT release_id) AS releases FROM ({tracks}) AS r
                   GROUP BY recording_id) AS t ON t.recording_id = h.recording_id"""
    return _Piece(billed, placed)


def _merged(places: Places, generation: Generation, table: str) -> str:
    """The rows of a merged table but for the wide ones."""
    columns = {"credits": "entity_id, kind, artist_id", "tracks": "recording_id, release_id"}[table]
    queries = [f"SELECT {columns} FROM {parquet(places.paths(generation.merged[table]))}"]
    alone = own.rows(places, generation, table, generation.overlapping)
    return " UNION ALL ".join(queries + ([f"SELECT {columns} FROM ({alone}) AS o"] if alone else []))


def _sum_artists(cursor: duckdb.DuckDBPyConnection, pieces: list[_Piece]) -> None:
    """``tail_sums``: the known listens of each artist's recordings."""
    cursor.execute("CREATE OR REPLACE TABLE tail_sums (artist_id BIGINT, listens HUGEINT)")
    summed = 0
    for piece in pieces:
        cursor.execute(f"""
            INSERT INTO tail_sums SELECT artist_id, sum(CAST(listens AS HUGEINT)) FROM ({piece.billed}) AS b
            WHERE listens IS NOT NULL AND artist_id IS NOT NULL GROUP BY artist_id""")
        rows = _value(cursor, "SELECT count(*) FROM tail_sums")
        # Seldom, yet before many rows wait: each artist is summed again as often as the table has grown by half.
        if rows - summed > max(_SLACK, summed // 2):
            summed = _add_up(cursor)
    _add_up(cursor)


def _add_up(cursor: duckdb.DuckDBPyConnection) -> int:
    cursor.execute("""
        CREATE OR REPLACE TABLE tail_sums AS
        SELECT artist_id, CAST(sum(listens) AS HUGEINT) AS listens FROM tail_sums GROUP BY artist_id""")
    return int(_value(cursor, "SELECT count(*) FROM tail_sums"))


def _choose(cursor: duckdb.DuckDBPyConnection, pieces: list[_Piece], most: int) -> None:
    """``tail_best``: the first rows of all pieces. An order without ties, so the best of the best are the best."""
    order = operations.UNHEARD_ORDER
    cursor.execute(f"CREATE OR REPLACE TABLE tail_best AS SELECT {_COLUMNS} FROM ({_EMPTY}) AS e")
    signals = bool(_value(cursor, "SELECT count(*) FROM tail_signals"))
    for piece in pieces:
        rows = _hinted(piece, _last(cursor, most), signals=signals)
        cursor.execute(f"INSERT INTO tail_best SELECT {_COLUMNS} FROM ({rows}) AS h ORDER BY {order} LIMIT {most}")
        cursor.execute(f"""
            CREATE OR REPLACE TABLE tail_best AS
            SELECT {_COLUMNS} FROM tail_best ORDER BY {order} LIMIT {most}""")


_EMPTY = """
    SELECT 0::BIGINT AS recording_id, 0::HUGEINT AS listeners, 0::HUGEINT AS downloads, 0::HUGEINT AS favourites,
        0::HUGEINT AS artist_listens, 0::BIGINT AS releases WHERE false"""


@dataclass(frozen=True)
class _Last:
    """The last of enough rows: whether signals speak for it, and the listens of its artist."""

    signalled: bool
    artist_listens: int | None


def _last(cursor: duckdb.DuckDBPyConnection, most: int) -> _Last | None:
    """None while there are not enough."""
    found = cursor.execute(f"""
        SELECT {_SIGNALLED}, artist_listens FROM tail_best ORDER BY {operations.UNHEARD_ORDER}
        LIMIT 1 OFFSET {most - 1}""").fetchall()
    return _Last(*found[0]) if found else None


def _hinted(piece: _Piece, last: _Last | None, *, signals: bool) -> str:
    """Query of the unheard rows of a piece that may come before ``last``, with their hints."""
    least = last.artist_listens if last and not last.signalled else None
    # A recording that signals speak for is not left out for its artist.
    few = f"AND k.listens >= {least}" if least is not None and not signals else ""
    where = "TRUE"
    if last and last.signalled:
        where = _SIGNALLED
    elif least is not None:
        where = f"{_SIGNALLED} OR artist_listens >= {least}" if signals else f"artist_listens >= {least}"
    hint = "s.listeners, s.downloads, s.favourites" if signals else _NO_SIGNALS
    join = "LEFT JOIN tail_signals AS s ON s.recording_id = p.recording_id" if signals else ""
    return f"""
        SELECT {_COLUMNS} FROM (
            SELECT p.recording_id, {hint}, a.artist_listens, p.releases
            FROM (SELECT recording_id, releases FROM ({piece.placed}) AS r WHERE listens IS NULL) AS p {join}
            LEFT JOIN (SELECT b.recording_id, max(k.listens) AS artist_listens FROM ({piece.billed}) AS b
                       JOIN tail_sums AS k ON k.artist_id = b.artist_id {few}
                       WHERE b.listens IS NULL GROUP BY b.recording_id) AS a ON a.recording_id = p.recording_id) AS j
        WHERE {where}"""


_NO_SIGNALS = ", ".join(f"NULL::HUGEINT AS {name}" for name in HINTS[:3])


def _value(cursor: duckdb.DuckDBPyConnection, asked: str) -> Any:
    return cursor.execute(asked).fetchall()[0][0]
