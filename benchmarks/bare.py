"""What somebody who knows DuckDB would write for P5 and P15, over the same files."""

from __future__ import annotations

BARE = "bare DuckDB"
GROUPINGS = ("decade", "tier", "country", "genre")
"""Groupings of P15 that have a peer of their own; of licences the generated catalogues say nothing."""
_LIMIT, _STEP = 9_223_372_036_854_775_807, 9_223_372_036_854_775_808
_SUMS = "count(*) AS recordings, sum(listens) AS listens"


def groups(rows: str) -> str:
    """The most heard recording of each ISRC: the maximum of a packed number, unpacked again.

    Args:
        rows: isrc, recording_id, listens.
    """
    packed = f"max((coalesce(listens, -1) + 1)::HUGEINT * {_STEP} + ({_LIMIT} - recording_id))"
    return f"SELECT isrc, ({_LIMIT} - {packed} % {_STEP})::BIGINT AS recording_id FROM {rows} GROUP BY isrc"


def ranks(heard: str) -> str:
    """The rank of each recording. ``heard``: recording_id, listens."""
    return (f"SELECT recording_id, listens, rank FROM {heard} LEFT JOIN (SELECT listens, 1 + sum(n) OVER (ORDER BY "
            f"listens DESC) - n AS rank FROM (SELECT listens, count(*) AS n FROM {heard} WHERE listens IS NOT NULL "
            "GROUP BY listens)) USING (listens)")  # fmt: skip


def coverage(heard: str) -> str:
    """How many recordings stand for 50, 90 and 99.6 % of listens."""
    least = ", ".join(f"min(n) FILTER (share >= {share})" for share in (0.5, 0.9, 0.996))
    return f"SELECT {least} FROM ({_shares(heard)})"


def _shares(heard: str) -> str:
    counted = f"SELECT listens, count(*) AS n FROM {heard} WHERE listens IS NOT NULL GROUP BY listens"
    return ("SELECT listens, n AS recordings, sum(n) OVER w AS n, "
            "sum(n * listens) OVER w / sum(n * listens) OVER () AS share "
            f"FROM ({counted}) WINDOW w AS (ORDER BY listens DESC)")  # fmt: skip


def grouped(by: str, heard: str, releases: str, genres: str = "") -> str:
    """Recordings and listens of each group; a recording of two genres counts in both.

    Args:
        by: one of :data:`GROUPINGS`.
        heard: recording_id, listens, year, release_id.
        releases: id, country.
        genres: recording_id, genre; a pair may come twice.
    """
    if by == "genre":
        return (f"SELECT genre AS key, {_SUMS} FROM {heard} LEFT JOIN "
                f"(SELECT DISTINCT recording_id, genre FROM {genres}) USING (recording_id) GROUP BY 1")  # fmt: skip
    if by == "decade":
        return f"SELECT year // 10 AS key, {_SUMS} FROM {heard} GROUP BY 1"
    if by == "country":
        return f"SELECT country AS key, {_SUMS} FROM {heard} LEFT JOIN {releases} AS r ON r.id = release_id GROUP BY 1"
    # Equal listens are not parted, so it needs no ids.
    key = "CASE WHEN share <= 0.5 THEN 'head' WHEN share <= 0.9 THEN 'mid' ELSE 'tail' END"
    return (f"SELECT {key} AS key, sum(recordings) AS recordings, sum(recordings * listens) AS listens "
            f"FROM ({_shares(heard)}) GROUP BY 1")  # fmt: skip


def named(by: str) -> str:
    """What the peer of a grouping is called."""
    return f"{BARE} by {by}"
