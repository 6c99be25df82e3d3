"""The operations of the catalogue, each defined once: SQL over named relations that every engine runs alike.

The text is DuckDB's dialect, kept to what sqlglot turns into Spark's without a change of meaning
(docs/explanation/engines.md). A function returns a query, or an expression; it runs nothing. ``relation`` is the name
of a table or view. What an engine might do in its own way is written out: ties are broken by id, text is compared by
code points, sums are of whole numbers in 128 bits, no hash function but SHA-256.
"""

from __future__ import annotations

from collections.abc import Sequence

PERMILLE = (500, 900, 996)
"""Shares of listens, in thousandths, that :func:`thresholds` asks about."""
_LARGEST = "9223372036854775807"
_TWO_63 = "9223372036854775808"
MOST = 9_007_199_254_740_992
"""Counts from 2^53 on are no counts."""


def editions(identifiers: str, heard: str) -> str:
    """Query: the recordings of a catalogue that have an ISRC, for :func:`isrc_groups`: isrc, recording_id, listens.

    Args:
        identifiers: scheme, value, entity_id, kind.
        heard: recording_id, listens.
    """
    return f"""
        SELECT i.value AS isrc, i.entity_id AS recording_id, h.listens FROM (
            SELECT DISTINCT value, entity_id FROM {identifiers} WHERE scheme = 'isrc' AND kind = 'recording') AS i
        JOIN {heard} AS h ON h.recording_id = i.entity_id"""


def isrc_groups(relation: str) -> str:
    """Query: one recording of each ISRC, the most heard; of several that are heard alike, the one of the smallest id.

    The choice is a maximum of one packed number, listens above and the inverted id below, so that no engine has a
    tie to break. Unknown listens come after 0.

    Args:
        relation: isrc, recording_id (63 bits), listens (null: unknown; from 0 to below 2^62).

    Returns:
        Columns isrc, recording_id, editions (rows that have the ISRC), listens (of the chosen one).
    """
    packed = f"CAST(coalesce(listens, -1) + 1 AS HUGEINT) * {_TWO_63} + ({_LARGEST} - recording_id)"
    above = f"CAST(coalesce(listens, -1) + 1 AS HUGEINT) * {_TWO_63}"
    return f"""
        SELECT isrc, {_LARGEST} - CAST(best - {above} AS BIGINT) AS recording_id, editions, listens
        FROM (SELECT isrc, max(listens) AS listens, max({packed}) AS best, count(*) AS editions
              FROM {relation} WHERE isrc IS NOT NULL GROUP BY isrc) AS g"""


def histogram(relation: str, *columns: str) -> str:
    """Query: how many recordings have the same listens (and the same ``columns``): columns, listens, recordings."""
    by = ", ".join([*columns, "listens"])
    return f"SELECT {by}, count(*) AS recordings FROM {relation} GROUP BY {by}"


def score(listens: str) -> str:
    """Expression: 0 to 100 in steps of 0.01, ``min(100, 10 * log10(1 + listens))`` (docs/formats/signal.md)."""
    steps = f"floor(1000 * log10(CAST(1 + {listens} AS DOUBLE)) + 0.5)"
    return f"least(CAST(100 AS DOUBLE), {steps} / CAST(100 AS DOUBLE))"


def ranks(relation: str) -> str:
    """Query: what popularity says of each count of listens: one row a different count, so few rows for any catalogue.

    Args:
        relation: recording_id, listens (null: unknown; those rows count for nothing).

    Returns:
        Columns listens, score, rank (1 + recordings with more listens: equal counts share a rank), recordings (that
        have this count), heard (listens of these recordings and all before them, 128 bits), share (heard ÷ all).
    """
    return ranks_of(f"({histogram(relation)}) AS h")


def ranks_of(counted: str) -> str:
    """Query: :func:`ranks` of a histogram that was made before: a relation of listens, recordings."""
    above = "ORDER BY listens DESC ROWS BETWEEN UNBOUNDED PRECEDING AND"
    return f"""
        SELECT listens, {score("listens")} AS score, rank, recordings, heard,
            CAST(heard AS DOUBLE) / nullif(CAST(max(heard) OVER () AS DOUBLE), 0) AS share
        FROM (
            SELECT listens, recordings,
                1 + CAST(coalesce(sum(recordings) OVER ({above} 1 PRECEDING), 0) AS BIGINT) AS rank,
                sum(CAST(listens AS HUGEINT) * recordings) OVER ({above} CURRENT ROW) AS heard
            FROM (SELECT listens, CAST(sum(recordings) AS BIGINT) AS recordings
                  FROM {counted} WHERE listens IS NOT NULL GROUP BY listens) AS c) AS r"""


def popularity(relation: str, ranked: str) -> str:
    """Query: listens, score and rank of each recording: recording_id, listens, score, rank; null where unknown.

    Args:
        relation: recording_id, listens.
        ranked: the rows of :func:`ranks`.
    """
    return f"""
        SELECT h.recording_id, h.listens, r.score, r.rank FROM {relation} AS h
        LEFT JOIN {ranked} AS r ON r.listens = h.listens"""


def thresholds(ranked: str, permille: Sequence[int] = PERMILLE) -> str:
    """Query: how many recordings, most heard first, it takes to reach each share of all listens.

    Args:
        ranked: the rows of :func:`ranks`.
        permille: shares, in thousandths.

    Returns:
        Columns permille, recordings (the fewest that reach the share), listens (of the last one of them).
    """
    asked = " UNION ALL ".join(f"SELECT CAST({p} AS BIGINT) AS permille" for p in permille)
    missing = "total * permille - (heard - CAST(listens AS HUGEINT) * recordings) * 1000"
    each = "nullif(CAST(listens AS HUGEINT) * 1000, 0)"
    return f"""
        SELECT permille, rank - 1 + CAST(({missing} + {each} - 1) // {each} AS BIGINT) AS recordings, listens
        FROM (SELECT a.permille, r.listens, r.recordings, r.rank, r.heard, max(r.heard) OVER () AS total
              FROM {ranked} AS r CROSS JOIN ({asked}) AS a) AS t
        WHERE heard * 1000 >= total * permille
            AND (heard - CAST(listens AS HUGEINT) * recordings) * 1000 < total * permille"""


def listeners(relation: str) -> str:
    """Query: recording_id, listeners: the largest count that one source gives. Listeners of two sources overlap.

    Args:
        relation: signals: recording_id, kind, value.
    """
    return f"""
        SELECT recording_id, max({_whole("value")}) AS listeners FROM {relation}
        WHERE kind = 'listeners' AND {counts("value")} GROUP BY recording_id"""


def _whole(value: str) -> str:
    return f"CAST(round({value}) AS BIGINT)"


def counts(value: str) -> str:
    """Neither NaN, infinite, negative, nor from 2^53 on, where counts are no counts."""
    return f"{value} >= 0 AND {value} < {MOST}"


UNHEARD_ORDER = (
    "listeners DESC NULLS LAST, downloads DESC NULLS LAST, favourites DESC NULLS LAST, "
    "artist_listens DESC NULLS LAST, releases DESC, recording_id"
)
"""The order of the rows of :func:`unheard`: signals first, then the company that a recording keeps, then its id."""


def hinting_signals(signals: str) -> str:
    """Query: what signals other than listens hint: recording_id, downloads, favourites, listeners; null for none.

    Args:
        signals: recording_id, kind, value. ``listeners`` is the largest, ``downloads`` and ``favourites`` are sums.
    """
    summed = ", ".join(f"sum(CASE WHEN kind = '{kind}' THEN CAST({_whole('value')} AS HUGEINT) END) AS {kind}"
                       for kind in ("downloads", "favourites"))  # fmt: skip
    return f"""
        SELECT recording_id, {summed}, max(CASE WHEN kind = 'listeners' THEN {_whole("value")} END) AS listeners
        FROM {signals} WHERE kind IN ('listeners', 'downloads', 'favourites') AND {counts("value")}
        GROUP BY recording_id"""


def unheard(relation: str, signals: str, credits: str, tracks: str) -> str:  # noqa: A002 a table's name
    """Query: the recordings whose listens nobody knows, with what else hints at their being heard, and their place.

    Nothing is converted: kinds are compared one after the other (:data:`UNHEARD_ORDER`), each only where those before
    it are equal, unknown after known.

    Args:
        relation: recording_id, listens.
        signals: as of :func:`hinting_signals`.
        credits: entity_id, kind, artist_id. The artist's known listens are those of all its recordings; of several
            artists the most listened to counts.
        tracks: recording_id, release_id: on how many releases it is.

    Returns:
        Columns recording_id, listeners, downloads, favourites, artist_listens, releases, place (from 1).
    """
    billed = f"""SELECT DISTINCT entity_id AS recording_id, artist_id FROM {credits}
                       WHERE kind = 'recording' AND artist_id IS NOT NULL"""
    return f"""
        SELECT *, row_number() OVER (ORDER BY {UNHEARD_ORDER}) AS place FROM (
            SELECT u.recording_id, s.listeners, s.downloads, s.favourites, a.artist_listens,
                coalesce(t.releases, 0) AS releases
            FROM (SELECT recording_id FROM {relation} WHERE listens IS NULL) AS u
            LEFT JOIN ({hinting_signals(signals)}) AS s ON s.recording_id = u.recording_id
            LEFT JOIN (SELECT b.recording_id, max(k.listens) AS artist_listens FROM ({billed}) AS b
                       JOIN (SELECT c.artist_id, sum(CAST(h.listens AS HUGEINT)) AS listens FROM ({billed}) AS c
                             JOIN {relation} AS h ON h.recording_id = c.recording_id
                             WHERE h.listens IS NOT NULL GROUP BY c.artist_id) AS k ON k.artist_id = b.artist_id
                       GROUP BY b.recording_id) AS a ON a.recording_id = u.recording_id
            LEFT JOIN (SELECT recording_id, count(DISTINCT release_id) AS releases FROM {tracks}
                       GROUP BY recording_id) AS t ON t.recording_id = u.recording_id) AS hinted"""


def heard(recordings: str, popular: str) -> str:
    """Query: one row a recording: recording_id, source, year, release_id, listens (null: unknown).

    Args:
        recordings, popular: the tables ``recordings`` and ``popularity``. A catalogue has a view ``heard`` that does
            without this join where a source brings its listens with it.
    """
    return f"""
        SELECT r.id AS recording_id, r.source, r.year, r.release_id, p.listens
        FROM {recordings} AS r LEFT JOIN {popular} AS p ON p.recording_id = r.id"""
